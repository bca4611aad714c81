"""Where a checkpoint is, and copies of one in a bucket, such as `s3://bucket/checkpoint`.

A copy is a folder of `GRID_HOME/cache/checkpoints`, named by what the bucket lists of its files. It
gets its name when it is complete, so processes that copy at once do not disturb each other.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grid_assets.files.places import AddressError, BucketPlace, parse
from grid_assets.files.store import FilesError
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.settings import Settings

KINDS: Final = (".json", ".onnx", ".safetensors")

COPIES: Final = 2
"""Of a checkpoint: another process may be reading the one before the newest."""

LEFT_S: Final = 86400
"""After so many seconds a part of a copy is that of a process that was killed."""

_log = logging.getLogger(__name__)


def place_of(source: str) -> BucketPlace | Path | None:
    """The folder or bucket that `source` names; None if neither. Raises `ModelUnusable`."""
    if "://" not in source:
        return _folder_of(source)
    try:
        place = parse(source)
    except AddressError as error:
        raise ModelUnusable(str(error)) from None
    if isinstance(place, BucketPlace) and not place.folder:
        raise ModelUnusable(f"{place} names no folder in the bucket")
    return place


def _folder_of(source: str) -> Path | None:
    try:
        path = Path(source).expanduser()
        named = source.startswith(("/", ".", "~")) or "\\" in source or path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelUnusable(f"it is not a usable path: {error}") from error
    return path if named else None


def name_of(source: str) -> str:
    """The name of a model in a bucket or on a hub, without asking either."""
    if "://" in source:
        return source.rstrip("/").rpartition("/")[2]
    repo = source.split("@")[0]
    return repo.rstrip("/").split("/")[-1] or repo


def fetch(place: BucketPlace, timeout_s: float) -> Path:
    """The folder with a copy of the checkpoint, the newest if the bucket answers within
    `timeout_s`, else the last one. Raises `ModelUnusable`."""
    copies = Settings.from_environment().home / "cache" / "checkpoints" / _name(place)
    try:
        if missing := place.missing_library():
            raise ModelUnusable(missing)
        return _fetch(place, copies, timeout_s)
    except (FilesError, OSError, ModelUnusable) as error:
        last = _newest(copies)
        if last is None:
            if isinstance(error, OSError):
                raise ModelUnusable(f"{copies} cannot be written: {error.strerror}") from None
            raise ModelUnusable(str(error).rstrip(".")) from None
        _log.warning("%s. The previous copy is used.", str(error).rstrip("."))
        return last


def _fetch(place: BucketPlace, copies: Path, timeout_s: float) -> Path:
    from grid_assets.files import bucket

    ends = time.monotonic() + timeout_s
    listed = _listed(bucket.list_folder(place, timeout_s))
    copy = copies / _digest(listed)
    if copy.is_dir():
        return copy
    if not listed:
        raise ModelUnusable(f"{place} has no files of a checkpoint")
    copies.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=copies))
    try:
        bucket.download(place, list(listed), part, max(ends - time.monotonic(), 1))
        for name, (size, _) in listed.items():
            if (part / name).stat().st_size != size:
                raise ModelUnusable(f"{place}/{name} was cut off; try again later")
        # Files of two versions would be a model that nobody trained.
        if _listed(bucket.list_folder(place, max(ends - time.monotonic(), 1))) != listed:
            raise ModelUnusable(f"{place} was changed while it was copied; try again later")
        try:
            part.rename(copy)
        except OSError:  # another process was faster, and has the same files
            if not copy.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _remove_old(copies)
    return copy


def _listed(found: Mapping[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """Size and version of each file of a checkpoint, by name."""
    return {name: found[name] for name in sorted(found) if Path(name).suffix in KINDS}


def _digest(listed: Mapping[str, tuple[int, str]]) -> str:
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


def _name(place: BucketPlace) -> str:
    """A folder for a place: its last part, for people, and a digest of all of it."""
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:8]
    return f"{place.name}-{digest}"


def _whole(copies: Path) -> list[Path]:
    """The complete copies, the newest last."""
    found = [copy for copy in copies.glob("*") if not copy.name.startswith(".")]
    return sorted(found, key=lambda copy: copy.stat().st_mtime)


def _newest(copies: Path) -> Path | None:
    try:
        return _whole(copies)[-1]
    except (IndexError, OSError):
        return None


def _remove_old(copies: Path) -> None:
    for old in _whole(copies)[:-COPIES]:
        shutil.rmtree(old, ignore_errors=True)
    for part in copies.glob(".part-*"):
        if time.time() - os.path.getmtime(part) > LEFT_S:
            shutil.rmtree(part, ignore_errors=True)

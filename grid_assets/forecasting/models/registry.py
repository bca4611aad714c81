"""Which model forecasts: the configured one, else the shipped checkpoint, else seasonal naive.

Belongs here: what `GRID_CHRONOS_MODEL` may say, fetching from a hub, what is known of a model, and
falling back, with the reason.
Does not belong here: how a model is loaded and run (`chronos`, imported late because it is slow).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.models.forecaster import Forecaster, ModelUnusable, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive

SETTING: Final = "GRID_CHRONOS_MODEL"
SHIPPED: Final = Path(__file__).parent.parent / "checkpoint"
SHIPPED_SOURCE: Final = "shipped"
BUILTIN_SOURCE: Final = "builtin"

RETRY_AFTER_S: Final = 600
"""A failed load is not tried again for so long: a hub that hangs would hold up every forecast, and
one that is back is used within minutes."""

_HUB_ID: Final = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")

_WANTED: Final = ("*.json", "*.safetensors")

_DOWNLOAD: Final = """
import faulthandler, json, sys
repo, revision, seconds, *wanted = sys.argv[1:]
faulthandler.dump_traceback_later(float(seconds), exit=True)  # outlives no parent that was killed
from huggingface_hub import snapshot_download
try:
    answer = {"folder": snapshot_download(repo, revision=revision or None, allow_patterns=wanted)}
except Exception as error:
    answer = {"error": type(error).__name__, "message": (str(error).strip() or "-").split("\\n")[0]}
print(json.dumps(answer))
"""
"""Run by a Python of its own: a download that hangs can be ended, and leaves no threads behind."""


@dataclass(frozen=True)
class ModelInfo:
    """A row of `forecast.models`: which weights made a forecast, and what is known of them."""

    model: str
    """The name in `forecast.predictions`, such as `chronos:chronos-2`."""
    source: str
    """The folder or hub id as configured, `shipped`, or `builtin` for seasonal naive."""
    revision: str
    """Commit of a hub model; for a folder the start of its weights' SHA-256."""
    trained_to: datetime | None = None
    """End of the training span, where the checkpoint says so."""
    scores: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to forecast."""

    forecaster: Forecaster
    info: ModelInfo
    reason: str | None = None
    """Why this is not the model that was asked for, where it is not."""


@dataclass(frozen=True)
class ModelForecast:
    """Quantiles as `Forecaster.predict` gives them, and which model made them."""

    quantiles: Values
    info: ModelInfo
    reason: str | None


@dataclass(frozen=True)
class _Failure:
    why: str
    until: float


_remembered: dict[tuple[Any, ...], Loaded | _Failure] = {}
_one_at_a_time = threading.RLock()


def load(source: str | None, timeout_s: float, threads: int | None = None) -> Loaded:
    """The model that `GRID_CHRONOS_MODEL` names, or the next best one and the reason. Never raises.

    `source` is a folder, `org/name` or `org/name@revision` of a hub; None, nothing or `shipped` is
    the shipped checkpoint. A hub has `timeout_s` to deliver. A model is loaded once for a process;
    `threads` sets torch's threads for all of it.
    """
    asked = (source or "").strip() or SHIPPED_SOURCE
    with _one_at_a_time:
        try:
            return _load_once(asked, timeout_s, threads)
        except ModelUnusable as error:
            return _instead_of(asked, str(error), threads)


def seasonal_naive() -> Loaded:
    """The model that needs no weights: it stands beside every other one, and in at need."""
    forecaster = SeasonalNaive()
    return Loaded(forecaster, ModelInfo(forecaster.name, BUILTIN_SOURCE, version("grid-assets")))


def configured_name(source: str | None) -> str:
    """The name under which the configured model forecasts, without loading it."""
    asked = (source or "").strip() or SHIPPED_SOURCE
    try:
        folder = _folder(asked)
        if folder is not None:
            return f"chronos:{_card(folder).get('name') or Path(os.path.abspath(folder)).name}"
    except ModelUnusable:
        pass
    repo = asked.split("@")[0]
    return f"chronos:{repo.rstrip('/').split('/')[-1] or repo}"


def predict_with_fallback(loaded: Loaded, problems: Sequence[Problem], steps: int) -> ModelForecast:
    """Forecast with `loaded`; where it fails while running, with the next of the chain.

    All problems are forecast by the same model, the one that is named in the answer.
    """
    while True:
        try:
            quantiles = loaded.forecaster.predict(problems, steps)
            if loaded.info.source != BUILTIN_SOURCE:
                _check_finite(quantiles, problems)
            return ModelForecast(quantiles, loaded.info, loaded.reason)
        except ModelUnusable as error:
            if loaded.info.source == BUILTIN_SOURCE:
                raise
            with _one_at_a_time:
                following = _instead_of(loaded.info.source, str(error))
            reasons = [reason for reason in (loaded.reason, following.reason) if reason]
            loaded = replace(following, reason=" ".join(reasons))


def _instead_of(source: str, why: str, threads: int | None = None) -> Loaded:
    """The next of the chain: the shipped checkpoint, then seasonal naive."""
    if source == SHIPPED_SOURCE:
        why = f"The shipped checkpoint cannot be used: {why}"
    else:
        why = f"{SETTING}={source} cannot be used: {why}"
        try:
            shipped = _load_once(SHIPPED_SOURCE, 0, threads)
            return replace(shipped, reason=f"{why}. The shipped checkpoint forecasts instead.")
        except ModelUnusable as error:
            why = f"{why}. Nor can the shipped checkpoint: {error}"
    naive = seasonal_naive()
    return replace(naive, reason=f"{why}. {naive.info.model} forecasts instead.")


def _check_finite(quantiles: Values, problems: Sequence[Problem]) -> None:
    for values, problem in zip(quantiles, problems, strict=True):
        known = ~np.isnan(problem.context).all(axis=1)
        if not np.isfinite(values[known]).all():
            raise ModelUnusable("it gave values that are not finite")


def _load_once(source: str, timeout_s: float, threads: int | None) -> Loaded:
    try:
        key = (source, *_stamp(_folder(source)))
        remembered = _remembered.get(key)
        if remembered is None or _is_over(remembered):
            _remembered[key] = remembered = _load_or_fail(source, timeout_s, threads)
    except OSError as error:
        raise ModelUnusable(f"it cannot be read: {error}") from error
    if isinstance(remembered, _Failure):
        raise ModelUnusable(remembered.why)
    return remembered


def _is_over(remembered: Loaded | _Failure) -> bool:
    return isinstance(remembered, _Failure) and time.monotonic() >= remembered.until


def _load_or_fail(source: str, timeout_s: float, threads: int | None) -> Loaded | _Failure:
    try:
        return _load(source, timeout_s, threads)
    except ModelUnusable as error:
        return _Failure(str(error), time.monotonic() + RETRY_AFTER_S)


def _folder(source: str) -> Path | None:
    """The folder that `source` names, or None where it names none."""
    if source == SHIPPED_SOURCE:
        return SHIPPED
    try:
        path = Path(source).expanduser()
        named = source.startswith(("/", ".", "~")) or "\\" in source or path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelUnusable(f"it is no usable path: {error}") from error
    return path if named else None


def _stamp(folder: Path | None) -> tuple[Any, ...]:
    """Changes when a checkpoint is replaced or repaired, so that it is loaded again."""
    if folder is None or not folder.is_dir():
        return ()
    files = sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")])
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def _load(source: str, timeout_s: float, threads: int | None) -> Loaded:
    folder = _folder(source)
    if folder is not None:
        return _from_folder(folder, source, threads)
    hub_id = _HUB_ID.fullmatch(source)
    if hub_id is None:
        raise ModelUnusable(
            "there is no such folder, and the id of a hub model has the form org/name or "
            "org/name@revision"
        )
    snapshot = _snapshot(hub_id["repo"], hub_id["revision"], timeout_s)
    name = hub_id["repo"].split("/")[1]
    # The hub's cache names the folder of a snapshot by its commit.
    return _from_folder(snapshot, source, threads, name=name, revision=snapshot.name)


def _from_folder(
    folder: Path,
    source: str,
    threads: int | None,
    name: str | None = None,
    revision: str | None = None,
) -> Loaded:
    from grid_assets.forecasting.models.chronos import ChronosForecaster

    card = _card(folder)
    model = f"chronos:{name or card.get('name') or Path(os.path.abspath(folder)).name}"
    forecaster = ChronosForecaster.from_folder(folder, model, threads)
    info = ModelInfo(
        model=model,
        source=source,
        revision=revision or _digest(folder),
        trained_to=card.get("trained_to"),
        scores=card.get("scores", {}),
        parameters=forecaster.parameters,
    )
    return Loaded(forecaster, info)


def _card(folder: Path) -> dict[str, Any]:
    """What `grid.json` says of a checkpoint; nothing where there is none."""
    path = folder / "grid.json"
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_bytes())
        if not isinstance(card.get("name", ""), str) or not isinstance(
            card.get("scores", {}), dict
        ):
            raise ValueError("name must be text and scores an object")
        if card.get("trained_to") is not None:
            trained_to = datetime.fromisoformat(card["trained_to"])
            if trained_to.tzinfo is None:
                raise ValueError("trained_to has no time zone")
            card["trained_to"] = trained_to.astimezone(UTC)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnusable(f"{path} cannot be read: {error}") from error
    return dict(card)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as weights:
            hashlib.file_digest(weights, lambda: digest)
    return digest.hexdigest()[:12]


def _snapshot(repo: str, revision: str | None, timeout_s: float) -> Path:
    """The folder with a hub model's files, from the cache where the revision is pinned or the hub
    does not deliver. Raises `ModelUnusable`."""
    cached = _cached(repo, revision)
    if revision is not None and cached is not None:
        return cached
    try:
        return _download(repo, revision, timeout_s)
    except ModelUnusable:
        if cached is not None:
            return cached
        raise


def _cached(repo: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            repo, revision=revision, allow_patterns=[*_WANTED], local_files_only=True
        )
    except (OSError, ValueError):
        return None
    folder = Path(found)
    complete = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    return folder if complete else None


def _download(repo: str, revision: str | None, timeout_s: float) -> Path:
    arguments = [repo, revision or "", str(timeout_s + 1), *_WANTED]
    command = [sys.executable, "-P", "-c", _DOWNLOAD, *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise ModelUnusable(
            f"the hub did not deliver {repo} within {timeout_s:g} s; "
            "try again later, or name a folder"
        ) from error
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise ModelUnusable(f"the download of {repo} broke off: {done.stderr[-200:]}") from error
    if "folder" in answer:
        return Path(answer["folder"])
    if answer["error"] == "RepositoryNotFoundError":
        raise ModelUnusable(f"the hub has no model {repo}, or it is private")
    if answer["error"] == "RevisionNotFoundError":
        raise ModelUnusable(f"the hub has no revision {revision} of {repo}")
    if answer["error"] == "LocalEntryNotFoundError":
        raise ModelUnusable(
            f"the hub cannot be reached, and {repo} was never downloaded: {answer['message']}"
        )
    raise ModelUnusable(f"the hub did not give {repo}: {answer['error']}: {answer['message']}")

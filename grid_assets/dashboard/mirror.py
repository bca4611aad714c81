"""Copies of the files of a bucket in a folder of this process, which the server serves.

Only files that the product writes are copied, so nothing else in the bucket is shown. If the bucket
does not answer, the copies stay: page and feeds say when they were made.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from grid_assets.files.places import BucketPlace
from grid_assets.files.store import FilesError
from grid_assets.output import write_bytes_whole

CHECK_S: Final = 10.0
"""Seconds for which a copy counts as the newest: however many readers, one request."""

_log = logging.getLogger(__name__)


class Mirror:
    """The copies, renewed one by one when they are asked for."""

    def __init__(self, place: BucketPlace, folder: Path, names: Collection[str]) -> None:
        from grid_assets.files.bucket import Reader

        self._reader = Reader(place)
        self._folder = folder
        self._locks = {name: threading.Lock() for name in names}
        self._checked: dict[str, float] = {}
        self._versions: dict[str, str] = {}
        self._faults: dict[str, FilesError] = {}

    def renew(self, name: str) -> None:
        """Copy a file if it has changed. Raises `FilesError` if the bucket does not answer and
        there is no copy."""
        lock = self._locks.get(name)
        if lock is None:
            return
        with lock:
            now = time.monotonic()
            if name not in self._checked or now - self._checked[name] >= CHECK_S:
                self._check(name)
                self._checked[name] = time.monotonic()
            if name in self._faults and name not in self._versions:
                raise self._faults[name]

    def _check(self, name: str) -> None:
        try:
            self._copy(name)
        except FilesError as error:
            if not self._faults:  # not for each file, nor for each request
                _log.warning("%s", error)
            self._faults[name] = error
        else:
            self._faults.pop(name, None)

    def _copy(self, name: str) -> None:
        file = self._folder / name
        try:
            found = self._reader.read(name, self._versions.get(name))
        except FileNotFoundError:
            file.unlink(missing_ok=True)
            self._versions.pop(name, None)
            return
        if found is None:
            return
        write_bytes_whole(file, found.content)
        modified = found.modified.timestamp()
        os.utime(file, (modified, modified))
        self._versions[name] = found.version

    def close(self) -> None:
        with suppress(FilesError):
            self._reader.close()

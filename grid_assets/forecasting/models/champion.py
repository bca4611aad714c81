"""The trees in use: those that a trial promoted in this warehouse, or else the bundled ones.

Promoted trees are files in `forecast.weights`, so that every process with the database has them. A
machine copies them once, into a folder of GRID_HOME; later it only compares their digests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from grid_assets.forecasting.boosting.trees import CARD, TREES
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

MODEL: Final = "gradient_boosting"

WAREHOUSE_SOURCE: Final = "warehouse"

TRAINING: Final = "training.gradient_boosting"
"""The asset name of trials in ops.etl_runs. It is no name in `forecast`: a failed attempt there
makes forecasts pause."""

GONE: Final = "forecast.weights does not have them any more"

COPIES: Final = 3
"""Sets of trees that a machine keeps: another process may be reading the one before the newest."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """Trees that a trial promoted. `digests` are those of the two files as the database has them,
    and None if it has them no more."""

    revision: str
    promoted_at: datetime
    reason: str
    digests: tuple[str, str] | None

    def cannot_be_used(self, why: str) -> str:
        """The sentences that readers see while other trees stand in for these."""
        return (
            f"The promoted trees {self.revision} cannot be used: {why}. The bundled ones forecast."
        )


@dataclass(frozen=True, slots=True)
class Champion:
    """Promoted trees on this machine: their folder, or why there is none."""

    promoted: Promoted
    folder: Path | None
    fault: str | None = None


def find_promoted(connection: Connection) -> Promoted | None:
    """The trees that the newest decision names; None for the bundled ones."""
    row = connection.execute(statement("forecast/read_champion"), {"model": MODEL}).fetchone()
    if row is None or row[0] == "reverted":
        return None
    _, revision, promoted_at, reason, trees, card = row
    return Promoted(revision, promoted_at, reason, (trees, card) if trees and card else None)


def read_champion(connection: Connection, home: Path) -> Champion | None:
    """The promoted trees in use, copied to `home` if they are not there yet; None if there are
    none."""
    promoted = find_promoted(connection)
    if promoted is None:
        return None
    try:
        return Champion(promoted, _copy(connection, promoted, home / "cache" / "trees"))
    except ModelUnusable as error:
        return Champion(promoted, None, str(error))


def _copy(connection: Connection, promoted: Promoted, cache: Path) -> Path:
    if promoted.digests is None:
        raise ModelUnusable(GONE)
    folder = cache / promoted.revision
    if _digests(folder) == promoted.digests:
        return folder
    row = connection.execute(
        "SELECT trees, card FROM forecast.weights WHERE model = %s AND revision = %s",
        [MODEL, promoted.revision],
    ).fetchone()
    if row is None:  # removed a moment ago
        raise ModelUnusable(GONE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / TREES, bytes(row[0]))
        _write(folder / CARD, row[1].encode("utf-8"))
        copies = sorted(cache.iterdir(), key=lambda copy: copy.stat().st_mtime)
    except OSError as error:
        raise ModelUnusable(f"{folder} cannot be written: {error.strerror or error}") from error
    for old in copies[:-COPIES]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _write(path: Path, content: bytes) -> None:
    """Replace a file as a whole: another process may be reading it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def _digests(folder: Path) -> tuple[str, str] | None:
    try:
        return (
            hashlib.sha256((folder / TREES).read_bytes()).hexdigest(),
            hashlib.sha256((folder / CARD).read_bytes()).hexdigest(),
        )
    except OSError:
        return None

"""What a warehouse holds, live or recorded data, as stamped at its first migration."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from grid_assets.settings import DataKind
from grid_assets.warehouse.connection import Connection, WarehouseError
from grid_assets.warehouse.urls import location


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a warehouse holds; `shift_weeks` moves the recording, None for live data."""

    kind: DataKind
    shift_weeks: int | None = None

    def __str__(self) -> str:
        return "LIVE data" if self.kind == "live" else "RECORDED data (replay), not live"


def read_stamp(connection: Connection) -> Stamp | None:
    """The stamp of the database, None before its first migration."""
    exists = connection.execute("SELECT to_regclass('ops.warehouse') IS NOT NULL").fetchone()
    if exists != (True,):
        return None
    row = connection.execute("SELECT kind, shift_weeks FROM ops.warehouse").fetchone()
    return Stamp(*row) if row else None


def refuse_other_kind(present: Stamp, wanted: Stamp, url: SecretStr) -> None:
    """Raise `WarehouseError` unless both are the same kind, and the recording lies the same."""
    if present.kind != wanted.kind:
        raise WarehouseError(
            f"The database at {location(url)} holds {present}, and this process works on {wanted}; "
            "the two never meet. Change GRID_DATABASE_URL, GRID_HOME or GRID_API_URL."
        )
    if present.shift_weeks != wanted.shift_weeks:
        raise WarehouseError(
            f"The database at {location(url)} holds the recording moved by {present.shift_weeks} "
            f"weeks, and the replay serves it moved by {wanted.shift_weeks}. Start it with "
            f"`grid replay --shift-weeks {present.shift_weeks}`, or use another database."
        )

"""The stamp of a warehouse, set at its first migration: whether it holds live or recorded data."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from grid_assets.settings import DataKind
from grid_assets.warehouse.connection import Connection, WarehouseError
from grid_assets.warehouse.urls import location


@dataclass(frozen=True, slots=True)
class Stamp:
    """The kind of data, and by how many weeks the recording is shifted (None for live data)."""

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


def refuse_other_kind(present: Stamp, expected: Stamp, url: SecretStr) -> None:
    """Raise `WarehouseError` unless both stamps have the same kind and the same shift."""
    if present.kind != expected.kind:
        raise WarehouseError(
            f"The database at {location(url)} holds {present}, and this process works on "
            f"{expected}; the two are never mixed. Nothing was written. Change GRID_DATABASE_URL, "
            "GRID_HOME or GRID_API_URL."
        )
    if present.shift_weeks != expected.shift_weeks:
        raise WarehouseError(
            f"The database at {location(url)} holds the recording shifted by "
            f"{present.shift_weeks} weeks, and the replay serves it shifted by "
            f"{expected.shift_weeks}. Nothing was written. Start the replay with "
            f"`grid replay --shift-weeks {present.shift_weeks}`, or use another database."
        )

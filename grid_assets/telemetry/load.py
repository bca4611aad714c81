"""Loads parsed API responses into `raw`, which gets a row only where published values changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import psycopg

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import GenerationRow, IntensityRow
from grid_assets.warehouse.clocks import TOLERANCE
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

RAW_INTENSITY: Final = (
    "period_start",
    "captured_at",
    "forecast_gco2_kwh",
    "actual_gco2_kwh",
    "intensity_index",
)
SHARES: Final = tuple(f"{fuel}_pct" for fuel in FUELS)
RAW_GENERATION: Final = ("period_start", "captured_at", *SHARES, "unknown_pct")
BATCH: Final = 20_000
"""Half-hours loaded or cleaned at a time: about 20 MB of memory, whatever the range, and enough to
make the cost of a transaction negligible."""


VINTAGE: Final = timedelta(hours=48)
"""The span of one row of `raw.neso_vintages`."""


Received = TypeVar("Received", covariant=True)


@dataclass(frozen=True, slots=True)
class Capture(Generic[Received]):
    """Rows of one API response, and when it was received."""

    rows: Sequence[Received]
    captured_at: datetime


def load_intensity(
    connection: Connection, captures: Iterable[Capture[IntensityRow]], *, replayed: bool = False
) -> int:
    """Add rows to `raw.intensity` where they differ from what came last; returns their number.

    They count as received now, after all others, whatever their stamps. With `replayed`, rows
    captured before others of the same half-hour take their place before those.

    No half-hour may be in two of the captures: they are compared with the table, not with each
    other.
    """
    return load_half_hours(
        connection,
        "raw.intensity",
        RAW_INTENSITY,
        (
            (
                row.period_start,
                capture.captured_at,
                row.forecast_gco2_kwh,
                row.actual_gco2_kwh,
                row.intensity_index,
            )
            for capture in captures
            for row in capture.rows
        ),
        replayed,
    )


def load_generation(
    connection: Connection, captures: Iterable[Capture[GenerationRow]], *, replayed: bool = False
) -> int:
    """Add rows to `raw.generation` where they differ from what came last; returns their number.

    Arguments are those of `load_intensity`.
    """
    return load_half_hours(
        connection,
        "raw.generation",
        RAW_GENERATION,
        (
            (
                row.period_start,
                capture.captured_at,
                *(row.shares_pct[fuel] for fuel in FUELS),
                unknown_as_json(row.unknown_pct),
            )
            for capture in captures
            for row in capture.rows
        ),
        replayed,
    )


def unknown_as_json(unknown_pct: Mapping[str, Decimal]) -> str:
    """The JSON of a column `unknown_pct`."""
    if not unknown_pct:
        return "{}"
    return json.dumps({fuel: float(pct) for fuel, pct in sorted(unknown_pct.items())})


def load_half_hours(
    connection: Connection,
    relation: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    replayed: bool,
) -> int:
    """Add rows of half-hours to a table of `raw` by its files `load_…` and `place_…` in `sql/raw`;
    returns their number. `load_intensity` has the rules."""
    connection.execute(
        psycopg.sql.SQL(
            "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(
            psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, columns)),
            psycopg.sql.Identifier(*relation.split(".")),
        )
    )
    copy_rows(connection, "staged", columns, rows)
    placed = 0
    if replayed:
        placed = connection.execute(statement(relation.replace(".", "/place_"))).rowcount
    return (
        placed
        + connection.execute(
            statement(relation.replace(".", "/load_")), {"tolerance": TOLERANCE}
        ).rowcount
    )


def load_neso_forecast(
    connection: Connection, rows: Sequence[IntensityRow], issued_at: datetime, simulated: bool
) -> int:
    """Add one captured 48-hour forecast to `raw.neso_forecast`; returns the half-hours added.

    Adds nothing if it has the same values as the capture before it. One that is stamped later, by a
    clock that was ahead, does not count.
    """
    vintage = {
        row.period_start: row.forecast_gco2_kwh for row in rows if row.forecast_gco2_kwh is not None
    }
    newest = connection.execute(
        "SELECT period_start, forecast_gco2_kwh FROM raw.neso_forecast "
        "WHERE issued_at = (SELECT max(issued_at) FROM raw.neso_vintages WHERE issued_at <= %s)",
        [issued_at],
    ).fetchall()
    if dict(newest) == vintage:
        return 0
    first = floor(issued_at)
    lines: dict[datetime, list[Decimal | None]] = {}
    for start, value in sorted(vintage.items()):
        piece, offset = divmod(start - first, VINTAGE)
        line = lines.setdefault(first + piece * VINTAGE, [])
        line += [None] * (offset // HALF_HOUR - len(line))  # what was not published
        line.append(value)
    copy_rows(
        connection,
        "raw.neso_vintages",
        ("issued_at", "starts_at", "forecast_gco2_kwh", "simulated"),
        ((issued_at, starts_at, line, simulated) for starts_at, line in lines.items()),
    )
    return len(vintage)


def complete_neso_forecast(
    connection: Connection, captures: Iterable[Capture[IntensityRow]]
) -> int:
    """Add missing half-hours to forecasts that were captured before; returns their number."""
    added = 0
    for capture in captures:
        for row in capture.rows:
            added += connection.execute(
                statement("raw/complete_neso_forecast"),
                {
                    "issued_at": capture.captured_at,
                    "period_start": row.period_start,
                    "forecast": row.forecast_gco2_kwh,
                },
            ).rowcount
    return added

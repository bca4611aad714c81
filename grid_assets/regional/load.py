"""Loads the API's answers for all regions into `raw`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from psycopg.types.json import Jsonb

from grid_assets.halfhours import HALF_HOUR, Window, api_time, floor
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import RegionalRow
from grid_assets.sources.records import Rejected
from grid_assets.telemetry.load import SHARES, Capture, load_half_hours, unknown_as_json
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

RAW_REGIONAL: Final = (
    "region_id",
    "simulated",
    "period_start",
    "captured_at",
    "forecast_gco2_kwh",
    "actual_gco2_kwh",
    "intensity_index",
    *SHARES,
    "unknown_pct",
)

MOST_TENTHS: Final = 32_767
"""The largest value of a vintage in tenths, what PostgreSQL's smallint holds: 3276.7 gCO2/kWh."""

STEPS: Final = 96
"""Half-hours of a vintage. An array has all of them, so that a missing one can be filled in."""

VINTAGE: Final = ("forecast_tenths", *(f"{fuel}_tenths" for fuel in FUELS))
"""The arrays of `raw.regional_vintages`: carbon intensity, then the nine shares."""

Lines = list[list[int | None]]
"""One series by region and half-hour, in tenths."""


def load_regional(
    connection: Connection,
    captures: Iterable[Capture[RegionalRow]],
    *,
    simulated: bool,
    replayed: bool = False,
) -> int:
    """Add rows to `raw.regional` where they differ from what came last; returns their number.

    The rules are those of `telemetry.load.load_intensity`.
    """
    return load_half_hours(
        connection,
        "raw.regional",
        RAW_REGIONAL,
        (
            (
                row.region_id,
                simulated,
                row.period_start,
                capture.captured_at,
                row.forecast_gco2_kwh,
                row.actual_gco2_kwh,
                row.intensity_index,
                *(row.shares_pct[fuel] for fuel in FUELS),
                unknown_as_json(row.unknown_pct),
            )
            for capture in captures
            for row in capture.rows
        ),
        replayed,
    )


def load_regional_forecast(
    connection: Connection, rows: Sequence[RegionalRow], issued_at: datetime, simulated: bool
) -> int:
    """Add one captured 48-hour forecast of all regions to `raw.regional_vintages`; returns how many
    half-hours of a region were added.

    Adds nothing if it has the same values as the capture before it. Shares are kept in tenths of a
    percent, as they are published. Half-hours outside the 48 hours are left out: those that ended
    before the capture. No row may have a value that `too_large` names.
    """
    starts_at = floor(issued_at)
    window = Window(starts_at, starts_at + STEPS * HALF_HOUR)
    rows = [row for row in rows if row.period_start in window]
    if not rows:
        return 0
    arrays = _arrays(rows, starts_at)
    unknown = [
        {
            "region_id": row.region_id,
            "period_start": api_time(row.period_start),
            "fuel": fuel,
            "pct": float(pct),
        }
        for row in rows
        for fuel, pct in sorted(row.unknown_pct.items())
    ]
    newest = connection.execute(
        statement("raw/read_newest_regional_vintage"), {"at": issued_at}
    ).fetchone()
    if newest == (starts_at, simulated, *arrays, unknown):
        return 0
    connection.execute(
        statement("raw/add_regional_vintage"),
        {
            "issued_at": issued_at,
            "starts_at": starts_at,
            "simulated": simulated,
            "unknown_pct": Jsonb(unknown),
            **dict(zip(VINTAGE, arrays, strict=True)),
        },
    )
    return len(rows)


def too_large(rows: Iterable[RegionalRow]) -> Iterator[tuple[RegionalRow, Rejected]]:
    """The rows of a forecast that its archive cannot hold, each with the reason."""
    for row in rows:
        value = row.forecast_gco2_kwh
        if value is not None and abs(_tenths(value)) > MOST_TENTHS:
            record = {
                "from": api_time(row.period_start),
                "to": api_time(row.period_start + HALF_HOUR),
                "regions": [
                    {
                        "regionid": row.region_id,
                        "shortname": REGIONS[row.region_id - 1].short_name,
                        "intensity": {"forecast": float(value)},
                    }
                ],
            }
            reason = f"intensity.forecast: {value} gCO2/kWh is too large for the archive"
            yield row, Rejected(reason, json.dumps([record]))


def _arrays(rows: Iterable[RegionalRow], starts_at: datetime) -> list[Lines]:
    """The arrays of one vintage."""
    arrays: list[Lines] = [[[None] * STEPS for _ in REGIONS] for _ in VINTAGE]
    for row in rows:
        step = (row.period_start - starts_at) // HALF_HOUR
        for array, value in zip(arrays, tenths_of(row), strict=True):
            array[row.region_id - 1][step] = value
    return arrays


def tenths_of(row: RegionalRow) -> list[int | None]:
    """The values of a row in the order of `VINTAGE`."""
    values = (row.forecast_gco2_kwh, *(row.shares_pct[fuel] for fuel in FUELS))
    return [None if value is None else _tenths(value) for value in values]


def _tenths(value: Decimal) -> int:
    return int((value * 10).to_integral_value(rounding=ROUND_HALF_EVEN))

"""Captured forecasts of the regions, their later estimates, and the national forecasts then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.regional.load import load_regional_forecast
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS, INTENSITY
from grid_assets.sources.carbon_intensity.regional import RegionalRow
from grid_assets.warehouse.connection import Connection, copy_rows

IDS = tuple(region.region_id for region in REGIONS)
Value = Callable[[int, datetime], float | None]
"""gCO2/kWh of a region and half-hour; None where there is none."""


def capture(
    connection: Connection,
    at: datetime,
    value: Value,
    *,
    regions: Sequence[int] = IDS,
    steps: int = 96,
    simulated: bool = False,
) -> None:
    """One captured forecast of the regions, intensity only."""
    rows = [
        RegionalRow(
            region,
            floor(at) + step * HALF_HOUR,
            Decimal(str(round(found, 1))),
            None,
            None,
            dict.fromkeys(FUELS),
            {},
        )
        for region in regions
        for step in range(steps)
        if (found := value(region, floor(at) + step * HALF_HOUR)) is not None
    ]
    assert load_regional_forecast(connection, rows, at, simulated) == len(rows)


def estimate(connection: Connection, start: datetime, end: datetime, value: Value) -> None:
    """What the API says of past half-hours."""
    copy_rows(
        connection,
        "core.regional_intensity",
        ("region_id", "period_start", "intensity_gco2_kwh"),
        (
            (region, at, found)
            for region in IDS
            for at in (start + n * HALF_HOUR for n in range((end - start) // HALF_HOUR))
            if (found := value(region, at)) is not None
        ),
    )


def national(
    connection: Connection,
    issued_at: datetime,
    ours: Callable[[datetime], float],
    neso: Callable[[datetime], float],
) -> None:
    """The blend issued at a half-hour, and NESO's national forecast captured 18 minutes before."""
    half_hours = [issued_at + n * HALF_HOUR for n in range(96)]
    captured = issued_at - timedelta(minutes=18)
    first = floor(captured)
    connection.execute(
        "INSERT INTO raw.neso_vintages (issued_at, starts_at, forecast_gco2_kwh) "
        "VALUES (%s, %s, %s)",
        [captured, first, [round(neso(first + n * HALF_HOUR)) for n in range(96)]],
    )
    for model, at, value in (("blend", issued_at, ours), ("neso", captured, neso)):
        connection.execute(
            "INSERT INTO forecast.issues (model, issued_at, created_at, revision, "
            "context_missing, context_assumed, known_by) "
            "VALUES (%s, %s, %s, 'r1', 0, 0, 'capture')",
            [model, at, at],
        )
        copy_rows(
            connection,
            "forecast.predictions",
            ("model", "series", "period_start", "issued_at", "created_at", "p50"),
            ((model, INTENSITY, start, at, at, round(value(start), 1)) for start in half_hours),
        )

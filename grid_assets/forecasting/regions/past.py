"""Reads past forecasts of the regions, and what the API estimated for their half-hours later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.blending.past import Vintages, read_vintages
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.regions import REGIONS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

SETTLED_AFTER: Final = timedelta(hours=24)
"""How long after its end a half-hour's value counts as the API's estimate of it. Until it is
replaced it is only the last forecast, and any forecast compared with it would look too good."""

NATIONAL_AGE: Final = timedelta(hours=3)
"""The oldest national forecast of NESO that a forecast of a region is paired with."""


@dataclass(frozen=True, eq=False)
class Past:
    """Forecasts of the regions by issue time: the first half-hour boundary after their capture.

    `neso` and `estimate` are gCO2/kWh by issue, region and half-hour; `change` is our national
    forecast minus NESO's, by issue and half-hour. NaN where a value is not known.
    """

    times: list[datetime]
    neso: Array
    change: Array
    estimate: Array
    simulated: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def read_past(
    connection: Connection, after: datetime, to: datetime, now: datetime, stride: timedelta
) -> Past:
    """The first forecast in each `stride` that was captured after one instant and by another."""
    rows = connection.execute(
        statement("forecast/read_past_regional_vintages"),
        {"after": after, "to": to, "stride": stride},
    ).fetchall()
    times = [_next_half_hour(captured) for captured, _, _, _ in rows]
    shape = len(rows), len(REGIONS), HORIZON
    neso = np.full(shape, np.nan, np.float32)
    for number, (_, starts_at, _, tenths) in enumerate(rows):
        line = np.array(tenths, np.float32) / 10
        skipped = (times[number] - starts_at) // HALF_HOUR
        shown = line[:, skipped : skipped + HORIZON]
        neso[number, :, : shown.shape[1]] = shown
    neso[(neso < 0) | (neso > 1000)] = np.nan
    return Past(
        times,
        neso,
        _changes(connection, times),
        _estimates(connection, times, now),
        np.array([simulated for _, _, simulated, _ in rows], bool),
    )


def _next_half_hour(captured: datetime) -> datetime:
    start = floor(captured)
    return start if start == captured else start + HALF_HOUR


def _changes(connection: Connection, times: list[datetime]) -> Array:
    change = np.full((len(times), HORIZON), np.nan, np.float32)
    if not times:
        return change
    place = {at: number for number, at in enumerate(times)}
    national = read_vintages(connection, times[0] - NATIONAL_AGE, times[-1])
    for issued_at, medians in connection.execute(
        statement("forecast/read_national_blends"), {"times": times}
    ):
        number = place[issued_at]
        ours = np.array(medians, np.float32).ravel()[:HORIZON] / 10
        neso = _newest(national, issued_at)
        if neso is not None and ours.size == HORIZON:
            change[number] = ours - neso
    return change


def _newest(national: Vintages, at: datetime) -> Any:
    captured = [line[0] for line in national.lines if at - NATIONAL_AGE < line[0] <= at]
    return national.at(captured[-1], at) if captured else None


def _estimates(connection: Connection, times: list[datetime], now: datetime) -> Array:
    """What the API says now of half-hours that ended long enough ago."""
    found = np.full((len(times), len(REGIONS), HORIZON), np.nan, np.float32)
    if not times:
        return found
    first, end = times[0], min(times[-1] + HORIZON_TIME, now - SETTLED_AFTER)
    length = max(0, (end - first) // HALF_HOUR)
    line = np.full((len(REGIONS), length + HORIZON), np.nan, np.float32)
    for region_id, period_start, value in connection.execute(
        statement("forecast/read_regional_estimates"),
        {"start": first, "end": first + length * HALF_HOUR},
    ):
        line[region_id - 1, (period_start - first) // HALF_HOUR] = value
    for number, at in enumerate(times):
        skipped = (at - first) // HALF_HOUR
        shown = line[:, skipped : skipped + HORIZON]
        found[number, :, : shown.shape[1]] = shown
    return found

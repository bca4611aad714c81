"""Scores forecasts of the regions against the API's later estimates, and fits their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME
from grid_assets.forecasting.regions.past import SETTLED_AFTER, Array, Past, read_past
from grid_assets.forecasting.regions.weights import RegionalWeight, derive, learn_weights
from grid_assets.halfhours import DAY, HALF_HOUR, day_start
from grid_assets.regions import REGIONS
from grid_assets.series import BUCKET_OF_STEP, LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

SPAN: Final = timedelta(days=28)
"""The forecasts that weights are learned from, and the scores that decide whether they are used."""

STRIDE: Final = timedelta(hours=3)
"""One forecast in so many hours is learned from; neighbours repeat each other's errors."""

LEAST_DAYS: Final = 7
"""Days with scores of both models from which a derived forecast may be shown."""

SCORED: Final = (
    "model",
    "region_id",
    "target_date",
    "lead_bucket",
    "n",
    "abs_error_sum",
    "error_sum",
    "abs_estimate_sum",
    "neso_abs_error_sum",
    "simulated",
)


@dataclass(frozen=True, slots=True)
class Scored:
    """How many forecasts of a half-hour were compared, and how many rows changed."""

    compared: int
    written: int


def score_days(connection: Connection, first: date, last: date, now: datetime) -> Scored:
    """Score every captured forecast of the regions for UTC days, in a transaction of the caller."""
    compared = written = 0
    day = first
    while day <= last:
        start = day_start(day)
        past = read_past(connection, start - HORIZON_TIME, start + DAY, now, HALF_HOUR)
        rows = list(_sums(past, _weights_then(connection, past), day))
        compared += sum(row[4] for row in rows)
        connection.execute(statement("forecast/stage_regional_accuracy"))
        copy_rows(connection, "staged_scores", SCORED, rows)
        written += connection.execute(statement("forecast/publish_regional_accuracy")).rowcount
        connection.execute("DROP TABLE staged_scores")
        day += DAY
    return Scored(compared, written)


def fit(connection: Connection, now: datetime) -> int:
    """Fit the weights of every region to what is known now, and keep them; how many were kept.

    Whether a region's derived forecast is shown depends on the scores of earlier weights, each for
    forecasts that were issued after it was fitted.
    """
    past = read_past(connection, now - SPAN - HORIZON_TIME, now, now, STRIDE)
    weights = learn_weights(past)
    if not any(weight.half_hours for weight in weights):
        return 0
    shown = _no_worse(connection, now)
    copy_rows(
        connection,
        "forecast.regional_weights",
        (
            "region_id",
            "fitted_at",
            "lead_bucket",
            "weight",
            "band_gco2_kwh",
            "half_hours",
            "is_shown",
        ),
        (_row(weight, now, shown) for weight in weights),
    )
    return len(weights)


def _row(weight: RegionalWeight, now: datetime, shown: set[int]) -> tuple[Any, ...]:
    return (
        weight.region_id,
        now,
        weight.lead_bucket,
        weight.weight,
        weight.band_gco2_kwh,
        weight.half_hours,
        weight.region_id in shown,
    )


def _no_worse(connection: Connection, now: datetime) -> set[int]:
    """The regions whose derived forecast was no worse than NESO's on the same half-hours."""
    rows = connection.execute(
        statement("forecast/find_regions_no_worse"),
        {"first": (now - SPAN).astimezone(UTC).date(), "least_days": LEAST_DAYS},
    ).fetchall()
    return {region for (region,) in rows}


def _weights_then(connection: Connection, past: Past) -> Array:
    """The weights by issue, region and lead bucket that had been fitted by the issue time."""
    found = np.full((len(past.times), len(REGIONS), len(LEAD_BUCKETS)), np.nan, np.float32)
    place = {bucket: number for number, bucket in enumerate(LEAD_BUCKETS)}
    for number, region_id, bucket, weight in connection.execute(
        statement("forecast/read_regional_weights_then"), {"times": past.times}
    ):
        found[number, region_id - 1, place[bucket]] = weight
    return found


def _sums(past: Past, weights: Array, day: date) -> Iterator[tuple[Any, ...]]:
    """The sums of errors for one UTC day, by model, region and lead bucket."""
    start = day_start(day)
    steps = np.array([(start - at) // HALF_HOUR for at in past.times], int)
    of_day = np.arange(HORIZON)[None, :] - steps[:, None]
    inside = (of_day >= 0) & (of_day < DAY // HALF_HOUR)
    buckets = np.array([list(LEAD_BUCKETS).index(name) for name in BUCKET_OF_STEP])
    of_neso = past.neso - past.estimate
    for model, error in (("neso", of_neso), ("blend", derive(past, weights) - past.estimate)):
        for number, region in enumerate(REGIONS):
            known = inside & np.isfinite(error[:, number])
            for place, bucket in enumerate(LEAD_BUCKETS):
                chosen = known & (buckets == place)[None, :]
                count = int(chosen.sum())
                if count:
                    off, neso = error[:, number][chosen], of_neso[:, number][chosen]
                    yield (
                        model,
                        region.region_id,
                        day,
                        bucket,
                        count,
                        _sum(np.abs(off)),
                        _sum(off),
                        _sum(past.estimate[:, number][chosen]),
                        _sum(np.abs(neso)) if model == "blend" else None,
                        bool(past.simulated[chosen.any(axis=1)].any()),
                    )


def _sum(values: Array) -> float:
    return round(float(values.sum(dtype=float)), 1)


def last_settled(now: datetime) -> date:
    """The last UTC day whose estimates count."""
    return (now - SETTLED_AFTER).astimezone(UTC).date() - DAY

"""Learns how much of our national difference from NESO each region takes over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from grid_assets.forecasting.regions.past import Array, Past
from grid_assets.regions import REGIONS
from grid_assets.series import LEAD_BUCKETS

PRIOR_ISSUES: Final = 16
"""The weight of the prior, which is 0: NESO's forecast as it is. It counts as much as the errors of
two days of forecasts every three hours."""

MOST: Final = 2.0
"""No region takes over more than twice the national difference."""

LEAST_FOR_BAND: Final = 56
"""Issues with known errors from which a band is learned: a week of one every three hours."""

BAND: Final = 0.8
"""The share of errors that the band should hold."""


@dataclass(frozen=True, slots=True)
class RegionalWeight:
    """The weight of one region and lead bucket, half its band (gCO2/kWh), and what it rests on."""

    region_id: int
    lead_bucket: str
    weight: float
    band_gco2_kwh: float | None
    half_hours: int


def learn_weights(past: Past) -> list[RegionalWeight]:
    """For each region and lead bucket, by least squares: the error of NESO's forecast of the region
    as a multiple of our national difference, drawn to 0 while little is known."""
    wanted = past.estimate - past.neso
    found = []
    for bucket, (first, end) in LEAD_BUCKETS.items():
        change = past.change[:, first:end]
        for number, region in enumerate(REGIONS):
            error = wanted[:, number, first:end]
            known = np.isfinite(error) & np.isfinite(change)
            x, y = change[known].astype(float), error[known].astype(float)
            square = float(x @ x)
            prior = PRIOR_ISSUES * (end - first) * (square / len(x) if len(x) else 0)
            weight = float(x @ y) / (square + prior) if square else 0.0
            weight = min(MOST, max(0.0, weight))
            issues = int(known.any(axis=1).sum())
            enough = issues >= LEAST_FOR_BAND
            band = float(np.quantile(np.abs(y - weight * x), BAND)) if enough else None
            found.append(RegionalWeight(region.region_id, bucket, weight, band, len(x)))
    return found


def derive(past: Past, weights: Array) -> Array:
    """The derived forecasts of the past issues by issue, region and half-hour, gCO2/kWh.

    `weights` are by issue, region and lead bucket, in the order of `LEAD_BUCKETS`; NaN where none
    was known.
    """
    derived = np.full_like(past.neso, np.nan)
    for place, (first, end) in enumerate(LEAD_BUCKETS.values()):
        moved = weights[:, :, place, None] * past.change[:, None, first:end]
        derived[:, :, first:end] = past.neso[:, :, first:end] + moved
    return np.clip(derived, 0, 1000)

"""Turns a model's own quantiles into those that are stored: ordered, recalibrated and in range,
with shares that sum to 100 %. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.models.forecaster import Values
from grid_assets.mix import WHOLE
from grid_assets.series import SERIES

Tenths = npt.NDArray[np.int64]

MAX_TENTHS: Final = np.array([10_000] + [WHOLE] * (len(SERIES) - 1), np.float64)
"""Largest value of each series in tenths of its unit: 1000 gCO2/kWh, 100 %."""


def finalise(raw: Values, margins: Values) -> Tenths:
    """The quantiles to store, in tenths of gCO2/kWh and of a percent.

    `raw` has shape (issues, 10, half-hours, 3), `margins` (issues or 1, 10, half-hours). In the
    result p10 <= p50 <= p90, every value is within its range, and the medians of the nine shares of
    a half-hour sum to exactly 100 %.
    """
    ordered = np.sort(raw.astype(np.float64), axis=-1) * 10
    limit = MAX_TENTHS[:, None]
    medians = np.clip(ordered[..., 1], 0, limit)
    p50 = np.rint(medians).astype(np.int64)
    p50[:, 1:] = sum_to_whole(medians[:, 1:])
    low = np.clip(np.rint(ordered[..., 0] - 10 * margins), 0, limit).astype(np.int64)
    high = np.clip(np.rint(ordered[..., 2] + 10 * margins), 0, limit).astype(np.int64)
    return np.stack([np.minimum(low, p50), p50, np.maximum(high, p50)], axis=-1)


def within_range(raw: Values) -> Values:
    """A model's own quantiles, (issues, 10, half-hours, 3), ordered and clipped to the range of
    their series, but not rounded, scaled or recalibrated. A point forecast stays one."""
    whole = ~np.isnan(raw).any(axis=-1, keepdims=True)
    limit = (MAX_TENTHS / 10).astype(np.float32)[:, None, None]
    return np.clip(np.where(whole, np.sort(raw, axis=-1), raw), np.float32(0), limit)


def sum_to_whole(shares: npt.NDArray[np.float64]) -> Tenths:
    """Shares (issues, 9, half-hours) scaled to 1000 tenths, rounded by largest remainders."""
    total = shares.sum(axis=1, keepdims=True)
    # With no shares there is nothing to scale: `other` is then 100 %.
    other = np.zeros_like(shares)
    other[:, SERIES.index("other") - 1] = WHOLE
    scaled = np.where(total > 0, shares * WHOLE / np.where(total > 0, total, 1), other)
    whole = np.floor(scaled).astype(np.int64)
    missing = WHOLE - whole.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(-(scaled - whole), axis=1, kind="stable"), axis=1)
    return whole + (rank < missing)

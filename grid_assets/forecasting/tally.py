"""Counts the errors of forecasts, a batch of issues at a time, and makes scores of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.series import LEAD_BUCKETS, SERIES

ALL_LEADS: Final = "all"
"""The value of `Score.lead_bucket` for all leads together."""

BUCKETS: Final = (*LEAD_BUCKETS, ALL_LEADS)
BUCKET_STARTS: Final = [first for first, _ in LEAD_BUCKETS.values()]

MEDIAN: Final = QUANTILES.index(0.5)

N, FORECAST, ABS_ERROR, ERROR, ACTUAL, BANDED, PINBALL, INSIDE = range(8)
"""Places of the sums: half-hours with an actual, half-hours with a forecast, the sums over the
former, and over those of them that have a band."""

Sums = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one series and lead bucket over `n` half-hours, in the series' unit.

    `bias` is forecast minus actual; `wape` is the sum of absolute errors divided by the sum of
    actuals, None if that is 0. `pinball` is the mean over the three quantiles and `coverage_80` the
    share of actuals from p10 to p90; both are None for a model without a band. All are None if `n`
    is 0.
    """

    series: str
    lead_bucket: str
    n: int
    mae: float | None
    bias: float | None
    wape: float | None
    pinball: float | None
    coverage_80: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much a model's MAE of carbon intensity differs from the first model's, over the `n`
    half-hours for which both have a forecast.

    The standard error is that of the daily means by UTC day of issue, None with a single day.
    """

    lead_bucket: str
    n: int
    days: int
    mae: float
    standard_error: float | None


class Tally:
    """The errors of several models over the same half-hours."""

    def __init__(self, models: int) -> None:
        self._sums = np.zeros((models, len(SERIES), len(BUCKETS), 8))
        self._pairs: dict[date, Sums] = {}

    def add(
        self,
        predicted: Sequence[Values],
        actual: Values,
        days: Sequence[date],
        counted: Mask | None = None,
    ) -> None:
        """Count issues: for each model an array (issues, 10, 96, 3), the actuals (issues, 10, 96),
        the day of each issue, and which actuals count, of the same shape."""
        known = ~np.isnan(actual)
        if counted is not None:
            known = known & counted
        first = _abs_error(predicted[0], actual)
        for model, quantiles in enumerate(predicted):
            forecast = ~np.isnan(quantiles[..., MEDIAN])
            self._sums[model] += _sums(quantiles, actual, known & forecast, forecast).sum(axis=0)
            both = known & forecast & ~np.isnan(predicted[0][..., MEDIAN])
            away = np.where(both, _abs_error(quantiles, actual) - first, 0)[:, 0]
            pairs = _by_bucket(np.stack([both[:, 0], away], axis=-1))
            for day, of_issue in zip(days, pairs, strict=True):
                of_day = self._pairs.setdefault(day, np.zeros((len(self._sums), len(BUCKETS), 2)))
                of_day[model] += of_issue

    def scores(self, model: int) -> Iterator[Score]:
        """By series and bucket; a series without any forecast is left out."""
        for series, by_bucket in zip(SERIES, self._sums[model], strict=True):
            if by_bucket[-1, FORECAST]:
                for bucket, sums in zip(BUCKETS, by_bucket, strict=True):
                    yield _score(series, bucket, sums)

    def differences(self, model: int) -> Iterator[Difference]:
        """From the first model, by bucket; a bucket without a common half-hour is left out."""
        pairs = np.array([of_day[model] for of_day in self._pairs.values()])
        for number, bucket in enumerate(BUCKETS):
            by_day = pairs[:, number] if pairs.size else np.zeros((0, 2))
            by_day = by_day[by_day[:, 0] > 0]
            if by_day.size:
                yield _difference(bucket, by_day)


def _difference(bucket: str, by_day: Sums) -> Difference:
    """From half-hours and summed differences by day. Days weigh as much as they have half-hours."""
    (n, total), days = by_day.sum(axis=0), len(by_day)
    mean = total / n
    away = by_day[:, 1] - by_day[:, 0] * mean
    error = float(np.sqrt(days / (days - 1) * (away**2).sum()) / n) if days > 1 else None
    return Difference(bucket, int(n), days, float(mean), error)


def _score(series: str, bucket: str, sums: Sums) -> Score:
    n = int(sums[N])
    if not n:
        return Score(series, bucket, 0, None, None, None, None, None)
    banded = sums[BANDED] == n
    return Score(
        series,
        bucket,
        n,
        float(sums[ABS_ERROR] / n),
        float(sums[ERROR] / n),
        float(sums[ABS_ERROR] / sums[ACTUAL]) if sums[ACTUAL] else None,
        float(sums[PINBALL] / n) if banded else None,
        float(sums[INSIDE] / n) if banded else None,
    )


def _sums(quantiles: Values, actual: Values, counted: Mask, forecast: Mask) -> Sums:
    """The sums of each issue, series and bucket: (issues, 10, buckets, 8)."""
    truth, values = actual.astype(np.float64), quantiles.astype(np.float64)
    error = values[..., MEDIAN] - truth
    banded = counted & ~np.isnan(values).any(axis=-1)
    above, levels = truth[..., None] - values, np.array(QUANTILES)
    pinball = np.maximum(levels * above, (levels - 1) * above).mean(axis=-1)
    inside = (values[..., 0] <= truth) & (truth <= values[..., -1])
    steps = [
        counted,
        forecast,
        np.where(counted, np.abs(error), 0),
        np.where(counted, error, 0),
        np.where(counted, np.abs(truth), 0),
        banded,
        np.where(banded, pinball, 0),
        inside & banded,
    ]
    return _by_bucket(np.stack(steps, axis=-1))


def _abs_error(quantiles: Values, actual: Values) -> Sums:
    error: Sums = np.abs(quantiles[..., MEDIAN].astype(np.float64) - actual)
    return error


def _by_bucket(steps: npt.NDArray) -> Sums:
    """Sums over the steps of each bucket, the last but one axis, and over all of them."""
    found = np.add.reduceat(steps.astype(np.float64), BUCKET_STARTS, axis=-2)
    return np.concatenate([found, found.sum(axis=-2, keepdims=True)], axis=-2)

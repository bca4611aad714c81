"""The seasonal naive forecast, which every model has to beat: yesterday's value at the same time of
day, with a band from the context alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.series import SERIES

DAY_STEPS: Final = 48
"""Half-hours in a UTC day."""

MIN_DIFFERENCES: Final = 10
"""With fewer, a tenth of them is less than one value, and a 0.1 quantile means nothing."""


class SeasonalNaive:
    """The newest known value at the same time of day, with a band from past errors of that rule.

    p50 is the value 24 h before, or 48, 72, … h before if that is missing or not yet known. If
    no day of the context has a value at that time of day, it is the series' newest value. p10 and
    p90 add the 0.1 and 0.9 quantiles of all differences in the context over the same number of
    days, or over the next smaller number of days with at least `MIN_DIFFERENCES` of them; if there
    is no such number, p10 = p50 = p90. The band always includes p50: after a week of falling values
    its upper edge is p50. A series without any value stays NaN.
    """

    name = "seasonal_naive"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        predicted = np.empty((len(problems), len(SERIES), steps, len(QUANTILES)), np.float32)
        for index, problem in enumerate(problems):
            predicted[index] = _predict_one(problem.context, steps)
        return predicted


def _predict_one(context: Values, steps: int) -> Values:
    """Quantiles of one problem, shape (series, steps, 3)."""
    series, length = context.shape
    days = max(1, -(-length // DAY_STEPS))
    # Whole days that end with the context, newest first: (series, days, time of day).
    padded = np.full((series, days * DAY_STEPS), np.nan, np.float32)
    padded[:, padded.shape[1] - length :] = context
    by_day = padded.reshape(series, days, DAY_STEPS)[:, ::-1]
    newest_day = np.argmax(~np.isnan(by_day), axis=1)
    newest = np.take_along_axis(by_day, newest_day[:, None], axis=1)[:, 0]
    newest = np.where(np.isnan(newest), _last_values(context)[:, None], newest)

    time_of_day = np.arange(steps) % DAY_STEPS
    days_before = newest_day[:, time_of_day] + 1 + np.arange(steps) // DAY_STEPS
    median = newest[:, time_of_day]
    low, high = _spread(context, int(days_before.max(initial=1)))
    rows = np.arange(series)[:, None]
    return np.stack(
        [median + low[days_before, rows], median, median + high[days_before, rows]], axis=-1
    )


def _last_values(context: Values) -> Values:
    """The newest known value of each series, NaN if it has none."""
    if not context.shape[1]:
        return np.full(len(context), np.nan, np.float32)
    back = np.argmax(~np.isnan(context[:, ::-1]), axis=1)
    return context[np.arange(len(context)), context.shape[1] - 1 - back]


def _spread(context: Values, max_days: int) -> tuple[Values, Values]:
    """Offsets of p10 and p90 for a value 0, 1, … `max_days` days old: (days + 1, series)."""
    low = np.zeros((max_days + 1, len(context)), np.float32)
    high = np.zeros_like(low)
    for days in range(1, max_days + 1):
        lag = days * DAY_STEPS
        ordered = np.sort(context[:, lag:] - context[:, :-lag], axis=1)  # NaN comes last
        count = np.count_nonzero(~np.isnan(ordered), axis=1)
        enough = count >= MIN_DIFFERENCES
        low[days] = np.where(enough, _quantile(ordered, count, QUANTILES[0]), low[days - 1])
        high[days] = np.where(enough, _quantile(ordered, count, QUANTILES[-1]), high[days - 1])
    return np.minimum(low, 0), np.maximum(high, 0)


def _quantile(ordered: Values, count: np.ndarray, level: float) -> np.ndarray:
    """Quantile of the first `count` values of each ordered row, with linear interpolation.

    For a row without values the result is arbitrary. `np.nanquantile` would warn about such rows,
    and takes ten times as long.
    """
    if not ordered.shape[1]:
        return np.zeros(len(ordered))
    position = level * np.maximum(count - 1, 0)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    rows = np.arange(len(ordered))
    weight = position - below
    return (1 - weight) * ordered[rows, below] + weight * ordered[rows, above]

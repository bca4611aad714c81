"""How far are the bundled checkpoint's errors from those of gradient boosting on the same history?

The reference gets the same input as the checkpoint, a week up to the issue time and the calendar,
and learns from the same half-hours. Its settings were chosen on `evaluation.CHOOSE`; the figures
are measured on `evaluation.REPORT`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from bench.results import BenchError, Figure, Measured
from bench.sizes import Sizes
from grid_assets.forecasting import evaluation
from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.horizon import HORIZON, QUANTILES
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

MAE: Final = Figure("gCO2/kWh", "< persistence and seasonal naive")
FIGURES: Final = {
    **{f"model_mae_{bucket}": MAE for bucket in LEAD_BUCKETS},
    "model_vs_boosting": Figure("x", "< 1"),
}

LOG = logging.getLogger(__name__)
DAY: Final = 48
MEDIAN: Final = QUANTILES.index(0.5)
LAGS: Final = (0, 1, 2, 3, 6, 12, 24, 48)  # half-hours before the newest one
MEANS: Final = (12, DAY)  # half-hours up to the issue time
LEADS_EACH: Final = 24  # drawn for each issue: neighbouring leads teach nearly the same
SEED: Final = 20251101


class Boosting:
    """Gradient boosting for the median of carbon intensity, one model for all leads; no band.

    Learns by how much a half-hour departs from damped persistence, which falls from the newest
    value to the week's mean, in units of the usual departure at its lead. On `CHOOSE` this gives
    errors of 12.0, 24.2, 31.7, 36.4 and 40.4 g by bucket, against 17.5, 25.5, 32.7, 37.1 and 41.4 g
    without it.
    """

    name = "gradient_boosting"

    def __init__(self, sets: Sequence[evaluation.ProblemSet], trees: int) -> None:
        actual = np.concatenate([asked.actual[:, 0] for asked in sets])
        level, newest, rows = _features([problem for asked in sets for problem in asked.problems])
        away, distance = newest - level, actual - level
        known = np.where(np.isnan(actual), np.nan, away**2)
        kept = np.nansum(away * distance, axis=0) / np.nansum(known, axis=0)
        self._kept: Values = kept.astype(np.float32)  # of `away`, by lead
        departure = distance - self._kept * away
        self._usual: Values = np.nanmean(np.abs(departure), axis=0)
        drawn = np.random.default_rng(SEED).random(actual.shape).argsort(axis=1) < LEADS_EACH
        learned = drawn & ~np.isnan(departure)
        LOG.info(f"Gradient boosting learns from {learned.sum():,} half-hours")
        from sklearn.ensemble import HistGradientBoostingRegressor  # takes a second

        self._trees = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=trees,
            learning_rate=0.03,
            max_leaf_nodes=15,
            min_samples_leaf=500,
            max_features=0.3,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=SEED,
        ).fit(rows[learned], (departure / self._usual)[learned])

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`; NaN except the median of carbon intensity up to 48 hours."""
        predicted = np.full((len(problems), len(SERIES), steps, len(QUANTILES)), np.nan, np.float32)
        level, newest, rows = _features(problems)
        departure = self._trees.predict(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape[:2])
        median = level + self._kept * (newest - level) + departure * self._usual
        predicted[:, 0, :HORIZON, MEDIAN] = median
        return predicted


def _features(problems: Sequence[Problem]) -> tuple[Values, Values, Values]:
    """The inputs at each issue time: the week's mean of carbon intensity and its newest value, both
    (problems, 1), and the features of each half-hour ahead, (problems, 96, features).

    Values of carbon intensity appear twice: as distances from the week's mean, which is a feature
    itself, and as distances from the newest value. Unknown values are NaN.
    """
    contexts = np.stack([problem.context for problem in problems])
    count, _, length = contexts.shape
    intensity = contexts[:, 0]
    level = _mean(intensity)
    newest = evaluation.Persistence().predict(problems, 1)[:, :1, 0, MEDIAN]
    lags = [intensity[:, -1 - lag, None] for lag in LAGS]
    recent = np.hstack([*lags, *(_mean(intensity[:, -last:]) for last in MEANS)])
    of_issue = np.hstack([level, recent - level, recent - newest, contexts[:, 1:, -1]])
    unknown = np.full((count, HORIZON), np.nan, np.float32)
    reaching = np.hstack([intensity, unknown])
    starts = (length - DAY, length - 2 * DAY, length - 7 * DAY)
    before = np.stack([reaching[:, start : start + HORIZON] for start in starts], axis=-1)
    lead = np.arange(HORIZON, dtype=np.float32)[:, None]
    ahead = np.stack([np.hstack([lead, _clock(problem)]) for problem in problems])
    issued = np.broadcast_to(of_issue[:, None], (count, HORIZON, of_issue.shape[1]))
    distances = before - level[:, None], before - newest[:, None]
    return level, newest, np.concatenate([ahead, *distances, issued], axis=-1)


def _clock(problem: Problem) -> Values:
    """Time of day, day of the week, day off, and day of the year of each half-hour ahead."""
    issued_at = problem.start + problem.context.shape[1] * HALF_HOUR
    day = issued_at.timetuple().tm_yday + np.arange(HORIZON) / DAY
    return np.vstack([calendar(issued_at, HORIZON), day]).T.astype(np.float32)


def _mean(values: Values) -> Values:
    """Mean of the known values in each row, (rows, 1); NaN if there are none."""
    means = np.ma.masked_invalid(values).mean(axis=1, keepdims=True)
    return np.ma.filled(means, np.nan).astype(np.float32)


def measure(sizes: Sizes, span: Window = evaluation.REPORT) -> dict[str, Measured]:
    """Errors by lead of the checkpoint beside those of gradient boosting and both naive models."""
    from grid_assets.forecasting.training import INTENSITY_SPANS  # late: it imports torch

    shipped = registry.load(None, 0)
    if shipped.reason is not None:
        raise BenchError(shipped.reason)
    sets = [evaluation.problem_set(part, sizes.learn_every) for part in INTENSITY_SPANS]
    asked = evaluation.problem_set(span, sizes.forecast_every)
    naive = evaluation.Persistence(), SeasonalNaive()
    forecasters = (shipped.forecaster, Boosting(sets, sizes.trees), *naive)
    hours = sizes.forecast_every / timedelta(hours=1)
    LOG.info(f"Forecasting {span} every {hours:g} h with {shipped.info.model}")
    scored = [evaluation.evaluate(forecaster, asked) for forecaster in forecasters]
    found, ratios = {}, {}
    for bucket in LEAD_BUCKETS:
        model, boosted, last, seasonal = (_mae(one, bucket) for one in scored)
        ratios[bucket] = model / boosted
        others = f"persistence {last:.2f}, seasonal naive {seasonal:.2f}"
        words = f"gradient boosting {boosted:.2f}, {others}"
        found[f"model_mae_{bucket}"] = Measured(model, words, limit=min(last, seasonal))
    by_lead = ", ".join(f"{bucket} {ratio:.3f}" for bucket, ratio in ratios.items())
    found["model_vs_boosting"] = Measured(max(ratios.values()), f"the worst of {by_lead}")
    return found


def _mae(scored: evaluation.Evaluation, bucket: str) -> float:
    score = scored.score(INTENSITY, bucket)
    if score is None or score.mae is None:
        raise BenchError(f"{scored.model} has no error for {bucket}")
    return score.mae

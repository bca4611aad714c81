"""How far the shipped checkpoint's errors are from those of gradient boosting on the same history.

Belongs here: the reference model with its features, and errors by lead side by side. Does not
belong here: how errors are counted, which `grid_assets.forecasting.evaluation` does for all alike.

The reference sees what the checkpoint sees, a week up to the issue time and the calendar, and
learns from the same half-hours. Its settings were chosen on `CHOOSE`; `REPORT` is what is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from bench.results import BenchError, Result, below
from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.evaluation import (
    REPORT,
    Evaluation,
    Persistence,
    ProblemSet,
    evaluate,
    problem_set,
)
from grid_assets.forecasting.horizon import HORIZON, QUANTILES
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.forecaster import Forecaster, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

DAY: Final = 48
WEEK: Final = 7 * DAY

LAGS: Final = (0, 1, 2, 3, 6, 12, 24, 48)
"""Half-hours before the newest one."""

MEANS: Final = (12, DAY)
"""Half-hours up to the issue time over which carbon intensity is averaged, and over the week."""

LEADS_EACH: Final = 24
"""Leads learned of each issue, drawn by chance: neighbouring leads teach nearly the same."""

SEED: Final = 20251101

NAMES: Final = (*(f"model_mae_{bucket}" for bucket in LEAD_BUCKETS), "model_vs_boosting")


class Boosting:
    """Gradient boosting for the median of carbon intensity, one model for all leads; no band.

    Learns by how much a half-hour departs from damped persistence, which falls from the newest
    value to the week's mean, in units of what is usual at its lead: 12.0, 24.2, 31.7, 36.4 and
    40.4 g by bucket on `CHOOSE`, against 17.5, 25.5, 32.7, 37.1 and 41.4 g without that.
    """

    name = "gradient_boosting"

    def __init__(self) -> None:
        self._kept = np.ones(HORIZON, np.float32)
        """Of the newest value's distance from the week's mean, by lead."""
        self._usual = np.ones(HORIZON, np.float32)
        """Mean absolute departure by lead, gCO2/kWh."""
        self._trees = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=600,
            learning_rate=0.03,
            max_leaf_nodes=15,
            min_samples_leaf=500,
            max_features=0.3,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=SEED,
        )

    def learn(self, exams: Sequence[ProblemSet]) -> int:
        """Fit to recorded forecasts to be made; returns the number of half-hours learned from."""
        level = np.concatenate([_level(asked.problems) for asked in exams])[:, None]
        newest = np.concatenate([_newest(asked.problems) for asked in exams])[:, None]
        actual = np.concatenate([asked.actual[:, 0] for asked in exams])
        away = newest - level
        together = np.nansum(away * (actual - level), axis=0)
        alone = np.nansum(np.where(np.isnan(actual), np.nan, away**2), axis=0)
        self._kept = (together / alone).astype(np.float32)
        departure = actual - level - self._kept * away
        self._usual = np.nanmean(np.abs(departure), axis=0)

        drawn = np.random.default_rng(SEED).random(actual.shape).argsort(axis=1) < LEADS_EACH
        learned = drawn & ~np.isnan(departure)
        ends = np.cumsum([len(asked.problems) for asked in exams])[:-1]
        rows = np.concatenate(
            [
                features(asked.problems, HORIZON)[some]
                for asked, some in zip(exams, np.split(learned, ends), strict=True)
            ]
        )
        self._trees.fit(rows, (departure / self._usual)[learned])
        return len(rows)

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`; NaN but for the median of carbon intensity up to 48 hours."""
        shape = (len(problems), len(SERIES), steps, len(QUANTILES))
        predicted = np.full(shape, np.nan, np.float32)
        level, newest = _level(problems)[:, None], _newest(problems)[:, None]
        rows = features(problems, HORIZON)
        departure = self._trees.predict(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape[:2])
        predicted[:, 0, :HORIZON, QUANTILES.index(0.5)] = (
            level + self._kept * (newest - level) + departure * self._usual
        )
        return predicted


def features(problems: Sequence[Problem], steps: int) -> Values:
    """What is known at each issue time of each half-hour ahead: (problems, steps, features).

    Values of carbon intensity are distances from the week's mean, which is a feature itself, and
    again distances from the newest value. What is not known is NaN.
    """
    contexts = np.stack([problem.context for problem in problems])
    level, newest = _level(problems)[:, None], _newest(problems)[:, None]
    intensity = contexts[:, 0]
    recent = np.concatenate(
        [
            *(intensity[:, -1 - lag, None] for lag in LAGS),
            *(_mean(intensity[:, -length:])[:, None] for length in MEANS),
        ],
        axis=1,
    )
    of_issue = np.concatenate([level, recent - level, recent - newest, contexts[:, 1:, -1]], axis=1)
    ahead = np.arange(steps)
    before = np.stack([_before(intensity, ahead, lag) for lag in (DAY, 2 * DAY, WEEK)], axis=-1)
    return np.concatenate(
        [
            np.broadcast_to(ahead[:, None], (len(problems), steps, 1)),
            np.stack([_clock(problem, steps) for problem in problems]),
            before - level[:, None],
            before - newest[:, None],
            np.broadcast_to(of_issue[:, None], (len(problems), steps, of_issue.shape[1])),
        ],
        axis=-1,
    ).astype(np.float32)


def _before(intensity: Values, ahead: npt.NDArray[np.int_], lag: int) -> Values:
    """Values `lag` half-hours before each half-hour ahead; NaN where they are not known yet."""
    known = ahead < lag
    values = np.full((len(intensity), len(ahead)), np.nan, np.float32)
    values[:, known] = intensity[:, intensity.shape[1] - lag + ahead[known]]
    return values


def _clock(problem: Problem, steps: int) -> Values:
    """Time of day, day of the week, day off, and day of the year: (steps, 4)."""
    issued_at = problem.start + problem.context.shape[1] * HALF_HOUR
    day = issued_at.timetuple().tm_yday + np.arange(steps) / DAY
    return np.vstack([calendar(issued_at, steps), day]).T.astype(np.float32)


def _newest(problems: Sequence[Problem]) -> Values:
    """The newest known carbon intensity, as persistence gives it."""
    return Persistence().predict(problems, 1)[:, 0, 0, QUANTILES.index(0.5)]


def _level(problems: Sequence[Problem]) -> Values:
    """Mean carbon intensity of the week."""
    return _mean(np.stack([problem.context[0] for problem in problems]))


def _mean(values: Values) -> Values:
    """Mean of what is known in each row, NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)


def boosting(every: timedelta, say: Callable[[str], None]) -> Boosting:
    """The reference, trained on the checkpoint's own training spans, an issue `every` so often."""
    from grid_assets.forecasting.training import INTENSITY_SPANS  # late: it imports torch

    model = Boosting()
    rows = model.learn([problem_set(span, every) for span in INTENSITY_SPANS])
    say(f"Gradient boosting has learned from {rows:,} half-hours")
    return model


def compared(
    forecasters: Sequence[Forecaster], span: Window, stride: timedelta
) -> list[Evaluation]:
    asked = problem_set(span, stride)
    return [evaluate(forecaster, asked) for forecaster in forecasters]


def model_errors(
    stride: timedelta, learn_every: timedelta, say: Callable[[str], None], span: Window = REPORT
) -> list[Result]:
    """`model_mae_…` for each lead bucket and `model_vs_boosting`, for carbon intensity."""
    shipped = registry.load(None, 0)
    if shipped.reason is not None:
        raise BenchError(shipped.reason)
    reference = boosting(learn_every, say)
    say(f"Forecasting {span} every {stride / timedelta(hours=1):g} h with {shipped.info.model}")
    found = compared([shipped.forecaster, reference, Persistence(), SeasonalNaive()], span, stride)
    results, ratios = [], {}
    for bucket in LEAD_BUCKETS:
        model, boosted, last, naive = (_mae(evaluation, bucket) for evaluation in found)
        ratios[bucket] = model / boosted
        results.append(
            Result(
                f"model_mae_{bucket}",
                round(model, 2),
                "gCO2/kWh",
                f"gradient boosting {boosted:.2f}, persistence {last:.2f}, "
                f"seasonal naive {naive:.2f}",
                "< persistence and seasonal naive",
                model < min(last, naive),
            )
        )
    by_lead = ", ".join(f"{bucket} {ratio:.3f}" for bucket, ratio in ratios.items())
    worst = below("model_vs_boosting", max(ratios.values()), "x", 1, f"the worst of {by_lead}")
    return [*results, worst]


def _mae(evaluation: Evaluation, bucket: str) -> float:
    score = evaluation.score(INTENSITY, bucket)
    if score is None or score.mae is None:
        raise BenchError(f"{evaluation.model} has no error for {bucket}")
    return score.mae

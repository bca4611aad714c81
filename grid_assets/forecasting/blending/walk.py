"""The blend as a model that learns while it is given issues in order, as `grid evaluate` does.

It learns from the contexts of the issues, which hold what has come true by then. The rules are
those of operation (`past`): weights are learned once a UTC day, from what was known at its start,
and of every three hours the first issue counts. So are the margins of its band. NESO's forecast is
the newest publication of the six hours before, as in operation (`neso`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from grid_assets.forecasting.blending.combining import (
    MEDIAN,
    Forecasts,
    combine,
    reached_by_outlook,
)
from grid_assets.forecasting.blending.guard import usual_departure
from grid_assets.forecasting.blending.neso import choose
from grid_assets.forecasting.blending.prior import shipped_prior
from grid_assets.forecasting.blending.record import rounded
from grid_assets.forecasting.blending.weights import (
    BIAS_SPAN,
    SPAN,
    Errors,
    Floats,
    Mask,
    Weights,
    learn,
)
from grid_assets.forecasting.calibration import STRIDE, compute_margins
from grid_assets.forecasting.horizon import HORIZON, QUANTILES
from grid_assets.forecasting.models.forecaster import Forecaster, Problem, Values
from grid_assets.halfhours import HALF_HOUR, day_start
from grid_assets.series import SERIES

NAME: Final = "blend"


@dataclass(frozen=True, eq=False)
class _Past:
    """An issue of which errors may become known: medians (3, 10, 96) of the members, the outlook's
    reach (96), and the blend's own quantiles (10, 96, 3)."""

    issued_at: datetime
    medians: Values
    reached: Mask
    blended: Values


class Blend:
    """A blend of a configured model, the trees, and NESO's forecast where a problem has one."""

    name = NAME

    def __init__(
        self, configured: Forecaster, trees: Forecaster, prior: Floats | None = None
    ) -> None:
        self._members = (configured, trees)
        self._prior = shipped_prior() if prior is None else prior
        self._past: list[_Past] = []
        self._came_true = _CameTrue()
        self._weights = Weights(self._prior, np.zeros_like(self._prior), 0)
        self._margins = np.zeros((len(SERIES), HORIZON), np.float32)
        self._usual: float | None = None
        self._learned_at: datetime | None = None

    def of(self, configured: Forecaster | None = None, *, trees: Forecaster | None = None) -> Blend:
        """A blend of these members, or of the same where none is given, that has learned nothing
        yet."""
        mine = self._members
        return Blend(configured or mine[0], trees or mine[1], self._prior)

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`. Half-hours before the issue and beyond the horizon are those of
        the configured model."""
        own = np.stack([member.predict(problems, steps) for member in self._members])
        predicted = own[0].copy()
        for number, problem in enumerate(problems):
            shown = slice(problem.late_steps, problem.late_steps + HORIZON)
            predicted[number, :, shown] = self._blend(problem, own[:, number, :, shown])
        return predicted

    def _blend(self, problem: Problem, own: Values) -> Values:
        issued_at = problem.issued_at
        self._came_true.add(problem)
        today = day_start(issued_at.astimezone(UTC).date())
        if self._learned_at != today:
            self._learn(today)
        neso = choose(problem.neso_lines, issued_at, own, self._usual).values
        reached = reached_by_outlook(problem)
        forecasts = Forecasts(own[:, None], neso[None], reached[None])
        blended = np.sort(combine(forecasts, self._weights)[0], axis=-1)
        self._remember(issued_at, own, neso, reached, blended)
        low, median, high = np.moveaxis(blended, -1, 0)
        low, high = low - self._margins, high + self._margins
        return np.stack([np.minimum(low, median), median, np.maximum(high, median)], axis=-1)

    def _learn(self, at: datetime) -> None:
        """What errors known at the start of a day say."""
        self._past = [past for past in self._past if past.issued_at >= at - SPAN]
        self._learned_at = at
        values = np.full((3, len(self._past), len(SERIES), HORIZON), np.nan)
        actual = np.full(values.shape[1:], np.nan, np.float32)
        for number, past in enumerate(self._past):
            actual[number] = self._came_true.at(past.issued_at, at)
            values[:, number] = past.medians - actual[number]
        reached = np.array([past.reached for past in self._past]).reshape(-1, HORIZON)
        recent = np.array([past.issued_at >= at - BIAS_SPAN for past in self._past], bool)
        self._weights = rounded(learn(Errors(values, reached.astype(bool), recent), self._prior))
        self._usual = usual_departure(values)
        blended = np.array([past.blended for past in self._past], np.float32)
        low, _, high = np.moveaxis(blended.reshape(*actual.shape, len(QUANTILES)), -1, 0)
        self._margins = compute_margins(low, high, actual).values

    def _remember(
        self, at: datetime, own: Values, neso: Values, reached: Mask, blended: Values
    ) -> None:
        if self._past and _bin(self._past[-1].issued_at) == _bin(at):
            return
        medians = np.full((3, len(SERIES), HORIZON), np.nan, np.float32)
        medians[:2], medians[2, 0] = own[..., MEDIAN], neso
        self._past.append(_Past(at, medians, reached, blended))


class _CameTrue:
    """The values in the contexts so far, by half-hour since the first one's start."""

    def __init__(self) -> None:
        self._start: datetime | None = None
        self._values = np.empty((len(SERIES), 0), np.float32)

    def add(self, problem: Problem) -> None:
        if self._start is None:
            self._start = problem.start
        first = (problem.start - self._start) // HALF_HOUR
        lacking = first + problem.context.shape[1] - self._values.shape[1]
        if lacking > 0:
            more = np.full((len(SERIES), lacking), np.nan, np.float32)
            self._values = np.concatenate([self._values, more], axis=1)
        skipped = max(0, -first)
        self._values[:, max(0, first) : first + problem.context.shape[1]] = problem.context[
            :, skipped:
        ]

    def at(self, issued_at: datetime, known_at: datetime) -> Values:
        """The 96 half-hours from an issue on, NaN where they had not come true by `known_at`."""
        assert self._start is not None
        first = (issued_at - self._start) // HALF_HOUR
        end = min((known_at - self._start) // HALF_HOUR, first + HORIZON, self._values.shape[1])
        found = np.full((len(SERIES), HORIZON), np.nan, np.float32)
        if end > first:
            found[:, : end - first] = self._values[:, first:end]
        return found


def _bin(at: datetime) -> int:
    return int(at.timestamp() // STRIDE.total_seconds())

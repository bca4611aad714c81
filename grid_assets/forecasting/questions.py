"""Past issues as models get them: what was known at the issue time, and what came true.

The rules are those of `context` for the warehouse, for values that lie in arrays: a half-hour is
known when it has ended, or some half-hours later if the newest are late. Pure, apart from `read`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.history_files import Outlook
from grid_assets.forecasting.horizon import HORIZON, steps_to_forecast
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Problem, Values
from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import OUTLOOK

Read = Callable[[datetime, datetime], Values]
"""The values between two instants, shape (10, half-hours); a missing value is NaN."""

Mask = npt.NDArray[np.bool_]

AT_ONCE: Final = 120
"""Issues in one batch: few enough for regular progress and little memory."""

REACHING: Final = tuple(OUTLOOK.index(name) for name in ("demand_mw", "wind_mw"))
"""Rows of the outlook that must be known for a half-hour that "the outlook reaches"."""


@dataclass(frozen=True, eq=False)
class Question:
    """One issue: the problem, and the actuals of its 96 half-hours, shape (10, 96).

    The context ends `late_steps` before the issue; that many more half-hours are forecast and
    dropped. `reached` says of which half-hours demand and wind were known, and is None if there is
    no outlook.
    """

    issued_at: datetime
    problem: Problem
    late_steps: int
    actual: Values
    reached: Mask | None

    @property
    def steps(self) -> int:
        """How many half-hours to forecast: as many as in operation."""
        return steps_to_forecast(self.late_steps)


class Questions:
    """The issues at given times, in order. Only the history between them is held in memory."""

    def __init__(
        self,
        times: Sequence[datetime],
        read: Read,
        outlook: Outlook | None = None,
        late_half_hours: int = 0,
    ) -> None:
        self.times = times
        self._start = times[0] - (CONTEXT + MAX_MISSING) * HALF_HOUR
        self._values = read(self._start, times[-1] + HORIZON * HALF_HOUR)
        self._outlook = outlook
        self._late = late_half_hours

    @property
    def has_outlook(self) -> bool:
        """Whether anything but the history is known."""
        return self._outlook is not None

    def ask(self, at: datetime) -> Question | None:
        """The issue at a time; None if too much carbon intensity is missing before it."""
        now = (at - self._start) // HALF_HOUR
        known = ~np.isnan(self._values[:, now - CONTEXT : now])
        known[:, CONTEXT - self._late :] = False
        if CONTEXT - known[0].sum() > MAX_MISSING:
            return None
        late = CONTEXT - 1 - int(np.flatnonzero(known.any(axis=0))[-1])
        end = now - late
        start = self._start + (end - CONTEXT) * HALF_HOUR
        context = self._values[:, end - CONTEXT : end].copy()
        problem = Problem(context, start, late_steps=late)
        reached: Mask | None = None
        if self._outlook is not None:
            outlook = self._outlook.known_at(at, start, CONTEXT + steps_to_forecast(late))
            neso = self._outlook.neso_at(at, at - late * HALF_HOUR, late + HORIZON)
            shown = None if np.isnan(outlook).all() else outlook
            lines = self._outlook.neso_lines(at)
            problem = Problem(context, start, neso, shown, late, lines)
            ahead = outlook[list(REACHING), CONTEXT + late : CONTEXT + late + HORIZON]
            reached = np.all(~np.isnan(ahead), axis=0)
        return Question(at, problem, late, self._values[:, now : now + HORIZON].copy(), reached)

    def possible(self) -> int:
        """The number of times at which a forecast can be made."""
        missing = np.isnan(self._values[0])
        before = np.concatenate([[0], np.cumsum(missing)])
        now = np.array([(at - self._start) // HALF_HOUR for at in self.times])
        newest = now - self._late
        counts = before[newest] - before[now - CONTEXT] + self._late
        return int((counts <= MAX_MISSING).sum())

    def batches(self) -> Iterator[list[Question]]:
        """The issues in order, at most `AT_ONCE` at a time, all of a batch with as many steps."""
        batch: list[Question] = []
        for at in self.times:
            question = self.ask(at)
            if question is None:
                continue
            if batch and (len(batch) == AT_ONCE or batch[0].steps != question.steps):
                yield batch
                batch = []
            batch.append(question)
        if batch:
            yield batch

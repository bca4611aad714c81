"""Progress lines for long work: frequent enough to follow, rare enough to read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

LOGGER: Final = logging.getLogger("grid_assets.progress")
"""`grid` prints these lines on the terminal; Dagster's processes do not."""

SHOW_EVERY_S: Final = 1.0
RECORD_EVERY_S: Final = 20.0
"""A recorded line is a row in Dagster's event log, so short runs leave none."""


class Progress:
    """Counts the steps of a task, and estimates the time left from the time spent."""

    def __init__(
        self,
        task: str,
        steps: int,
        unit: str,
        clock: Callable[[], float],
        record: Callable[[str], object],
    ) -> None:
        self._task, self._steps, self._unit = task, steps, unit
        self._clock, self._record = clock, record
        self._started = self._shown = self._recorded = clock()
        self._done = 0

    def step(self, text: str) -> None:
        """Count one step as done; `text` names it."""
        self._done += 1
        now = self._clock()
        spent = now - self._started
        left = spent / self._done * (self._steps - self._done)
        line = f"{self._task}: {text}, {self._done} of {self._steps} {self._unit}" + (
            f", about {left:.0f} s left" if left >= 1 else ""
        )
        last_of_many = self._done == self._steps > 1
        if last_of_many or now - self._shown >= SHOW_EVERY_S:
            self._shown = now
            LOGGER.info(line)
        if now - self._recorded >= RECORD_EVERY_S:
            self._recorded = now
            self._record(line)

"""Progress lines for long work: frequent enough to follow, rare enough to read.

`Progress` counts steps. Where there is nothing to count, `doing` names the work, and `Silence` says
now and then that it goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

LOGGER: Final = logging.getLogger("grid_assets.progress")
"""`grid` prints these lines on the terminal; Dagster's processes do not."""

SHOW_EVERY_S: Final = 1.0
RECORD_EVERY_S: Final = 20.0
"""A recorded line is a row in Dagster's event log, so short runs leave none."""

LONGEST_SILENCE_S: Final = 8.0
"""A command that works is never silent for longer than this and a moment."""


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

    def step(self, text: str, steps: int = 1) -> None:
        """Count one or more steps as done; `text` names the last."""
        self._done += steps
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


@dataclass(frozen=True, eq=False, slots=True)
class _Task:
    name: str
    started: float
    expected_s: float | None


class Silence:
    """Knows what a process is doing, and what to say when it has said nothing for too long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tasks: list[_Task] = []
        self._spoken = clock()

    @contextmanager
    def doing(self, name: str, expected_s: float | None = None) -> Iterator[None]:
        """Name what the block does. Of nested blocks, the innermost that is not new counts."""
        task = _Task(name, self._clock(), expected_s)
        self._tasks.append(task)
        try:
            yield
        finally:
            self._tasks.remove(task)

    def spoken(self) -> None:
        """Note that a line has been printed."""
        self._spoken = self._clock()

    def line(self) -> str | None:
        """What to print now: None if nothing is being done, or something was said lately."""
        now, tasks = self._clock(), list(self._tasks)
        if not tasks:
            self._spoken = now  # silence counts from the start of the work
        if not tasks or now - self._spoken < LONGEST_SILENCE_S:
            return None
        self._spoken = now
        lasting = [task for task in tasks if now - task.started >= LONGEST_SILENCE_S / 2]
        task = (lasting or tasks)[-1]
        spent = now - task.started
        left = (task.expected_s or 0) - spent
        return f"{task.name}: {spent:.0f} s so far" + (
            f", about {left:.0f} s left" if left >= 1 else ""
        )


SILENCE: Final = Silence()
doing: Final = SILENCE.doing
spoken: Final = SILENCE.spoken


@contextmanager
def broken_silence() -> Iterator[None]:
    """While the block lasts, log a line whenever its work has been silent for too long."""
    stop = threading.Event()

    def remind() -> None:
        while not stop.wait(0.5):
            if line := SILENCE.line():
                LOGGER.info(line)

    thread = threading.Thread(target=remind, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

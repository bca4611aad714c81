"""The interface of every model: the problems it is given and the quantiles it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from grid_assets.halfhours import DAY, HALF_HOUR

Values = npt.NDArray[np.float32]

Line = tuple[datetime, Values]
"""A forecast of NESO: when it was captured or published, and the 96 half-hours from an issue on."""

CONTEXT: Final = 336
"""Half-hours of history in a context: seven days."""

MAX_MISSING: Final = CONTEXT // 4
"""How many half-hours of a context may be missing, so also how many the newest may be late."""

NESO_SPAN: Final = DAY
"""Age of NESO's forecasts in `Problem.neso_lines`."""


class ModelUnusable(Exception):
    """A model cannot be loaded or run; the message names the cause and what to change."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One forecast to make, and the values known at its issue time.

    `context` has shape (10, half-hours), rows in the order of `SERIES`, gCO2/kWh and percent; a
    missing value is NaN. `start` is the UTC start of its first half-hour; the first forecast
    half-hour follows its last. `neso` is NESO's newest captured forecast of carbon intensity for
    the forecast half-hours in gCO2/kWh, NaN where it has no value, or None if it is not used. From
    a file, it is the newest value of each half-hour.

    `outlook` has shape (4, half-hours of the context and of the forecast), rows in the order of
    `OUTLOOK`, MW: for each half-hour the newest value published by the issue time and by its own
    start, NaN where there is none. None if there is no outlook.

    `late_steps` is how many half-hours before the issue time the context ends: actuals are late.

    `neso_lines` are NESO's forecasts of the day before the issue time, each as published, the
    newest last; NaN where one has no value. A blend in memory needs them. In a warehouse it reads
    them itself, and there are none here.
    """

    context: Values
    start: datetime
    neso: Values | None = None
    outlook: Values | None = None
    late_steps: int = 0
    neso_lines: Sequence[Line] = ()

    @property
    def issued_at(self) -> datetime:
        """The issue time, UTC."""
        return self.start + (self.context.shape[1] + self.late_steps) * HALF_HOUR


class Forecaster(Protocol):
    """A model that forecasts all ten series."""

    @property
    def name(self) -> str:
        """The model's name in `forecast.predictions`, such as `seasonal_naive`."""

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """The model's own quantiles 0.1, 0.5 and 0.9: shape (problems, 10, steps, 3).

        Raises `ModelUnusable`.
        """


def first_line(error: BaseException) -> str:
    """The kind of error and the first line of its message, shortened: for a reason."""
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__

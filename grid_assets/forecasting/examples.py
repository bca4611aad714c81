"""What was known at issue times, as arrays: what training makes its examples from. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.boosting.features import Inputs
from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.models.forecaster import CONTEXT, Values
from grid_assets.forecasting.training_record import Places
from grid_assets.halfhours import HALF_HOUR


class Source(Protocol):
    """What examples are drawn from, such as the `Record` that ships."""

    @property
    def start(self) -> datetime:
        """The start of the first half-hour, from which places are counted."""

    @property
    def history(self) -> Values:
        """What happened, rows in the order of `SERIES`; NaN where it is not known."""

    def place(self, at: datetime) -> int:
        """See `Record.place`."""

    def has_outlook(self, places: Places) -> npt.NDArray[np.bool_]:
        """See `Record.has_outlook`."""

    def outlook_at(self, issues: Places, places: Places) -> npt.NDArray[np.float64]:
        """See `Record.outlook_at`."""


def inputs_at(
    record: Source,
    issues: Places,
    late: Places,
    steps: int,
) -> tuple[Inputs, Places]:
    """What was known at issue times (places in the record), and the places of all half-hours."""
    newest = issues - 1 - late
    places = newest[:, None] + 1 - CONTEXT + np.arange(CONTEXT + steps)
    context = record.history[:, places[:, :CONTEXT]].swapaxes(0, 1).astype(float)
    outlook = record.outlook_at(issues, places)
    return Inputs(context, outlook, _clock(record, places)), places


def _clock(record: Source, places: Places) -> npt.NDArray[np.float64]:
    first = int(places.min())
    hours = calendar(record.start + first * HALF_HOUR, int(places.max()) - first + 1)
    return hours[:, places - first].swapaxes(0, 1).astype(float)

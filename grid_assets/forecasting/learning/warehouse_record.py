"""What the warehouse has seen, as a source of examples for training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.context import KnownValues
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.training_record import Places
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.outlook.known import MOST_BEFORE, read_known_outlook
from grid_assets.series import OUTLOOK
from grid_assets.warehouse.connection import Connection

AT_ONCE: Final = 256
"""Issues whose outlook is read at a time."""


@dataclass(frozen=True, eq=False)
class WarehouseRecord:
    """`history` (10, n) is as last published. `known` has the outlook as known at each issue time
    that has any: (4, half-hours), of which the one after `MOST_BEFORE` begins at the issue."""

    start: datetime
    history: Values
    known: Mapping[int, Values]

    def place(self, at: datetime) -> int:
        """The number of the half-hour that starts at an instant."""
        return round((at - self.start) / HALF_HOUR)

    def has_outlook(self, places: Places) -> npt.NDArray[np.bool_]:
        """At which issue times something is expected."""
        return np.array([place in self.known for place in places.tolist()], np.bool_)

    def outlook_at(self, issues: Places, places: Places) -> npt.NDArray[np.float64]:
        """The outlook (n, 4, m) of adjacent half-hours (n, m) as known at issue times (n)."""
        found = np.full((len(issues), len(OUTLOOK), places.shape[1]), np.nan)
        for row, issue in enumerate(issues.tolist()):
            if (values := self.known.get(issue)) is not None:
                first = int(places[row, 0]) - issue + MOST_BEFORE
                found[row] = values[:, first : first + places.shape[1]]
        return found


def read_history(connection: Connection, window: Window, now: datetime) -> Values:
    """What the warehouse holds of a window, as a model sees it: (10, half-hours)."""
    return KnownValues(connection, window).at(now, window)


def read_outlook(
    connection: Connection, start: datetime, issues: Iterable[int], ahead: int
) -> dict[int, Values]:
    """The outlook as known at issue times, counted in half-hours from `start`."""
    known: dict[int, Values] = {}
    wanted = sorted(set(issues))
    for first in range(0, len(wanted), AT_ONCE):
        part = wanted[first : first + AT_ONCE]
        times = [start + issue * HALF_HOUR for issue in part]
        for issue, values in zip(
            part, read_known_outlook(connection, times, MOST_BEFORE, ahead), strict=True
        ):
            if not np.isnan(values).all():
                known[issue] = values.copy()
    return known

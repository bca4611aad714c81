"""Continues a context from generation by fuel where the newest published values are missing.

The two measurements differ steadily, so what is recomputed is moved by their mean difference in the
half-hours that have both. Only a context has it; nothing here is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.models.forecaster import Values
from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.outlook.known import read_known_generation
from grid_assets.warehouse.connection import Connection

LEAST_COMMON: Final = DAY // HALF_HOUR
"""Half-hours with both measurements that the difference needs. From a day of them, what is
recomputed errs by 1.5 g over the next three hours, from a week by 1.3 g."""

GROUPS: Final = (slice(0, 1), slice(1, None))
"""Rows of a context that are published together: carbon intensity, and the mix."""


@dataclass(frozen=True, slots=True)
class Continued:
    """Values with the half-hours that were recomputed, and which of them are.

    `recomputed_to` is the end of the newest half-hour that could be recomputed, used or not.
    """

    values: Values
    recomputed: npt.NDArray[np.bool_]
    recomputed_to: datetime | None = None


def continued(connection: Connection, values: Values, end: datetime) -> Continued:
    """Values (10, half-hours) that were known at `end`, where they end, with what generation adds
    after the newest published ones.

    While the newest published half-hour is the last or the last but one, it can add nothing.
    """
    firsts = [_after_newest(values[rows]) for rows in GROUPS]
    if min(firsts) >= values.shape[1] - 1:
        return Continued(values, np.zeros(values.shape[1], np.bool_))
    window = Window(end - values.shape[1] * HALF_HOUR, end)
    recomputed = read_known_generation(connection, window, end)
    filled = values.copy()
    for rows, first in zip(GROUPS, firsts, strict=True):
        filled[rows, first:] = _moved(values[rows], recomputed[rows])[:, first:]
    added = np.asarray((np.isnan(values) & ~np.isnan(filled)).any(axis=0))
    ends = [window.start + (int(place) + 1) * HALF_HOUR for place in np.flatnonzero(added)[-1:]]
    # what core has now decides whether a forecast is due, so that an issue has to name it
    row = connection.execute("SELECT forecast.recomputed_ends(%s)", [end]).fetchone()
    ends += [row[0]] if row and row[0] else []
    return Continued(filled, added, max(ends, default=None))


def _after_newest(values: Values) -> int:
    """The place after the newest known half-hour."""
    known = np.flatnonzero(~np.isnan(values[0]))
    return int(known[-1]) + 1 if len(known) else 0


def _moved(published: Values, recomputed: Values) -> Values:
    """What is recomputed, moved to where the published values are; NaN if too few have both."""
    difference = published - recomputed
    common = ~np.isnan(difference[0])
    if common.sum() < LEAST_COMMON:
        return np.full_like(recomputed, np.nan)
    moved = np.maximum(recomputed + difference[:, common].mean(axis=1, keepdims=True), 0)
    if len(moved) > 1:  # shares
        moved *= 100 / moved.sum(axis=0)
    return np.asarray(moved, np.float32)

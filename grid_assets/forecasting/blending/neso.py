"""Which of NESO's forecasts is a member of a blend: one rule for operation and `grid evaluate`.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from grid_assets.forecasting.blending.combining import MEDIAN
from grid_assets.forecasting.blending.guard import reason_to_leave_out
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import Line, Values

OLDEST_NESO: Final = timedelta(hours=6)
"""Age up to which NESO's forecast is a member: past errors are of newer ones."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """NESO's forecast that is a member: when it was captured, and its 96 half-hours. Without one,
    they are None and NaN, and `reason` says why."""

    captured_at: datetime | None
    values: Values
    reason: str | None = None


def choose(lines: Sequence[Line], at: datetime, own: Values, usual: float | None) -> Chosen:
    """The newest of NESO's forecasts of the day before an issue, `lines` as in `Problem`, unless it
    is old or beyond anything usual. `own` (members, 10, 96, 3) is what our models forecast."""
    if not lines or lines[-1][0] <= at - OLDEST_NESO:
        hours = OLDEST_NESO.total_seconds() / 3600
        return _none(f"None that is not simulated was captured in the {hours:.0f} hours before.")
    captured_at, newest = lines[-1]
    earlier = np.array([values for _, values in lines[:-1]], np.float32).reshape(-1, HORIZON)
    reason = reason_to_leave_out(newest, own[:, 0, :, MEDIAN], earlier, usual)
    return _none(reason) if reason else Chosen(captured_at, newest)


def _none(reason: str) -> Chosen:
    return Chosen(None, np.full(HORIZON, np.nan, np.float32), reason)

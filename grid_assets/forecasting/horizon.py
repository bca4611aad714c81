"""The reach of a forecast, how many half-hours a model is asked for, and the quantiles that are
stored."""

from __future__ import annotations

from typing import Final

from grid_assets.forecasting.models.forecaster import MAX_MISSING
from grid_assets.halfhours import HALF_HOUR

HORIZON: Final = 96
"""Half-hours in one forecast: 48 hours."""

HORIZON_TIME: Final = HORIZON * HALF_HOUR

FORECAST_STEPS: Final = 112
"""Half-hours that a model forecasts: the horizon, plus eight hours because actuals may be late. The
same number as in training, because a model's values depend on the number of steps."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""The levels that are stored, as `p10`, `p50` and `p90`."""


def steps_to_forecast(late_steps: int) -> int:
    """How many half-hours a model forecasts for an issue whose context ends `late_steps` before it.

    One of two numbers, so that most issues can be forecast together, each with the values that it
    would get alone.
    """
    fits = late_steps + HORIZON <= FORECAST_STEPS
    return FORECAST_STEPS if fits else HORIZON + MAX_MISSING

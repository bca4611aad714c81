"""The reach of a forecast, and the quantiles that are stored."""

from __future__ import annotations

from typing import Final

from grid_assets.halfhours import HALF_HOUR

HORIZON: Final = 96
"""Half-hours in one forecast: 48 hours."""

HORIZON_TIME: Final = HORIZON * HALF_HOUR

FORECAST_STEPS: Final = 112
"""Half-hours that a model forecasts: the horizon, plus eight hours because actuals may be late. The
same number as in training, because a model's values depend on the number of steps."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""The levels that are stored, as `p10`, `p50` and `p90`."""

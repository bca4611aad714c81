"""How far a forecast reaches, and which quantiles of it are kept."""

from __future__ import annotations

from typing import Final

from grid_assets.halfhours import HALF_HOUR

HORIZON: Final = 96
"""Half-hours in one forecast: 48 hours."""

HORIZON_TIME: Final = HORIZON * HALF_HOUR

FORECAST_STEPS: Final = 112
"""Half-hours that a model is asked for: the horizon, and room for actuals up to eight hours
late. Always the same, as in training: a model's answer depends on how far it is asked."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""The levels that are stored, as `p10`, `p50` and `p90`."""

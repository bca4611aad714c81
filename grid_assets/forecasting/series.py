"""The ten series that are forecast, in one order everywhere. Pure.

Belongs here: names and units of series, the horizon, and the lead buckets.
Does not belong here: reading series (`context`) and forecasting them.
"""

from __future__ import annotations

from typing import Final

from grid_assets.halfhours import HALF_HOUR
from grid_assets.mix import FUELS

INTENSITY: Final = "carbon_intensity"

SERIES: Final = (INTENSITY, *FUELS)
"""Carbon intensity in gCO2/kWh, then the nine shares in percent: the rows of every array here."""

HORIZON: Final = 96
"""Half-hours in one forecast: 48 hours."""

FORECAST_STEPS: Final = 112
"""Half-hours that a model is asked for: the horizon, and room for actuals up to eight hours
late. Always the same, as in training: a model's answer depends on how far it is asked."""

QUANTILES: Final = (0.1, 0.5, 0.9)
"""The levels that are stored, as `p10`, `p50` and `p90`."""

LEAD_BUCKETS: Final = {
    "0-3h": (0, 6),
    "3-6h": (6, 12),
    "6-12h": (12, 24),
    "12-24h": (24, 48),
    "24-48h": (48, HORIZON),
}
"""Steps of half an hour of each bucket, lower edge included; the same rule is in `sql/views`."""

BUCKET_OF_STEP: Final = tuple(
    name for name, (first, end) in LEAD_BUCKETS.items() for _ in range(first, end)
)


HORIZON_TIME: Final = HORIZON * HALF_HOUR

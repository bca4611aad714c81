"""The ten series of the project: carbon intensity and the shares of nine fuels, in one order."""

from __future__ import annotations

from typing import Final

FUELS: Final = (
    "biomass",
    "coal",
    "imports",
    "gas",
    "nuclear",
    "other",
    "hydro",
    "solar",
    "wind",
)
"""The nine fuels of the API, in its order."""

NAMED_FUELS: Final = tuple(fuel for fuel in FUELS if fuel != "other")

INTENSITY: Final = "carbon_intensity"

SERIES: Final = (INTENSITY, *FUELS)
"""Carbon intensity in gCO2/kWh, then the nine shares in percent: the rows of every array."""

LEAD_BUCKETS: Final = {
    "0-3h": (0, 6),
    "3-6h": (6, 12),
    "6-12h": (12, 24),
    "12-24h": (24, 48),
    "24-48h": (48, 96),
}
"""Steps of half an hour of each bucket, lower edge included; the same rule is in `sql/views`."""

BUCKET_OF_STEP: Final = tuple(
    name for name, (first, end) in LEAD_BUCKETS.items() for _ in range(first, end)
)

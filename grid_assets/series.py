"""The dictionary of the ten series: carbon intensity, then the shares of nine fuels.

Names, units, columns, groups, colours, lead buckets and the order of models are defined only here.
SQL templates, charts and generated pages read them; only applied migrations repeat them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its name in tables, and how it is shown."""

    name: str
    unit: str
    column: str
    """Column of `core` with the actual value."""
    ceiling: int
    """The largest possible value, in `unit`."""
    colour: str
    """The colour in every chart."""
    group: str = ""
    """`fuel_group` of a fuel."""
    level: int = 0
    """Place of a fuel in a stacked chart, from the bottom: fossil fuels are on top."""

    @property
    def label(self) -> str:
        """The name as a title: `Carbon intensity`."""
        return self.name.replace("_", " ").capitalize()


def _fuel(name: str, group: str, colour: str, level: int) -> Series:
    return Series(name, "%", f"{name}_pct", 100, colour, group, level)


CARBON_INTENSITY: Final = Series(
    "carbon_intensity", "gCO2/kWh", "actual_gco2_kwh", 1000, colour="#1f9d57"
)

MIX: Final = (
    _fuel("biomass", "low_carbon", "#93743f", 1),
    _fuel("coal", "fossil", "#5f6470", 8),
    _fuel("imports", "imports", "#8d99a6", 5),
    _fuel("gas", "fossil", "#d1603d", 7),
    _fuel("nuclear", "low_carbon", "#7b5ea7", 0),
    _fuel("other", "other", "#c48fb0", 6),
    _fuel("hydro", "renewable", "#2a9d8f", 2),
    _fuel("solar", "renewable", "#e0a800", 4),
    _fuel("wind", "renewable", "#3b82c4", 3),
)
"""The nine fuels of the API, in its order."""

STACKED: Final = tuple(sorted(MIX, key=lambda fuel: fuel.level))
"""The fuels from the bottom of a stacked chart to its top."""

FUELS: Final = tuple(fuel.name for fuel in MIX)

NAMED_FUELS: Final = tuple(fuel for fuel in FUELS if fuel != "other")

FUEL_GROUPS: Final = {
    group: tuple(fuel.name for fuel in MIX if fuel.group == group)
    for group in ("renewable", "low_carbon", "fossil", "imports", "other")
}

FUEL_GROUP_LABELS: Final = {
    "renewable": "Renewable (wind, solar, hydro)",
    "low_carbon": "Nuclear and biomass",
    "fossil": "Fossil (gas, coal)",
    "imports": "Imports",
    "other": "Other",
}
"""How a group is shown: by its fuels, because `low_carbon` is without the renewables."""

COMBINED_SHARES: Final = {
    "renewable_pct": FUEL_GROUPS["renewable"],
    "zero_carbon_pct": (*FUEL_GROUPS["renewable"], "nuclear"),
    "fossil_pct": FUEL_GROUPS["fossil"],
}
"""Columns with the shares of several fuels added up. They overlap, unlike `FUEL_GROUPS`."""

INTENSITY: Final = CARBON_INTENSITY.name

SERIES: Final = (INTENSITY, *FUELS)
"""Carbon intensity in gCO2/kWh, then the nine shares in percent: the rows of every array."""

OUTLOOK: Final = ("demand_mw", "wind_mw", "embedded_wind_mw", "embedded_solar_mw")
"""What others publish about the next days, in MW: the rows of every array of the outlook. Wind is
that of metered wind farms; embedded plants are those that only the distribution networks see."""

MODELS: Final = ("blend", "chronos", "gradient_boosting", "seasonal_naive", "neso")
"""Models in the order in which they are shown; the first that has a forecast speaks."""

LEAD_BUCKETS: Final = {
    "0-3h": (0, 6),
    "3-6h": (6, 12),
    "6-12h": (12, 24),
    "12-24h": (24, 48),
    "24-48h": (48, 96),
}
"""Half-hour steps of each bucket, lower edge included, as in `forecast.lead_bucket`."""

BUCKET_OF_STEP: Final = tuple(
    name for name, (first, end) in LEAD_BUCKETS.items() for _ in range(first, end)
)


def model_place(model: str) -> int:
    """The place of a model in `MODELS`, such as 1 for `chronos:small`; an unknown one is last."""
    name = model.partition(":")[0]
    return MODELS.index(name) if name in MODELS else len(MODELS)

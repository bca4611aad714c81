"""Shared by the page's panels: colours, and the format of values and times.

Dagster's pictures use the same colours (`defs.pictures`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, Final

from grid_assets.halfhours import LONDON
from grid_assets.series import CARBON_INTENSITY, STACKED

Spec = dict[str, Any]
"""A chart, as `chart.js` draws it."""

FUEL_COLOURS: Final = {fuel.name: fuel.colour for fuel in STACKED}
"""Fuels from the bottom of the stack to its top."""

STATUS_COLOURS: Final = {
    "success": "#2a9d8f",
    "running": "#8d99a6",
    "failed": "#d1603d",
    "crashed": "#7b5ea7",
}

ACTUAL: Final = "actual"
ACTUAL_COLOUR: Final = CARBON_INTENSITY.colour
OUR_COLOURS: Final = ("#3b7dd8", "#1f9d57", "#93743f")
"""For Chronos models in order of name; more than three appear only after many changes of model."""
OTHER_COLOURS: Final = {
    "blend": "#3a3f8f",
    "neso": "#c2571a",
    "seasonal_naive": "#8a6fb3",
    "gradient_boosting": "#0f8b8d",
}


def ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def at(instant: datetime) -> str:
    """An instant by London's clock, such as `22 Nov 19:30`; with the zone if it comes twice."""
    london = instant.astimezone(LONDON)
    text = f"{london.day} {london:%b %H:%M}"
    is_twice = london.utcoffset() != london.replace(fold=1 - london.fold).utcoffset()
    # a time that the clock skips differs by its fold too, but no instant has it
    return f"{text} {london.tzname()}" if is_twice else text


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """A colour for each model: those that forecast beside ours always have their own."""
    ours = cycle(OUR_COLOURS)
    return {model: OTHER_COLOURS.get(model) or next(ours) for model in models}


def model_label(model: str, simulated: bool) -> str:
    """A model's name, marked if its forecasts are simulated: they are not NESO's own."""
    return f"{model} (simulated)" if simulated else model


def times(first: datetime, last: datetime, step: timedelta) -> list[datetime]:
    """The starts of the steps from `first` to `last`, both included."""
    return [first + n * step for n in range((last - first) // step + 1)]


def plain(value: Decimal | float | None) -> float | None:
    return None if value is None else round(float(value), 2)


def number(value: Decimal | None) -> str:
    """A published number, with one decimal unless it is whole; a dash if it is missing."""
    return "–" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def tenths(value: Decimal | float | None) -> str:
    """A computed number or a share with one decimal; a dash if it is missing."""
    return "–" if value is None else f"{value:.1f}"

"""Shared by the charts: colours, axes, legends, and the format of values and times.

Dagster's pictures use the same colours (`defs.pictures`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import cycle
from typing import Any, Final

from grid_assets.series import CARBON_INTENSITY, STACKED

Spec = dict[str, Any]

HEIGHT: Final = 280

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

TIME_AXIS: Final = {
    "title": None,
    # The date at midnight, otherwise the time.
    "labelExpr": "utchours(datum.value) == 0 && utcminutes(datum.value) == 0 "
    "? utcFormat(datum.value, '%-d %b') : utcFormat(datum.value, '%H:%M')",
    "labelOverlap": "greedy",
    "tickCount": {"expr": "width < 450 ? 5 : 12"},
    "grid": False,
}
LEGEND: Final = {
    "orient": "top",
    "title": None,
    "columns": {"expr": "width < 450 ? 3 : 9"},
    "symbolOpacity": 1,
    "symbolLimit": 20,
    "labelLimit": 220,
}
MODEL_LEGEND: Final = {**LEGEND, "columns": {"expr": "width < 450 ? 1 : width < 700 ? 3 : 5"}}
"""A model's name can be as wide as a phone's screen."""


def ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def at(instant: datetime) -> str:
    """An instant in UTC, such as `22 Nov 19:30`."""
    return f"{instant.day} {instant:%b %H:%M}"


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """A colour for each model: those that forecast beside ours always have their own."""
    ours = cycle(OUR_COLOURS)
    return {model: OTHER_COLOURS.get(model) or next(ours) for model in models}


def model_label(model: str, simulated: bool) -> str:
    """A model's name, marked if its forecasts are simulated: they are not NESO's own."""
    return f"{model} (simulated)" if simulated else model


def chart_label(model: str, simulated: bool) -> str:
    """A model's name in a chart.

    A checkpoint may have any name. A character that cannot be printed, such as a line break, would
    break the expressions that Vega-Lite builds from names.
    """
    name = model_label(model, simulated)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def in_title(name: str) -> str:
    """A name as a tooltip's title: Vega-Lite puts it in an expression and escapes only quotes."""
    return name.replace("\\", "\\\\")


def frame(height: int = HEIGHT) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": None,
    }


def time_axis(first: datetime, last: datetime) -> Spec:
    return {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc", "domainMin": ms(first), "domainMax": ms(last), "clamp": True},
        "axis": TIME_AXIS,
    }


def stacked(field: str) -> Spec:
    """Blocks on top of each other at each time: Vega-Lite does not stack bars between instants."""
    return {
        "stack": field,
        "groupby": ["t"],
        "sort": [{"field": "order"}],
        "as": ["from", "to"],
    }


def gco2(field: str) -> Spec:
    unit = CARBON_INTENSITY.unit
    return {"field": field, "type": "quantitative", "title": unit, "scale": {"zero": True}}


def encode_colour(field: str, colours: dict[str, str]) -> Spec:
    return {"field": field, "type": "nominal", "scale": scale(colours), "legend": LEGEND}


def scale(colours: dict[str, str]) -> Spec:
    return {"domain": list(colours), "range": list(colours.values())}


def plain(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 2)


def number(value: Decimal | None) -> str:
    """A published number, with one decimal unless it is whole; a dash if it is missing."""
    return "–" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def tenths(value: Decimal | None) -> str:
    """A computed number or a share with one decimal; a dash if it is missing."""
    return "–" if value is None else f"{value:.1f}"

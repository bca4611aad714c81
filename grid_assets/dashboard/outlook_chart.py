"""The chart of the outlook as a Vega-Lite specification: what was generated and used, and what is
expected. Pure."""

from __future__ import annotations

from typing import Final

from grid_assets.dashboard.outlook import KINDS, Outlook
from grid_assets.dashboard.theme import LEGEND, Spec, at, frame, ms, scale, time_axis
from grid_assets.halfhours import HALF_HOUR

LABELS: Final = {
    "wind": "wind, embedded included",
    "solar": "embedded solar",
    "demand": "demand",
}
COLOURS: Final = {"wind": "#3b82c4", "solar": "#b88600", "demand": "#7a828a"}
"""Darker than the fuels of the mix where a thin line could not be seen on white."""

ACTUAL, EXPECTED = "actual", "outlook"

TWO_COLUMNS: Final = {**LEGEND, "columns": {"expr": "width < 450 ? 2 : 5"}}


def chart(outlook: Outlook) -> Spec | None:
    """Three lines over three days, solid as far as they are measured, dashed from there on."""
    actual, ahead = outlook.actual(), outlook.ahead()
    if not any((*actual.values(), *ahead.values())):
        return None
    values = [
        {
            "t": ms(start),
            "end": ms(start + HALF_HOUR),
            "at": at(start),
            **{f"{kind}_actual": _rounded(actual[kind].get(start)) for kind in KINDS},
            **{f"{kind}_outlook": _rounded(ahead[kind].get(start)) for kind in KINDS},
        }
        for start in outlook.half_hours()
    ]
    return {
        "data": {"values": values},
        "encoding": {"x": time_axis(outlook.first, outlook.end)},
        "layer": [
            *(_line(kind, ACTUAL) for kind in KINDS if actual[kind]),
            *(_line(kind, EXPECTED) for kind in KINDS if ahead[kind]),
            {
                "data": {"values": [{"t": ms(outlook.now)}]},
                "mark": {"type": "rule", "strokeDash": [2, 3], "aria": False},
            },
            _tooltip(),
        ],
        **frame(),
    }


def _line(kind: str, state: str) -> Spec:
    colours = {LABELS[kind]: COLOURS[kind] for kind in KINDS}
    return {
        "mark": {
            "type": "line",
            "aria": False,
            "strokeWidth": 2.5 if state == ACTUAL else 2,
            "point": {"size": 8} if state == ACTUAL else False,
            "strokeDash": [1, 0] if state == ACTUAL else [5, 3],
        },
        "encoding": {
            "y": {
                "field": f"{kind}_{state}",
                "type": "quantitative",
                "title": "GW",
                "scale": {"zero": True},
            },
            "color": {"datum": LABELS[kind], "scale": scale(colours), "legend": TWO_COLUMNS},
        },
    }


def _tooltip() -> Spec:
    """An invisible strip for each half-hour, as in the chart of carbon intensity."""
    texts = [
        {
            "calculate": (
                f"isValid(datum.{kind}_actual) ? format(datum.{kind}_actual, '.1f') : "
                f"isValid(datum.{kind}_outlook) ? format(datum.{kind}_outlook, '.1f') + "
                "' (outlook)' : '–'"
            ),
            "as": f"{kind}_text",
        }
        for kind in KINDS
    ]
    pointer = {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["t"]}
    return {
        "transform": texts,
        "params": [{"name": "half_hour", "select": pointer}],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x2": {"field": "end"},
            "opacity": {
                "condition": {"param": "half_hour", "value": 0.15, "empty": False},
                "value": 0,
            },
            "tooltip": [
                {"field": "at", "title": "UTC"},
                *({"field": f"{kind}_text", "title": f"{LABELS[kind]}, GW"} for kind in KINDS),
            ],
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

"""The charts of mix, accuracy and attempts as Vega-Lite specifications: plain dictionaries. Pure.

Instants are milliseconds since 1970, shown in UTC. A half-hour without a value is null: lines break
there and bars are missing, so nothing is drawn across a gap.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from grid_assets.dashboard.queries import Snapshot
from grid_assets.dashboard.theme import (
    FUEL_COLOURS,
    HEIGHT,
    MODEL_LEGEND,
    STATUS_COLOURS,
    Spec,
    at,
    chart_label,
    encode_colour,
    frame,
    model_colours,
    model_label,
    ms,
    plain,
    stacked,
    time_axis,
)
from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.series import LEAD_BUCKETS, model_place

CHOSEN: Final = "chosen"
"""Parameter of the mix chart: the one fuel to show, null for all."""


def mix(snapshot: Snapshot) -> Spec | None:
    """Shares of nine fuels by half-hour, stacked to 100."""
    if not snapshot.mix:
        return None
    fuels = list(FUEL_COLOURS)
    return {
        "data": {
            "values": [
                {
                    "t": ms(start),
                    "end": ms(start + HALF_HOUR),
                    "at": at(start),
                    **{fuel: plain(share) for fuel, share in shares.items()},
                }
                for start, shares in snapshot.mix
            ]
        },
        "transform": [
            {"fold": fuels, "as": ["fuel", "pct"]},
            {"calculate": f"indexof({fuels!r}, datum.fuel)", "as": "order"},
            stacked("pct"),
        ],
        # Set by the buttons of the page's legend: a legend in the chart takes no keyboard.
        "params": [{"name": CHOSEN, "value": None}],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": time_axis(snapshot.now - DAY, snapshot.now),
            "x2": {"field": "end"},
            "y": {
                "field": "from",
                "type": "quantitative",
                "title": "share of generation, %",
                "scale": {"domain": [0, 100]},
            },
            "y2": {"field": "to"},
            "color": {**encode_colour("fuel", FUEL_COLOURS), "legend": None},
            "opacity": {
                "condition": {"test": f"{CHOSEN} === null || {CHOSEN} === datum.fuel", "value": 1},
                "value": 0.15,
            },
            "tooltip": [
                {"field": "at", "title": "UTC"},
                *({"field": fuel, "title": f"{fuel}, %", "format": ".1f"} for fuel in fuels[::-1]),
            ],
        },
        **frame(),
    }


def errors(snapshot: Snapshot) -> Spec | None:
    """Mean absolute error by lead, one bar for each model."""
    if not snapshot.accuracy:
        return None
    return {
        **_scores_data(snapshot),
        "mark": {"type": "bar", "aria": False, "cornerRadiusEnd": 2},
        "encoding": {
            **_encode_lead_and_model(snapshot),
            "y": {"field": "mae", "type": "quantitative", "title": "mean absolute error, gCO2/kWh"},
        },
        **frame(),
    }


def coverage(snapshot: Snapshot) -> Spec | None:
    """Share of actuals inside the 80 % band by lead, against the target of 80 %."""
    if not any(score.inside_pct is not None for score in snapshot.accuracy):
        return None
    return {
        "layer": [
            {
                **_scores_data(snapshot),
                "transform": [{"filter": "isValid(datum.inside)"}],
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "aria": False},
                "encoding": {
                    **_encode_lead_and_model(snapshot),
                    "y": {
                        "field": "inside",
                        "type": "quantitative",
                        "title": "inside the 80 % band, %",
                        "scale": {"domain": [0, 100]},
                    },
                },
            },
            {
                "data": {"values": [{"target": 80}]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "aria": False},
                "encoding": {"y": {"field": "target", "type": "quantitative"}},
            },
        ],
        **frame(HEIGHT - 80),
    }


def attempts(snapshot: Snapshot) -> Spec | None:
    """Attempts of the last 24 hours by hour, stacked by status."""
    if not snapshot.attempts_by_hour:
        return None
    order = list(STATUS_COLOURS)
    return {
        "data": {
            "values": [
                {
                    "t": ms(row.hour),
                    "end": ms(row.hour + timedelta(hours=1)),
                    "at": at(row.hour),
                    "status": row.status,
                    "attempts": row.attempts,
                    "order": order.index(row.status),
                }
                for row in snapshot.attempts_by_hour
            ]
        },
        "transform": [stacked("attempts")],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": time_axis(snapshot.now - DAY, snapshot.now),
            "x2": {"field": "end"},
            "y": {"field": "from", "type": "quantitative", "title": "attempts in the hour"},
            "y2": {"field": "to"},
            "color": encode_colour("status", STATUS_COLOURS),
            "tooltip": [
                {"field": "at", "title": "UTC, hour from"},
                {"field": "status"},
                {"field": "attempts"},
            ],
        },
        **frame(HEIGHT - 100),
    }


def model_labels(snapshot: Snapshot) -> dict[str, str]:
    """Labels by model, in the order in which models are shown."""
    labels = {score.model: model_label(score.model, score.simulated) for score in snapshot.accuracy}
    return {
        model: labels[model]
        for model in sorted(labels, key=lambda model: (model_place(model), model))
    }


def _scores_data(snapshot: Snapshot) -> Spec:
    return {
        "data": {
            "values": [
                {
                    "model": chart_label(score.model, score.simulated),
                    "lead": score.lead_bucket,
                    "n": score.n,
                    "mae": plain(score.mae),
                    "inside": plain(score.inside_pct),
                }
                for score in snapshot.accuracy
            ]
        }
    }


def _encode_lead_and_model(snapshot: Snapshot) -> Spec:
    simulated = {score.model: score.simulated for score in snapshot.accuracy}
    labels = {model: chart_label(model, simulated[model]) for model in model_labels(snapshot)}
    colours = {labels[model]: colour for model, colour in model_colours(labels).items()}
    return {
        "x": {
            "field": "lead",
            "type": "ordinal",
            "sort": list(LEAD_BUCKETS),
            "title": "time between the forecast and its half-hour",
            "axis": {"labelAngle": 0},
        },
        "xOffset": {"field": "model", "sort": list(labels.values())},
        "color": {**encode_colour("model", colours), "legend": MODEL_LEGEND},
        "tooltip": [
            {"field": "model"},
            {"field": "lead"},
            {"field": "mae", "title": "MAE, gCO2/kWh", "format": ".1f"},
            {"field": "inside", "title": "inside the band, %", "format": ".0f"},
            {"field": "n", "title": "forecasts", "format": ","},
        ],
    }

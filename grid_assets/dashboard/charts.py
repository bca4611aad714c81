"""The page's charts as Vega-Lite specifications: plain dictionaries, made from facts. Pure.

Belongs here: marks, scales, colours, tooltips. Does not belong here: words about the numbers
(`page`), and drawing, which the reader's browser does.

Instants are milliseconds since 1970, shown in UTC. A half-hour without a value is null, so that a
line breaks there and a bar is missing; nothing is drawn through a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from grid_assets.dashboard.facts import Facts, Predicted
from grid_assets.forecasting.series import LEAD_BUCKETS
from grid_assets.halfhours import DAY, HALF_HOUR, floor

Spec = dict[str, Any]

HEIGHT: Final = 280

FUEL_COLOURS: Final = {
    "nuclear": "#7b5ea7",
    "biomass": "#93743f",
    "hydro": "#2a9d8f",
    "wind": "#3b82c4",
    "solar": "#e0a800",
    "imports": "#8d99a6",
    "other": "#c48fb0",
    "gas": "#d1603d",
    "coal": "#5f6470",
}
"""Fuels from the bottom of the stack to its top: what burns fossil fuel lies on the rest."""

STATUS_COLOURS: Final = {
    "success": "#2a9d8f",
    "running": "#8d99a6",
    "failed": "#d1603d",
    "crashed": "#7b5ea7",
}

ACTUAL: Final = "actual"
ACTUAL_COLOUR: Final = "#1f9d57"
OUR_COLOURS: Final = ("#3b7dd8", "#1f9d57", "#93743f")
"""Chronos models by name; more than three at once are seen only after many changes of model."""
OTHER_COLOURS: Final = {"neso": "#c2571a", "seasonal_naive": "#8a6fb3"}

TIME_AXIS: Final = {
    "title": None,
    # the date where a day begins, the time elsewhere
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
MODEL_LEGEND: Final = {**LEGEND, "columns": {"expr": "width < 450 ? 1 : 4"}}
"""A model's name can be as long as a phone is wide."""


def ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def at(instant: datetime) -> str:
    """An instant for a reader, such as `22 Nov 19:30`; the page says that all are UTC."""
    return f"{instant.day} {instant:%b %H:%M}"


def named(model: str, simulated: bool) -> str:
    """A model's name; NESO's simulated forecasts say in every place that they are no NESO's."""
    return f"{model} (simulated)" if simulated else model


def mix(facts: Facts) -> Spec | None:
    """Shares of nine fuels by half-hour, stacked to 100."""
    if not facts.mix:
        return None
    fuels = list(FUEL_COLOURS)
    return {
        "data": {
            "values": [
                {
                    "t": ms(start),
                    "end": ms(start + HALF_HOUR),
                    "at": at(start),
                    **{fuel: _float(share) for fuel, share in shares.items()},
                }
                for start, shares in facts.mix
            ]
        },
        "transform": [
            {"fold": fuels, "as": ["fuel", "pct"]},
            {"calculate": f"indexof({fuels!r}, datum.fuel)", "as": "order"},
            _stack("pct"),
        ],
        "params": [
            {"name": "chosen", "select": {"type": "point", "fields": ["fuel"]}, "bind": "legend"}
        ],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": _time(facts.now - DAY, facts.now),
            "x2": {"field": "end"},
            "y": {
                "field": "from",
                "type": "quantitative",
                "title": "share of generation, %",
                "scale": {"domain": [0, 100]},
            },
            "y2": {"field": "to"},
            "color": _colours("fuel", FUEL_COLOURS),
            "opacity": {"condition": {"param": "chosen", "value": 1}, "value": 0.15},
            "tooltip": [
                {"field": "at", "title": "UTC"},
                *({"field": fuel, "title": f"{fuel}, %", "format": ".1f"} for fuel in fuels[::-1]),
            ],
        },
        **_frame(),
    }


def intensity(facts: Facts) -> Spec | None:
    """Actual intensity, the page's model with its band, and NESO's forecast, over three days."""
    model = facts.model
    ours, neso = facts.of(model), facts.of("neso") if model != "neso" else []
    actual = {one.period_start: one.actual_gco2_kwh for one in facts.intensity}
    if not ours and not neso and not any(value is not None for value in actual.values()):
        return None
    by_start = {one.period_start: one for one in ours}
    neso_by_start = {one.period_start: one.p50 for one in neso}
    last = max([*actual, *by_start, *neso_by_start])
    first = floor(facts.now - DAY) + HALF_HOUR
    values = []
    for start in _half_hours(first, last):
        one = by_start.get(start)
        values.append(
            {
                "t": ms(start),
                "at": at(start),
                "actual": _float(actual.get(start)),
                "p10": _float(one.p10 if one else None),
                "p50": _float(one.p50 if one else None),
                "p90": _float(one.p90 if one else None),
                "neso": _float(neso_by_start.get(start)),
            }
        )
    lines = {"actual": (ACTUAL, ACTUAL_COLOUR)}
    if model and ours:
        lines["p50"] = (named(model, _simulated(ours)), OTHER_COLOURS.get(model, OUR_COLOURS[0]))
    if neso:
        lines["neso"] = (named("neso", _simulated(neso)), OTHER_COLOURS["neso"])
    colour = {"scale": _scale(dict(lines.values())), "legend": MODEL_LEGEND}
    time = _time(first, last)
    shown = [
        {"field": "at", "title": "UTC"},
        *({"field": field, "title": name, "format": ".1f"} for field, (name, _) in lines.items()),
        *({"field": field, "format": ".1f"} for field in ("p10", "p90") if model and ours),
    ]
    nearest = {"type": "point", "on": "pointerover", "nearest": True, "fields": ["t"]}
    return {
        "data": {"values": values},
        "encoding": {"x": time},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.22, "aria": False},
                "encoding": {
                    "y": _gco2("p10"),
                    "y2": {"field": "p90"},
                    "color": {"datum": lines.get("p50", ("", ""))[0], **colour},
                },
            },
            *(
                {
                    "mark": {
                        "type": "line",
                        "aria": False,
                        "strokeWidth": 2.5 if field == "actual" else 2,
                        # one point alone would be no line, and must not vanish
                        "point": {"size": 8} if field == "actual" else False,
                        "strokeDash": [5, 3] if field == "neso" else [1, 0],
                    },
                    "encoding": {"y": _gco2(field), "color": {"datum": name, **colour}},
                }
                for field, (name, _) in lines.items()
            ),
            {
                "data": {"values": [{"t": ms(facts.now)}]},
                "mark": {"type": "rule", "strokeDash": [2, 3], "aria": False},
            },
            {
                "params": [{"name": "hover", "select": nearest}],
                "mark": {"type": "rule", "aria": False},
                "encoding": {
                    "opacity": {
                        "condition": {"param": "hover", "value": 0.5, "empty": False},
                        "value": 0,
                    },
                    "tooltip": shown,
                },
            },
        ][0 if model and ours else 1 :],
        **_frame(),
    }


def errors(facts: Facts) -> Spec | None:
    """Mean absolute error by lead, one bar for each model."""
    if not facts.accuracy:
        return None
    return {
        **_by_lead(facts),
        "mark": {"type": "bar", "aria": False, "cornerRadiusEnd": 2},
        "encoding": {
            **_lead_and_model(facts),
            "y": {"field": "mae", "type": "quantitative", "title": "mean absolute error, gCO2/kWh"},
        },
        **_frame(),
    }


def coverage(facts: Facts) -> Spec | None:
    """Share of actuals inside the 80 % band by lead, against the 80 % that is promised."""
    if not any(one.inside_pct is not None for one in facts.accuracy):
        return None
    return {
        "layer": [
            {
                **_by_lead(facts),
                "transform": [{"filter": "isValid(datum.inside)"}],
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "aria": False},
                "encoding": {
                    **_lead_and_model(facts),
                    "y": {
                        "field": "inside",
                        "type": "quantitative",
                        "title": "inside the 80 % band, %",
                        "scale": {"domain": [0, 100]},
                    },
                },
            },
            {
                "data": {"values": [{"promised": 80}]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "aria": False},
                "encoding": {"y": {"field": "promised", "type": "quantitative"}},
            },
        ],
        **_frame(HEIGHT - 80),
    }


def attempts(facts: Facts) -> Spec | None:
    """Attempts of the last day by hour, stacked by how they ended."""
    if not facts.attempts_by_hour:
        return None
    hour = timedelta(hours=1)
    order = list(STATUS_COLOURS)
    return {
        "data": {
            "values": [
                {
                    "t": ms(one.hour),
                    "end": ms(one.hour + hour),
                    "at": at(one.hour),
                    "status": one.status,
                    "attempts": one.attempts,
                    "order": order.index(one.status),
                }
                for one in facts.attempts_by_hour
            ]
        },
        "transform": [_stack("attempts")],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": _time(facts.now - DAY, facts.now),
            "x2": {"field": "end"},
            "y": {"field": "from", "type": "quantitative", "title": "attempts in the hour"},
            "y2": {"field": "to"},
            "color": _colours("status", STATUS_COLOURS),
            "tooltip": [
                {"field": "at", "title": "UTC, hour from"},
                {"field": "status"},
                {"field": "attempts"},
            ],
        },
        **_frame(HEIGHT - 100),
    }


def model_names(facts: Facts) -> dict[str, str]:
    """Model by the name that the page shows: ours first, then NESO and seasonal naive."""
    names = {one.model: named(one.model, one.simulated) for one in facts.accuracy}
    return {
        model: names[model]
        for model in sorted(names, key=lambda model: (model in OTHER_COLOURS, model))
    }


def _by_lead(facts: Facts) -> Spec:
    return {
        "data": {
            "values": [
                {
                    "model": named(one.model, one.simulated),
                    "lead": one.lead_bucket,
                    "n": one.n,
                    "mae": _float(one.mae),
                    "inside": _float(one.inside_pct),
                }
                for one in facts.accuracy
            ]
        }
    }


def _lead_and_model(facts: Facts) -> Spec:
    names = model_names(facts)
    colours = {
        name: OTHER_COLOURS.get(model, OUR_COLOURS[n % len(OUR_COLOURS)])
        for n, (model, name) in enumerate(names.items())
    }
    return {
        "x": {
            "field": "lead",
            "type": "ordinal",
            "sort": list(LEAD_BUCKETS),
            "title": "time between the forecast and its half-hour",
            "axis": {"labelAngle": 0},
        },
        "xOffset": {"field": "model", "sort": list(names.values())},
        "color": {**_colours("model", colours), "legend": MODEL_LEGEND},
        "tooltip": [
            {"field": "model"},
            {"field": "lead"},
            {"field": "mae", "title": "MAE, gCO2/kWh", "format": ".1f"},
            {"field": "inside", "title": "inside the band, %", "format": ".0f"},
            {"field": "n", "title": "forecasts", "format": ","},
        ],
    }


def _frame(height: int = HEIGHT) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": None,
    }


def _time(first: datetime, last: datetime) -> Spec:
    return {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc", "domainMin": ms(first), "domainMax": ms(last), "clamp": True},
        "axis": TIME_AXIS,
    }


def _stack(field: str) -> Spec:
    """One block on the other at each time: bars between two instants do not stack by themselves."""
    return {
        "stack": field,
        "groupby": ["t"],
        "sort": [{"field": "order"}],
        "as": ["from", "to"],
    }


def _gco2(field: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": "gCO2/kWh", "scale": {"zero": True}}


def _colours(field: str, colours: dict[str, str]) -> Spec:
    return {"field": field, "type": "nominal", "scale": _scale(colours), "legend": LEGEND}


def _scale(colours: dict[str, str]) -> Spec:
    return {"domain": list(colours), "range": list(colours.values())}


def _half_hours(first: datetime, last: datetime) -> Iterable[datetime]:
    while first <= last:
        yield first
        first += HALF_HOUR


def _simulated(predicted: Sequence[Predicted]) -> bool:
    return any(one.simulated for one in predicted)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 2)

"""The page's charts as Vega-Lite specifications: plain dictionaries, made from facts. Pure.

Belongs here: marks, scales, colours, tooltips. Does not belong here: words about the numbers
(`page`), and drawing, which the reader's browser does.

Instants are milliseconds since 1970, shown in UTC. A half-hour without a value is null, so that a
line breaks there and a bar is missing; nothing is drawn through a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from grid_assets.dashboard.queries import Predicted, Snapshot
from grid_assets.dashboard.theme import (
    ACTUAL,
    ACTUAL_COLOUR,
    FUEL_COLOURS,
    HEIGHT,
    MODEL_LEGEND,
    OTHER_COLOURS,
    STATUS_COLOURS,
    Spec,
    at,
    chart_label,
    colours_of,
    frame,
    gco2,
    in_title,
    model_colours,
    model_label,
    ms,
    plain,
    scale,
    stacked,
    time_axis,
)
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import LEAD_BUCKETS


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
        "params": [
            {"name": "chosen", "select": {"type": "point", "fields": ["fuel"]}, "bind": "legend"}
        ],
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
            "color": colours_of("fuel", FUEL_COLOURS),
            "opacity": {"condition": {"param": "chosen", "value": 1}, "value": 0.15},
            "tooltip": [
                {"field": "at", "title": "UTC"},
                *({"field": fuel, "title": f"{fuel}, %", "format": ".1f"} for fuel in fuels[::-1]),
            ],
        },
        **frame(),
    }


def intensity(snapshot: Snapshot) -> Spec | None:
    """Actual intensity, the page's model with its band, and NESO's forecast, over three days."""
    model = snapshot.model
    ours, neso = snapshot.of(model), snapshot.of("neso") if model != "neso" else []
    actual = {one.period_start: one.actual_gco2_kwh for one in snapshot.intensity}
    if not ours and not neso and not any(value is not None for value in actual.values()):
        return None
    by_start = {one.period_start: one for one in ours}
    neso_by_start = {one.period_start: one.p50 for one in neso}
    last = max([*actual, *by_start, *neso_by_start])
    first = floor(snapshot.now - DAY) + HALF_HOUR
    values = []
    for start in _half_hours(first, last):
        one = by_start.get(start)
        values.append(
            {
                "t": ms(start),
                "end": ms(start + HALF_HOUR),
                "at": at(start),
                "actual": plain(actual.get(start)),
                "p10": plain(one.p10 if one else None),
                "p50": plain(one.p50 if one else None),
                "p90": plain(one.p90 if one else None),
                "neso": plain(neso_by_start.get(start)),
            }
        )
    lines = {"actual": (ACTUAL, ACTUAL_COLOUR)}
    if model and ours:
        lines["p50"] = (chart_label(model, _simulated(ours)), model_colours([model])[model])
    if neso:
        lines["neso"] = (chart_label("neso", _simulated(neso)), OTHER_COLOURS["neso"])
    colour = {"scale": scale(dict(lines.values())), "legend": MODEL_LEGEND}
    time = time_axis(first, last)
    has_band = any(one.p10 is not None for one in ours)
    titles = {field: name for field, (name, _) in lines.items()}
    if has_band:
        titles |= {"p10": "p10", "p90": "p90"}
    hovered = {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["t"]}
    shown = [
        {"field": "at", "title": "UTC"},
        *({"field": f"{field}_said", "title": in_title(name)} for field, name in titles.items()),
    ]
    return {
        "data": {"values": values},
        "encoding": {"x": time},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.22, "aria": False},
                "encoding": {
                    "y": gco2("p10"),
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
                    "encoding": {"y": gco2(field), "color": {"datum": name, **colour}},
                }
                for field, (name, _) in lines.items()
            ),
            {
                "data": {"values": [{"t": ms(snapshot.now)}]},
                "mark": {"type": "rule", "strokeDash": [2, 3], "aria": False},
            },
            {
                # A half-hour's strip answers the pointer. The nearest point would too, but then
                # Vega-Lite looks for texts of a tooltip in the wrong place: "undefined".
                "transform": [
                    {
                        "calculate": f"isValid(datum.{field}) ? format(datum.{field}, '.1f') : '–'",
                        "as": f"{field}_said",
                    }
                    for field in titles
                ],
                "params": [{"name": "hover", "select": hovered}],
                "mark": {"type": "rect", "aria": False},
                "encoding": {
                    "x2": {"field": "end"},
                    "opacity": {
                        "condition": {"param": "hover", "value": 0.15, "empty": False},
                        "value": 0,
                    },
                    "tooltip": shown,
                },
            },
        ][0 if has_band else 1 :],
        **frame(),
    }


def errors(snapshot: Snapshot) -> Spec | None:
    """Mean absolute error by lead, one bar for each model."""
    if not snapshot.accuracy:
        return None
    return {
        **_by_lead(snapshot),
        "mark": {"type": "bar", "aria": False, "cornerRadiusEnd": 2},
        "encoding": {
            **_lead_and_model(snapshot),
            "y": {"field": "mae", "type": "quantitative", "title": "mean absolute error, gCO2/kWh"},
        },
        **frame(),
    }


def coverage(snapshot: Snapshot) -> Spec | None:
    """Share of actuals inside the 80 % band by lead, against the 80 % that is promised."""
    if not any(one.inside_pct is not None for one in snapshot.accuracy):
        return None
    return {
        "layer": [
            {
                **_by_lead(snapshot),
                "transform": [{"filter": "isValid(datum.inside)"}],
                "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "aria": False},
                "encoding": {
                    **_lead_and_model(snapshot),
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
        **frame(HEIGHT - 80),
    }


def attempts(snapshot: Snapshot) -> Spec | None:
    """Attempts of the last day by hour, stacked by how they ended."""
    if not snapshot.attempts_by_hour:
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
                for one in snapshot.attempts_by_hour
            ]
        },
        "transform": [stacked("attempts")],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x": time_axis(snapshot.now - DAY, snapshot.now),
            "x2": {"field": "end"},
            "y": {"field": "from", "type": "quantitative", "title": "attempts in the hour"},
            "y2": {"field": "to"},
            "color": colours_of("status", STATUS_COLOURS),
            "tooltip": [
                {"field": "at", "title": "UTC, hour from"},
                {"field": "status"},
                {"field": "attempts"},
            ],
        },
        **frame(HEIGHT - 100),
    }


def model_names(snapshot: Snapshot) -> dict[str, str]:
    """Model by the name that the page shows: ours first, then NESO and seasonal naive."""
    names = {one.model: model_label(one.model, one.simulated) for one in snapshot.accuracy}
    return {
        model: names[model]
        for model in sorted(names, key=lambda model: (model in OTHER_COLOURS, model))
    }


def _by_lead(snapshot: Snapshot) -> Spec:
    return {
        "data": {
            "values": [
                {
                    "model": chart_label(one.model, one.simulated),
                    "lead": one.lead_bucket,
                    "n": one.n,
                    "mae": plain(one.mae),
                    "inside": plain(one.inside_pct),
                }
                for one in snapshot.accuracy
            ]
        }
    }


def _lead_and_model(snapshot: Snapshot) -> Spec:
    simulated = {one.model: one.simulated for one in snapshot.accuracy}
    names = {model: chart_label(model, simulated[model]) for model in model_names(snapshot)}
    colours = {names[model]: colour for model, colour in model_colours(names).items()}
    return {
        "x": {
            "field": "lead",
            "type": "ordinal",
            "sort": list(LEAD_BUCKETS),
            "title": "time between the forecast and its half-hour",
            "axis": {"labelAngle": 0},
        },
        "xOffset": {"field": "model", "sort": list(names.values())},
        "color": {**colours_of("model", colours), "legend": MODEL_LEGEND},
        "tooltip": [
            {"field": "model"},
            {"field": "lead"},
            {"field": "mae", "title": "MAE, gCO2/kWh", "format": ".1f"},
            {"field": "inside", "title": "inside the band, %", "format": ".0f"},
            {"field": "n", "title": "forecasts", "format": ","},
        ],
    }


def _half_hours(first: datetime, last: datetime) -> Iterable[datetime]:
    while first <= last:
        yield first
        first += HALF_HOUR


def _simulated(predicted: Sequence[Predicted]) -> bool:
    return any(one.simulated for one in predicted)

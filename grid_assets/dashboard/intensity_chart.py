"""The chart of carbon intensity as a Vega-Lite specification: actuals, the forecast with its band,
and NESO's forecast. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from grid_assets.dashboard.queries import Predicted, Snapshot
from grid_assets.dashboard.theme import (
    ACTUAL,
    ACTUAL_COLOUR,
    MODEL_LEGEND,
    OTHER_COLOURS,
    Spec,
    at,
    chart_label,
    frame,
    gco2,
    in_title,
    model_colours,
    ms,
    plain,
    scale,
    time_axis,
)
from grid_assets.halfhours import DAY, HALF_HOUR, floor

Lines = dict[str, tuple[str, str]]
"""Label and colour of each line, by its field."""


def intensity(snapshot: Snapshot) -> Spec | None:
    """Actual intensity, the page's model with its band, and NESO's forecast, over three days."""
    ours = snapshot.of(snapshot.model)
    neso = snapshot.of("neso") if snapshot.model != "neso" else []
    actuals = {row.period_start: row.actual_gco2_kwh for row in snapshot.intensity}
    if not ours and not neso and not any(value is not None for value in actuals.values()):
        return None
    first = floor(snapshot.now - DAY) + HALF_HOUR
    last = max([*actuals, *(row.period_start for row in (*ours, *neso))])
    has_band = any(row.p10 is not None for row in ours)
    lines = _lines(snapshot.model, ours, neso)
    colour = {"scale": scale(dict(lines.values())), "legend": MODEL_LEGEND}
    now = {
        "data": {"values": [{"t": ms(snapshot.now)}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "aria": False},
    }
    return {
        "data": {"values": _values(first, last, actuals, ours, neso)},
        "encoding": {"x": time_axis(first, last)},
        "layer": [
            *([_band(lines["p50"][0], colour)] if has_band else []),
            *(_line(field, label, colour) for field, (label, _) in lines.items()),
            now,
            _tooltip(lines, has_band),
        ],
        **frame(),
    }


def _values(
    first: datetime,
    last: datetime,
    actuals: dict[datetime, Decimal | None],
    ours: Sequence[Predicted],
    neso: Sequence[Predicted],
) -> list[dict[str, object]]:
    our_rows = {row.period_start: row for row in ours}
    neso_medians = {row.period_start: row.p50 for row in neso}
    values = []
    for start in _half_hours(first, last):
        our = our_rows.get(start)
        values.append(
            {
                "t": ms(start),
                "end": ms(start + HALF_HOUR),
                "at": at(start),
                "actual": plain(actuals.get(start)),
                "p10": plain(our.p10 if our else None),
                "p50": plain(our.p50 if our else None),
                "p90": plain(our.p90 if our else None),
                "neso": plain(neso_medians.get(start)),
            }
        )
    return values


def _lines(model: str | None, ours: Sequence[Predicted], neso: Sequence[Predicted]) -> Lines:
    lines = {"actual": (ACTUAL, ACTUAL_COLOUR)}
    if model and ours:
        lines["p50"] = (chart_label(model, _is_simulated(ours)), model_colours([model])[model])
    if neso:
        lines["neso"] = (chart_label("neso", _is_simulated(neso)), OTHER_COLOURS["neso"])
    return lines


def _band(label: str, colour: Spec) -> Spec:
    return {
        "mark": {"type": "area", "opacity": 0.22, "aria": False},
        "encoding": {
            "y": gco2("p10"),
            "y2": {"field": "p90"},
            "color": {"datum": label, **colour},
        },
    }


def _line(field: str, label: str, colour: Spec) -> Spec:
    return {
        "mark": {
            "type": "line",
            "aria": False,
            "strokeWidth": 2.5 if field == "actual" else 2,
            # A single half-hour draws no line; a point keeps it visible.
            "point": {"size": 8} if field == "actual" else False,
            "strokeDash": [5, 3] if field == "neso" else [1, 0],
        },
        "encoding": {"y": gco2(field), "color": {"datum": label, **colour}},
    }


def _tooltip(lines: Lines, has_band: bool) -> Spec:
    """An invisible strip for each half-hour, which shows its values under the pointer.

    Selecting the nearest point instead would make Vega-Lite look up the texts in the wrong place
    and show "undefined".
    """
    titles = {field: label for field, (label, _) in lines.items()}
    if has_band:
        titles |= {"p10": "p10", "p90": "p90"}
    pointer = {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["t"]}
    return {
        "transform": [
            {
                "calculate": f"isValid(datum.{field}) ? format(datum.{field}, '.1f') : '–'",
                "as": f"{field}_text",
            }
            for field in titles
        ],
        "params": [{"name": "hover", "select": pointer}],
        "mark": {"type": "rect", "aria": False},
        "encoding": {
            "x2": {"field": "end"},
            "opacity": {
                "condition": {"param": "hover", "value": 0.15, "empty": False},
                "value": 0,
            },
            "tooltip": [
                {"field": "at", "title": "UTC"},
                *(
                    {"field": f"{field}_text", "title": in_title(label)}
                    for field, label in titles.items()
                ),
            ],
        },
    }


def _half_hours(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HALF_HOUR


def _is_simulated(predicted: Sequence[Predicted]) -> bool:
    return any(row.simulated for row in predicted)

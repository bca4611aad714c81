"""Grafana's dashboard, `deploy/grafana/dashboards/grid_assets.json`.

It is generated so that fuels, colours and models are those of `grid_assets.series`. The queries are
in `grafana_queries`.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Final

from grid_assets.dashboard.theme import ACTUAL_COLOUR, OTHER_COLOURS, OUR_COLOURS
from grid_assets.series import MODELS, STACKED
from grid_assets_tests.generate import grafana_queries as query

Json = dict[str, Any]

UID: Final = "grid_assets"
SOURCE: Final[Json] = {"type": "grafana-postgresql-datasource", "uid": UID}
UNIT: Final = "suffix: gCO2/kWh"
FORECAST_COLOUR: Final = OTHER_COLOURS["blend"]
COLOURS: Final = OTHER_COLOURS | {"chronos": OUR_COLOURS[0]}
GAP_MS: Final = 45 * 60_000
"""Lines end where a half-hour is missing."""


def dashboard() -> str:
    """The text of the file."""
    ids = count(1)
    panels = [{"id": next(ids), **panel} for panel in _panels()]
    content: Json = {
        "uid": UID,
        "title": "Grid carbon",
        "description": "Carbon intensity and generation mix of Great Britain, with forecasts, "
        "their errors, and the health of the pipeline. Data: NESO, CC BY 4.0.",
        "tags": ["carbon", "electricity"],
        "timezone": "Europe/London",
        "time": {"from": "now-48h", "to": "now+48h"},
        "refresh": "5m",
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_model()]},
        "panels": panels,
    }
    return json.dumps(content, indent=2) + "\n"


def _model() -> Json:
    return {
        "name": "model",
        "label": "Forecast by",
        "type": "query",
        "datasource": SOURCE,
        "query": query.OF_MODEL,
        "refresh": 1,
        "sort": 0,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "current": {"text": "blend", "value": "blend"},
    }


def _panels() -> list[Json]:
    late = [(None, "green"), (90, "orange"), (120, "red")]
    failed = [(None, "green"), (1, "red")]
    return [
        _stat(
            "Newest actual",
            0,
            query.NOW,
            UNIT,
            text="The newest measured value.",
        ),
        _stat("Forecast of this half-hour", 5, query.NEXT, UNIT),
        _window("Greenest three hours by this time tomorrow", 10),
        _stat("Age of the newest actual", 15, query.AGE, "m", late),
        _stat("Failed attempts in 24 hours", 20, query.FAILED, "none", failed, width=4),
        _intensity(),
        _mix(),
        _by_lead(),
        _daily("Daily carbon intensity", 0, query.DAILY, UNIT, {"mean": ACTUAL_COLOUR}),
        _daily("Daily shares", 12, query.DAILY_MIX, "percent", {}),
        _attempts(),
    ]


def _panel(
    kind: str, title: str, place: tuple[int, int, int, int], queries: list[str], **more: Any
) -> Json:
    x, y, width, height = place
    time_series = kind == "timeseries" or all('AS "time"' in text for text in queries)
    return {
        "type": kind,
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "editorMode": "code",
                "format": "time_series" if time_series else "table",
                "rawQuery": True,
                "rawSql": text,
            }
            for number, text in enumerate(queries)
        ],
        **more,
    }


def _field(unit: str, custom: Json, overrides: list[Json], **more: Any) -> Json:
    defaults = {"unit": unit, "decimals": 0, "custom": custom, **more}
    return {"defaults": defaults, "overrides": overrides}


def _override(field: str, **properties: Any) -> Json:
    """Properties by their id, in which `__` stands for a dot."""
    named = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": field}, "properties": named}


def _fixed(colour: str) -> Json:
    return {"mode": "fixed", "fixedColor": colour}


def _steps(steps: list[tuple[int | None, str]]) -> Json:
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps],
    }


def _stat(
    title: str,
    x: int,
    sql: str,
    unit: str,
    steps: list[tuple[int | None, str]] | None = None,
    *,
    width: int = 5,
    text: str = "",
) -> Json:
    colour = {"mode": "thresholds"} if steps else _fixed(FORECAST_COLOUR)
    field = _field(unit, {}, [], color=colour, thresholds=_steps(steps or [(None, "green")]))
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value",
    }
    described = {"description": text} if text else {}
    place = (x, 0, width, 4)
    return _panel("stat", title, place, [sql], fieldConfig=field, options=options, **described)


def _window(title: str, x: int) -> Json:
    panel = _stat(title, x, query.WINDOW, UNIT, text="By the newest forecast of the chosen model.")
    panel["options"] |= {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False},
    }
    panel["fieldConfig"]["overrides"] = [_override("start", unit="dateTimeAsLocalNoDateIfToday")]
    return panel


LEGEND: Final = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
LINES: Final = {
    "legend": LEGEND,
    "tooltip": {"mode": "multi", "sort": "none"},
}
HIDDEN: Final = {"legend": True, "tooltip": False, "viz": False}


def _intensity() -> Json:
    edge = {"custom__lineWidth": 0, "custom__hideFrom": HIDDEN, "color": _fixed(FORECAST_COLOUR)}
    return _panel(
        "timeseries",
        "Carbon intensity: actual, forecast with its 80 % band, and NESO's forecast",
        (0, 4, 24, 10),
        [query.ACTUAL, query.FORECAST, query.NESO],
        fieldConfig=_field(
            UNIT,
            {"lineWidth": 2, "insertNulls": GAP_MS, "axisSoftMin": 0},
            [
                _override("p10", **edge),
                _override("p90", **edge, custom__fillBelowTo="p10", custom__fillOpacity=20),
                _override("forecast", color=_fixed(FORECAST_COLOUR)),
                _override("actual", color=_fixed(ACTUAL_COLOUR)),
                _override("NESO", color=_fixed(COLOURS["neso"]), custom__lineWidth=1),
            ],
        ),
        options=LINES,
    )


def _mix() -> Json:
    return _panel(
        "timeseries",
        "Generation mix",
        (0, 14, 12, 10),
        [query.MIX],
        fieldConfig=_field(
            "percent",
            {
                "fillOpacity": 80,
                "lineWidth": 0,
                "stacking": {"mode": "normal", "group": "A"},
                "axisSoftMax": 100,
            },
            [_override(fuel.name, color=_fixed(fuel.colour)) for fuel in STACKED],
            min=0,
            max=100,
        ),
        options=LINES,
    )


def _by_lead() -> Json:
    return _panel(
        "barchart",
        "Mean error of carbon intensity by lead, last 14 days",
        (12, 14, 12, 10),
        [query.BY_LEAD],
        timeFrom="14d",
        description="Mean absolute error. Models are comparable where they forecast the same "
        "half-hours. In the demo, NESO's forecasts are simulated.",
        fieldConfig=_field(
            UNIT,
            {"fillOpacity": 80, "lineWidth": 0},
            [_override(model, color=_fixed(COLOURS[model])) for model in MODELS],
            decimals=1,
        ),
        options={"xField": "lead", **_bars()},
    )


def _bars() -> Json:
    return {
        "orientation": "auto",
        "showValue": "never",
        "stacking": "none",
        "groupWidth": 0.7,
        "barWidth": 0.95,
        "xTickLabelRotation": 0,
        "legend": LEGEND,
        "tooltip": {"mode": "multi", "sort": "none"},
    }


def _daily(title: str, x: int, sql: str, unit: str, colours: dict[str, str]) -> Json:
    return _panel(
        "timeseries",
        f"{title}, last 90 days",
        (x, 24, 12, 8),
        [sql],
        timeFrom="90d",
        fieldConfig=_field(
            unit,
            {"lineWidth": 1, "axisSoftMin": 0},
            [_override(field, color=_fixed(colour)) for field, colour in colours.items()],
        ),
        options=LINES,
    )


def _attempts() -> Json:
    return _panel(
        "table",
        "Attempts of the pipeline",
        (0, 32, 24, 9),
        [query.ATTEMPTS],
        fieldConfig=_field(
            "none",
            {"filterable": True},
            [
                _override("execution_time_ms", unit="ms"),
                _override("error_message", custom__width=500),
            ],
        ),
        options={"showHeader": True, "cellHeight": "sm"},
    )

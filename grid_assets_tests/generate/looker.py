"""The dimensions of Looker, `looker/views`: one for each column, described by its comment.

Measures are written by hand in `looker/measures`, except the mean share and the energy of each
fuel. Averages of a view by region are null over several regions: their mean is the value of none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import lkml

from grid_assets.series import COMBINED_SHARES, FUELS
from grid_assets_tests.generate.catalogue import Catalogue, Entry

KEYS: Final = {
    "telemetry": ("period_start",),
    "telemetry_24h": ("period_start",),
    "generation_mix": ("period_start", "fuel"),
    "generation_mix_24h": ("period_start", "fuel"),
    "generation_groups": ("period_start", "fuel_group"),
    "daily": ("settlement_date",),
    "monthly": ("month",),
    "daily_energy": ("settlement_date",),
    "monthly_energy": ("month",),
    "forecast_latest": ("model", "series", "period_start"),
    "forecast_day_ahead": ("model", "series", "period_start"),
    "actual_vs_predicted": ("model", "series", "period_start", "issued_at"),
    "actual_vs_predicted_24h": ("model", "series", "period_start", "issued_at"),
    "forecast_accuracy": ("model", "series", "target_date", "lead_bucket"),
    "forecast_value": ("model", "target_date", "wait_hours"),
    "regional_telemetry": ("region_id", "period_start"),
    "regional_24h": ("region_id", "period_start"),
    "regional_now": ("region_id",),
    "regional_forecast_latest": ("region_id", "model", "series", "period_start"),
    "regional_forecast_accuracy": ("region_id", "model", "target_date", "lead_bucket"),
    "etl_runs": ("run_id", "asset", "attempt"),
    "intensity_as_known_at": ("period_start",),
}
"""Views and functions of `reporting` that are in Looker, with the columns that identify a row."""

HEADING: Final = """\
# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.
"""

LABELS: Final = {
    "period_start": "Half-hour (UTC)",
    "region_id": "Number of the region",
    "short_name": "Region",
    "created_at": "Made (UTC)",
    "period_start_london": "Half-hour (London)",
    "settlement_date": "Settlement (London)",
    "month": "Month (London)",
    "fuel_group": "Fuel group, key",
    "fuel_group_label": "Fuel group",
    "half_hours": "Half-hours of one row",
    "half_hours_expected": "Half-hours there should be, of one row",
    "mix_half_hours": "Half-hours with a mix, of one row",
    "demand_half_hours": "Half-hours with a demand, of one row",
    "emissions_t": "Emissions, tonnes of CO2",
    "target_date": "Target day (UTC)",
    "partition_start": "First day (UTC)",
    "partition_end": "Last day (UTC)",
    "forecast_reason": "Why the forecast is null",
    "actual_reason": "Why the actual is null",
    "pct": "Share of one half-hour, %",
    "published_pct": "Published share of one half-hour, %",
    "actual": "Actual (in unit)",
    "p10": "p10 (in unit)",
    "p50": "p50, median (in unit)",
    "p90": "p90 (in unit)",
    "error": "Error (in unit)",
    "abs_error": "Absolute error (in unit)",
    "inside_80": "Inside the 80 % band",
    "n": "Forecasts of one row",
    "mae": "Mean absolute error of one row (gCO2/kWh or %)",
    "bias": "Bias of one row (gCO2/kWh or %)",
    "wape": "WAPE of one row",
    "pinball": "Pinball loss of one row (gCO2/kWh or %)",
    "coverage_80": "Coverage of one row",
    "wait_hours": "Wait, hours",
    "made_worse_share": "Made worse, of one row",
    "run_id": "Run",
}
"""Labels that the name of a column does not give."""

UNITS: Final = {
    "_gco2_kwh": "gCO2/kWh",
    "_pct": "%",
    "_mw": "MW",
    "_gwh": "GWh",
    "_ms": "ms",
    "_minutes": "minutes",
}

FORMATS: Final = {
    **dict.fromkeys(("mae", "bias", "pinball"), "decimal_2"),
    **dict.fromkeys(("wape", "coverage_80", "made_worse_share"), "percent_1"),
    **dict.fromkeys(("forecast_gco2_kwh", "actual_gco2_kwh", "intensity_gco2_kwh"), "decimal_0"),
}
"""Formats of numbers that are neither whole nor in tenths."""

GROUPS: Final = {
    "period_start": "period",
    "period_start_london": "period_london",
    "settlement_date": "settlement",
    "target_date": "target",
}
"""Names of times, of which queries use `period_date` and more; `issued_at` is `issued`."""

DATES: Final = ["date", "day_of_week", "week", "month", "quarter", "year"]
MONTHS: Final = ["date", "month", "month_name", "quarter", "year"]
TIMES: Final = ["raw", "time", "hour", "date", "hour_of_day", "week", "month"]
HALF_HOURS: Final = ["raw", "time", "minute30", "hour", "date", "hour_of_day", *DATES[1:]]

NULLABLE: Final = ("inside_80",)
"""Booleans that may be null: a yesno would show null as No."""

SHARES: Final = {
    column + "_pct": column
    for name in (*FUELS, *(column.removesuffix("_pct") for column in COMBINED_SHARES))
    for column in (name, f"{name}_energy")
}
"""Columns with a share, each with its name."""

ENERGY: Final = {f"{name}_gwh": name for name in (*FUELS, "generation")}

WEIGHTS: Final = {
    **dict.fromkeys(("daily", "monthly"), "${mix_half_hours}"),
    **dict.fromkeys(("daily_energy", "monthly_energy"), "${mean_generation_mw} * ${half_hours}"),
}
"""What a row counts where its shares are averaged: a day with few half-hours counts less. In other
views each row is one half-hour and counts the same."""

Block = dict[str, Any]


def views(catalogue: Catalogue) -> dict[str, str]:
    """The text of each view file, by the name of the view."""
    return {
        name: HEADING + "\n" + str(lkml.dump({"views": [_view(name, key, catalogue)]})) + "\n"
        for name, key in KEYS.items()
    }


def _view(name: str, key: tuple[str, ...], catalogue: Catalogue) -> Block:
    relation = f"reporting.{name}"
    entry = catalogue.relations.get(relation) or catalogue.functions[relation]
    view: Block = {"name": name}
    if relation in catalogue.relations:  # looker/measures says how a function is called
        view["sql_table_name"] = relation
    fields = list(_fields(entry))
    view["dimensions"] = [_key(key), *(field for kind, field in fields if kind == "dimension")]
    view["dimension_groups"] = [field for kind, field in fields if kind == "time"]
    measures = list(_measures(entry, WEIGHTS.get(name), by_region="region_id" in key))
    return view | ({"measures": measures} if measures else {})


def _key(columns: tuple[str, ...]) -> Block:
    named = [f"${{TABLE}}.{column}" for column in columns]
    sql = f"concat_ws('|', {', '.join(named)})" if named[1:] else f"{named[0]}::text"
    return {"name": "key", "hidden": "yes", "primary_key": "yes", "type": "string", "sql": sql}


def _fields(entry: Entry) -> Iterator[tuple[str, Block]]:
    for column, (type_, comment) in entry.columns.items():
        field: Block = {"name": column, "label": _label(column, type_), "description": comment}
        sql = f"${{TABLE}}.{column}"
        if type_ in ("timestamptz", "timestamp", "date"):
            field["name"] = GROUPS.get(column, column.removesuffix("_at"))
            yield "time", field | _time(column, type_) | {"sql": sql}
        elif type_ == "boolean":
            yes_or_no = f"CASE WHEN {sql} THEN 'yes' WHEN NOT {sql} THEN 'no' END"
            nullable = {"type": "string", "sql": yes_or_no}
            yield (
                "dimension",
                field | (nullable if column in NULLABLE else {"type": "yesno", "sql": sql}),
            )
        elif type_ == "text":
            order = {"order_by_field": "lead_bucket_order"} if column == "lead_bucket" else {}
            yield "dimension", field | {"type": "string", "sql": sql} | order
            if order:
                hours = "split_part(${lead_bucket}, '-', 1)::integer"
                hidden = {"hidden": "yes", "type": "number", "sql": hours}
                yield "dimension", {"name": "lead_bucket_order", **hidden}
        else:
            group = {"group_label": "Shares"} if column in SHARES else {}
            shown = FORMATS.get(column, "decimal_1" if "numeric" in type_ else "decimal_0")
            number = {"type": "number", "sql": sql, "value_format_name": shown}
            yield "dimension", group | field | number


def _label(column: str, type_: str) -> str:
    if column in LABELS:
        return LABELS[column]
    for ending, unit in UNITS.items():
        if column.endswith(ending):
            return f"{_title(column.removesuffix(ending))}, {unit}"
    return _title(column.removesuffix("_at")) + (" (UTC)" if type_ == "timestamptz" else "")


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _time(column: str, type_: str) -> Block:
    dates = MONTHS if column == "month" else DATES
    frames = HALF_HOURS if column.startswith("period_start") else TIMES
    return {
        "type": "time",
        "timeframes": dates if type_ == "date" else frames,
        "datatype": "date" if type_ == "date" else "timestamp",
        "convert_tz": "no",
    }


def _measures(entry: Entry, weight: str | None, *, by_region: bool) -> Iterator[Block]:
    if weight is not None:
        yield {
            "name": "share_weight",
            "hidden": "yes",
            "label": "Sum of weights",
            "description": "Part of the average shares.",
            "type": "sum",
            "sql": weight,
            "value_format_name": "decimal_1",
        }
    for column in entry.columns:
        if column in ENERGY:
            yield _total(column)
        elif column in SHARES:
            average = _average(column, by_region=by_region)
            yield from [average] if weight is None else _weighted(column, weight)


def _average(column: str, *, by_region: bool) -> Block:
    name = _title(SHARES[column]).lower()
    description = f"Mean share of {name} over the half-hours that have one."
    average = {"type": "average", "sql": f"${{{column}}}"}
    if by_region:
        description = f"{description[:-1]}, of one region; null over several."
        of_one = f"CASE WHEN count(DISTINCT ${{region_id}}) = 1 THEN avg(${{{column}}}) END"
        average = {"type": "number", "sql": of_one}
    return {
        "name": f"average_{column}",
        "group_label": "Average shares",
        "label": f"Average {name}, %",
        "description": description,
        **average,
        "value_format_name": "decimal_1",
        "drill_fields": ["detail*"],
    }


def _weighted(column: str, weight: str) -> Iterator[Block]:
    name = _title(SHARES[column]).lower()
    by = "energy" if column.endswith("_energy_pct") else "half-hours with a mix"
    yield {
        "name": f"{column}_sum",
        "hidden": "yes",
        "label": f"Weighted sum of {name}",
        "description": f"Part of average_{column}.",
        "type": "sum",
        "sql": f"${{{column}}} * {weight}",
        "value_format_name": "decimal_1",
    }
    yield {
        "name": f"average_{column}",
        "group_label": "Average shares",
        "label": f"Average {name}, %",
        "description": f"Mean share of {name}, weighted by the {by} of each row.",
        "type": "number",
        "sql": f"${{{column}_sum}} / nullif(${{share_weight}}, 0)",
        "value_format_name": "decimal_1",
        "drill_fields": ["detail*"],
    }


def _total(column: str) -> Block:
    name = ENERGY[column]
    return {
        "name": f"total_{column}",
        "group_label": "Energy of complete rows",
        "label": f"Energy of complete rows: {name}, GWh",
        "description": "Sum over the days or months in which every half-hour is known. Incomplete "
        "rows says how many are left out.",
        "type": "sum",
        "sql": f"${{{column}}}",
        "value_format_name": "decimal_1",
        "drill_fields": ["detail*"],
    }

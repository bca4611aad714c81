"""What has to be true of the LookML project, each rule a function that returns sentences.

Belongs here: rules over parsed LookML, and over it and the columns of a database. Does not belong
here: reading files (`lookml`), SQL that is run (`test_looker`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, Final

from grid_assets_tests.looker.lookml import Block, LookmlError, Project, columns, fields, references
from grid_assets_tests.looker.lookml import resolve as _resolve

Columns = Mapping[str, tuple[str, str | None]]
"""Type and comment of each column of one relation, by name."""

TIMEFRAMES: Final = {
    *("raw", "time", "minute30", "hour", "hour_of_day"),
    *("date", "day_of_week", "week", "month", "quarter", "year"),
}
OF_A_DATE: Final = {"raw", "date", "day_of_week", "week", "month", "quarter", "year"}
RELATIONSHIPS: Final = {"one_to_one", "one_to_many", "many_to_one", "many_to_many"}
FORMATS: Final = {"decimal_0", "decimal_1", "decimal_2", "percent_1"}
FITS: Final = {
    "time": {"timestamp with time zone", "date"},
    "number": {"numeric", "integer", "bigint", "smallint", "real", "double precision"},
    "string": {"text", "boolean"},  # a boolean that may be null: yesno would make null a No
    "yesno": {"boolean"},
}
UNITS: Final = {"_gco2_kwh": "gCO2/kWh", "_pct": "%", "_ms": "ms", "_minutes": "minutes"}


def references_resolve(project: Project) -> Iterator[str]:
    """Every `${field}`, in fields and in their drills and orders, names a field that exists."""
    for view, block in project.views.items():
        for field in {id(f.block): f for f in fields(block).values()}.values():
            named = list(references(field.block.get("sql", "")))
            named += [name for name in field.block.get("drill_fields", ()) if "*" not in name]
            named += [field.block["order_by_field"]] if "order_by_field" in field.block else []
            for pairs in field.block.get("filters__all", ()):
                named += [name for pair in pairs for name in pair]
            yield from _missing(project, named, view, f"{view}.{field.block['name']}")
            for drill in field.block.get("drill_fields", ()):
                if drill.endswith("*") and drill[:-1] not in _sets(block):
                    yield f"{view}.{field.block['name']}: there is no set {drill[:-1]}"
        for name, listed in _sets(block).items():
            yield from _missing(project, listed, view, f"{view}.{name}")


def _sets(view: Block) -> dict[str, list[str]]:
    return {block["name"]: block["fields"] for block in view.get("sets", ())}


def _missing(project: Project, names: list[str], view: str, place: str) -> Iterator[str]:
    for name in names:
        try:
            _resolve(project.views, name, view)
        except LookmlError as error:
            yield f"{place}: {error}"


def views_have_one_key(project: Project) -> Iterator[str]:
    """Looker needs a primary key to sum right behind a join."""
    for view, block in project.views.items():
        keys = [d["name"] for d in block.get("dimensions", ()) if d.get("primary_key") == "yes"]
        if len(keys) != 1:
            yield f"{view}: has {len(keys)} primary keys"


def times_are_utc_with_timeframes(project: Project) -> Iterator[str]:
    """Every group of a time names its timeframes and its datatype, and is not converted."""
    for view, block in project.views.items():
        for group in block.get("dimension_groups", ()):
            place, frames = f"{view}.{group['name']}", set(group.get("timeframes", ()))
            if group.get("type") != "time" or not frames:
                yield f"{place}: is not of type time with timeframes"
            if unknown := frames - TIMEFRAMES:
                yield f"{place}: unknown timeframes {sorted(unknown)}"
            if group.get("convert_tz") != "no":
                yield f"{place}: would be converted to another time zone"
            if group.get("datatype") == "date" and not frames <= OF_A_DATE:
                yield f"{place}: a date has no {sorted(frames - OF_A_DATE)}"
            zone = "London" if group["name"] == "settlement" else "UTC"
            if f"({zone})" not in group.get("label", ""):
                yield f"{place}: the label does not say {zone}"


def fields_say_what_they_are(project: Project) -> Iterator[str]:
    """A visible field has a label with its unit, a description, and a format if it is a number."""
    for view, block in project.views.items():
        for name, field in fields(block).items():
            place = f"{view}.{name}"
            for unit in (unit for end, unit in UNITS.items() if name.endswith(end)):
                if unit not in field.block.get("label", ""):
                    yield f"{place}: the label does not say {unit}"
            if field.block.get("hidden") == "yes":
                continue
            if not (field.block.get("label") and field.block.get("description")):
                yield f"{place}: has no label or no description"
            measured = field.kind == "measure" and field.block["type"] != "date_time"
            counted = measured or field.block.get("type") == "number"
            if counted and field.block.get("value_format_name") not in FORMATS:
                yield f"{place}: has no format of {sorted(FORMATS)}"
            if field.kind == "measure" and not field.block.get("drill_fields"):
                yield f"{place}: has no drill fields"


def only_counts_are_summed(project: Project) -> Iterator[str]:
    """A sum of shares or intensities means nothing; hidden ones are parts of a mean."""
    for view, block in project.views.items():
        for measure in block.get("measures", ()):
            if measure["type"] == "sum" and measure.get("hidden") != "yes":
                counted = [n for n in references(measure["sql"]) if n == "n" or n[:5] == "rows_"]
                if not counted:
                    yield f"{view}.{measure['name']}: sums something that is no count"


def explores_are_joined(project: Project) -> Iterator[str]:
    """Every view of an explore exists, and every join says how and how many."""
    for name, explore in project.explores.items():
        joined = [name, *(join["name"] for join in explore.get("joins", ()))]
        yield from (
            f"{name}: there is no view {view}" for view in joined if view not in _all(project)
        )
        for join in explore.get("joins", ()):
            place = f"{name}.{join['name']}"
            if join.get("relationship") not in RELATIONSHIPS:
                yield f"{place}: has no relationship"
            if join.get("type") != "left_outer":
                yield f"{place}: does not say left_outer"
            keys = list(references(join.get("sql_on", "")))
            if {key.partition(".")[0] for key in keys} != {name, join["name"]}:
                yield f"{place}: sql_on does not compare {name} with {join['name']}"
            yield from _missing(project, keys, name, place)
            # any other timeframe would cut the time, and no index would be used
            yield from (f"{place}: {key} is not raw" for key in keys if not key.endswith("_raw"))
        yield from _missing(project, _filtered(explore), name, name)
    shown = {n for e in project.explores.values() for n in (e["name"], *_joins(e))}
    yield from (f"{view}: stands in no explore" for view in project.views if view not in shown)


def _all(project: Project) -> set[str]:
    return set(project.views)


def _joins(explore: Block) -> list[str]:
    return [join["name"] for join in explore.get("joins", ())]


def _filtered(explore: Block) -> list[str]:
    """Fields that the explore's own filters name."""
    filters = [explore.get("always_filter", {}), explore.get("conditionally_filter", {})]
    named = [
        name for f in filters for pairs in f.get("filters__all", ()) for p in pairs for name in p
    ]
    return [*named, *filters[1].get("unless", ())]


def filters_mean_what_they_say(project: Project) -> Iterator[str]:
    """In a filter a bare `_` stands for any character, and no index would be used."""
    values: dict[str, Any] = {}
    for name, explore in project.explores.items():
        for filters in (explore.get("always_filter", {}), explore.get("conditionally_filter", {})):
            pairs = [pair for pairs in filters.get("filters__all", ()) for pair in pairs]
            values |= {f"{name}, {field}": text for pair in pairs for field, text in pair.items()}
    for dashboard in project.dashboards:
        for block in dashboard.get("filters", ()):
            values[block["name"]] = block.get("default_value", "")
        for element in dashboard["elements"]:
            for field, text in element.get("filters", {}).items():
                values[f"{element['name']}, {field}"] = text
    for place, text in values.items():
        if re.search(r"(?<!\^)_", str(text)):
            yield f"{place}: {text} has a _ that is not written ^_"


def includes_name_files(project: Project, dashboard_files: list[str]) -> Iterator[str]:
    """Every `include` fits a file."""
    present = [*project.files, *dashboard_files]
    for file, parsed in project.files.items():
        for pattern in parsed.get("includes", ()):
            if not any(fnmatch(name, pattern) for name in present):
                yield f"{file}: {pattern} fits no file"


def results_are_kept_until_the_next_run(project: Project) -> Iterator[str]:
    """The model persists with a datagroup that exists and has a trigger."""
    groups = {group["name"]: group for group in project.model.get("datagroups", ())}
    chosen = groups.get(project.model.get("persist_with", ""))
    if chosen is None or "sql_trigger" not in chosen or "max_cache_age" not in chosen:
        yield "the model does not persist with a datagroup that has a trigger and a greatest age"


def dashboards_use_their_explores(project: Project, model: str) -> Iterator[str]:
    """Every element and filter names the model, an explore of it, and fields of that explore."""
    for dashboard in project.dashboards:
        filters = {f["name"]: f for f in dashboard.get("filters", ())}
        for block in filters.values():
            yield from _used(project, block, [block["field"]], model, block["name"])
        for element in dashboard["elements"]:
            listen = element.get("listen", {})
            yield from (
                f"{element['name']}: there is no filter {name}"
                for name in listen
                if name not in filters
            )
            named = [*element["fields"], *element.get("pivots", ()), *element.get("filters", ())]
            named += [sort.split()[0] for sort in element.get("sorts", ())]
            yield from _used(project, element, [*named, *listen.values()], model, element["name"])
            chosen = set(element["fields"])
            others = {*element.get("pivots", ()), *(s.split()[0] for s in element.get("sorts", ()))}
            if others - chosen:
                yield f"{element['name']}: {sorted(others - chosen)} is not one of its fields"


def _used(
    project: Project, block: Block, names: list[Any], model: str, place: str
) -> Iterator[str]:
    explore = project.explores.get(block.get("explore", ""))
    if block.get("model") != model or explore is None:
        yield f"{place}: there is no explore {block.get('explore')} in model {block.get('model')}"
        return
    views = [explore["name"], *_joins(explore)]
    for name in names:
        if name.partition(".")[0] not in views:
            yield f"{place}: {name} is not in explore {explore['name']}"
    yield from _missing(project, names, explore["name"], place)


def columns_are_dimensions(view: str, block: Block, known: Columns) -> Iterator[str]:
    """Each column is one dimension, with its comment as description and a type that fits."""
    shown: set[str] = set()
    for field in {id(f.block): f.block for f in fields(block).values()}.values():
        used, place = columns(field.get("sql", "")), f"{view}.{field['name']}"
        yield from (f"{place}: there is no column {name}" for name in used - set(known))
        if field.get("primary_key") == "yes" or not used & set(known):
            continue
        [column] = used
        kind, comment = known[column]
        if column in shown:
            yield f"{place}: {column} stands in two dimensions"
        shown.add(column)
        if kind not in FITS.get(field["type"], ()):
            yield f"{place}: {field['type']} does not fit {column}, which is {kind}"
        if field["type"] == "time" and (field.get("datatype") == "date") != (kind == "date"):
            yield f"{place}: datatype {field.get('datatype')} does not fit {kind}"
        if field.get("description") != comment:
            yield f"{place}: the description is not the column's comment: {comment}"
    yield from (f"{view}: column {name} is no dimension" for name in known if name not in shown)

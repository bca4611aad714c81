"""Just enough of Looker to run a field of the LookML project on a database.

Looker truncates a timeframe and converts its time zone; here a timeframe is the plain column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lkml
import yaml

REFERENCE: Final = re.compile(r"\$\{([\w.]+)\}")
PARAMETER: Final = re.compile(r"\{%\s*parameter\s+(\w+)\s*%\}")
AGGREGATES: Final = {"average": "avg", "sum": "sum", "min": "min", "max": "max"}
PLAIN: Final = ("number", "date_time")
"""Types of measure whose SQL holds its own aggregates."""

Block = dict[str, Any]


class LookmlError(Exception):
    """A name or a type that Looker would refuse."""


@dataclass(frozen=True)
class Field:
    """One name that a query may use: a dimension, a timeframe, a measure or a parameter."""

    kind: str
    block: Block


@dataclass(frozen=True)
class Project:
    """A whole project; views with what they extend and what refines them."""

    model: Block
    views: dict[str, Block]
    explores: dict[str, Block]
    dashboards: list[Block]
    files: dict[str, Block]


def read(folder: Path) -> Project:
    """Parse every `.lkml` and every `.lookml` file under `folder`."""
    files = {
        f"/{path.relative_to(folder)}": lkml.load(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.lkml"))
    }
    [model] = [parsed for name, parsed in files.items() if name.endswith(".model.lkml")]
    return Project(
        model=model,
        views=views([view for parsed in files.values() for view in parsed.get("views", ())]),
        explores={explore["name"]: explore for explore in model["explores"]},
        dashboards=[
            dashboard
            for path in sorted(folder.rglob("*.dashboard.lookml"))
            for dashboard in yaml.safe_load(path.read_text(encoding="utf-8"))
        ],
        files=files,
    )


def views(written: list[Block]) -> dict[str, Block]:
    """Views by name as Looker puts them together; those that must be extended are left out."""
    bases = {view["name"]: view for view in written if not view["name"].startswith("+")}
    for view in written:
        if view["name"].lstrip("+") not in bases:
            raise LookmlError(f"{view['name']} refines no view")

    def whole(name: str) -> Block:
        if name not in bases:
            raise LookmlError(f"there is no view {name} to extend")
        layers = [bases[name], *(view for view in written if view["name"] == f"+{name}")]
        extended = [
            whole(base)
            for layer in layers
            for listed in layer.get("extends__all", ())
            for base in listed
        ]
        merged: Block = {}
        for layer in [*extended, *layers]:
            for key, value in layer.items():
                named = isinstance(value, list) and key != "extends__all"
                merged[key] = _merged(merged.get(key, []), value) if named else value
        return merged | {"name": name}

    return {name: whole(name) for name, view in bases.items() if "extension" not in view}


def _merged(blocks: list[Block], others: list[Block]) -> list[Block]:
    return list({block["name"]: block for block in [*blocks, *others]}.values())


def fields(view: Block) -> dict[str, Field]:
    """Every field of a view by the name that queries use; `period` gives `period_date` and more."""
    found = [
        (block["name"], Field(kind, block))
        for kind in ("dimension", "measure", "parameter")
        for block in view.get(f"{kind}s", ())
    ]
    found += [
        (f"{block['name']}_{timeframe}", Field("dimension", block))
        for block in view.get("dimension_groups", ())
        for timeframe in block["timeframes"]
    ]
    names = [name for name, _ in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise LookmlError(f"{view['name']} has {sorted(twice)} twice")
    return dict(found)


def named_fields(view: Block) -> Iterator[str]:
    """Every field that a view names, in SQL, filters, drills, orders and sets."""
    sets = {block["name"]: block["fields"] for block in view.get("sets", ())}
    for field in fields(view).values():
        yield from _references(field.block.get("sql", ""))
        yield from (name for pair in _pairs(field.block) for name in pair)
        if "order_by_field" in field.block:
            yield field.block["order_by_field"]
        for drill in field.block.get("drill_fields", ()):
            yield from sets[drill[:-1]] if drill.endswith("*") else [drill]


def _references(text: str) -> list[str]:
    return [name for name in REFERENCE.findall(text) if name != "TABLE"]


def _pairs(block: Block) -> Iterator[dict[str, str]]:
    yield from (pair for pairs in block.get("filters__all", ()) for pair in pairs)


def resolve(views: dict[str, Block], name: str, here: str) -> tuple[str, Field]:
    """The view and the field of `name`, written in view `here`; raises `LookmlError`."""
    view, _, field = name.rpartition(".")
    view = view or here
    if view not in views:
        raise LookmlError(f"{name}: there is no view {view}")
    try:
        return view, fields(views[view])[field]
    except KeyError:
        raise LookmlError(f"{name}: view {view} has no field {field}") from None


def expression(views: dict[str, Block], name: str, here: str) -> str:
    """The SQL of a field, where each view is in FROM under its own name."""
    view, field = resolve(views, name, here)
    text = expand(views, field.block.get("sql", ""), view)
    return _measure(views, field.block, text, view) if field.kind == "measure" else text


def expand(views: dict[str, Block], text: str, here: str) -> str:
    """`text` with each `${…}` replaced by its SQL."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return f'"{here}"' if name == "TABLE" else f"({expression(views, name, here)})"

    return REFERENCE.sub(put, text)


def _measure(views: dict[str, Block], block: Block, text: str, view: str) -> str:
    kind, conditions = block["type"], list(_conditions(views, block, view))
    when = " AND ".join(conditions)
    if kind == "count":
        return f"count(CASE WHEN {when} THEN 1 END)" if when else "count(*)"
    if kind in AGGREGATES:
        return f"{AGGREGATES[kind]}({f'CASE WHEN {when} THEN {text} END' if when else text})"
    if when:
        raise LookmlError(f"{block['name']}: a measure of type {kind} takes no filters")
    if kind == "count_distinct":
        return f"count(DISTINCT {text})"
    if kind in PLAIN:
        return text
    raise LookmlError(f"{block['name']}: the tests know no measure of type {kind}")


def _conditions(views: dict[str, Block], block: Block, view: str) -> Iterator[str]:
    """Filters of a measure, which may only list values: `[status: "failed,crashed"]`."""
    for pair in _pairs(block):
        for name, values in pair.items():
            if not re.fullmatch(r"\w+(,\w+)*", values):
                raise LookmlError(f"{block['name']}: the filter {values!r} is not a list")
            listed = ", ".join(f"'{value}'" for value in values.split(","))
            yield f"{expression(views, name, view)} IN ({listed})"


def relation(view: Block, parameter: str = "NULL") -> str:
    """What FROM names: the table, or the derived one with `parameter` for its parameter."""
    if "derived_table" not in view:
        return str(view["sql_table_name"])
    sql = view["derived_table"]["sql"]
    for name in PARAMETER.findall(sql):
        if name not in fields(view):
            raise LookmlError(f"{view['name']}: there is no parameter {name}")
    return f"({PARAMETER.sub(lambda _: parameter, sql)})"


def source(
    views: dict[str, Block], name: str, explore: Block | None = None, parameter: str = "NULL"
) -> str:
    """FROM of a view alone, or of an explore with all of its joins."""
    text = f'{relation(views[name], parameter)} AS "{name}"'
    for join in (explore or {}).get("joins", ()):
        joined = relation(views[join["name"]], parameter)
        on = expand(views, join["sql_on"], name)
        text += f' LEFT JOIN {joined} AS "{join["name"]}" ON {on}'
    return text

"""The LookML project as data: parsed files, fields by name, and the SQL that a field stands for.

Belongs here: as much of Looker as it takes to run a field on a database. Does not belong here: what
a good project looks like (`lookml_rules`), or a database.

Looker truncates a timeframe and converts its zone; here every timeframe is the plain column.
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
    """A reference or a type that Looker would refuse."""


@dataclass(frozen=True)
class Field:
    """One name that a query may use: a dimension, a timeframe, a measure, a filter, a parameter."""

    kind: str
    block: Block
    timeframe: str = ""


@dataclass(frozen=True)
class Project:
    """All of a project; views as they are after `extends`."""

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
    dashboards = [
        dashboard
        for path in sorted(folder.rglob("*.dashboard.lookml"))
        for dashboard in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    [model] = [parsed for name, parsed in files.items() if name.endswith(".model.lkml")]
    return project(files, model, dashboards)


def project(files: dict[str, Block], model: Block, dashboards: list[Block]) -> Project:
    """A project of parsed files."""
    written = {view["name"]: view for parsed in files.values() for view in parsed.get("views", ())}
    return Project(
        model=model,
        views={name: _extended(name, written) for name in written},
        explores={explore["name"]: explore for explore in model.get("explores", ())},
        dashboards=dashboards,
        files=files,
    )


def _extended(name: str, written: dict[str, Block]) -> Block:
    view = dict(written[name])
    for bases in view.pop("extends__all", ()):
        for base in bases:
            if base not in written:
                raise LookmlError(f"{name} extends {base}, which is no view")
            for key, value in _extended(base, written).items():
                if isinstance(value, list):
                    own = {block["name"] for block in view.get(key, ())}
                    view[key] = view.get(key, []) + [b for b in value if b["name"] not in own]
                elif not (key == "derived_table" and "sql_table_name" in view):
                    view.setdefault(key, value)
    return view


def fields(view: Block) -> dict[str, Field]:
    """Every field of a view by the name that queries use; `period` gives `period_date` and more."""
    found: dict[str, Field] = {}
    for kind in ("dimension", "measure", "filter", "parameter"):
        for block in view.get(f"{kind}s", ()):
            _add(found, block["name"], Field(kind, block))
    for block in view.get("dimension_groups", ()):
        for timeframe in block.get("timeframes", ()):
            _add(found, f"{block['name']}_{timeframe}", Field("dimension", block, timeframe))
    return found


def _add(found: dict[str, Field], name: str, field: Field) -> None:
    if name in found:
        raise LookmlError(f"{name} stands there twice")
    found[name] = field


def references(text: str) -> Iterator[str]:
    """Names in `${…}` other than TABLE."""
    return (name for name in REFERENCE.findall(text) if name != "TABLE")


def columns(text: str) -> set[str]:
    """Columns in `${TABLE}.…`."""
    return set(re.findall(r"\$\{TABLE\}\.(\w+)", text))


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
    if field.kind in ("filter", "parameter"):
        raise LookmlError(f"{name} is a {field.kind}: no query can select it")
    text = expand(views, field.block.get("sql", ""), view)
    return _measure(views, field.block, text, view) if field.kind == "measure" else text


def expand(views: dict[str, Block], text: str, here: str) -> str:
    """`text` with each `${…}` put in full."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        return f'"{here}"' if name == "TABLE" else f"({expression(views, name, here)})"

    return REFERENCE.sub(put, text)


def _measure(views: dict[str, Block], block: Block, text: str, view: str) -> str:
    kind, conditions = block["type"], list(_conditions(views, block, view))
    if conditions and kind not in ("count", *AGGREGATES):
        raise LookmlError(f"{block['name']}: a measure of type {kind} takes no filters")
    when = " AND ".join(conditions)
    if kind == "count":
        return f"count(CASE WHEN {when} THEN 1 END)" if when else "count(*)"
    if kind == "count_distinct":
        return f"count(DISTINCT {text})"
    if kind in AGGREGATES:
        return f"{AGGREGATES[kind]}({f'CASE WHEN {when} THEN {text} END' if when else text})"
    if kind in PLAIN:
        return text
    raise LookmlError(f"{block['name']}: {kind} is no type of measure that is used here")


def _conditions(views: dict[str, Block], block: Block, view: str) -> Iterator[str]:
    """Filters of a measure, which may only list values: `[status: "failed,crashed"]`."""
    for pairs in block.get("filters__all", ()):
        for pair in pairs:
            for name, values in pair.items():
                if not re.fullmatch(r"\w+(,\w+)*", values):
                    raise LookmlError(f"{block['name']}: the filter {values!r} is not a list")
                listed = ", ".join(f"'{value}'" for value in values.split(","))
                yield f"{expression(views, name, view)} IN ({listed})"


def relation(view: Block, parameter: str = "NULL") -> str:
    """What stands in FROM: the table, or the derived one with `parameter` for each parameter."""
    if "derived_table" not in view:
        return str(view["sql_table_name"])
    sql = view["derived_table"]["sql"]
    for name in PARAMETER.findall(sql):
        if name not in {block["name"] for block in view.get("parameters", ())}:
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

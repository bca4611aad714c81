"""The data dictionary `docs/reference.md`: every relation and function of the catalogue."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from grid_assets_tests.generate.catalogue import Catalogue, Entry

UNITS: Final = {
    "gco2_kwh": "gCO2/kWh",
    "_mw": "MW",
    "_gwh": "GWh",
    "emissions_t": "t",
    "pct": "%",
    "_ms": "ms",
    "_minutes": "minutes",
}
"""The unit of a column is in its name; these are all the endings that name one."""


def page(catalogue: Catalogue) -> str:
    """The whole page."""
    lines = [
        "# Reference",
        "",
        "Every table, view and function, with the type, unit and meaning of each column.",
        "`make generate` writes this page from the comments in the database: change a comment",
        "in `sql/`, not here. [units.md](units.md) says what holds for all of them: time",
        "labels, null and 0, and how shares sum to 100.",
        "",
    ]
    for schema, comment in catalogue.schemas.items():
        lines += [f"## {schema}", "", _wrapped(_text(comment)), ""]
        for name, entry in catalogue.of(schema):
            lines += _section(name, entry)
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str, entry: Entry) -> Iterator[str]:
    yield from [f"### {name}", ""]
    if entry.arguments:
        call = entry.heading(name)
        if len(call) > 100:
            call = f"{name}(\n    " + re.sub(r", (?=\w+ \w)", ",\n    ", entry.arguments) + "\n)"
        yield from ["```text", call, "```", ""]
    yield from [_wrapped(f"{entry.kind.capitalize()}. {_text(entry.comment)}"), ""]
    if entry.columns:
        yield from ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
        for column, (type_, meaning) in entry.columns.items():
            unit = _unit(column, type_, meaning, entry)
            yield f"| `{column}` | {type_} | {unit} | {_text(meaning)} |"
        yield ""


def _unit(column: str, type_: str, meaning: str, entry: Entry) -> str:
    """The unit by name; where there is a column `unit`, that one; or as the comment says."""
    for ending, unit in UNITS.items():
        if column.endswith(ending):
            return unit
    if type_.startswith("numeric") and "unit" in entry.columns:
        return "as in `unit`"
    if "gCO2/kWh or %" in meaning and type_ != "text":
        return "gCO2/kWh or %"
    return {"timestamptz": "UTC", "timestamp": "London time"}.get(type_, "")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _text(comment: str) -> str:
    """A comment as Markdown shows it: `chronos:<checkpoint>` is no tag."""
    return comment.replace("<", "&lt;").replace("|", "\\|")

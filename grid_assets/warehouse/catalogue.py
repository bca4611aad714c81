"""The comment of each relation, and its columns with type and comment, as in a migrated database.

They are read from `catalogue.json`, which `make generate` writes and a test compares with a
database, so that Dagster can describe columns before there is one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the type is PostgreSQL's, such as `numeric(4,1)` or `timestamptz`."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view; columns in their order."""

    comment: str
    columns: tuple[Column, ...]


def relation(name: str) -> Relation:
    """The table or view of a name such as `core.intensity`."""
    try:
        return _relations()[name]
    except KeyError:
        raise KeyError(f"{name} is not in {FILE.name}. Run `make generate`.") from None


@cache
def _relations() -> dict[str, Relation]:
    found = json.loads(FILE.read_text(encoding="utf-8"))["relations"]
    return {
        name: Relation(
            entry["comment"],
            tuple(Column(column, *described) for column, described in entry["columns"].items()),
        )
        for name, entry in found.items()
    }

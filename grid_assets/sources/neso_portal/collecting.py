"""Takes the records of a table one by one: usable, rejected with a reason, or skipped. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from grid_assets.sources.neso_portal.tables import Cells, Table
from grid_assets.sources.records import TWICE, Rejected, Unusable, as_json

Key = TypeVar("Key", datetime, tuple[datetime, datetime])
Value = TypeVar("Value")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Row]):
    """Rows in time order; `skipped` counts sound records that are not values of the dataset."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Collected(Generic[Key, Value]):
    """The usable records by key, in order."""

    values: dict[Key, Value] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    skipped: int = 0


def collect(
    table: Table,
    needed: Iterable[str],
    record_of: Callable[[Cells], tuple[Key, Value] | None],
    optional: Iterable[str] = (),
) -> Collected[Key, Value]:
    """Each record as a key and its value; `record_of` returns None to skip a record."""
    try:
        names = table.names(tuple(needed), tuple(optional))
    except Unusable as fault:
        return Collected(rejected=[Rejected(str(fault), table_json(table))])
    values: dict[Key, tuple[Value, Any]] = {}
    conflicting: dict[Key, list[Any]] = {}
    rejected: list[Rejected] = []
    skipped = 0
    for record in table.records:
        try:
            if not isinstance(record, Mapping):
                raise Unusable("record: it is not a row with a value for each column")
            found = record_of(Cells(record, names))
        except Unusable as fault:
            rejected.append(Rejected(str(fault), as_json(record)))
            continue
        if found is None:
            skipped += 1
            continue
        key, value = found
        known = values.setdefault(key, (value, record))
        if known[0] != value:
            # It is unknown which of the two is right, so neither is published.
            conflicting.setdefault(key, [known[1]]).append(record)
    for key, versions in sorted(conflicting.items()):
        del values[key]
        rejected.append(Rejected(TWICE, as_json(versions)))
    return Collected({key: values[key][0] for key in sorted(values)}, rejected, skipped)


def table_json(table: Table) -> str:
    """The payload of a table that is rejected as a whole."""
    return as_json({"columns": table.columns, "records": list(table.records)})

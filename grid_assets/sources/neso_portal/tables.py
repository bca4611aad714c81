"""Rows of the portal with their columns, alike from JSON (the datastore) and from CSV. Pure.

Column names are matched without regard to case, because the portal changes it without notice.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from grid_assets.sources.records import Unusable, shown

EMPTY: Final = ("", "NA")
"""What stands in a cell without a value, beside JSON's null."""

_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """`records` in the portal's order, normally mappings by column name; `columns` are the names.

    Of a CSV all values are text, and a record with too few or too many cells is a list of them.
    """

    columns: tuple[str, ...]
    records: Sequence[Any]

    def names(self, wanted: Iterable[str], optional: Iterable[str] = ()) -> dict[str, str]:
        """The portal's own name of each wanted column. Raises `Unusable` if one is missing."""
        found: dict[str, str] = {}
        for name in self.columns:
            if found.setdefault(name.strip().casefold(), name) != name:
                raise Unusable(f"body: the column {shown(name)} appears twice")
        for name in wanted:
            if name.casefold() not in found:
                there = ", ".join(self.columns)[:150]
                raise Unusable(f"body: the column {name} is missing; there are {there or 'none'}")
        names = {name: found.get(name.casefold()) for name in (*wanted, *optional)}
        return {name: own for name, own in names.items() if own is not None}


@dataclass(frozen=True, slots=True)
class Cells:
    """One record, read by the names of our parsers."""

    record: Mapping[str, Any]
    names: Mapping[str, str]

    def get(self, name: str) -> Any:
        """The value; None for an empty cell or an optional column that is not there."""
        value = self.record.get(self.names.get(name, ""))
        return None if isinstance(value, str) and value.strip() in EMPTY else value

    def number(self, name: str, most: float) -> float | None:
        """A number from 0 to `most`, None for an empty cell. Raises `Unusable`."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = Decimal(value.strip())
        # bool is an int in Python; NaN and Infinity arrive as float, decimals as Decimal
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise Unusable(f"{name}: {shown(value)} is not a number")
        if not 0 <= value <= most:
            raise Unusable(f"{name}: {shown(value)} is not from 0 to {most:,.0f}")
        return float(value)

    def whole(self, name: str, most: int) -> int:
        """A whole number from 0 to `most`. Raises `Unusable`, also for an empty cell."""
        value = self.number(name, most)
        if value is None or value != int(value):
            raise Unusable(f"{name}: {shown(self.get(name))} is not a whole number")
        return int(value)


def table_of_result(result: Mapping[str, Any]) -> Table:
    """The records of one answer of `datastore_search` or `datastore_search_sql`."""
    records = result.get("records")
    if not isinstance(records, list):
        raise Unusable("body: the answer has no list of records")
    fields = result.get("fields")
    listed = fields if isinstance(fields, list) else []
    names = [field.get("id") for field in listed if isinstance(field, dict)]
    if not names and records and isinstance(records[0], dict):
        names = list(records[0])
    return Table(tuple(name for name in names if isinstance(name, str)), records)


def table_of_csv(text: str) -> Table:
    """The records of a CSV file with a header, whatever ends its lines."""
    try:
        header, *rows = (row for row in csv.reader(io.StringIO(text, newline="")) if row)
    except (ValueError, csv.Error):
        raise Unusable("body: it is not a CSV file with a header") from None
    records = [
        dict(zip(header, row, strict=True)) if len(row) == len(header) else row for row in rows
    ]
    return Table(tuple(header), records)

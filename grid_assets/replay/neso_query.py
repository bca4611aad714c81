"""Queries of the recorded portal's datastore: SQL in a narrow form, filters, and their evaluation.

The SQL is `SELECT * | "a", "b" FROM "<resource>" [WHERE "a" >= 'x' AND "b" IN ('y', 'z') AND …]
[ORDER BY "a" DESC, …] [LIMIT n] [OFFSET n]`. Anything else is refused, although PostgreSQL knows
more.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

Row = dict[str, Any]

MOST_ROWS: Final = 32_000
"""The most rows of one answer, whatever `limit` says."""


class BadQuery(Exception):
    """A query that the portal answers with status 409; the message says why."""


@dataclass(frozen=True)
class Condition:
    column: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Query:
    """`columns` None means all of them; `order` holds columns and whether each is descending."""

    resource: str
    columns: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int = MOST_ROWS
    offset: int = 0

    def check(self, types: Mapping[str, str]) -> None:
        """Refuse columns that do not exist and values that do not fit their types."""
        named = [*(self.columns or ()), *(name for name, _ in self.order)]
        for name in [*named, *(condition.column for condition in self.conditions)]:
            if name not in types:
                raise BadQuery(f'column "{name}" does not exist')
        for condition in self.conditions:
            _comparable(condition.value, types[condition.column])

    def matcher(
        self, types: Mapping[str, str], about: Callable[[str], bool]
    ) -> Callable[[Row], bool]:
        """Whether a row fulfils the conditions on the columns that `about` selects; null fulfils
        none."""
        compared = [
            (
                condition.column,
                kind,
                _OPERATORS[condition.operator],
                _comparable(condition.value, kind),
            )
            for condition in self.conditions
            if about(condition.column)
            for kind in [types[condition.column]]
        ]
        return lambda row: all(
            row[column] is not None and compare(_comparable(row[column], kind), wanted)
            for column, kind, compare, wanted in compared
        )

    def sorted(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in the order asked for; null comes last, as in PostgreSQL when ascending."""
        found = list(rows)
        for name, descending in reversed(self.order):
            found.sort(key=lambda row: (row[name] is None, row[name]), reverse=descending)
        return found


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "IN": lambda value, wanted: value in wanted,
}

_NAME: Final = r'"([^"]+)"'
_SELECT: Final = re.compile(
    rf"\s*SELECT\s+(?P<columns>\*|{_NAME}(?:\s*,\s*{_NAME})*)\s+FROM\s+\"(?P<resource>[^\"]+)\""
    r"(?:\s+WHERE\s+(?P<where>.+?))?"
    rf"(?:\s+ORDER\s+BY\s+(?P<order>{_NAME}.*?))?"
    r"(?:\s+LIMIT\s+(?P<limit>\d{1,9}))?(?:\s+OFFSET\s+(?P<offset>\d{1,9}))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_LITERAL: Final = r"(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?)"
_CONDITION: Final = re.compile(
    rf"\s*{_NAME}\s*(?:(=|<=|>=|<|>)\s*({_LITERAL})"
    rf"|IN\s*\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\))\s*",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"\s*AND\b", re.IGNORECASE)
_ORDER: Final = re.compile(rf"\s*{_NAME}(?:\s+(ASC|DESC))?\s*(,|$)", re.IGNORECASE)


def parse_sql(text: str) -> Query:
    """The query that the SQL means. Raises `BadQuery` for any other form."""
    found = _SELECT.fullmatch(text)
    if found is None:
        raise BadQuery("syntax error: this replay knows one form of SELECT only")
    columns = None if found["columns"] == "*" else tuple(re.findall(_NAME, found["columns"]))
    return Query(
        found["resource"],
        columns,
        tuple(_conditions(found["where"])) if found["where"] else (),
        tuple(_order(found["order"])) if found["order"] else (),
        min(int(found["limit"] or MOST_ROWS), MOST_ROWS),
        int(found["offset"] or 0),
    )


def parse_sort(text: str) -> tuple[tuple[str, bool], ...]:
    """The order that `datastore_search` takes, such as `DATE desc, CTIME`."""
    parts = [part.split() for part in text.split(",") if part.strip()]
    if any(len(part) > 2 or part[1:] not in ([], ["asc"], ["desc"]) for part in parts):
        raise BadQuery("invalid sort")
    return tuple((part[0].strip('"'), part[1:] == ["desc"]) for part in parts)


def _conditions(text: str) -> Iterable[Condition]:
    position = 0
    while True:
        found = _CONDITION.match(text, position)
        if found is None:
            raise BadQuery(f"syntax error at or near {text[position : position + 40]!r}")
        name, comparison, literal, literals = found.groups()
        values = [_value(text) for text in re.findall(_LITERAL, literal or literals)]
        yield Condition(name, comparison or "IN", values[0] if comparison else values)
        if found.end() == len(text):
            return
        joined = _AND.match(text, found.end())
        if joined is None:
            raise BadQuery(f"syntax error at or near {text[found.end() :][:40]!r}")
        position = joined.end()


def _order(text: str) -> Iterable[tuple[str, bool]]:
    position = 0
    while position < len(text):
        found = _ORDER.match(text, position)
        if found is None:
            raise BadQuery(f"syntax error at or near {text[position : position + 40]!r}")
        yield found[1], (found[2] or "").upper() == "DESC"
        position = found.end()


def _value(literal: str) -> str | float:
    return literal[1:-1].replace("''", "'") if literal.startswith("'") else float(literal)


def _comparable(value: Any, kind: str) -> Any:
    """A value, or a list of them, as its column's type compares it."""
    if isinstance(value, list):
        return [_comparable(each, kind) for each in value]
    try:
        if kind in ("timestamp", "date"):
            return _instant(str(value))
        return str(value) if kind == "text" else float(value)
    except (ValueError, TypeError):
        raise BadQuery(f'invalid input syntax for type {kind}: "{value}"') from None


def _instant(text: str) -> datetime:
    """As PostgreSQL reads a timestamp without a zone, which it ignores; also `05-Jan-26`."""
    with suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    form = "%d-%b-%Y" if len(text) > len("05-Jan-26") else "%d-%b-%y"
    return datetime.strptime(text, form).replace(tzinfo=UTC)

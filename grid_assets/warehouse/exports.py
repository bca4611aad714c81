"""The rows of a view of `reporting` as CSV, streamed from one read-only statement.

The database says which views there are and what their columns are, so that a view that an analyst
has added can be exported too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg import sql
from psycopg.abc import Buffer

from grid_assets.warehouse.catalogue import Column
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

SCHEMA: Final = "reporting"

TIME_COLUMNS: Final = ("period_start", "settlement_date", "month", "target_date", "started_at")
"""The columns that days are chosen by: the first that a view has, else its first time or date."""

SORTED: Final = ("text", "date", "timestamptz")
"""Types of the columns that order the rows of one time, so that the same rows give one file."""


class NotExportable(ValueError):
    """There is no such view, or it has no days; the message says what there is."""


@dataclass(frozen=True, slots=True)
class View:
    """A view of `reporting`, with its columns in their order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def time(self) -> Column | None:
        """The column that days are chosen by, None if there is none."""
        times = {c.name: c for c in self.columns if c.type in ("timestamptz", "date")}
        return next((times[name] for name in TIME_COLUMNS if name in times), None) or next(
            iter(times.values()), None
        )


def find_view(connection: Connection, name: str) -> View:
    """The view of this name, with or without its schema. Raises `NotExportable`."""
    found: dict[str, list[Column]] = {}
    for view, *column in connection.execute(statement("reporting/find_columns")):
        found.setdefault(view, []).append(Column(*column))
    if not found:
        raise NotExportable(
            "The warehouse has no views that this user may see. Run `grid migrate` first."
        )
    bare = name.removeprefix(f"{SCHEMA}.")
    if bare in found:
        return View(bare, tuple(found[bare]))
    functions: dict[str, list[str]] = dict(
        connection.execute(statement("reporting/find_functions")).fetchall()
    )
    if bare in functions:
        raise NotExportable(
            f"{SCHEMA}.{bare} is a function of {', '.join(functions[bare]) or 'no argument'}. Only "
            "views can be exported. Call it in SQL, as docs/commands.md shows under Exports."
        )
    near = difflib.get_close_matches(bare.rpartition(".")[2], found, n=3, cutoff=0.5)
    raise NotExportable(
        f"There is no view {bare} in {SCHEMA}, the schema that is exported. "
        + (f"Did you mean {' or '.join(near)}? " if near else "")
        + f"The views are: {', '.join(found)}."
    )


@contextmanager
def copied(
    connection: Connection, view: View, first: date | None, last: date | None
) -> Iterator[Iterator[Buffer]]:
    """The header and then each row as a line of CSV, in the order of time.

    Times are UTC in ISO 8601 with a Z, truth is `true` or `false`, numbers have all their digits,
    null is an empty field and an empty text is `""`. With `first` or `last`, only these days, both
    included. Raises `NotExportable` if the view has no days.
    """
    arguments = {"first": first, "last": last}
    command = sql.SQL(
        "COPY (SELECT {} FROM {} AS v WHERE {} {}) TO STDOUT (FORMAT csv, HEADER)"
    ).format(
        sql.SQL(", ").join(_as_text(column) for column in view.columns),
        sql.Identifier(SCHEMA, view.name),
        sql.SQL(" AND ").join([sql.SQL("true"), *_conditions(view, first, last)]),
        _order(view),
    )
    connection.read_only = True
    with connection.transaction(), connection.cursor() as cursor:
        # what a database may set differently, and a pooler does not keep from the session's start
        for setting in ("TimeZone TO 'UTC'", "DateStyle TO 'ISO'", "extra_float_digits TO 1"):
            connection.execute(sql.SQL("SET LOCAL {}").format(sql.SQL(setting)))
        with cursor.copy(command, arguments) as rows:
            yield iter(rows)


def _as_text(column: Column) -> sql.Composable:
    name = sql.Identifier("v", column.name)
    if column.type == "timestamptz":
        text = sql.SQL("replace(replace({}::text, ' ', 'T'), '+00', 'Z')")
    elif column.type.startswith("timestamp"):
        text = sql.SQL("replace({}::text, ' ', 'T')")
    elif column.type == "boolean":
        text = sql.SQL("{}::text")
    else:
        return name
    return sql.SQL("{} AS {}").format(text.format(name), sql.Identifier(column.name))


def _conditions(view: View, first: date | None, last: date | None) -> Iterator[sql.Composable]:
    if first is None and last is None:
        return
    if view.time is None:
        raise NotExportable(
            f"{SCHEMA}.{view.name} has no time to choose days by. Leave --from and --to out."
        )
    column = sql.Identifier("v", view.time.name)
    day = sql.SQL("{}::date")
    if view.time.name == "month":  # a month that any of the days is in
        day = sql.SQL("date_trunc('month', {}::timestamp)::date")
    elif view.time.type == "timestamptz":
        day = sql.SQL("{}::timestamp AT TIME ZONE 'UTC'")
    if first is not None:
        yield sql.SQL("{} >= {}").format(column, day.format(sql.Placeholder("first")))
    if last is not None:
        after = sql.SQL("({}::date + 1)").format(sql.Placeholder("last"))
        if view.time.name == "month":
            yield sql.SQL("{} <= {}").format(column, day.format(sql.Placeholder("last")))
        else:
            yield sql.SQL("{} < {}").format(column, day.format(after))


def _order(view: View) -> sql.Composable:
    """Time first, then what tells the rows of one time apart."""
    others = [column for column in view.columns if column.type in SORTED and column != view.time]
    columns = [column for column in (view.time, *others) if column is not None]
    names = sql.SQL(", ").join(sql.Identifier("v", column.name) for column in columns)
    return sql.SQL("ORDER BY {}").format(names) if columns else sql.SQL("")

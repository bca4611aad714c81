"""The data dictionary `docs/reference.md`, written from a migrated database.

    python -m grid_assets_tests.reference     # migrates an empty database of its own and writes

Belongs here: turning names, types and comments of the catalogue into a page. Does not belong here:
any description; those are the comments in `sql/`, and nowhere else.

PostgreSQL has no comments on a function's result columns. Their meaning is that of the same column
of the relation that the function's comment names; a column that no named relation has must be named
in the comment itself.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr

from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp

PAGE: Final = PROJECT_DIR / "docs" / "reference.md"
COMMAND: Final = ".venv/bin/python -m grid_assets_tests.reference"
NO_COMMENT: Final = "**No comment.**"
SCHEMAS: Final = ("raw", "core", "forecast", "ops", "reporting")
UNITS: Final = {
    "gco2_kwh": "gCO2/kWh",
    "_pct": "%",
    "_ms": "ms",
    "_minutes": "minutes",
}
"""A unit stands in a column's name; these are all the endings that name one."""

RELATIONS: Final = """
SELECT c.oid, n.nspname || '.' || c.relname,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' ELSE 'table' END,
       obj_description(c.oid, 'pg_class')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT c.relispartition
  AND c.relname NOT LIKE '%%yoyo%%'  -- the migration tool's own
ORDER BY 2
"""

COLUMNS: Final = """
SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

FUNCTIONS: Final = """
SELECT n.nspname || '.' || p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
       obj_description(p.oid, 'pg_proc'),
       coalesce((SELECT array_agg(ARRAY[p.proargnames[i], format_type(p.proallargtypes[i], NULL)] ORDER BY i)
                 FROM generate_subscripts(p.proargmodes, 1) AS i WHERE p.proargmodes[i] = 't'), '{}')
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.prorettype <> 'trigger'::regtype
ORDER BY 1, 2
"""  # noqa: E501


@dataclass(frozen=True)
class Column:
    """One column of a relation or of a function's result; a meaning of None is undocumented."""

    name: str
    type: str
    meaning: str | None


@dataclass(frozen=True)
class Entry:
    """One relation, or one function with its arguments."""

    name: str
    kind: str
    comment: str | None
    columns: list[Column]
    arguments: str | None = None

    @property
    def heading(self) -> str:
        """Its name, and a function's arguments."""
        return self.name if self.arguments is None else f"{self.name}({self.arguments})"


def entries(connection: Connection) -> dict[str, list[Entry]]:
    """Relations and functions of each schema, as they are in the database."""
    relations = {schema: list(_relations(connection, schema)) for schema in SCHEMAS}
    known = {entry.name: entry for found in relations.values() for entry in found}
    return {
        schema: [*found, *_functions(connection, schema, known)]
        for schema, found in relations.items()
    }


def _relations(connection: Connection, schema: str) -> Iterator[Entry]:
    for oid, name, kind, comment in connection.execute(RELATIONS, [schema]).fetchall():
        columns = [Column(*row) for row in connection.execute(COLUMNS, [oid]).fetchall()]
        yield Entry(name, kind, comment, columns)


def _functions(connection: Connection, schema: str, known: dict[str, Entry]) -> Iterator[Entry]:
    for name, arguments, result, comment, pairs in connection.execute(FUNCTIONS, [schema]):
        columns = [Column(n, t, _meaning(n, comment or "", known)) for n, t in pairs]
        kind = "function" if columns else f"function, returns {_short(result)}"
        yield Entry(name, kind, comment, columns, _short(arguments))


def _meaning(column: str, comment: str, known: dict[str, Entry]) -> str | None:
    for relation in re.findall(r"\b[a-z]+\.\w+", comment):
        for mirrored in known[relation].columns if relation in known else ():
            if mirrored.name == column:
                return mirrored.meaning
    return "As said above." if re.search(rf"\b{column}\b", comment) else None


def _unit(column: Column, entry: Entry) -> str:
    """The unit by name; beside a column `unit` that column says it, else the comment may."""
    for ending, unit in UNITS.items():
        if column.name.endswith(ending):
            return unit
    if "gCO2/kWh or %" in (column.meaning or ""):
        return "gCO2/kWh or %"
    if column.type.startswith("numeric") and any(c.name == "unit" for c in entry.columns):
        return "as in `unit`"
    return "UTC" if column.type == "timestamp with time zone" else ""


def _short(kind: str) -> str:
    return kind.replace("timestamp with time zone", "timestamptz")


def page(connection: Connection) -> str:
    """The whole of `docs/reference.md`."""
    found = entries(connection)
    lines = [
        "# Reference",
        "",
        "Every table, view and function, with each column's type, unit and meaning. The page is",
        f"written from the comments in the database by `{COMMAND}`:",
        "change a comment in `sql/`, not this page. [units.md](units.md) says what holds for all",
        "of them: time labels, null and 0, and how shares sum to 100.",
        "",
    ]
    for schema, listed in found.items():
        [(comment,)] = connection.execute(
            "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [schema]
        ).fetchall()
        # the comment of reporting ends with a digest of its files
        lines += [f"## {schema}", "", _text((comment or "").partition(" Made from ")[0]), ""]
        for entry in listed:
            lines += _section(entry)
    return "\n".join(lines).rstrip() + "\n"


def _section(entry: Entry) -> Iterator[str]:
    yield from [f"### {entry.heading}", ""]
    yield from [f"{entry.kind.capitalize()}. {_text(entry.comment)}", ""]
    if entry.columns:
        yield from ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
        for column in entry.columns:
            cells = [f"`{column.name}`", _short(column.type), _unit(column, entry)]
            yield f"| {' | '.join([*cells, _text(column.meaning)])} |"
        yield ""


def _text(comment: str | None) -> str:
    """A comment as Markdown shows it: `chronos:<checkpoint>` is no tag."""
    return (comment or NO_COMMENT).replace("<", "&lt;").replace("|", "\\|")


def main() -> None:
    """Write the page from an empty database, migrated on a server that lasts as long as this."""
    with tempfile.TemporaryDirectory(prefix="grid-reference-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL does not run as root, and its user has to enter
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            url = SecretStr(server.start())
            migrate(url, Stamp("live", None))
            with psycopg.connect(url.get_secret_value()) as connection:
                PAGE.write_text(page(connection), encoding="utf-8")
        finally:
            server.stop()
    print(f"Written to {PAGE}")  # noqa: T201


if __name__ == "__main__":
    main()

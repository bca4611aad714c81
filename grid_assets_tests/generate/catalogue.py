"""The catalogue of a database: schemas, relations and functions with their comments.

PostgreSQL has no comments on the result columns of a function. A result column means what the same
column of the relation named in the function's comment means, or is explained in that comment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from grid_assets.warehouse.connection import Connection

NO_COMMENT: Final = "**No comment.**"
SCHEMAS: Final = ("raw", "core", "forecast", "ops", "reporting")

COMMENTS_OF_SCHEMAS: Final = """
SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = ANY(%s)
"""

RELATIONS: Final = """
SELECT n.nspname || '.' || c.relname,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' ELSE 'table' END,
       obj_description(c.oid, 'pg_class'),
       array_agg(ARRAY[attname::text, format_type(atttypid, atttypmod),
                       col_description(attrelid, attnum)] ORDER BY attnum)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND c.relname NOT LIKE '%%yoyo%%'  -- the migration tool's own
GROUP BY c.oid, n.nspname, c.relname, c.relkind
ORDER BY array_position(%s, n.nspname::text), 1
"""

FUNCTIONS: Final = """
SELECT n.nspname || '.' || p.proname, pg_get_function_arguments(p.oid),
       pg_get_function_result(p.oid), obj_description(p.oid, 'pg_proc'),
       coalesce((SELECT array_agg(ARRAY[p.proargnames[i], format_type(p.proallargtypes[i], NULL)]
                                  ORDER BY i)
                 FROM generate_subscripts(p.proargmodes, 1) AS i
                 WHERE p.proargmodes[i] = 't'), '{}')
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(%s) AND p.prorettype <> 'trigger'::regtype
ORDER BY array_position(%s, n.nspname::text), 1, 2
"""


@dataclass(frozen=True)
class Entry:
    """One relation or function; `columns` has type and comment by name."""

    kind: str
    comment: str
    columns: dict[str, tuple[str, str]]
    arguments: str | None = None

    def heading(self, name: str) -> str:
        """The name, and a function's arguments."""
        return name if self.arguments is None else f"{name}({self.arguments})"


@dataclass(frozen=True)
class Catalogue:
    """Entries by name, such as `core.intensity`, in order of their schemas."""

    schemas: dict[str, str]
    relations: dict[str, Entry]
    functions: dict[str, Entry] = field(default_factory=dict)

    def of(self, schema: str) -> list[tuple[str, Entry]]:
        """Relations of a schema, then its functions."""
        both = [*self.relations.items(), *self.functions.items()]
        return [(name, entry) for name, entry in both if name.startswith(f"{schema}.")]


def read(connection: Connection) -> Catalogue:
    """The catalogue of a migrated database."""
    schemas = list(SCHEMAS)
    comments: dict[str, str | None] = dict(
        connection.execute(COMMENTS_OF_SCHEMAS, [schemas]).fetchall()
    )
    relations = {
        name: Entry(
            kind,
            comment or NO_COMMENT,
            {column: (_short(type_), text or NO_COMMENT) for column, type_, text in columns},
        )
        for name, kind, comment, columns in connection.execute(RELATIONS, [schemas, schemas])
    }
    functions: dict[str, Entry] = {}
    for name, arguments, result, comment, pairs in connection.execute(
        FUNCTIONS, [schemas, schemas]
    ):
        assert name not in functions, f"{name} has two forms"
        columns = {
            column: (_short(type_), _meaning(column, _short(type_), comment or "", relations))
            for column, type_ in pairs
        }
        kind = "function" if columns else f"function, returns {_short(result)}"
        functions[name] = Entry(kind, comment or NO_COMMENT, columns, _short(arguments))
    # the comment of reporting ends with a digest of its files
    return Catalogue(
        {name: (comments[name] or NO_COMMENT).partition(" Made from ")[0] for name in schemas},
        relations,
        functions,
    )


def _meaning(column: str, type_: str, comment: str, relations: dict[str, Entry]) -> str:
    for name in re.findall(r"\b[a-z]+\.\w+", comment):
        named = relations[name].columns.get(column) if name in relations else None
        if named and named[0].endswith("[]") == type_.endswith("[]"):
            return named[1]
    return "As said above." if re.search(rf"\b{column}\b", comment) else NO_COMMENT


def _short(text: str) -> str:
    return (
        text.replace("timestamp with time zone", "timestamptz")
        .replace("timestamp without time zone", "timestamp")
        .replace("::text", "")
    )


def as_json(catalogue: Catalogue) -> str:
    """The text of `catalogue.json`: a line for each column, so that a change shows as one."""
    found = {
        "schemas": catalogue.schemas,
        "relations": {name: _plain(entry) for name, entry in catalogue.relations.items()},
        "functions": {name: _plain(entry) for name, entry in catalogue.functions.items()},
    }
    text = json.dumps(found, indent=1, ensure_ascii=False)
    return re.sub(r'\[\n +("[^\n]*",)\n +("[^\n]*")\n +\]', r"[\1 \2]", text) + "\n"


def _plain(entry: Entry) -> dict[str, object]:
    arguments = {} if entry.arguments is None else {"arguments": entry.arguments}
    return {"kind": entry.kind, **arguments, "comment": entry.comment, "columns": entry.columns}

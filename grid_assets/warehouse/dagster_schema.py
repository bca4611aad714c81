"""Where Dagster keeps its tables by default: a schema of the warehouse, chosen by an option of the
connection or by a setting of the user.

A pooler may refuse the option or ignore it. Dagster's tables would then be in `public`, so its
arrival is tested before Dagster starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.urls import location, read, session_url, to_url

DAGSTER_SCHEMA: Final = "dagster"

DAGSTER_OPTIONS: Final = f"-csearch_path={DAGSTER_SCHEMA} -csynchronous_commit=off"
"""A server crash may lose the last second of Dagster's history, but nothing in our tables."""


@dataclass(frozen=True, slots=True)
class DagsterSchema:
    """Whether the schema exists, and the options with which connections find it."""

    exists: bool
    options: str


def find_dagster_schema(warehouse: SecretStr) -> DagsterSchema:
    """Where Dagster's tables would go. Raises `WarehouseError` if not to the schema.

    No option is needed where every session of the user begins in the schema.
    """
    url = session_url(warehouse)
    for options in (DAGSTER_OPTIONS, ""):
        added = " ".join(f"{read(url).get('options', '')} {options}".split())
        try:
            with connect(to_url(read(url) | ({"options": added} if added else {}))) as connection:
                query = "SELECT to_regnamespace(%s) IS NOT NULL, current_setting('search_path')"
                exists, path = connection.execute(query, [DAGSTER_SCHEMA]).fetchall()[0]
        except WarehouseError as error:
            if "startup parameter" not in str(error):
                raise
            continue
        if path == DAGSTER_SCHEMA:
            return DagsterSchema(exists, options)
    raise WarehouseError(
        f"A pooler at {location(url)} does not pass on the schema in which Dagster keeps its "
        f"tables. Let the user begin there (ALTER ROLE … SET search_path = {DAGSTER_SCHEMA};), "
        "or set GRID_DAGSTER_DATABASE_URL to a direct connection or to a database of its own."
    )

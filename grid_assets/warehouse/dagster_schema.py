"""Where Dagster keeps its tables by default: a schema of the warehouse, chosen by an option of the
connection.

A pooler may refuse that option or ignore it. Dagster's tables would then be in `public`, so its
arrival is tested before Dagster starts.
"""

from __future__ import annotations

from typing import Final

from pydantic import SecretStr

from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.urls import location, read, session_url, to_url

DAGSTER_SCHEMA: Final = "dagster"

DAGSTER_OPTIONS: Final = f"-csearch_path={DAGSTER_SCHEMA} -csynchronous_commit=off"
"""A server crash may lose the last second of Dagster's history, but nothing in our tables."""


def find_dagster_schema(warehouse: SecretStr) -> bool:
    """Whether the schema exists. Raises `WarehouseError` if Dagster's tables would not go there."""
    url = session_url(warehouse)
    options = " ".join(f"{read(url).get('options', '')} {DAGSTER_OPTIONS}".split())
    known, path = None, None
    try:
        with connect(to_url(read(url) | {"options": options})) as connection:
            query = "SELECT to_regnamespace(%s), current_setting('search_path')"
            known, path = connection.execute(query, [DAGSTER_SCHEMA]).fetchall()[0]
    except WarehouseError as error:
        if "startup parameter" not in str(error):
            raise
    if path != DAGSTER_SCHEMA:
        raise WarehouseError(
            f"A pooler at {location(url)} does not pass on the schema in which Dagster keeps "
            "its tables. Set GRID_DAGSTER_DATABASE_URL to a direct connection, or to a "
            "database of its own."
        )
    return known is not None

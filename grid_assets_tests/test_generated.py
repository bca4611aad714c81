"""The generated files match a migrated database, and it has everything that others rely on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.asset_metadata import as_markdown
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.generate import VIEWS, catalogue, generated, reference
from grid_assets_tests.generate.catalogue import NO_COMMENT
from grid_assets_tests.warehouse.test_database import PREDICTED, RELIED_ON

one_warehouse = shared_warehouse.one_warehouse

FUNCTIONS: Final = {
    "reporting.intensity_as_known_at(at timestamptz": RELIED_ON["core.intensity"],
    "reporting.forecast_as_known_at(at timestamptz": PREDICTED,
    "reporting.greenest_window(duration interval, deadline timestamptz, "
    "earliest timestamptz DEFAULT now(), contiguous boolean DEFAULT true, "
    "quantile text DEFAULT 'p50', model text DEFAULT NULL": ["period_start", "gco2_kwh"],
    "reporting.region_of_postcode(postcode text": ["region_id", "short_name"],
}
"""Functions that programs outside call: the start of the signature, further arguments may follow,
and the result columns they rely on."""

RENEW: Final = "is not what the database says. Run `make generate`."


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def test_every_generated_file_is_current(connection: Connection) -> None:
    files = generated(connection)
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} {RENEW}"
    assert set(VIEWS.glob("*.view.lkml")) <= set(files)


def test_everything_is_described_to_the_last_column(connection: Connection) -> None:
    """A result column of a function may mean what that of the relation in its comment means."""
    found = catalogue.read(connection)
    assert NO_COMMENT not in found.schemas.values()
    for name, entry in [*found.relations.items(), *found.functions.items()]:
        assert entry.comment != NO_COMMENT, name
        assert [column for column, (_, text) in entry.columns.items() if text == NO_COMMENT] == []


@pytest.mark.parametrize(
    ("name", "columns"),
    [*RELIED_ON.items(), *FUNCTIONS.items()],
    ids=[name.partition("(")[0] for name in [*RELIED_ON, *FUNCTIONS]],
)
def test_what_others_rely_on_exists(connection: Connection, name: str, columns: list[str]) -> None:
    found = catalogue.read(connection)
    known = name.partition("(")[0]
    entry = {**found.relations, **found.functions}[known]
    assert entry.heading(known).startswith(name)
    assert [column for column in columns if column not in entry.columns] == []


def test_every_asset_shows_the_columns_of_its_relation(connection: Connection) -> None:
    found = catalogue.read(connection)
    shown = {
        ".".join(key.path): defs.resolve_asset_graph().get(key).metadata["dagster/column_schema"]
        for key in defs.resolve_all_asset_keys()
        if key.path[0] in ("raw", "core", "forecast", "reporting")
    }
    assert len(shown) >= 15
    for relation, schema in shown.items():
        shows = {column.name: (column.type, column.description) for column in schema.columns}
        assert shows == {
            name: (kind, as_markdown(comment))
            for name, (kind, comment) in found.relations[relation].columns.items()
        }


def test_a_changed_comment_a_new_column_and_a_new_function_show_on_the_page(
    connection: Connection,
) -> None:
    before = reference.page(catalogue.read(connection))
    connection.execute("COMMENT ON COLUMN core.intensity.period_start IS 'a <b> | c'")
    connection.execute("ALTER TABLE core.intensity ADD COLUMN low_pct numeric")
    connection.execute(
        "CREATE FUNCTION core.lowest(of text) "
        "RETURNS TABLE (period_start timestamptz, low numeric, high numeric) "
        "LANGUAGE sql AS 'SELECT now(), 1, 2'"
    )
    connection.execute(
        "COMMENT ON FUNCTION core.lowest IS 'Rows of ops.nothing, core.intensity: low is low.'"
    )
    page = reference.page(catalogue.read(connection))
    assert [line for line in page.splitlines() if line not in before] == [
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
        "| `low_pct` | numeric | % | **No comment.** |",
        "### core.lowest",
        "core.lowest(of text)",
        "Function. Rows of ops.nothing, core.intensity: low is low.",
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
        "| `low` | numeric |  | As said above. |",
        "| `high` | numeric |  | **No comment.** |",
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
    ]

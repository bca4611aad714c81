"""The contract in the catalogue and in docs/reference.md: present, commented, documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.warehouse.connection import Connection
from grid_assets_tests import reference, shared_warehouse
from grid_assets_tests.reference import Entry
from grid_assets_tests.warehouse.test_database import PREDICTED, RELIED_ON

one_warehouse = shared_warehouse.one_warehouse


FUNCTIONS: Final = {
    "reporting.intensity_as_known_at(at timestamptz)": RELIED_ON["core.intensity"],
    "reporting.forecast_as_known_at(at timestamptz)": PREDICTED,
    "reporting.greenest_window(duration interval, deadline timestamptz, "
    "earliest timestamptz DEFAULT now(), contiguous boolean DEFAULT true, "
    "quantile text DEFAULT 'p50', model text DEFAULT NULL)": ["period_start", "gco2_kwh"],
}
"""Functions that programs outside call, by signature, with the result columns they rely on."""

RENEW: Final = f"docs/reference.md is not what the database says. Run: {reference.COMMAND}"


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def entries(connection: Connection) -> dict[str, Entry]:
    """Relations by name and functions by signature, without the types that PostgreSQL adds."""
    return {
        entry.heading.replace("::text", ""): entry
        for listed in reference.entries(connection).values()
        for entry in listed
    }


@pytest.mark.parametrize(
    ("name", "columns"),
    [*RELIED_ON.items(), *FUNCTIONS.items()],
    ids=[name.partition("(")[0] for name in [*RELIED_ON, *FUNCTIONS]],
)
def test_what_others_rely_on_exists_has_comments_and_is_documented(
    connection: Connection, name: str, columns: list[str]
) -> None:
    found = entries(connection)
    assert name in found, f"{name} does not exist; there are {sorted(found)}"
    entry = found[name]
    assert entry.comment, f"{name} has no comment"
    meanings = {column.name: column.meaning for column in entry.columns}
    assert [column for column in columns if not meanings.get(column)] == []
    page = reference.PAGE.read_text(encoding="utf-8")
    _, _, section = page.partition(f"\n### {entry.heading}\n")
    section = section.partition("\n#")[0]
    assert [column for column in columns if f"\n| `{column}` |" not in section] == [], RENEW


def test_every_other_relation_and_function_is_described_to_its_last_column(
    connection: Connection,
) -> None:
    for name, entry in entries(connection).items():
        assert entry.comment, f"{name} has no comment"
        assert [column.name for column in entry.columns if not column.meaning] == [], (
            f"{name}: a result column has the meaning of the relation that the function's comment "
            "names, or is named in that comment"
        )


def test_the_page_is_what_a_freshly_migrated_database_says(connection: Connection) -> None:
    page = reference.page(connection)
    assert reference.NO_COMMENT not in page
    assert reference.PAGE.read_text(encoding="utf-8") == page, RENEW


def test_a_changed_comment_a_new_column_and_a_new_function_show_on_the_page(
    connection: Connection,
) -> None:
    before = reference.page(connection)
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
    lines = [line for line in reference.page(connection).splitlines() if line not in before]
    assert lines == [
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
        "| `low_pct` | numeric | % | **No comment.** |",
        "### core.lowest(of text)",
        "Function. Rows of ops.nothing, core.intensity: low is low.",
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
        "| `low` | numeric |  | As said above. |",
        "| `high` | numeric |  | **No comment.** |",
        "| `period_start` | timestamptz | UTC | a &lt;b> \\| c |",
    ]

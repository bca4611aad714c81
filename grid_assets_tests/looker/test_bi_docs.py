"""The pages for Looker and Looker Studio: their SQL runs as grid_reader and their names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.looker.test_looker import FOLDER, PROJECT

one_warehouse = shared_warehouse.one_warehouse

PAGES: Final = {
    name: (PROJECT_DIR / "docs" / name).read_text(encoding="utf-8")
    for name in ("looker.md", "looker-studio.md")
}
BLOCKS: Final = [
    (name, block.strip())
    for name, page in PAGES.items()
    for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
]
QUERIES: Final = [(name, block) for name, block in BLOCKS if not re.search(r"\bROLE\b", block)]


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        connection.execute("SET LOCAL ROLE grid_reader")
        yield connection
        connection.rollback()


def test_the_pages_have_their_queries() -> None:
    assert len([name for name, _ in QUERIES if name == "looker.md"]) == 2
    assert len([name for name, _ in QUERIES if name == "looker-studio.md"]) == 7


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_every_query_on_the_pages_runs_as_grid_reader(
    connection: Connection, page: str, query: str
) -> None:
    for parameter, day in (("@DS_START_DATE", "'20261120'"), ("@DS_END_DATE", "'20261122'")):
        query = query.replace(parameter, day)
    assert "@" not in query
    connection.execute(query.encode())
    if page == "looker-studio.md":
        # that is how Looker Studio asks
        connection.execute(b"SELECT * FROM (" + query.encode() + b") AS t LIMIT 1")


def test_the_datagroup_of_the_page_is_that_of_the_model() -> None:
    [group] = PROJECT.model["datagroups"]
    written = [" ".join(block.rstrip(";").split()) for _, block in QUERIES]
    assert " ".join(group["sql_trigger"].split()) in written


def test_the_page_names_the_projects_files_and_explores() -> None:
    page = PAGES["looker.md"]
    for path in ("manifest.lkml", "models/grid.model.lkml"):
        assert f"`{path}`" in page
        assert (FOLDER / path).exists()
    for explore in PROJECT.explores.values():
        assert f"| {explore['label'].removesuffix(', last 24 hours')}" in page, explore["label"]

"""The documentation: its links resolve, its queries run, and its lines are short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.series import FUEL_GROUP_LABELS
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse = shared_warehouse.one_warehouse

PAGES: Final = sorted(
    path
    for folder in (
        *(".", "docs", "docs/decisions", "sql", "supabase", "bench/vintages", "deploy/helm"),
        *("grid_assets/replay/data", "grid_assets/forecasting/data", "grid_assets/warehouse/data"),
    )
    for path in (PROJECT_DIR / folder).glob("*.md")
)
QUERIES: Final = [
    (path.name, block.strip())
    for path in PAGES
    for block in re.findall(r"```sql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    if re.match(r"(SELECT|WITH)\b", block) and "@" not in block
]


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(PROJECT_DIR)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = [
        link
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"https?:|mailto:", link) and not _is_there(page, *link.partition("#"))
    ]
    assert broken == []


def _is_there(page: Path, name: str, _: str, heading: str) -> bool:
    """Whether a file exists and, if it is a page, has the heading, as GitHub names it."""
    file = page.parent / name if name else page
    if not heading or file.suffix != ".md":
        return file.exists()
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in (re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings)


def test_there_are_queries_in_the_documentation() -> None:
    assert {name for name, _ in QUERIES} >= {"README.md", "queries.md", "looker.md"}


@pytest.mark.parametrize(
    ("view", "of_nothing"), [("generation_groups", "0.0"), ("generation_mix", "None")]
)
def test_the_documented_shares_of_groups_are_those_of_their_fuels_together(
    connection: Connection, view: str, of_nothing: str
) -> None:
    [query] = [query for _, query in QUERIES if f"FROM reporting.{view}\n" in query]
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, wind_pct, solar_pct, nuclear_pct, gas_pct, "
        "published_total_pct) VALUES "
        "(date_trunc('day', now()) - interval '12 hours', 40, 3, 20, 30, 100), "
        "(date_trunc('day', now()) - interval '690 minutes', 43.4, NULL, 20, 31, 100)"
    )
    rows = connection.execute(query.encode()).fetchall()
    shares = {label: share for row in rows for label, share in pairwise(row[:3])}
    assert {label: str(shares[label]) for label in FUEL_GROUP_LABELS.values()} == {
        "Renewable (wind, solar, hydro)": "43.2",
        "Nuclear and biomass": "20.0",
        "Fossil (gas, coal)": "30.5",
        "Imports": of_nothing,
        "Other": "6.3",
    }


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_every_query_runs_and_those_on_reporting_alone_as_grid_reader(
    connection: Connection, page: str, query: str
) -> None:
    if not re.search(r"\b(raw|core|forecast|ops|dagster)\.", query):
        connection.execute("SET LOCAL ROLE grid_reader")
    connection.execute(query.encode())


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "reference.md"],  # which is generated
    ids=lambda path: str(path.relative_to(PROJECT_DIR)),
)
def test_lines_outside_tables_and_code_are_short(page: Path) -> None:
    """A source that wraps can be reviewed line by line."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    long = [line for line in text.splitlines() if len(line) > 100 and not line.startswith("|")]
    assert [line for line in long if not re.search(r"\S{80}", line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(PROJECT_DIR)))
def test_no_figure_is_left_to_be_filled_in(page: Path) -> None:
    assert (
        re.findall(r"\b(?:TIME|LINES)_[A-Z]+\b|\b[A-Z]+_LINES\b|\bTODO\b", page.read_text()) == []
    )

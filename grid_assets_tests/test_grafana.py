"""Grafana's dashboard: each query runs as grid_reader and reaches its index, each name exists."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest
import yaml
from pydantic import SecretStr

from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.generate import DASHBOARD, grafana

one_warehouse = shared_warehouse.one_warehouse

FOLDER: Final = PROJECT_DIR / "deploy" / "grafana"
CONTENT: Final[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
PANELS: Final[list[dict[str, Any]]] = CONTENT["panels"]
QUERIES: Final = {
    f"{panel['title']} {target['refId']}": target["rawSql"]
    for panel in PANELS
    for target in panel["targets"]
} | {"model": CONTENT["templating"]["list"][0]["query"]}


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def expanded(query: str, first: datetime, last: datetime) -> bytes:
    """The query as Grafana sends it; an unknown macro or variable fails."""

    def literal(instant: datetime) -> str:
        return f"'{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"

    query = re.sub(
        r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN {literal(first)} AND {literal(last)}", query
    )
    query = query.replace("${model:sqlstring}", "'blend'")
    assert "$" not in query
    return query.encode()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_runs_as_grid_reader_and_gives_what_its_format_needs(
    connection: Connection, name: str
) -> None:
    connection.execute("SET LOCAL ROLE grid_reader")
    query = QUERIES[name]
    cursor = connection.execute(expanded(query, now() - timedelta(days=2), now()))
    columns = {column.name: column.type_code for column in cursor.description or ()}
    if 'AS "time"' in query:
        time, *values = columns.values()
        assert next(iter(columns)) == "time"
        assert time == psycopg.adapters.types["timestamptz"].oid
        numbers = ("numeric", "int4", "float8")
        assert set(values) <= {psycopg.adapters.types[kind].oid for kind in numbers}
    assert set(re.findall(r"\b(?:FROM|JOIN) (\w+)\.", query)) == {"reporting"}


@pytest.mark.parametrize(
    "name", [name for name, query in QUERIES.items() if "timeFilter(period_start)" in query]
)
def test_the_time_of_the_page_reaches_an_index(connection: Connection, name: str) -> None:
    connection.execute("SET LOCAL enable_seqscan = off")
    query = expanded(QUERIES[name], now() - timedelta(days=2), now())
    plan = "\n".join(row[0] for row in connection.execute(b"EXPLAIN " + query))
    assert re.search(r"Index Cond: .*period_start >= ", plan), plan
    assert "Seq Scan" not in plan


def test_the_panels_show_what_is_in_the_warehouse(connection: Connection) -> None:
    start = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
        "SELECT %s + n * interval '30 minutes', 100 + n FROM generate_series(0, 3) AS n",
        [start],
    )
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, wind_pct, gas_pct, published_total_pct) "
        "VALUES (%s, 60, 39, 99)",
        [start],
    )
    connection.execute(
        "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, abs_error_sum, "
        "error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
        "SELECT model, 'carbon_intensity', current_date - day, '0-3h', n, mae * n, 0, 1, 0, 0, "
        "false "
        "FROM (VALUES ('chronos:a', 1, 1, 10), ('chronos:b', 2, 3, 20), ('neso', 1, 1, 5)) "
        "AS v (model, day, n, mae)"
    )

    def shown(title: str, ref: str = "A") -> list[tuple[Any, ...]]:
        [query] = [text for name, text in QUERIES.items() if name.startswith(title) and ref in name]
        return connection.execute(expanded(query, now() - timedelta(days=14), now())).fetchall()

    assert shown("Newest actual") == [(start + timedelta(minutes=90), 103)]
    assert 90 <= shown("Age of the newest")[0][0] < 151
    assert [row[1] for row in shown("Carbon intensity")] == [100, 101, 102, 103]
    [mix] = [row for row in shown("Generation mix") if row[1] is not None or row[4] is not None]
    assert sum(share or 0 for share in mix[1:]) == 100
    assert shown("Mean error") == [("0-3h", None, 17.5, None, None, 5)]


def test_every_field_that_is_styled_is_one_of_the_panel(connection: Connection) -> None:
    for panel in PANELS:
        fields: set[str] = set()
        for target in panel["targets"]:
            cursor = connection.execute(expanded(target["rawSql"], now(), now()))
            fields |= {column.name for column in cursor.description or ()}
        overrides = panel["fieldConfig"]["overrides"]
        named = {each["matcher"]["options"] for each in overrides}
        named |= {
            each["value"]
            for override in overrides
            for each in override["properties"]
            if each["id"] == "custom.fillBelowTo"
        }
        named |= {panel["options"]["xField"]} if "xField" in panel["options"] else set()
        assert named <= fields, panel["title"]


def test_panels_have_their_own_number_and_place() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = [
            one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at]
            for at, size in (("x", "w"), ("y", "h"))
        ]
        assert any(apart), (one, other)


def test_the_provisioned_source_is_the_one_of_every_panel() -> None:
    file = FOLDER / "provisioning" / "datasources" / "grid_assets.yaml"
    [source] = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
    used = [each["datasource"] for panel in PANELS for each in (panel, *panel["targets"])]
    used.append(CONTENT["templating"]["list"][0]["datasource"])
    assert all(each == {"type": source["type"], "uid": source["uid"]} for each in used)


def test_the_variables_of_provisioning_are_documented() -> None:
    page = (PROJECT_DIR / "docs" / "grafana.md").read_text(encoding="utf-8")
    files = [*(FOLDER / "provisioning").glob("*/*.yaml")]
    assert len(files) == 2
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert [name for name in re.findall(r"\$(\w+)", text) if f"`{name}`" not in page] == []


def test_the_dashboard_is_the_generated_one() -> None:
    assert DASHBOARD.read_text(encoding="utf-8") == grafana.dashboard()

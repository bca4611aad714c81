"""`grid status` says what the database weighs and what a year adds, from the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.health import disk_usage
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect

Rows = Callable[..., list[tuple[Any, ...]]]

NOW = datetime.now(UTC).replace(microsecond=0)
BYTES = "SELECT pg_total_relation_size('{}')::bigint"
COUNT = "SELECT count(*)::float8 FROM {}"


def report(url: SecretStr, settings: Settings | None = None) -> list[str]:
    with connect(url) as connection:
        return list(disk_usage.report(connection, settings or Settings(), NOW))


def line(url: SecretStr, part: str, settings: Settings | None = None) -> str:
    [found] = [each for each in report(url, settings) if each.strip().startswith(part)]
    return found


def put_issues(rows: Rows, days: int) -> None:
    """Issues of one model, two an hour, each of one row of forecasts for every hour ahead."""
    rows(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
        "context_assumed, known_by) SELECT 'chronos:a', at, at, 'r1', 0, 0, 'capture' "
        "FROM generate_series(date_bin('30 min', %s::timestamptz, '2020-01-01Z') - %s, %s, "
        "interval '30 min') AS at",
        NOW,
        timedelta(days=days),
        NOW,
    )
    rows(
        "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50)"
        " SELECT model, 'wind', issued_at + n * interval '1 hour', issued_at, issued_at, 1 "
        "FROM forecast.issues, generate_series(0, 9) AS n"
    )


def bytes_a_row(rows: Rows, relation: str) -> float:
    [(size,)] = rows(BYTES.format(relation))
    [(count,)] = rows(COUNT.format(relation))
    return float(size / count)


def test_a_young_warehouse_is_judged_by_the_designed_rate(warehouse: SecretStr, rows: Rows) -> None:
    put_issues(rows, 3)
    rows("ANALYZE")
    assert "at the designed rate, as it is under a week old" in report(warehouse)[0]
    year = bytes_a_row(rows, "forecast.predictions") * 48 * 2016 * 365.25
    assert f"+{disk_usage.size(year)};" in line(warehouse, "forecasts")


def test_an_older_one_by_the_rate_of_its_last_seven_days(warehouse: SecretStr, rows: Rows) -> None:
    put_issues(rows, 30)
    rows("UPDATE ops.warehouse SET stamped_at = %s", NOW - timedelta(days=30))
    rows("ANALYZE")
    assert "at the rate of the last 7 days" in report(warehouse)[0]
    [(issues,)] = rows(
        "SELECT count(*)::integer FROM forecast.issues WHERE issued_at >= %s",
        NOW - timedelta(days=7),
    )
    assert issues in (336, 337)
    week = bytes_a_row(rows, "forecast.predictions") * 960 * issues
    week += bytes_a_row(rows, "forecast.issues") * issues
    assert f"+{disk_usage.size(week * 365.25 / 7)}; after 400 days 6 of 96 leads stay" in line(
        warehouse, "forecasts"
    )


def test_parts_add_up_their_schemas_with_indexes_and_partitions(
    warehouse: SecretStr, rows: Rows
) -> None:
    rows(
        "CREATE TABLE raw.parted (at timestamptz PRIMARY KEY, n integer) PARTITION BY RANGE (at);"
        "CREATE TABLE raw.parted_1 PARTITION OF raw.parted FOR VALUES FROM ('2024-01-01') "
        "TO ('2025-01-01');"
        "INSERT INTO raw.parted SELECT at, 1 FROM "
        "generate_series('2024-02-01'::timestamptz, '2024-03-01', '1 min') AS at"
    )
    rows("ANALYZE")
    [(total,)] = rows(
        "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class AS c "
        "WHERE relnamespace::regnamespace::text IN ('raw', 'core') AND relkind = 'r'"
    )
    assert total > 2_000_000
    assert line(warehouse, "telemetry").split()[1:3] == disk_usage.size(total).split()
    with connect(warehouse) as connection:
        table = disk_usage._tables(connection)["raw.parted"]
    assert table.rows == pytest.approx(41761)
    assert (table.size,) == rows(BYTES.format("raw.parted_1"))[0]


def test_what_cannot_be_told_yet_is_not_guessed(warehouse: SecretStr, rows: Rows) -> None:
    assert "not known yet: too few rows" in line(warehouse, "telemetry")
    rows("ALTER TABLE forecast.predictions SET (autovacuum_enabled = false)")
    put_issues(rows, 30)
    assert "not known before ANALYZE has counted the rows of forecast.predictions" in line(
        warehouse, "forecasts"
    )
    assert "not known yet: too few runs" in line(warehouse, "Dagster")


def test_dagsters_history_elsewhere_is_said_to_be_there(warehouse: SecretStr) -> None:
    away = Settings(dagster_database_url=SecretStr("postgresql://host/elsewhere"))
    assert "in a database of its own, GRID_DAGSTER_DATABASE_URL" in line(warehouse, "Dagster", away)


def test_dagsters_history_grows_by_its_runs(warehouse: SecretStr, rows: Rows) -> None:
    rows(
        "CREATE TABLE dagster.runs AS SELECT n AS id, "
        "(now() AT TIME ZONE 'UTC') - n * interval '30 min' AS create_timestamp, "
        "repeat('x', 1000) AS body FROM generate_series(1, 3000) AS n; "
    )
    rows("UPDATE ops.warehouse SET stamped_at = %s", NOW - timedelta(days=30))
    rows("ANALYZE")
    year = bytes_a_row(rows, "dagster.runs") * 336 * 365.25 / 7
    shown = line(warehouse, "Dagster")
    assert f"+{disk_usage.size(year)}; after 90 days" in shown
    forever = Settings(dagster_keep_days=0, forecast_keep_days=0)
    assert ";" not in "".join(report(warehouse, forever)[1:])


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (20_400_000, "20 MB"), (7.3e9, "7.3 GB")],
)
def test_bytes_are_rounded_for_people(count: float, text: str) -> None:
    assert disk_usage.size(count) == text

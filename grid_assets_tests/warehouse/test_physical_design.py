"""Which index a plan uses, on tables large enough for plans to differ, and `forecast.latest`.

`test_database` tests the results of the views, and `bench` measures how long they take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.series import FUELS
from grid_assets.warehouse.connection import Connection, connect
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse
connection = shared_warehouse.connection


def plan(connection: Connection, query: str) -> str:
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}".encode()))


@pytest.fixture(scope="module")
def grown(server: SecretStr, template: str) -> Iterator[SecretStr]:
    """Two years of half-hours in three tables, and 40 days of issues, one each half-hour.

    With the statistics that a live server would have. Filled once: tests only read from it.
    """
    telemetry = (
        "INSERT INTO core.{} (period_start) "
        "SELECT date_bin('30 minutes', now(), 'epoch') - n * interval '30 minutes' "
        "FROM generate_series(0, 35039) AS n"
    )
    issues = (
        "INSERT INTO forecast.archive (model, starts_at, issued_at, created_at, p50) "
        "SELECT 'chronos:some', at, at, at, array_fill(1::smallint, ARRAY[10, 96]) "
        "FROM generate_series(date_bin('30 minutes', now(), 'epoch') - interval '40 days', now(), "
        "interval '30 minutes') AS at"
    )
    with shared_warehouse.copied(server, template) as url:
        with connect(url) as connection:
            for table in ("intensity", "generation_mix", "generation_mw"):
                connection.execute(telemetry.format(table).encode())
            connection.execute(issues.encode())
            connection.execute(
                "ANALYZE core.intensity, core.generation_mix, core.generation_mw, "
                "forecast.archive, forecast.latest"
            )
        yield url


@pytest.fixture
def large(grown: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(grown.get_secret_value()) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM reporting.telemetry_24h",
        "SELECT * FROM reporting.telemetry_24h ORDER BY period_start DESC",
        "SELECT max(period_start) FROM reporting.telemetry_24h WHERE total_pct = 100",
        "SELECT * FROM reporting.telemetry WHERE period_start >= now() - interval '36 hours'",
        "SELECT * FROM reporting.telemetry WHERE period_start = '2026-01-01Z'",
    ],
)
def test_a_filter_on_time_reaches_the_index_of_both_tables(large: Connection, query: str) -> None:
    text = plan(large, query)
    assert "Seq Scan" not in text, text
    assert "intensity_pk" in text, text
    assert "generation_mix_pk" in text, text


def test_the_mix_of_24_hours_is_read_by_index(large: Connection) -> None:
    text = plan(large, "SELECT * FROM reporting.generation_mix_24h")
    assert "Seq Scan on generation_mix" not in text, text
    assert "generation_mix_pk" in text, text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM reporting.forecast_latest WHERE model = 'chronos:some' "
        "AND series = 'carbon_intensity' AND period_start >= now()",
        "SELECT * FROM reporting.actual_vs_predicted WHERE issued_at = now() - interval '1 day'",
        "SELECT * FROM reporting.actual_vs_predicted_24h WHERE model = 'chronos:some' "
        "AND series = 'carbon_intensity'",
        "SELECT * FROM reporting.actual_vs_predicted_24h",
    ],
)
def test_the_forecasts_of_a_dashboard_are_found_by_index(large: Connection, query: str) -> None:
    text = plan(large, query)
    assert "Seq Scan on archive" not in text, text
    assert "Seq Scan on latest" not in text, text
    assert re.search("archive_by_day|archive_by_issue|latest_pk", text), text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM forecast.predictions WHERE issued_at = now() - interval '4 days'",
        "SELECT * FROM forecast.predictions WHERE issued_at = now() - interval '4 days' "
        "AND model = 'chronos:some' AND series = 'gas'",
    ],
)
def test_a_filter_on_the_issue_reaches_the_index_of_the_archive(
    large: Connection, query: str
) -> None:
    text = plan(large, query)
    assert "archive_by_issue" in text, text


def test_the_forecasts_of_one_series_can_be_found_by_index(large: Connection) -> None:
    """A scan of 40 days of issues is cheaper, so that the planner may not choose it here."""
    large.execute("SET LOCAL enable_seqscan = off")
    text = plan(
        large,
        "SELECT * FROM reporting.actual_vs_predicted WHERE model = 'chronos:some' "
        "AND series = 'wind' AND period_start >= now() - interval '1 day'",
    )
    assert "Seq Scan on archive" not in text, text
    assert re.search("archive_by_day|archive_by_issue", text), text


def test_the_newest_forecasts_are_one_range_of_one_index(large: Connection) -> None:
    for query in (
        "SELECT * FROM reporting.forecast_latest WHERE model = 'chronos:some' "
        "AND series = 'carbon_intensity' AND period_start >= now()",
        "SELECT * FROM reporting.actual_vs_predicted_24h",
    ):
        text = plan(large, query)
        assert "latest_pk" in text, text
        assert "archive" not in text, text
        assert "Sort" not in text, text


def test_one_forecast_a_day_ahead_is_looked_up_for_each_half_hour(
    large: Connection,
) -> None:
    text = plan(
        large,
        "SELECT * FROM reporting.forecast_day_ahead WHERE model = 'chronos:some' "
        "AND series = 'carbon_intensity' AND period_start >= now()",
    )
    assert "latest_pk" in text, text
    assert "Index Only Scan Backward using archive_pk" in text, text


def test_a_filter_on_the_settlement_date_reaches_the_index_of_both_tables(
    large: Connection,
) -> None:
    text = plan(
        large, "SELECT * FROM reporting.telemetry WHERE settlement_date = current_date - 100"
    )
    assert "Seq Scan" not in text, text
    assert "intensity_by_settlement_date" in text, text
    assert "generation_mix_by_settlement_date" in text, text


def test_london_days_and_groups_are_found_by_index(large: Connection) -> None:
    for query in (
        "SELECT * FROM reporting.daily WHERE settlement_date >= current_date - 30",
        "SELECT * FROM reporting.monthly WHERE month >= current_date - 60",
        "SELECT * FROM reporting.daily_energy WHERE settlement_date = '2026-01-01'",
        "SELECT * FROM reporting.monthly_energy WHERE month = '2026-01-01'",
        "SELECT * FROM reporting.generation_mix WHERE settlement_date = current_date - 100",
        "SELECT * FROM reporting.generation_mw WHERE settlement_date = current_date - 100",
        "SELECT * FROM reporting.generation_groups WHERE settlement_date = current_date - 100",
        "SELECT * FROM reporting.generation_groups WHERE period_start = '2026-01-01Z'",
    ):
        text = plan(large, query)
        assert not re.search(r"Seq Scan on (intensity|generation_mix|generation_mw)", text), text


def test_accuracy_by_lead_is_read_from_one_index_alone(warehouse: SecretStr) -> None:
    with connect(warehouse) as connection:
        # VACUUM marks no page as visible to all whose rows were committed lazily
        connection.execute("SET synchronous_commit = on")
        connection.execute(
            "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, "
            "abs_error_sum, error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
            "SELECT model, series, current_date - day, bucket, 48, 1, 1, 1, 0, 0, false "
            "FROM unnest(ARRAY['chronos:some', 'seasonal_naive']) AS model, "
            "unnest(ARRAY['carbon_intensity', 'gas', 'wind']) AS series, "
            "unnest(ARRAY['0-3h', '3-6h', '6-12h', '12-24h', '24-48h']) AS bucket, "
            "generate_series(0, 365) AS day"
        )
        connection.execute("VACUUM (ANALYZE) forecast.accuracy")
        text = plan(
            connection,
            "SELECT model, lead_bucket, sum(mae * n) / sum(n), sum(coverage_80 * n) / sum(n) "
            "FROM reporting.forecast_accuracy WHERE series = 'gas' "
            "AND target_date >= current_date - 30 GROUP BY model, lead_bucket",
        )
    assert "Index Only Scan using accuracy_by_series" in text, text


@pytest.fixture
def many_publications(connection: Connection) -> Connection:
    """100 days of the outlook as it is published, with the statistics that a server would have."""
    connection.execute(
        "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, "
        "starts_at, value_mw) SELECT series, source, at, at, at, at, array_fill(1::real, steps) "
        "FROM (VALUES ('wind_mw', 'elexon_windfor', interval '3 hours', ARRAY[133]), "
        "('demand_mw', 'elexon_ndf', '30 minutes', ARRAY[70]), "
        "('demand_mw', 'neso_day_ahead_demand', '24 hours', ARRAY[48]), "
        "('embedded_wind_mw', 'neso_embedded', '1 hour', ARRAY[336]), "
        "('embedded_solar_mw', 'neso_embedded', '1 hour', ARRAY[336])"
        ") AS known (series, source, every, steps), "
        "generate_series('2026-01-01Z'::timestamptz, '2026-04-11Z', every) AS at"
    )
    connection.execute("ANALYZE core.outlook")
    return connection


def test_what_was_known_reads_ten_days_of_publications_and_few_of_their_values(
    many_publications: Connection,
) -> None:
    query = "SELECT * FROM core.outlook_as_known_at('2026-03-01 10:30Z')"
    text = "\n".join(
        line
        for (line,) in many_publications.execute(
            f"EXPLAIN (ANALYZE, TIMING off, COSTS off, SUMMARY off) {query}".encode()
        )
    )
    assert "Seq Scan" not in text, text
    assert "outlook_by_known_from" in text, text  # by an index or a bitmap scan
    [read] = re.findall(r"Function Scan on unnest cell \(actual rows=([\d.]+) loops=(\d+)\)", text)
    found = many_publications.execute(query).fetchall()
    # 192 half-hours before and up to 336 after it, of four series; of the 330,000 values that
    # those publications have, hardly more than these are unpacked
    assert 4 * 384 < len(found) < 4 * 720
    assert float(read[0]) * int(read[1]) < 1.5 * len(found)


# forecast.latest and the views that rest on it

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
INSERT = (
    "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50) "
    "SELECT %s, 'gas', %s, %s::timestamptz - make_interval(hours => lead), now(), lead "
    "FROM unnest(%s::integer[]) AS lead"
)


def forecast_at(connection: Connection, hours_before: list[int], model: str = "some") -> None:
    """Forecasts of `MIDNIGHT` issued hours before it; the value is the lead in hours."""
    connection.execute(INSERT, [model, MIDNIGHT, MIDNIGHT, hours_before])


def test_day_ahead_is_the_newest_issue_at_least_24_hours_before(connection: Connection) -> None:
    forecast_at(connection, [0, 23, 24, 25, 47])
    forecast_at(connection, [23], model="too_late")
    answer = connection.execute(
        "SELECT model, lead_minutes, p50, unit FROM reporting.forecast_day_ahead"
    ).fetchall()
    assert answer == [("some", 1440, Decimal(24), "%")]


def test_the_view_of_24_hours_says_what_the_view_of_all_says(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
        "SELECT at, CASE WHEN n % 7 > 0 THEN 100 + n END "
        "FROM generate_series(0, 60) AS n, LATERAL (SELECT date_bin('30 minutes', now(), 'epoch')"
        " - n * interval '30 minutes') AS half_hour (at)"
    )
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, coal_pct, gas_pct, wind_pct) "
        "SELECT period_start, extract(minute FROM period_start) / 10, "
        "CASE WHEN extract(hour FROM period_start) > 3 THEN 30 END, 20 FROM core.intensity "
        "WHERE extract(hour FROM period_start) <> 6"
    )
    connection.execute(
        "INSERT INTO forecast.predictions "
        "(model, series, period_start, issued_at, created_at, p10, p50, p90) "
        "SELECT model, series, issued_at + step * interval '30 minutes', issued_at, now(), "
        "10, 20 + step, 80 FROM unnest(ARRAY['chronos:some', 'seasonal_naive']) AS model, "
        "unnest(%s::text[]) AS series, "
        "generate_series(0, 55) AS step, "
        "generate_series(date_bin('30 minutes', now(), 'epoch') - interval '50 hours', now(), "
        "interval '90 minutes') AS issued_at",
        [["carbon_intensity", *FUELS]],
    )
    both = connection.execute(
        """
        WITH newest AS (
            SELECT DISTINCT ON (model, series, period_start) *
            FROM reporting.actual_vs_predicted
            WHERE period_start >= now() - interval '24 hours' AND period_start <= now()
            ORDER BY model, series, period_start, issued_at DESC
        )
        SELECT (SELECT count(*) FROM newest),
               (SELECT count(*) FROM reporting.actual_vs_predicted_24h),
               (SELECT count(*) FROM (SELECT * FROM newest INTERSECT
                                      SELECT * FROM reporting.actual_vs_predicted_24h) AS same)
        """
    ).fetchone()
    assert both is not None
    assert both[0] == both[1] == both[2] > 300

"""`grid status`: how it reports failures and the size of the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, day_start, days_window, floor
from grid_assets.health.report import ASSETS, LONGEST_MESSAGE, status
from grid_assets.health.run_summary import run_lines
from grid_assets.settings import Settings
from grid_assets.telemetry.checks import WARNING, judge
from grid_assets.telemetry.due import days_due
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.dashboard import made_up


def test_a_long_message_is_one_short_line_and_cannot_steer_the_terminal(
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    made_up.note_attempt(warehouse, "raw.intensity", now, error="one\n\x1b[31mtwo " + "x" * 5000)
    made_up.note_attempt(warehouse, "files.dashboard", now, error="three\nfour")
    seen = status(connection, "here", Settings(), now)
    [fault] = [fault for fault in seen.faults if fault.startswith("raw.intensity failed: ")]
    assert fault.startswith("raw.intensity failed: one [31mtwo xxx")
    assert len(fault) < LONGEST_MESSAGE + 50
    assert "    warning: three four" in seen.lines


def test_what_became_of_each_asset_is_in_one_column(
    warehouse: SecretStr, connection: Connection
) -> None:
    now = datetime.now(UTC)
    for asset in ASSETS:
        made_up.note_attempt(warehouse, asset, now)
    connection.execute("UPDATE ops.etl_runs SET run_id = 'one'")
    for lines in (status(connection, "here", Settings(), now).lines, run_lines(connection, "one")):
        of_assets = [line for line in lines if line.strip().startswith(ASSETS)]
        assert len(of_assets) == len(ASSETS)
        assert len({line.index(" success ") for line in of_assets}) == 1


def test_the_checks_that_warn_about_the_newest_run_are_named_in_one_line(
    warehouse: SecretStr, connection: Connection, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    now = datetime.now(UTC)

    def line() -> str:
        [line] = [
            line
            for line in status(connection, "here", Settings(), now).lines
            if line.startswith("warnings ")
        ]
        return line

    assert line() == "warnings      none"  # nothing has run
    rows(
        "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, abs_error_sum, "
        "error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
        "VALUES ('chronos:x', 'wind', %s, '0-3h', 500, 5000, 0, 5000, 500, 300, false)",
        now.date(),
    )
    made_up.note_attempt(warehouse, "forecast.accuracy", now)
    made_up.note_attempt(warehouse, "core.intensity", now, error="a failure is reported elsewhere")
    assert line() == ("warnings      forecast.accuracy coverage_80 (chronos:x wind: 60.0 % of 500)")


def test_a_day_of_null_actuals_is_missing_in_the_status_the_check_and_what_is_due(
    connection: Connection,
) -> None:
    now = datetime.now(UTC)
    day = now.date() - timedelta(days=3)
    connection.execute(
        "INSERT INTO core.intensity (period_start, forecast_gco2_kwh) "
        "SELECT %s::timestamptz + n * interval '30 minutes', 100 FROM generate_series(0, 47) AS n",
        [day_start(day)],
    )

    def missing() -> tuple[str, int, bool]:
        seen = status(connection, "here", Settings(history_start=day), now)
        [line] = [line for line in seen.lines if line.startswith("missing ")]
        window = days_window(day, day)
        complete = [check for check in WARNING["core.intensity"] if "complete" in check.name]
        [verdict] = judge(connection, complete, window, now)
        return line, verdict.total, day in days_due(connection, day, now)

    expected = (floor(now) - HALF_HOUR - day_start(day)) // HALF_HOUR
    assert missing() == (
        f"missing       {expected} of {expected} half-hours of intensity, {expected} of mix, "
        f"since {day}",
        1,
        True,
    )
    connection.execute("UPDATE core.intensity SET actual_reason = 'published 9999 g'")
    line, found, due = missing()
    assert (line.startswith(f"missing       {expected - 48} of "), found) == (True, 0)
    assert due  # for its mix


def test_where_there_is_nothing_the_checks_and_the_status_say_so(connection: Connection) -> None:
    now = datetime.now(UTC)
    recent = [check for name in WARNING for check in WARNING[name] if check.name == "is_recent"]
    verdicts = judge(connection, recent, days_window(now.date(), now.date()), now)
    assert [verdict.sentence for verdict in verdicts] == [
        "is_recent: 1 (- there is no actual)",
        "is_recent: 1 (- there is no mix)",
    ]
    seen = status(connection, "here", Settings(), now)
    assert {"newest actual none", "newest mix    none", "forecast      none"} <= set(seen.lines)
    assert any(fault.startswith("newest actual is missing.") for fault in seen.faults)


def test_the_size_of_each_part_adds_up_its_schemas_with_indexes_and_partitions(
    connection: Connection, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    rows(
        "CREATE TABLE raw.parted (at timestamptz PRIMARY KEY, n integer) PARTITION BY RANGE (at);"
        "CREATE TABLE raw.parted_1 PARTITION OF raw.parted FOR VALUES FROM ('2024-01-01') "
        "TO ('2025-01-01');"
        "INSERT INTO raw.parted SELECT at, 1 FROM "
        "generate_series('2024-02-01'::timestamptz, '2024-03-01', '1 min') AS at"
    )
    total = (
        "SELECT sum(pg_total_relation_size(oid))::bigint, "
        "pg_size_pretty(sum(pg_total_relation_size(oid))) FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = ANY(%s::regnamespace[])"
    )
    [(telemetry, shown)] = rows(total, ["raw", "core"])
    assert telemetry > 2_000_000
    [(_, forecasts)] = rows(total, ["forecast"])
    [(_, operations)] = rows(total, ["ops"])
    lines = status(connection, "here", Settings(), datetime.now(UTC)).lines
    [line] = [line for line in lines if line.startswith("database ")]
    assert line.endswith(
        f"(telemetry {shown}, forecasts {forecasts}, operations {operations})"
    )  # Dagster has no tables here
    [(whole,)] = rows("SELECT pg_size_pretty(pg_database_size(current_database()))")
    assert line.split("(")[0] == f"database      {whole} "

"""`grid status`: how it reports failures and the size of the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from grid_assets.health.report import LONGEST_MESSAGE, status
from grid_assets.settings import Settings
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

"""An earlier version's forecasts and vintages are moved whole, whatever interrupts that."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import floor
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.migrate import is_current, migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.running import wait_until
from grid_assets_tests.warehouse import old_database

NewDatabase = Callable[..., SecretStr]

LIVE = Stamp("live")
BLOCKED = "SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
GRID = str(Path(sys.executable).parent / "grid")
LAST_DAY = (
    "period_start > (SELECT at FROM kept.moment) - interval '22 hours' "
    "AND period_start < (SELECT at FROM kept.moment) - interval '1 hour'"
)
FORECAST = (
    "model, issued_at, created_at, series, period_start, p10, p50, p90, lead_minutes, unit, "
    "simulated"
)
COMPARED = (
    "model, series, unit, issued_at, period_start, lead_minutes, lead_bucket, actual, p10, p50, "
    "p90, error, abs_error, inside_80, simulated"
)
QUERIES = {
    "predictions": "SELECT model, series, period_start, issued_at, created_at, p10, p50, p90, "
    "simulated FROM forecast.predictions",
    "neso": "SELECT issued_at, period_start, forecast_gco2_kwh, simulated FROM raw.neso_forecast",
    # what a clock that was wrong has issued is not shown any more
    "latest": f"SELECT {FORECAST} FROM reporting.forecast_latest "  # noqa: S608
    "WHERE issued_at <= now() AND NOT (model = 'other' AND series = 'solar')",
    "day_ahead": f"SELECT {FORECAST} FROM reporting.forecast_day_ahead",  # noqa: S608
    "compared": f"SELECT {COMPARED} FROM reporting.actual_vs_predicted",  # noqa: S608
    "compared_24h": f"SELECT {COMPARED} FROM reporting.actual_vs_predicted_24h "  # noqa: S608
    f"WHERE {LAST_DAY}",
    "accuracy": "SELECT * FROM reporting.forecast_accuracy",
    "known": "SELECT known.* FROM kept.moment, "
    "reporting.forecast_as_known_at(at - interval '5 days') AS known",
    "greenest": "SELECT best.period_start, best.gco2_kwh FROM kept.moment, "
    "reporting.greenest_window('2 hours', at + interval '2 days', at - interval '2 days') AS best",
}
"""Each result has the same rows before, while and after the rows are moved."""


@pytest.fixture(scope="module")
def template(server: SecretStr) -> Iterator[str]:
    """A database of an earlier version, and its answers in the schema `kept`; to copy from."""
    name = f"grid_test_{secrets.token_hex(6)}"
    url = SecretStr(urlunsplit(urlsplit(server.get_secret_value())._replace(path=f"/{name}")))
    with connect(server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    old_database.migrate_before(url, "0010")
    old_database.fill(url, floor(datetime.now(UTC)))
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA kept")
        connection.execute("CREATE TABLE kept.moment AS SELECT now() AS at")
        for name_of, query in QUERIES.items():
            connection.execute(
                sql.SQL("CREATE TABLE {} AS {}").format(
                    sql.Identifier("kept", name_of), sql.SQL(query)
                )
            )
    yield name
    with connect(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def old(new_database: NewDatabase, template: str) -> SecretStr:
    return new_database(template)


def ask(url: SecretStr, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def differences(url: SecretStr) -> dict[str, tuple[int, int]]:
    """How many rows each result has lost and got, for those that changed; none may be empty."""
    found = {}
    for name, query in QUERIES.items():
        [(kept, lost, got)] = ask(
            url,
            f"SELECT (SELECT count(*) FROM kept.{name}), "  # noqa: S608
            f"(SELECT count(*) FROM (TABLE kept.{name} EXCEPT ALL {query}) AS lost), "
            f"(SELECT count(*) FROM ({query} EXCEPT ALL TABLE kept.{name}) AS got)",
        )
        assert kept > 0, name
        if lost or got:
            found[name] = (lost, got)
    return found


def moved_to(url: SecretStr) -> list[tuple[Any, ...]]:
    return ask(url, "SELECT moved_to::text FROM ops.moving WHERE relation LIKE 'forecast%'")


def test_an_upgrade_moves_everything_and_answers_as_before_and_refuses_old_writers(
    old: SecretStr,
) -> None:
    said: list[str] = []
    applied = migrate(old, LIVE, said.append).applied
    assert {"0012_archive", "0013_archive_only"} <= set(applied)
    assert any("Moving forecast.predictions to its new table: " in line for line in said)
    assert migrate(old, LIVE).applied == []
    with connect(old) as connection, pytest.raises(psycopg.errors.UndefinedColumn):
        connection.execute(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, "
            "created_at, p50, raw_p50) VALUES ('m', 'gas', now(), now(), now(), 1, 1) "
            "ON CONFLICT (model, series, period_start, issued_at) DO UPDATE SET p50 = 1"
        )
    assert differences(old) == {}

    assert ask(old, "SELECT to_regclass('forecast.unmoved_predictions')") == [(None,)]
    # what the moved forecasts were worth; of the thinned days only chosen leads are left
    [(days,)] = ask(old, "SELECT count(DISTINCT target_date) FROM reporting.forecast_value")
    assert days > old_database.DAYS - 5
    # recalibration reads the first issue of every three hours, and only that keeps raw quantiles
    first = "SELECT min(issued_at) FROM forecast.archive WHERE model = 'chronos:old' "
    first += "GROUP BY date_bin('3 hours', issued_at, '2000-01-01Z')"
    raw = "SELECT issued_at FROM forecast.archive WHERE raw_p10 IS NOT NULL"
    assert sorted(ask(old, raw)) == sorted(ask(old, first))
    assert ask(old, "SELECT issues, margins[1][3], margins[10][96] FROM forecast.calibration") == [
        (32, 2 + len("carbon_intensity"), 95 + len("wind"))
    ]
    assert ask(old, "SELECT count(*) FROM forecast.thinning") == [(1,)]


def start_migration(url: SecretStr, tmp_path: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_HOME": str(tmp_path),
    }
    return subprocess.Popen([GRID, "migrate"], env=environment, start_new_session=True)


def test_a_migration_that_is_killed_goes_on_where_it_was(old: SecretStr, tmp_path: Path) -> None:
    process = start_migration(old, tmp_path)
    gate = psycopg.connect(old.get_secret_value())
    first_days = (
        "SELECT FROM ops.moving WHERE relation = 'forecast.predictions' "
        "AND moved_to > '-infinity' FOR UPDATE"
    )

    def holds_the_mark() -> bool:
        try:
            if gate.execute(first_days).fetchone() is not None:
                return True
        except psycopg.errors.UndefinedTable:
            pass
        gate.rollback()
        return False

    wait_until(holds_the_mark, 60, "the first days are moved")
    wait_until(lambda: ask(old, BLOCKED) != [], 60, "the next day waits for its mark")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with gate:
        gate.rollback()
    wait_until(lambda: ask(old, BLOCKED) == [], 60, "the killed session is over")

    [(mark,)] = moved_to(old)
    assert differences(old) == {}  # also halfway
    with connect(old) as connection:
        assert not is_current(connection)
    # what another program writes meanwhile is not lost, and a row that waits is known
    with connect(old) as connection:
        connection.execute(
            "INSERT INTO forecast.predictions SELECT 'new', 'wind', at, at, at, 1, 2, 3 "
            "FROM date_bin('30 minutes', now(), 'epoch') AS at"
        )
        with pytest.raises(psycopg.errors.UniqueViolation, match="predictions_pk"):
            connection.execute(
                "INSERT INTO forecast.predictions SELECT model, series, period_start, issued_at, "
                "created_at, p10, p50, p90 FROM forecast.unmoved_predictions "
                "WHERE issued_at > now() - interval '1 day' LIMIT 1"
            )
    said: list[str] = []
    assert migrate(old, LIVE, said.append).applied == ["0013_archive_only"]
    assert any(mark[:10] in line for line in said)
    with connect(old) as connection:
        assert is_current(connection)
        assert connection.execute("DELETE FROM forecast.archive WHERE model = 'new'").rowcount == 1
    assert differences(old) == {}


def test_what_a_writer_commits_during_an_upgrade_is_moved_too(old: SecretStr) -> None:
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(old.get_secret_value()) as writer:
            writer.execute(
                "INSERT INTO forecast.predictions (model, series, period_start, issued_at, "
                "created_at, p50) VALUES ('late', 'gas', '2026-01-01Z', '2026-01-01Z', now(), 1)"
            )
            writer.execute("INSERT INTO raw.neso_forecast VALUES ('2026-01-01Z', '2026-01-01Z', 1)")
            upgrade = pool.submit(migrate, old, LIVE)
            wait_until(lambda: ask(old, BLOCKED) != [], 60, "the upgrade waits")
        assert "0012_archive" in upgrade.result().applied
    late = "model = 'late'"
    assert ask(old, f"SELECT model FROM forecast.latest WHERE {late}") == [("late",)]  # noqa: S608
    assert ask(old, f"SELECT p50::text FROM forecast.predictions WHERE {late}") == [("1.0",)]  # noqa: S608
    counted = "SELECT count(*) FROM raw.neso_forecast WHERE issued_at = '2026-01-01Z'"
    assert ask(old, counted) == [(1,)]


def test_an_object_of_somebody_else_that_reads_the_old_table_is_named(old: SecretStr) -> None:
    with connect(old) as connection:
        connection.execute("CREATE VIEW kept.mine AS SELECT count(*) FROM forecast.predictions")
    with pytest.raises(WarehouseError, match=r"an object of yours .* view kept.mine depends on"):
        migrate(old, LIVE)
    assert differences(old) == {}
    with connect(old) as connection:
        connection.execute("DROP VIEW kept.mine")
    assert migrate(old, LIVE).applied == ["0013_archive_only"]
    assert differences(old) == {}

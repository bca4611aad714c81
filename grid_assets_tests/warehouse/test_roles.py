"""The three roles: what each may do, and what PostgreSQL refuses.

Each test logs in as the role. The order of a migration is tested in `test_migrate.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import dagster as dg
import psycopg
import pytest
from psycopg import errors
from pydantic import SecretStr

from grid_assets.alarms.looking import Due, look, send_due
from grid_assets.alerts.delivering import deliver
from grid_assets.alerts.judging import judge_alerts
from grid_assets.cli.runs import run_housekeeping_if_due
from grid_assets.forecasting import scoring
from grid_assets.halfhours import days_window
from grid_assets.regional.load import load_regional_forecast
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import WarehouseError, connect, write_transaction
from grid_assets.warehouse.migrate import ensure_database, is_current, migrate
from grid_assets.warehouse.stamp import Stamp, read_stamp
from grid_assets_tests.archive import forget
from grid_assets_tests.forecasting import issues
from grid_assets_tests.regional.conftest import row as regional_row
from grid_assets_tests.running import free_port, grid_in_a_new_folder

NewDatabase = Callable[..., SecretStr]
As = Callable[[str], SecretStr]
Rows = Callable[..., list[tuple[Any, ...]]]

LAYERS = ("raw", "core", "forecast", "ops")
TABLES = (
    "raw.intensity",
    "raw.generation",
    "raw.neso_vintages",
    "raw.incoming_neso_forecast",
    "raw.regional",
    "raw.regional_vintages",
    "core.intensity",
    "core.generation_mix",
    "core.regions",
    "core.outward_codes",
    "core.regional_days",
    "core.regional_intensity",
    "core.regional_mix",
    "forecast.models",
    "forecast.issues",
    "forecast.archive",
    "forecast.latest",
    "forecast.incoming",
    "forecast.thinning",
    "forecast.calibration",
    "forecast.accuracy",
    "ops.warehouse",
    "ops.etl_runs",
    "ops.quarantine",
    "ops.clocks",
    "ops.alerts",
    "ops.alert_judgements",
    "ops.alert_deliveries",
    "ops.alarms",
    "ops.alarm_messages",
    "ops.heartbeat",
    "ops.locks",
    "ops.reporting_objects",
    "ops._yoyo_migration",
    "ops.yoyo_lock",
)
LIVE = Stamp("live")
PASSWORD = secrets.token_urlsafe(16)


def with_user(url: SecretStr, user: str) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    netloc = f"{user}:{PASSWORD}@{parts.hostname}:{parts.port}"
    return SecretStr(urlunsplit(parts._replace(netloc=netloc)))


def run(url: SecretStr, *commands: str) -> None:
    with connect(url) as connection:
        for command in commands:
            connection.execute(command.encode())


def ask(url: SecretStr, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def on_each_table(command: str) -> list[str]:
    return [command.format(table) for table in TABLES]


def refuses(url: SecretStr, *commands: str) -> None:
    """Each command ends with 42501, in a connection that is good before and after."""
    with connect(url) as connection:
        for command in commands:
            with pytest.raises(errors.InsufficientPrivilege) as refused:
                connection.execute(command.encode())
            assert refused.value.sqlstate == "42501", command


@pytest.fixture(scope="module")
def passwords(server: SecretStr, template: str) -> Iterator[None]:
    """Gives the roles passwords to log in with, and removes them after the last test."""
    assert template  # made by now, and the roles with it
    roles = ("grid_owner", "grid_writer", "grid_reader")
    run(server, *(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'" for role in roles))
    yield
    run(server, *(f"ALTER ROLE {role} PASSWORD NULL" for role in roles))


@pytest.fixture
def as_role(warehouse: SecretStr, passwords: None) -> As:
    """The URL of the test's warehouse for a login as the role itself."""
    return lambda role: with_user(warehouse, role)


# The reader.


def test_the_reader_reads_every_view_and_nothing_below_them(as_role: As) -> None:
    reader = as_role("grid_reader")
    views = ask(
        reader,
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'v' "
        "AND relnamespace = 'reporting'::regnamespace",
    )
    assert len(views) >= 9
    for (view,) in views:
        ask(reader, f"SELECT * FROM {view}")  # noqa: S608
    refuses(reader, *on_each_table("TABLE {}"))


CALLS = {
    "forecast_as_known_at": "now()",
    "intensity_as_known_at": "now()",
    "outlook_as_known_at": "now()",
    "greenest_window": "'1 hour', now() + interval '1 day'",
    "greenest_region": "'1 hour', now() + interval '1 day'",
    "carbon_of_use": "now(), ARRAY[1]",
    "region_of_postcode": "'RG10'",
}
"""Arguments for every function of `reporting`."""


def test_the_reader_calls_every_function_of_reporting_and_none_below(
    as_role: As, warehouse: SecretStr
) -> None:
    issues.fill(warehouse, issues.T - 9 * issues.DAY, issues.T + issues.DAY)
    issues.issue(warehouse, issues.T)
    reader = as_role("grid_reader")
    functions = ask(
        reader, "SELECT proname FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace"
    )
    assert {name for (name,) in functions} == set(CALLS)
    for name, arguments in CALLS.items():
        ask(reader, f"SELECT * FROM reporting.{name}({arguments})")  # noqa: S608
    # a view calls functions with the rights of its reader; a closed schema keeps others out
    assert len(ask(reader, "SELECT DISTINCT lead_bucket FROM reporting.actual_vs_predicted")) == 4
    below = ask(
        reader,
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p "
        "JOIN pg_namespace AS n ON n.oid = pronamespace "
        "WHERE nspname = ANY(%s) AND has_function_privilege(p.oid, 'EXECUTE')",
        list(LAYERS),
    )
    assert sorted(below) == [
        ("forecast.lead_bucket(interval)",),
        ("forecast.regional_ahead(smallint,text)",),
    ]
    refuses(
        reader,
        "SELECT forecast.lead_bucket(interval '1 hour')",
        "SELECT * FROM forecast.regional_ahead(13::smallint, 'wind')",
        "SELECT * FROM forecast.streams()",
    )


def test_the_reader_writes_nothing(as_role: As, warehouse: SecretStr) -> None:
    reader = as_role("grid_reader")
    with pytest.raises(errors.ReadOnlySqlTransaction):
        run(reader, "CREATE TABLE mine (a integer)")
    # read-only is a default that a session may change; rights it may not
    write_transaction = "SET default_transaction_read_only = off"
    for command in (
        *on_each_table("INSERT INTO {} DEFAULT VALUES"),
        *on_each_table("DELETE FROM {}"),
        "UPDATE reporting.etl_runs SET status = 'success'",
        "CREATE VIEW reporting.mine AS SELECT 1",
        "CREATE SCHEMA mine",
        "DROP VIEW reporting.telemetry",
        "CREATE TABLE dagster.mine ()",
        "SELECT forecast.refresh_statistics()",
        "SET ROLE grid_writer",
        "SET ROLE grid_owner",
    ):
        with connect(reader) as connection:
            connection.execute(write_transaction.encode())
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(command.encode())


def test_the_reader_has_defaults_that_it_can_change_and_a_number_of_connections_that_it_cannot(
    as_role: As, server: SecretStr
) -> None:
    reader = as_role("grid_reader")
    assert ask(
        reader,
        "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only'), "
        "current_setting('idle_in_transaction_session_timeout')",
    ) == [("1min", "on", "1min")]
    assert ask(server, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'grid_reader'") == [(32,)]
    with connect(reader) as connection:
        connection.execute("SET statement_timeout = 0")
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    # a setting of this database alone, which is how an operator would choose another one
    name = urlsplit(reader.get_secret_value()).path[1:]
    run(server, f"ALTER ROLE grid_reader IN DATABASE {name} SET statement_timeout = '100ms'")
    with pytest.raises(errors.QueryCanceled) as cancelled:
        ask(reader, "SELECT pg_sleep(10)")
    assert cancelled.value.sqlstate == "57014"
    with ExitStack() as held:
        for _ in range(32):
            held.enter_context(psycopg.connect(reader.get_secret_value()))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(reader.get_secret_value())


# The writer.


def test_the_writer_makes_removes_and_alters_no_relation(as_role: As) -> None:
    writer = as_role("grid_writer")
    refuses(
        writer,
        "CREATE SCHEMA mine",
        *(f"CREATE TABLE {layer}.mine (a integer)" for layer in (*LAYERS, "reporting")),
        "CREATE VIEW reporting.mine AS SELECT 1",
        "CREATE FUNCTION forecast.mine() RETURNS integer LANGUAGE sql RETURN 1",
        *on_each_table("DROP TABLE {}"),
        *on_each_table("ALTER TABLE {} ADD COLUMN mine integer"),
        "DROP VIEW reporting.telemetry",
        "DROP SCHEMA raw CASCADE",
        "DROP FUNCTION forecast.refresh_statistics",
        "SET ROLE grid_owner",
        "GRANT grid_owner TO grid_writer",
        "CREATE ROLE mine",
    )


def test_the_writer_deletes_and_truncates_nothing_at_all(as_role: As) -> None:
    writer = as_role("grid_writer")
    refuses(writer, *on_each_table("DELETE FROM {}"))
    refuses(writer, *on_each_table("TRUNCATE {}"))
    # and so for every relation that there is, listed above or not
    assert (
        ask(
            writer,
            "SELECT c.oid::regclass FROM pg_class AS c WHERE relkind IN ('r', 'p', 'v', 'm') "
            "AND relnamespace::regnamespace::text = ANY(%s) "
            "AND has_table_privilege(c.oid, 'DELETE, TRUNCATE')",
            [*LAYERS, "reporting"],
        )
        == []
    )


def test_what_the_source_said_the_writer_can_add_to_and_not_change(as_role: As) -> None:
    writer = as_role("grid_writer")
    add = "INSERT INTO raw.intensity (period_start, captured_at) VALUES ('2026-01-01Z', now())"
    run(writer, add)
    refuses(
        writer,
        "UPDATE raw.intensity SET actual_gco2_kwh = 1",
        "UPDATE raw.generation SET wind_pct = 1",
        "UPDATE raw.neso_vintages SET forecast_gco2_kwh = '{1}'",
        "UPDATE raw.incoming_neso_forecast SET forecast_gco2_kwh = 1",
        "UPDATE raw.regional SET forecast_gco2_kwh = 1",
        "UPDATE raw.regional_vintages SET forecast_tenths[1][1] = 1",
        "UPDATE ops.warehouse SET kind = 'live'",
        "INSERT INTO ops.warehouse (kind) VALUES ('live')",
        "DELETE FROM ops._yoyo_migration",
        "INSERT INTO ops._yoyo_migration (migration_id) VALUES ('9999')",
    )


def test_what_the_triggers_maintain_the_writer_cannot_write_itself(as_role: As) -> None:
    writer = as_role("grid_writer")
    refuses(
        writer,
        "INSERT INTO forecast.latest (model, series, period_start, issued_at, created_at, p50) "
        "VALUES ('m', 'gas', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z', 1)",
        "UPDATE forecast.latest SET p50 = 1",
        "INSERT INTO forecast.thinning (thinned_to) VALUES ('2030-01-01')",
        "UPDATE forecast.thinning SET thinned_to = '2020-01-01'",
        "INSERT INTO forecast.incoming (model) VALUES ('m')",
        "INSERT INTO raw.incoming_neso_forecast VALUES ('2026-01-01Z', '2026-01-01Z', 1, false)",
        "INSERT INTO core.regional_days VALUES ('2026-01-01', 'regional_mix', 864)",
        "UPDATE core.regional_days SET half_hours = 864",
    )
    run(
        writer,
        "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
        "p50) VALUES ('m', 'gas', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z', 1)",
        "INSERT INTO raw.neso_forecast VALUES ('2026-01-01Z', '2026-01-01Z', 1)",
        "INSERT INTO core.regional_intensity (region_id, period_start) VALUES (13, '2026-01-01Z')",
    )
    assert ask(writer, "SELECT p50::integer FROM forecast.latest") == [(1,)]
    assert ask(writer, "SELECT half_hours FROM core.regional_days") == [(1,)]


def test_the_writer_changes_no_key_and_nothing_that_says_who_did_what(as_role: As) -> None:
    """A changed key would take another row's place, or hide a row from the rules of its age."""
    writer = as_role("grid_writer")
    changeable = ask(
        writer,
        "SELECT c.oid::regclass::text, attname, EXISTS ("
        "  SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary AND attnum = ANY (indkey)) "
        "FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid "
        "WHERE relkind IN ('r', 'p', 'v') AND relnamespace::regnamespace::text = ANY(%s) "
        "AND attnum > 0 AND NOT attisdropped AND has_column_privilege(c.oid, attnum, 'UPDATE')",
        [*LAYERS, "reporting"],
    )
    assert [(table, column) for table, column, is_key in changeable if is_key] == []
    assert {table for table, _, _ in changeable} >= {"core.intensity", "forecast.accuracy"}
    assert {column for table, column, _ in changeable if table == "ops.etl_runs"} == {
        *("finished_at", "execution_time_ms", "heartbeat_at", "status"),
        *("rows_fetched", "rows_written", "rows_quarantined"),
        *("error_type", "error_message", "stack_trace"),
    }
    refuses(
        writer,
        "UPDATE core.intensity SET period_start = period_start - interval '30 min'",
        "UPDATE forecast.archive SET issued_at = issued_at - interval '1 year'",
        "UPDATE ops.etl_runs SET started_at = '2020-01-01'",
        "UPDATE ops.etl_runs SET trigger = 'manual'",
        "UPDATE ops.quarantine SET payload = ''",
        "UPDATE ops.locks SET name = 'mine'",
        "UPDATE ops.reporting_objects SET name = 'mine'",
    )


def test_an_upgrade_takes_the_writers_right_to_keys_back(as_role: As, warehouse: SecretStr) -> None:
    run(
        warehouse,
        "GRANT UPDATE ON core.intensity, ops.etl_runs TO grid_writer",
        "CREATE TABLE forecast.later (id integer PRIMARY KEY, value integer)",
        "ALTER TABLE forecast.later OWNER TO grid_owner",
        "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'",
    )
    migrate(warehouse, stamp_of(warehouse))
    writer = as_role("grid_writer")
    refuses(
        writer,
        "UPDATE core.intensity SET period_start = now()",
        "UPDATE ops.etl_runs SET pid = 1",
        "UPDATE forecast.later SET id = 2",
        "DELETE FROM forecast.later",
    )
    run(
        writer,
        "INSERT INTO forecast.later VALUES (1, 1)",
        "INSERT INTO forecast.later VALUES (1, 2) "
        "ON CONFLICT (id) DO UPDATE SET value = excluded.value",
    )
    assert ask(writer, "SELECT value FROM forecast.later") == [(2,)]


def test_the_writer_runs_whole_cycles_and_looks_at_them(
    as_role: As, warehouse: SecretStr, replay: ReplayServer
) -> None:
    """A past day, records that are accepted later, a cycle with a back-test, and the status."""
    today = datetime.now(UTC).date()
    first, yesterday = str(today - timedelta(days=9)), str(today - timedelta(days=1))
    replay.control.fault({"name": "string_value", "times": 1, "path": "/intensity"})
    replay.control.fault({"name": "string_value", "times": 1, "path": "/regional", "region": 13})
    with grid_in_a_new_folder(is_forked=True) as grid:
        grid.environment |= {
            "GRID_REGIONS": "true",
            "GRID_DATABASE_URL": as_role("grid_writer").get_secret_value(),
            "GRID_API_URL": replay.url,
            "GRID_API_RETRY_BUDGET_S": "0",
            "GRID_HISTORY_START": first,
            "GRID_BACKTEST_DAYS": "1",
            "GRID_BACKTEST_STRIDE_HOURS": "24",
        }
        grid.run("backfill", "--from", yesterday, "--to", yesterday)
        # as if the code had been mended, for which a number in quotes is no number
        run(
            warehouse,
            "UPDATE ops.quarantine SET payload = "
            """regexp_replace(payload, '"([0-9]+)"', '\\1', 'g')""",
        )
        assert "2 accepted, 0 still rejected" in grid.run("quarantine", "replay").out
        grid.run("tick")  # and yesterday is back-tested
        grid.run("status")  # healthy
    assert ask(warehouse, "SELECT DISTINCT status FROM ops.etl_runs") == [("success",)]
    for table in (
        *("forecast.predictions", "forecast.accuracy", "dagster.runs"),
        *("raw.regional_forecast", "core.regional_intensity", "core.regional_mix"),
    ):
        assert ask(warehouse, f"SELECT count(*) > 0 FROM {table}") == [(True,)], table  # noqa: S608
    assert ask(
        warehouse, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'dagster'"
    ) == [("grid_writer",)]


def test_the_writer_judges_and_delivers_alerts_and_changes_none(
    as_role: As, warehouse: SecretStr
) -> None:
    add = "INSERT INTO ops.alerts (name, kind, silent_minutes) VALUES ('{}', 'no_telemetry', 60)"
    run(
        warehouse,
        add.format("mine"),
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES ('2026-01-01Z', 1)",
    )
    writer, now = as_role("grid_writer"), datetime.now(UTC)
    with connect(writer) as connection:
        for at in (now, now + timedelta(minutes=30)):
            assert judge_alerts(connection, LIVE, at).alerts == 1
        assert [fault.kind for fault in deliver(connection, []).faults] == ["NoUrls"]
    assert ask(warehouse, "SELECT status, attempts FROM ops.alert_deliveries") == [("pending", 1)]
    refuses(
        writer,
        add.format("its own"),
        "UPDATE ops.alerts SET is_on = false",
        "DELETE FROM ops.alerts",
        "DELETE FROM ops.alert_deliveries",
        "UPDATE ops.alert_deliveries SET alert_id = 2",
        "UPDATE ops.alert_judgements SET outcome = 'met'",
    )


def test_the_writer_notes_alarms_and_pings_and_rewrites_no_message(
    as_role: As, warehouse: SecretStr
) -> None:
    stamp = "UPDATE ops.warehouse SET kind = 'live', shift_weeks = NULL, stamped_at = {}"
    run(warehouse, stamp.format("now() - interval '1 day'"))
    writer, nobody = as_role("grid_writer"), f"127.0.0.1:{free_port()}"
    settings = Settings(
        alarm_urls=SecretStr(f"json://{nobody}"), heartbeat_url=SecretStr(f"http://{nobody}/x")
    )
    with connect(writer) as connection:
        assert look(connection, settings).messages
        sent = send_due(writer, settings, Due(messages=True, cycle_at=datetime.now(UTC)))
        assert [fault.kind for fault in sent] == ["Unreachable", "Unreachable"]
    assert ask(warehouse, "SELECT status, attempts FROM ops.alarm_messages") == [("pending", 1)]
    assert ask(warehouse, "SELECT is_healthy, error_type FROM ops.heartbeat") == [
        (True, "Unreachable")
    ]
    run(warehouse, stamp.format("now()"))
    with connect(writer) as connection:
        look(connection, settings)
    assert ask(warehouse, "SELECT DISTINCT ended_at IS NULL FROM ops.alarms") == [(False,)]
    refuses(
        writer,
        "UPDATE ops.alarms SET key = 'x'",
        "UPDATE ops.alarm_messages SET body = 'x'",
        "DELETE FROM ops.heartbeat",
    )


def test_the_writer_completes_a_forecast_of_the_regions_and_changes_nothing_in_it(
    as_role: As, warehouse: SecretStr
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with connect(as_role("grid_writer")) as connection, connection.transaction():
        load_regional_forecast(connection, [regional_row(at, 1), regional_row(at, 18)], at, False)
        call = "SELECT raw.complete_regional_vintage(%s, %s::smallint, %s, %s::smallint[])"
        done = [
            connection.execute(call, [at, region, at, [990] + [None] * 9]).fetchall()
            for region in (13, 18, 19)
        ]
    assert done == [[(True,)], [(False,)], [(False,)]]
    shown = "SELECT region_id, forecast_gco2_kwh FROM raw.regional_forecast ORDER BY 1"
    assert ask(warehouse, shown) == [(1, 100), (13, 99), (18, 100)]


def test_the_writer_back_tests_over_what_it_stored_and_recalibrates(
    as_role: As, warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, issues.T - 12 * issues.DAY, issues.T)
    writer = as_role("grid_writer")
    times = [issues.T - n * 3 * issues.HOUR for n in range(30, -1, -1)]
    kept = "SELECT count(*), sum(margin) FROM forecast.calibration, unnest(margins) AS margin"
    before: list[Any] = []
    for factor in (1, 2):
        stub = issues.Stub(factor=factor)
        done = issues.issue(writer, *times, model=stub, backtest=True)
        # the first time seasonal naive too, of which nothing changes the second time
        assert done.rows_written == len(times) * 960 * (2 if factor == 1 else 1)
        [(count, total)] = rows(kept)
        assert count > 0
        assert total not in before
        before.append(total)


def test_the_writer_can_drop_a_score_only_where_nothing_is_left_that_it_scores(
    as_role: As, warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, issues.T - 9 * issues.DAY, issues.T + issues.DAY)
    issues.issue(warehouse, issues.T)
    window = days_window(issues.T.date(), issues.T.date())
    writer = as_role("grid_writer")
    with connect(writer) as connection, write_transaction(connection, "forecast.accuracy"):
        scored = scoring.score(connection, window, None)
    assert scored.written > 0
    drop_all = (
        "SELECT sum(forecast.drop_score_without_forecast(model, series, target_date, lead_bucket)) "
        "FROM forecast.accuracy"
    )
    assert ask(writer, drop_all) == [(0,)]
    forget(warehouse, "series = 'gas'")
    gas = rows("SELECT count(*) FROM forecast.accuracy WHERE series = 'gas'")
    assert gas != [(0,)]
    assert ask(writer, drop_all) == gas
    assert rows("SELECT count(*) FROM forecast.accuracy") == [(scored.written - gas[0][0],)]


def test_the_writer_cleans_up(
    as_role: As, warehouse: SecretStr, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = as_role("grid_writer").get_secret_value()
    run(warehouse, "UPDATE ops.warehouse SET stamped_at = now() - interval '700 days'")
    monkeypatch.setenv("GRID_DATABASE_URL", writer)
    storage = {"postgres": {"postgres_url": f"{writer}?options=-csearch_path%3Ddagster"}}
    with dg.instance_for_test(overrides={"storage": storage}) as instance:
        assert run_housekeeping_if_due(instance, SecretStr(writer)) is not None
        rows("UPDATE ops.etl_runs SET started_at = started_at - interval '1 day'")
        rows("UPDATE dagster.runs SET create_timestamp = create_timestamp - interval '1 year'")
        assert run_housekeeping_if_due(instance, SecretStr(writer)) is not None
    assert rows(
        "SELECT asset, status, rows_written::integer FROM ops.etl_runs "
        "WHERE rows_written > 0 OR status <> 'success' ORDER BY asset"
    ) == [("dagster.runs", "success", 1)]


def test_the_writer_learns_who_has_to_migrate(as_role: As, warehouse: SecretStr) -> None:
    stamp = stamp_of(warehouse)
    run(warehouse, "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    with pytest.raises(WarehouseError, match=r"may not set up .* as grid_writer") as refused:
        migrate(as_role("grid_writer"), stamp)
    assert "grid_writer is not a member" in str(refused.value)


def test_a_writer_whose_dagster_schema_was_dropped_learns_who_creates_it(
    as_role: As, warehouse: SecretStr, replay: ReplayServer
) -> None:
    run(warehouse, "DROP SCHEMA dagster CASCADE")
    with grid_in_a_new_folder(is_forked=True) as grid:
        grid.environment |= {
            "GRID_DATABASE_URL": as_role("grid_writer").get_secret_value(),
            "GRID_API_URL": replay.url,
        }
        said = grid.run("tick", code=1).text
    assert "may not create the schema dagster. Run `grid migrate`" in said
    migrate(warehouse, stamp_of(warehouse))
    assert ask(
        warehouse,
        "SELECT 'grid_writer'::regrole = nspowner FROM pg_namespace WHERE nspname = 'dagster'",
    ) == [(True,)]


# The owner.


def stamp_of(url: SecretStr) -> Stamp:
    with connect(url) as connection:
        stamp = read_stamp(connection)
    assert stamp is not None
    return stamp


def owners(url: SecretStr) -> set[str]:
    """Who owns the schemas of the warehouse, and all that is in them."""
    return {
        owner
        for (owner,) in ask(
            url,
            "WITH ours AS (SELECT * FROM pg_namespace WHERE nspname = ANY(%s)) "
            "SELECT pg_get_userbyid(nspowner) FROM ours "
            "UNION SELECT pg_get_userbyid(relowner) FROM pg_class "
            "WHERE relnamespace IN (SELECT oid FROM ours) "
            "UNION SELECT pg_get_userbyid(proowner) FROM pg_proc "
            "WHERE pronamespace IN (SELECT oid FROM ours)",
            [*LAYERS, "reporting"],
        )
    }


def test_everything_belongs_to_the_owner_no_matter_who_migrated(warehouse: SecretStr) -> None:
    assert owners(warehouse) == {"grid_owner"}


def test_the_owner_migrates_from_nothing_and_again(
    new_database: NewDatabase, passwords: None
) -> None:
    url = new_database()
    owner, name = with_user(url, "grid_owner"), urlsplit(url.get_secret_value()).path[1:]
    with pytest.raises(WarehouseError, match="may not set up"):
        migrate(owner, LIVE)
    run(url, f"GRANT CREATE ON DATABASE {name} TO grid_owner")
    assert migrate(owner, LIVE).views_renewed
    assert migrate(owner, LIVE).applied == []
    run(url, "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    assert migrate(owner, LIVE).views_renewed
    assert owners(url) == {"grid_owner"}
    with connect(with_user(url, "grid_writer")) as connection:
        assert is_current(connection)
    run(with_user(url, "grid_writer"), "CREATE TABLE dagster.runs (id integer)")
    assert migrate(owner, LIVE).applied == []


def test_a_warehouse_of_an_older_version_is_handed_over_whole(
    warehouse: SecretStr, as_role: As, server: SecretStr
) -> None:
    admin = ask(server, "SELECT current_user")[0][0]
    run(
        warehouse,
        f"REASSIGN OWNED BY grid_owner TO {admin}",
        "DROP SCHEMA dagster CASCADE",
        "CREATE SCHEMA dagster",
        "CREATE TABLE dagster.runs (id serial)",
        "REVOKE ALL ON ALL TABLES IN SCHEMA raw, core, forecast, ops FROM grid_writer",
        "GRANT EXECUTE ON FUNCTION core.plausible_gco2_kwh TO PUBLIC",
    )
    assert owners(warehouse) == {admin}
    migrate(warehouse, stamp_of(warehouse))
    assert owners(warehouse) == {"grid_owner"}
    run(
        as_role("grid_writer"), "INSERT INTO dagster.runs DEFAULT VALUES", "DROP TABLE dagster.runs"
    )
    assert ask(
        warehouse,
        "SELECT has_function_privilege('public', 'core.plausible_gco2_kwh(numeric)', 'EXECUTE')",
    ) == [(False,)]


def test_what_an_analyst_keeps_in_reporting_stays_theirs(
    warehouse: SecretStr, server: SecretStr, as_role: As
) -> None:
    analyst = f"grid_test_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {analyst} LOGIN PASSWORD '{PASSWORD}'")
    try:
        run(
            warehouse,
            f"CREATE SCHEMA mine AUTHORIZATION {analyst}",
            f"GRANT USAGE, CREATE ON SCHEMA reporting TO {analyst}",
        )
        theirs = with_user(warehouse, analyst)
        run(
            theirs,
            "CREATE TABLE mine.kept AS SELECT 7 AS number",
            "CREATE VIEW reporting.kept AS TABLE mine.kept",
            "CREATE FUNCTION reporting.whoever() RETURNS name SECURITY DEFINER "
            "LANGUAGE sql RETURN current_user",
        )
        migrate(warehouse, stamp_of(warehouse))
        migrate(as_role("grid_owner"), stamp_of(warehouse))
        assert ask(theirs, "TABLE reporting.kept") == [(7,)]
        assert ask(theirs, "SELECT reporting.whoever()") == [(analyst,)]
    finally:
        run(warehouse, f"DROP OWNED BY {analyst}")
        run(server, f"DROP ROLE {analyst}")


# A server of its own, because roles belong to the whole server.


@pytest.fixture
def bare(open_folder: Path) -> Iterator[SecretStr]:
    """The superuser's URL on a server without any of our roles."""
    embedded = EmbeddedPostgres(open_folder / "postgres")
    try:
        yield SecretStr(embedded.start())
    finally:
        embedded.stop()


def test_two_databases_of_a_server_are_migrated_at_the_same_moment(bare: SecretStr) -> None:
    urls = [ensure_database(bare, f"grid_{n}") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = [one.result() for one in [pool.submit(migrate, url, LIVE) for url in urls]]
    assert all(one.views_renewed for one in done)
    assert [owners(url) for url in urls] == [{"grid_owner"}] * 4


def test_roles_of_an_older_version_are_brought_up_and_what_somebody_chose_is_kept(
    bare: SecretStr,
) -> None:
    run(
        bare,
        "CREATE ROLE grid_reader NOLOGIN",
        "ALTER ROLE grid_reader SET statement_timeout = '5min'",
        "CREATE ROLE grid_writer LOGIN CONNECTION LIMIT 7",
    )
    migrate(bare, LIVE)
    assert ask(
        bare,
        "SELECT rolname, rolcanlogin, rolconnlimit, rolconfig FROM pg_roles "
        "WHERE rolname IN ('grid_owner', 'grid_reader', 'grid_writer') ORDER BY 1",
    ) == [
        ("grid_owner", True, -1, None),
        (
            "grid_reader",
            True,
            32,
            [
                "statement_timeout=5min",
                "default_transaction_read_only=on",
                "idle_in_transaction_session_timeout=60s",
            ],
        ),
        ("grid_writer", True, 7, None),
    ]


def test_an_administrator_who_is_no_superuser_migrates_and_the_writer_loads(
    bare: SecretStr,
) -> None:
    """As on Supabase: the login may make roles and databases, and is not above the rights."""
    run(bare, f"CREATE ROLE admin LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
    url = ensure_database(with_user(bare, "admin"), "warehouse")
    assert migrate(url, LIVE).views_renewed
    assert owners(url) == {"grid_owner"}
    run(url, "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    assert migrate(url, LIVE).views_renewed
    run(url, f"ALTER ROLE grid_writer PASSWORD '{PASSWORD}'")
    run(
        with_user(url, "grid_writer"),
        "INSERT INTO core.intensity (period_start) VALUES ('2026-01-01Z')",
        "SELECT forecast.refresh_statistics()",
        "SELECT * FROM reporting.telemetry",
        "CREATE TABLE dagster.runs (id integer)",
    )
    assert not migrate(url, LIVE).views_renewed


def test_the_roles_of_a_data_api_get_nothing(bare: SecretStr) -> None:
    outsiders = ["anon", "authenticated"]
    for outsider in outsiders:
        run(
            bare,
            f"CREATE ROLE {outsider} LOGIN PASSWORD '{PASSWORD}'",
            # what a server's defaults, or a click, may give
            f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {outsider}",
            f"ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO {outsider}",
            f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {outsider}",
        )
    migrate(bare, LIVE)
    for outsider in outsiders:
        # a schema alone does not open what is in it
        refuses(
            with_user(bare, outsider),
            *on_each_table("TABLE {}"),
            "SELECT * FROM reporting.telemetry",
            "SELECT * FROM reporting.greenest_window('1 hour', now())",
            "SELECT core.plausible_gco2_kwh(1)",
            "SELECT forecast.refresh_statistics()",
            "CREATE TABLE dagster.mine ()",
        )
        granted = ask(
            bare,
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n "
            "ON n.oid = relnamespace, aclexplode(relacl) WHERE nspname = ANY(%s) "
            "AND grantee = %s::regrole "
            "UNION SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_namespace AS n "
            "ON n.oid = pronamespace, aclexplode(proacl) WHERE nspname = ANY(%s) "
            "AND grantee = %s::regrole "
            "UNION SELECT nspname FROM pg_namespace, aclexplode(nspacl) WHERE nspname = ANY(%s) "
            "AND grantee = %s::regrole",
            *([*LAYERS, "reporting", "dagster"], outsider) * 3,
        )
        assert granted == [], outsider

"""Migrations on real databases: fresh, repeated, interrupted, concurrent, and not permitted."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.warehouse import connection as connection_module
from grid_assets.warehouse import ledger
from grid_assets.warehouse.connection import WarehouseError, connect, copy_rows, lock_relation
from grid_assets.warehouse.migrate import ensure_database, is_current, migrate
from grid_assets.warehouse.moving import LAST_STEP
from grid_assets.warehouse.roles import create_roles
from grid_assets.warehouse.stamp import Stamp, read_stamp
from grid_assets.warehouse.statements import render, sql_dir, statement
from grid_assets_tests import live as live_data
from grid_assets_tests import shared_warehouse
from grid_assets_tests.running import GridCommand, wait_until
from grid_assets_tests.warehouse.old_database import migrate_before

NewDatabase = Callable[..., SecretStr]
Rows = Callable[..., list[tuple[Any, ...]]]

grid = live_data.grid

LIVE = Stamp("live")
MIGRATIONS = sorted(
    (path.stem for path in (sql_dir() / "migrations").glob("*.sql")),
    key=lambda name: (name == LAST_STEP, name),
)


def run(url: SecretStr, *commands: str) -> None:
    with connect(url) as connection:
        for command in commands:
            connection.execute(command.encode())


def ask(url: SecretStr, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def with_parts(url: SecretStr, **parts: str) -> SecretStr:
    return SecretStr(urlunsplit(urlsplit(url.get_secret_value())._replace(**parts)))


def stamp_of(url: SecretStr) -> Stamp:
    """The stamp of the session's template, so that migrating it again is no other kind."""
    with connect(url) as connection:
        stamp = read_stamp(connection)
    assert stamp is not None
    return stamp


@pytest.fixture
def stranger(server: SecretStr) -> Iterator[Callable[[SecretStr], SecretStr]]:
    """Makes a login without any privileges, and returns a URL that uses it instead of the owner."""
    name = f"grid_test_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    changed: list[SecretStr] = []

    def login(url: SecretStr) -> SecretStr:
        changed.append(url)
        parts = urlsplit(url.get_secret_value())
        return with_parts(url, netloc=f"{name}:word@{parts.hostname}:{parts.port}")

    yield login
    for url in changed:
        run(url, f"DROP OWNED BY {name}")
    run(server, f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def live_template(server: SecretStr) -> Iterator[str]:
    """The name of a migrated database that is stamped `live`, to copy from."""
    with shared_warehouse.copied(server, "template1") as url:
        migrate(url, LIVE)
        yield urlsplit(url.get_secret_value()).path[1:]


@pytest.fixture
def live(new_database: NewDatabase, live_template: str) -> SecretStr:
    return new_database(live_template)


# Fresh and repeated


def test_an_empty_database_gets_everything_and_the_second_time_nothing(
    new_database: NewDatabase,
) -> None:
    url = new_database()
    said: list[str] = []
    first = migrate(url, LIVE, said.append)
    assert (first.applied, first.views_renewed, first.stamp) == (MIGRATIONS, True, LIVE)
    assert said == ["Applying migrations"]
    snapshot = "SELECT oid, relname, relfilenode FROM pg_class WHERE oid > 16384 ORDER BY 1"
    before = ask(url, snapshot)
    again = migrate(url, LIVE)
    assert (again.applied, again.views_renewed, again.stamp) == ([], False, LIVE)
    assert ask(url, snapshot) == before
    with connect(url) as connection:
        assert is_current(connection)


def test_a_database_that_was_never_migrated_has_no_stamp_and_is_not_current(
    new_database: NewDatabase,
) -> None:
    with connect(new_database()) as connection:
        assert read_stamp(connection) is None
        assert not is_current(connection)
        connection.execute("CREATE SCHEMA ops")
        assert read_stamp(connection) is None
        assert not is_current(connection)


def test_a_missing_migration_and_an_old_view_are_not_current(warehouse: SecretStr) -> None:
    with connect(warehouse) as connection:
        assert is_current(connection)
        with connection.transaction(force_rollback=True):
            connection.execute("COMMENT ON SCHEMA reporting IS 'Made from sql/views of old.'")
            assert not is_current(connection)
        connection.execute(
            "DELETE FROM ops._yoyo_migration WHERE migration_id = %s", [MIGRATIONS[-1]]
        )
        assert not is_current(connection)


def test_data_survive_a_second_migration(warehouse: SecretStr, rows: Rows) -> None:
    rows("INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES ('2026-01-01Z', 1)")
    migrate(warehouse, stamp_of(warehouse))
    assert rows("SELECT actual_gco2_kwh FROM reporting.telemetry") == [(1,)]


# Interrupted and raced


def test_the_lock_row_of_a_migration_that_was_killed_does_not_block(live: SecretStr) -> None:
    run(
        live,
        "INSERT INTO ops.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 4711)",
        "DELETE FROM ops._yoyo_migration WHERE migration_id = '0004_core'",
        "DROP VIEW reporting.telemetry, reporting.generation_mix CASCADE",
        "DROP SCHEMA core CASCADE",
        "CREATE SCHEMA core",
    )
    assert migrate(live, LIVE).applied == ["0004_core"]
    assert ask(live, "SELECT count(*) FROM core.intensity") == [(0,)]


def test_a_migration_killed_before_its_first_step_leaves_a_database_that_can_be_migrated(
    new_database: NewDatabase,
) -> None:
    url = new_database()
    run(url, "CREATE SCHEMA ops")
    assert migrate(url, LIVE).applied == MIGRATIONS


def test_an_upgrade_keeps_how_far_forecasts_are_thinned(new_database: NewDatabase) -> None:
    """From before `forecast.thinning`."""
    url = new_database()
    migrate_before(url, "0009")
    run(url, "INSERT INTO ops.retention (forecasts_thinned_to) VALUES ('2024-03-04')")
    migrate(url, LIVE)
    assert ask(url, "SELECT thinned_to::text FROM forecast.thinning") == [("2024-03-04",)]


def test_an_upgrade_puts_captures_in_the_order_in_which_they_were_received(
    new_database: NewDatabase,
) -> None:
    """By their stamps; one from the future came after those that lie before it in the table."""
    url = new_database()
    migrate_before(url, "0010")
    received = [
        ("0:00", "2026-01-03", 1),
        ("0:30", "2026-01-03", 2),
        ("0:00", "2999-01-01", 3),
        ("0:30", "2999-01-01", 4),
        ("0:00", "2026-01-05", 5),  # with the clock put right
        ("1:00", "2026-01-05", 7),
        ("1:00", "2026-01-04", 6),  # from quarantine, which loads a record as of its first capture
    ]
    for start, captured, value in received:
        with connect(url) as connection:
            for table, column in (("intensity", "actual_gco2_kwh"), ("generation", "gas_pct")):
                copy_rows(
                    connection,
                    f"raw.{table}",
                    ("period_start", "captured_at", column),
                    [(f"2026-01-01 {start}Z", f"{captured}Z", value)],
                )
    migrate(url, LIVE)
    for table, column in (("intensity", "actual_gco2_kwh"), ("generation", "gas_pct")):
        order = f"SELECT {column}::integer FROM raw.{table} ORDER BY period_start, arrival"  # noqa: S608
        assert [value for (value,) in ask(url, order)] == [1, 3, 5, 2, 4, 6, 7]
        assert ask(url, f"SELECT count(DISTINCT arrival) FROM raw.{table}") == [(7,)]  # noqa: S608
    # A row of another program comes after all of them.
    run(url, "INSERT INTO raw.intensity (period_start, captured_at) VALUES ('2026-01-01Z', now())")
    newest = "SELECT actual_gco2_kwh FROM raw.intensity ORDER BY arrival DESC LIMIT 1"
    assert ask(url, newest) == [(None,)]


def test_an_upgrade_to_the_outlook_keeps_every_row_and_adds_empty_tables(
    new_database: NewDatabase, template: str
) -> None:
    """From the version before, which had made the table of locks."""
    assert template  # the roles exist
    url = new_database()
    run(url, "CREATE SCHEMA ops", render("locks"))
    migrate_before(url, "0016")
    run(
        url,
        "INSERT INTO raw.intensity (period_start, captured_at, actual_gco2_kwh) "
        "SELECT at, at, 100 "
        "FROM generate_series('2026-01-01Z'::timestamptz, '2026-01-02Z', '30 min') AS at",
        "INSERT INTO core.intensity (period_start, captured_at, actual_gco2_kwh) "
        "SELECT period_start, captured_at, actual_gco2_kwh FROM raw.intensity",
        "INSERT INTO core.generation_mix (period_start, gas_pct) "
        "SELECT period_start, 40 FROM core.intensity",
        "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
        "p50) SELECT 'chronos:some', 'gas', period_start, '2026-01-01Z', now(), 40 "
        "FROM core.intensity",
    )
    kept = (
        "SELECT 'i', i::text FROM raw.intensity AS i UNION ALL "
        "SELECT 'c', c::text FROM core.intensity AS c UNION ALL "
        "SELECT 'm', m::text FROM core.generation_mix AS m UNION ALL "
        "SELECT 'p', p::text FROM forecast.predictions AS p ORDER BY 1, 2"
    )
    before = ask(url, kept)
    assert len(before) == 4 * 49
    assert "0016_outlook" in migrate(url, LIVE).applied
    assert ask(url, kept) == before
    for table in (
        "raw.outlook",
        "raw.elexon_generation",
        "raw.embedded_generation",
        "core.outlook",
        "core.generation_mw",
        "core.outlook_as_known_at(now())",
    ):
        assert ask(url, f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608


def test_two_migrations_at_once_do_the_work_once(new_database: NewDatabase) -> None:
    url = new_database()
    with ThreadPoolExecutor(3) as pool:
        done = [one.result() for one in [pool.submit(migrate, url, LIVE) for _ in range(3)]]
    # another one may apply the last: the lock is free for a moment before it
    assert sorted(name for one in done for name in one.applied) == sorted(MIGRATIONS)
    assert sorted(one.views_renewed for one in done) == [False, False, True]
    assert {one.stamp for one in done} == {LIVE}


def test_a_migration_waits_for_one_that_is_at_work_and_names_it(
    live: SecretStr, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "LOCK_STEP_S", 0.2)
    url = live
    run(url, "DELETE FROM ops._yoyo_migration WHERE migration_id = '0011_locks_and_rights'")
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        with connect(url) as at_work, at_work.transaction():
            lock_relation(at_work, "migrate")
            waiting = pool.submit(migrate, url, LIVE, said.append)
            wait_until(lambda: "Waiting for the lock on migrate" in caplog.text, 60)
            assert not waiting.done()
        assert waiting.result(60).applied == ["0011_locks_and_rights"]
    assert "Another migration of" in said[0]
    assert f"held by grid_assets {os.getpid()}@" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("blocked_by", ["TABLE ops.etl_runs", "migrate"])
def test_a_migration_that_is_interrupted_says_so_and_can_be_repeated(
    live: SecretStr, number: signal.Signals, blocked_by: str, grid: GridCommand
) -> None:
    """While it waits for a reader of a table that it changes, or for another migration."""
    url = live
    grid.environment |= {"GRID_DATABASE_URL": url.get_secret_value()}
    run(url, "DELETE FROM ops._yoyo_migration WHERE migration_id = '0011_locks_and_rights'")
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    waiting += " AND datname = current_database()"
    with connect(url) as other, other.transaction():
        if blocked_by == "migrate":
            lock_relation(other, "migrate")
        else:
            other.execute(blocked_by.encode())
        started = grid.start("migrate")
        wait_until(lambda: ask(url, f"SELECT EXISTS ({waiting})") == [(True,)], 60, started.output)
        assert started.ends(number) == 130, started.output()
    assert started.output().splitlines()[-1].startswith("Interrupted.")
    assert migrate(url, LIVE).applied == ["0011_locks_and_rights"]


def test_a_process_that_is_killed_leaves_a_migration_applied_and_marked_or_neither(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as a file can show it: what marks it is in its own transaction."""
    url = new_database()

    def killed(self: object, migration: object, log: bool = True) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ledger._Backend, "mark_one", killed)
        with pytest.raises(RuntimeError, match="killed"):
            migrate(url, LIVE)
    assert ask(url, "SELECT to_regclass('core.intensity')") == [(None,)]
    assert migrate(url, LIVE).applied == MIGRATIONS


def test_two_kinds_at_once_leave_one_and_refuse_the_other(new_database: NewDatabase) -> None:
    url = new_database()
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(migrate, url, stamp) for stamp in (LIVE, Stamp("replay", 3))]
    assert sorted(one.exception() is None for one in done) == [False, True]


# Live and recorded are never mixed


@pytest.mark.parametrize(
    ("present", "wanted"), [(LIVE, Stamp("replay", 46)), (Stamp("replay", 46), LIVE)]
)
def test_a_warehouse_of_the_other_kind_is_refused_and_left_alone(
    new_database: NewDatabase, present: Stamp, wanted: Stamp
) -> None:
    url = new_database()
    run(
        url,
        "CREATE SCHEMA ops",
        "CREATE TABLE ops.warehouse (kind text, shift_weeks integer)",
    )
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO ops.warehouse VALUES (%s, %s)", [present.kind, present.shift_weeks]
        )
    with pytest.raises(WarehouseError, match="the two are never mixed") as refused:
        migrate(url, wanted)
    assert f"holds {present}, and this process works on {wanted}" in str(refused.value)
    assert ask(url, "SELECT to_regclass('ops._yoyo_migration'), to_regnamespace('core')") == [
        (None, None)
    ]


def test_a_recording_moved_by_other_weeks_is_refused_with_its_cure(warehouse: SecretStr) -> None:
    weeks = stamp_of(warehouse).shift_weeks
    assert weeks is not None
    with pytest.raises(WarehouseError, match=f"grid replay --shift-weeks {weeks}`") as refused:
        migrate(warehouse, Stamp("replay", weeks + 1))
    password = urlsplit(warehouse.get_secret_value()).password or "a server that trusts"
    assert password not in str(refused.value)
    assert stamp_of(warehouse).shift_weeks == weeks


def test_a_stamp_says_plainly_what_it_is() -> None:
    assert str(LIVE) == "LIVE data"
    assert str(Stamp("replay", 3)) == "RECORDED data (replay), not live"


# Views


def test_views_are_recreated_only_when_they_changed_and_keep_grants_and_comments(
    warehouse: SecretStr, rows: Rows
) -> None:
    views = (
        "SELECT c.relname, obj_description(c.oid), "
        "has_table_privilege('grid_reader', c.oid, 'SELECT'), "
        "(SELECT array_agg(col_description(c.oid, a.attnum) ORDER BY a.attnum) "
        " FROM pg_attribute AS a WHERE a.attrelid = c.oid) "
        "FROM pg_class AS c WHERE c.relnamespace = 'reporting'::regnamespace "
        "AND c.relkind = 'v' ORDER BY 1"
    )
    oids = "SELECT 'reporting.telemetry'::regclass::oid"
    stamp = stamp_of(warehouse)
    before, oid = rows(views), rows(oids)
    assert all(can_read for _, _, can_read, _ in before)
    assert not migrate(warehouse, stamp).views_renewed
    assert rows(oids) == oid
    # The digest of an older version's files, and one of its views.
    rows("COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    rows("DROP VIEW reporting.telemetry_24h")
    rows("CREATE VIEW reporting.telemetry_24h AS SELECT 1 AS a_column_of_old")
    assert migrate(warehouse, stamp).views_renewed
    assert rows(oids) != oid
    assert rows(views) == before
    assert rows(
        "SELECT has_function_privilege('grid_reader', oid, 'EXECUTE') FROM pg_proc "
        "WHERE proname = 'intensity_as_known_at'"
    ) == [(True,)]
    assert not migrate(warehouse, stamp).views_renewed


def test_a_view_of_somebody_else_is_named_and_nothing_is_lost(
    warehouse: SecretStr, rows: Rows
) -> None:
    rows("CREATE SCHEMA dashboard")
    rows("CREATE VIEW dashboard.mine AS SELECT period_start FROM reporting.telemetry")
    stamp = stamp_of(warehouse)
    # Unchanged views are not touched, so they are in nobody's way.
    assert not migrate(warehouse, stamp).views_renewed
    rows("COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    with pytest.raises(WarehouseError, match=r"dashboard\.mine") as refused:
        migrate(warehouse, stamp)
    assert "Drop it, migrate, and create it again" in str(refused.value)
    assert rows("SELECT count(*) FROM dashboard.mine") == [(0,)]
    assert rows("SELECT count(*) FROM reporting.generation_mix_24h") == [(0,)]
    rows("DROP VIEW dashboard.mine")
    assert migrate(warehouse, stamp).views_renewed


def test_a_database_of_the_version_without_regions_gets_them_and_keeps_its_data(
    new_database: NewDatabase,
) -> None:
    url = new_database()
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA ops")
        create_roles(connection)
        connection.execute(statement("locks"))
    migrate_before(url, "0022")
    run(
        url,
        "INSERT INTO ops.warehouse (kind) VALUES ('live')",
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES ('2026-01-01Z', 1)",
    )
    moved = migrate(url, LIVE)
    assert {name[:4] for name in moved.applied} >= {"0022", "0023"}
    assert moved.views_renewed
    assert ask(url, "SELECT actual_gco2_kwh FROM reporting.telemetry") == [(1,)]
    now = "SELECT count(*), count(period_start) FROM reporting.regional_now"
    assert ask(url, now) == [(18, 0)]
    run(
        url,
        "INSERT INTO core.regional_intensity (region_id, period_start, intensity_gco2_kwh) "
        "VALUES (13, '2026-01-01Z', 77)",
    )
    assert ask(url, "SELECT short_name, intensity_gco2_kwh FROM reporting.regional_telemetry") == [
        ("London", 77)
    ]


def test_what_an_analyst_added_to_reporting_is_kept(warehouse: SecretStr, rows: Rows) -> None:
    """An overload of a function of ours, and a view; also in a database of an earlier version."""
    stamp = stamp_of(warehouse)
    rows("CREATE FUNCTION reporting.greenest_window(text) RETURNS text LANGUAGE sql RETURN $1")
    rows("CREATE VIEW reporting.mine AS SELECT 1 AS one")
    later = (
        "forecast_value",
        "generation_mw",
        "outlook_newest",
        "regional_telemetry",
        "regional_forecast_latest",
        "regional_forecast_accuracy",
        *("generation_groups", "daily", "monthly", "daily_energy", "monthly_energy"),
    )
    earlier = "".join(f"DROP VIEW reporting.{name} CASCADE; " for name in later)
    functions = (
        "outlook_as_known_at",
        "region_of_postcode",
        "carbon_of_use",
        "greenest_region",
        "greenest_window(interval, timestamptz, timestamptz, boolean, text, text, integer)",
    )
    earlier += "".join(f"DROP FUNCTION reporting.{name}; " for name in functions)
    earlier += "DROP TABLE ops.reporting_objects; DELETE FROM ops._yoyo_migration "
    earlier += "WHERE migration_id = '0011_locks_and_rights'"
    for before in ("SELECT 1", earlier):
        rows(before)
        rows("COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
        assert migrate(warehouse, stamp).views_renewed
        assert rows("SELECT reporting.greenest_window('now')") == [("now",)]
        assert rows("SELECT one FROM reporting.mine") == [(1,)]
        [(overloads,)] = rows("SELECT count(*) FROM pg_proc WHERE proname = 'greenest_window'")
        assert overloads == 2


def test_an_analysts_object_with_the_name_of_a_new_one_of_ours_is_named_and_kept(
    warehouse: SecretStr, rows: Rows
) -> None:
    rows("DROP VIEW reporting.telemetry_24h")
    rows("DELETE FROM ops.reporting_objects WHERE name = 'reporting.telemetry_24h'")
    rows("CREATE VIEW reporting.telemetry_24h AS SELECT 1 AS mine")
    rows("COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    with pytest.raises(WarehouseError, match=r"Rename it, then migrate.*telemetry_24h"):
        migrate(warehouse, stamp_of(warehouse))
    assert rows("SELECT mine FROM reporting.telemetry_24h") == [(1,)]
    assert rows("SELECT count(*) FROM reporting.telemetry") == [(0,)]


# Not allowed


def test_a_login_that_may_not_create_is_refused_with_the_cure(
    new_database: NewDatabase, stranger: Callable[[SecretStr], SecretStr]
) -> None:
    url = new_database()
    with pytest.raises(WarehouseError, match=r"may not set up .* as the owner") as refused:
        migrate(stranger(url), LIVE)
    assert "permission denied for database" in str(refused.value)
    assert "word@" not in str(refused.value)
    assert ask(url, "SELECT to_regnamespace('ops')") == [(None,)]


def test_a_login_that_may_create_in_somebody_elses_warehouse_is_refused_too(
    warehouse: SecretStr, stranger: Callable[[SecretStr], SecretStr]
) -> None:
    login = stranger(warehouse)
    user = urlsplit(login.get_secret_value()).username
    name = urlsplit(warehouse.get_secret_value()).path[1:]
    run(warehouse, f"GRANT CREATE ON DATABASE {name} TO {user}")
    with pytest.raises(WarehouseError, match=r"may not set up .* as the owner"):
        migrate(login, stamp_of(warehouse))


def test_an_owner_who_may_not_create_roles_hears_what_an_administrator_has_to_run(
    open_folder: Path,
) -> None:
    # A server of its own, because roles belong to the whole server.
    server = EmbeddedPostgres(open_folder / "postgres")
    try:
        admin = SecretStr(server.start())
        run(admin, "CREATE ROLE owner LOGIN CREATEDB PASSWORD 'word'")
        parts = urlsplit(admin.get_secret_value())
        netloc = f"owner:word@{parts.hostname}:{parts.port}"
        login = ensure_database(with_parts(admin, netloc=netloc, path="/postgres"), "mine")
        with pytest.raises(WarehouseError, match="may not create the roles") as refused:
            migrate(login, LIVE)
        answer = str(refused.value).partition("migrate again: ")[2]
        run(admin, answer)
        assert migrate(login, LIVE).views_renewed
        assert migrate(login, LIVE).applied == []
    finally:
        server.stop()


# Databases on a server


def test_a_database_is_created_once_and_found_after(server: SecretStr) -> None:
    name = f"grid_test_{secrets.token_hex(6)}"
    try:
        with ThreadPoolExecutor(2) as pool:
            made = [pool.submit(ensure_database, server, name) for _ in range(2)]
        urls = {one.result().get_secret_value() for one in made}
        assert urls == {with_parts(server, path=f"/{name}").get_secret_value()}
        assert ensure_database(server, name).get_secret_value() in urls
        assert ask(SecretStr(urls.pop()), "SELECT current_database()") == [(name,)]
    finally:
        run(server, f"DROP DATABASE IF EXISTS {name}")


def test_a_login_that_may_not_create_databases_is_refused_with_the_reason(
    server: SecretStr, stranger: Callable[[SecretStr], SecretStr]
) -> None:
    with pytest.raises(WarehouseError, match="may not create the database grid_test_never"):
        ensure_database(stranger(server), "grid_test_never")


def test_a_database_beside_one_that_is_named_without_a_host_is_found(server: SecretStr) -> None:
    given = conninfo_to_dict(server.get_secret_value())
    name = given.pop("dbname")
    local = SecretStr(f"postgresql:///{name}?{urlencode(given)}")
    beside = ensure_database(local, "postgres")
    assert ask(beside, "SELECT current_database()") == [("postgres",)]


def test_a_database_name_with_odd_letters_can_be_migrated(server: SecretStr) -> None:
    name = f"grid_test_ä b%/{secrets.token_hex(6)}"
    with connect(server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = with_parts(server, path=f"/{quote(name, safe='')}")
    try:
        assert migrate(url, LIVE).applied == MIGRATIONS
        assert ask(url, "SELECT kind FROM ops.warehouse") == [("live",)]
    finally:
        with connect(server) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def test_times_from_a_server_in_london_are_utc(warehouse: SecretStr) -> None:
    """In London's own zone, Python counts by the clock: an hour less between these two."""
    name = urlsplit(warehouse.get_secret_value()).path[1:]
    run(warehouse, f"ALTER DATABASE {name} SET timezone = 'Europe/London'")
    [(before, after)] = ask(
        warehouse, "SELECT timestamptz '2026-10-25 00:30Z', timestamptz '2026-10-25 01:30Z'"
    )
    assert after - before == timedelta(hours=1)

"""`grid doctor`: what it says about databases that lack something, and that its cures cure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.boosting import libraries
from grid_assets.health import learning
from grid_assets.health.doctor import case
from grid_assets.health.doctor import examine as doctor
from grid_assets.health.doctor.case import Answer, Case, Finding, User, Verdict, mend, note, ok
from grid_assets.health.doctor.rights import judge_rights
from grid_assets.health.doctor.server import (
    BYTES_A_DAY,
    DIRECT,
    FREE_PLAN_BYTES,
    judge_connections,
    judge_encryption,
    judge_pooler,
    judge_size,
)
from grid_assets.health.doctor.surroundings import LITTLE_BYTES, judge_disk, judge_source
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import Settings
from grid_assets.warehouse import connection as warehouse_connection
from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.urls import read, to_url, with_database
from grid_assets_tests.http_stub import Reply, serving
from grid_assets_tests.pooler import needs_pgbouncer, pooler
from grid_assets_tests.running import free_port

PASSWORD: Final = secrets.token_urlsafe(16)
VARYING: Final = {"connections", "size", "source", "disk"}
"""Checks whose figures may differ between two runs."""

Findings = dict[str, Finding]
Look = Callable[..., Findings]
NewDatabase = Callable[[], SecretStr]


@pytest.fixture
def look(replay: ReplayServer, tmp_path: Path) -> Look:
    """Examines a database in this process, beside the recorded API unless another is named."""

    def examine(
        url: SecretStr,
        api_url: str = replay.url,
        utcnow: Callable[[], datetime] = lambda: datetime.now(UTC),
        **settings: Any,
    ) -> Findings:
        made = Settings(database_url=url, home=tmp_path, api_timeout_s=10, **settings)
        with closing(Case(made, lambda: url, api_url, utcnow)) as examined:
            return dict(doctor.examine(examined))

    return examine


def run(url: SecretStr, *commands: str) -> None:
    with connect(url) as connection:
        for command in commands:
            connection.execute(command.encode())


def to_mend(findings: Findings) -> set[str]:
    return {name for name, found in findings.items() if found.verdict is Verdict.MEND}


def cures(finding: Finding) -> list[str]:
    """The statements that a finding says to run."""
    return finding.text.partition("run: ")[2].removesuffix(";").split("; ")


@pytest.fixture
def login(server: SecretStr) -> Iterator[Callable[[SecretStr], SecretStr]]:
    """A login without any right, as which it opens a database."""
    name = f"grid_test_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    opened: list[SecretStr] = []

    def as_login(url: SecretStr) -> SecretStr:
        opened.append(url)
        return to_url(read(url) | {"user": name, "password": PASSWORD})

    yield as_login
    for url in opened:
        run(url, f"REASSIGN OWNED BY {name} TO CURRENT_USER", f"DROP OWNED BY {name}")
    run(server, f"DROP ROLE {name}")


# Databases.


def test_a_fresh_database_lacks_nothing_and_a_migrated_one_is_current(
    look: Look, new_database: NewDatabase, replay: ReplayServer, template: str
) -> None:
    assert template  # the roles exist
    url = new_database()
    fresh = look(url)
    assert list(fresh) == ["server", *doctor.DATABASE, *doctor.SURROUNDINGS]
    assert to_mend(fresh) == set()
    assert fresh["schema"].verdict is Verdict.NOTE
    assert fresh["schema"].text.startswith("Not set up yet. `grid migrate` does it")
    assert fresh["rights"].text.endswith("may set up this database and load.")
    assert doctor.summary(fresh).startswith(f"Nothing must be mended ({len(fresh)} checks, ")
    migrate(url, Stamp("replay", replay.shift_weeks))
    migrated = look(url)
    assert to_mend(migrated) == set()
    assert migrated["schema"] == ok("Current; it holds RECORDED data (replay), not live.")
    assert migrated["rights"].text.endswith("may load and migrate.")
    assert migrated["source"].text.startswith("The API answers; its newest actual began ")
    assert migrated["Elexon"] == ok("Switched off: GRID_ELEXON_URL is empty.")


def test_the_sources_of_the_outlook_answer_or_are_a_note_after_one_try(
    look: Look, warehouse: SecretStr, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, url in source_urls(replay.url).items():
        monkeypatch.setenv(f"GRID_{name.upper()}", url)
    found = look(warehouse)
    assert found["Elexon"].text.startswith("Elexon answers; its newest wind forecast was published")
    assert found["NESO portal"].text.startswith("The portal answers; its newest embedded forecast")
    for source in ("elexon", "neso_portal"):
        replay.control.fault({"name": "500", "source": source})
    asked = replay.control.status()["requests"]
    found = look(warehouse)
    assert to_mend(found) == set()
    for name in ("Elexon", "NESO portal"):
        assert found[name].verdict is Verdict.NOTE
        assert "failed with HTTP 500" in found[name].text
        assert "telemetry and forecasts go on" in found[name].text
        assert "Gave up" not in found[name].text
    now = replay.control.status()["requests"]
    assert sum(now.values()) - sum(asked.values()) <= 4


def test_two_runs_say_the_same_and_a_database_that_takes_no_writes_can_be_examined(
    look: Look, warehouse: SecretStr
) -> None:
    """Whatever writes is refused there, so a check that wrote would be one that failed."""
    first, second = look(warehouse), look(warehouse)
    name = read(warehouse)["dbname"]
    run(warehouse, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    read_only = look(warehouse)
    for name, found in first.items():
        assert second[name].verdict == found.verdict
        if name not in VARYING:
            assert second[name] == found
        if name not in VARYING | {"read-only"}:
            assert read_only[name] == found
    assert to_mend(read_only) == {"read-only"}
    assert "free space, then reset it" in read_only["read-only"].text


def test_a_database_of_an_older_version_or_of_the_other_kind_is_named(
    look: Look, warehouse: SecretStr
) -> None:
    # an API elsewhere that does not answer counts as live, as it does for every command
    other = look(warehouse, "http://no-such-host.invalid")
    assert to_mend(other) == {"schema", "source"}
    assert "the two are never mixed" in other["schema"].text
    run(warehouse, "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    assert look(warehouse)["schema"] == mend(
        "The schema is older than this version. Run `grid migrate`."
    )


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_wrong_encoding_is_to_be_mended(look: Look, server: SecretStr, encoding: str) -> None:
    name = f"grid_test_{secrets.token_hex(6)}"
    run(
        server,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' "
        "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc",
    )
    try:
        found = look(with_database(server, name))
    finally:
        run(server, f"DROP DATABASE {name} WITH (FORCE)")
    assert to_mend(found) == {"encoding"}
    assert f"has the encoding {encoding}, which cannot" in found["encoding"].text
    assert "ENCODING 'UTF8'" in found["encoding"].text


@pytest.mark.parametrize(
    ("setting", "cost"),
    [("run_launcher", "runs over past days start on the code server"), ("executor", "no step")],
)
def test_a_broker_that_is_gone_is_said_with_what_it_costs(
    look: Look, warehouse: SecretStr, setting: str, cost: str
) -> None:
    gone = SecretStr(f"redis://:s3cret-word@127.0.0.1:{free_port()}/0")
    found = look(warehouse, **{setting: "celery"}, celery_broker_url=gone)["workers"]
    assert found.verdict is Verdict.MEND
    assert "GRID_CELERY_BROKER_URL" in found.text
    assert cost in found.text
    assert "s3cret-word" not in found.text


def test_a_server_that_is_too_old_is_one_line_and_the_rest_goes_on(
    look: Look, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(warehouse_connection, "MIN_SERVER_VERSION", 990_000)
        found = look(warehouse)
    assert to_mend(found) == {"server"}
    assert "15 or later is needed. Point GRID_DATABASE_URL at a newer" in found["server"].text
    assert list(found) == [
        "server",
        "source",
        "Elexon",
        "NESO portal",
        "disk",
        "files",
        "settings",
        "alarms",
        "workers",
    ]
    said = doctor.summary(found)
    assert said == "To mend: server. The database was not checked any further."


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"user": "grid_nobody", "password": "hidden-word"}, "Correct the user"),
        ({"dbname": "grid_test_nowhere"}, "Create the database, or correct its name"),
        ({"port": ""}, "Start the server, or correct its address"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line_with_the_cure(
    look: Look, server: SecretStr, change: dict[str, str], advice: str
) -> None:
    change = {name: value or str(free_port()) for name, value in change.items()}
    found = look(to_url(read(server) | change))
    assert to_mend(found) == {"server"}
    assert advice in found["server"].text
    assert "hidden-word" not in str(found)


# Rights.


def test_a_login_without_rights_learns_what_it_takes_to_set_up_a_database_and_that_suffices(
    look: Look, new_database: NewDatabase, login: Callable[[SecretStr], SecretStr], template: str
) -> None:
    assert template  # the roles exist
    url = new_database()
    mine = login(url)
    found = look(mine)
    assert to_mend(found) == {"rights", "roles"}
    assert "may not create schemas in this database" in found["rights"].text
    run(url, *cures(found["rights"]))
    found = look(mine)
    assert to_mend(found) == {"rights", "roles"}
    assert "before an administrator has run what the line `roles` shows" in found["rights"].text
    run(url, *cures(found["roles"]))
    assert to_mend(look(mine)) == set()
    migrate(mine, Stamp("live"))
    assert look(mine)["rights"].text.endswith("may load and migrate.")


def test_a_login_that_may_not_load_learns_what_it_takes_and_that_suffices(
    look: Look, warehouse: SecretStr, login: Callable[[SecretStr], SecretStr]
) -> None:
    mine = login(warehouse)
    name, database = read(mine)["user"], read(warehouse)["dbname"]
    nothing = look(mine)
    assert to_mend(nothing) == {"rights"}
    assert "has no rights to the warehouse, so nothing can be loaded" in nothing["rights"].text
    assert nothing["schema"].text.startswith("Set up. This user may not read `ops`")
    run(warehouse, f"GRANT grid_reader TO {name}")
    reader = look(mine)
    assert to_mend(reader) == {"rights"}
    assert f"{name} (acts as grid_reader) may only read `reporting`" in reader["rights"].text
    run(warehouse, *cures(reader["rights"]))
    writer = look(mine)
    assert to_mend(writer) == set()
    assert writer["rights"].text.endswith(
        "(acts as grid_reader, grid_writer) may load. Upgrades need `grid migrate` as grid_owner."
    )
    run(warehouse, f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    run(warehouse, f"REVOKE TEMPORARY ON DATABASE {database} FROM grid_writer")
    no_staging = look(mine)
    assert to_mend(no_staging) == {"rights"}
    run(warehouse, *cures(no_staging["rights"]))
    assert to_mend(look(mine)) == set()
    run(warehouse, "COMMENT ON SCHEMA reporting IS 'Made from sql/views of another version.'")
    assert look(mine)["schema"].text.endswith("Run `grid migrate` as the owner or as grid_owner.")


def test_the_reader_itself_is_told_apart_from_a_database_that_is_read_only(
    look: Look, warehouse: SecretStr
) -> None:
    run(warehouse, f"ALTER ROLE grid_reader PASSWORD '{PASSWORD}'")
    try:
        found = look(to_url(read(warehouse) | {"user": "grid_reader", "password": PASSWORD}))
    finally:
        run(warehouse, "ALTER ROLE grid_reader PASSWORD NULL")
    assert to_mend(found) == {"rights"}
    assert found["read-only"].verdict is Verdict.NOTE


def test_a_login_that_may_not_connect_learns_what_the_owner_has_to_run(
    look: Look, warehouse: SecretStr, login: Callable[[SecretStr], SecretStr]
) -> None:
    mine = login(warehouse)
    run(warehouse, f"REVOKE CONNECT ON DATABASE {read(warehouse)['dbname']} FROM PUBLIC")
    found = look(mine)
    assert to_mend(found) == {"server"}
    run(warehouse, *cures(found["server"]))
    assert look(mine)["server"].verdict is Verdict.OK


def test_roles_that_were_changed_and_a_closed_database_are_shown_with_the_cure(
    look: Look, warehouse: SecretStr
) -> None:
    name = read(warehouse)["dbname"]
    run(
        warehouse,
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        f"REVOKE CONNECT ON DATABASE {name} FROM grid_owner, grid_writer, grid_reader",
    )
    found = look(warehouse)["roles"]
    assert found.verdict is Verdict.NOTE
    assert f"GRANT CONNECT ON DATABASE {name} TO grid_reader" in cures(found)
    run(warehouse, *cures(found), "ALTER ROLE grid_reader NOLOGIN")
    try:
        assert look(warehouse)["roles"] == note(
            "Incomplete. `grid migrate` completes them: ALTER ROLE grid_reader LOGIN;"
        )
    finally:
        run(warehouse, "ALTER ROLE grid_reader LOGIN")


USER: Final = User(
    name="someone",
    database="grid",
    is_superuser=False,
    may_change_roles=True,
    acts_as=[],
    roles_exist=False,
    may_create=True,
    may_stage=True,
    is_set_up=False,
    may_own=True,
    may_load=False,
    may_inspect=False,
    may_report=False,
)


@pytest.mark.parametrize(
    ("user", "missing", "verdict"),
    [
        (USER, ["CREATE ROLE grid_owner"], Verdict.OK),  # as on Supabase
        (replace(USER, may_change_roles=False), [], Verdict.OK),
        (replace(USER, may_change_roles=False), ["CREATE ROLE grid_owner"], Verdict.MEND),
        (replace(USER, may_own=False), [], Verdict.MEND),
        (replace(USER, may_stage=False), [], Verdict.MEND),
        (replace(USER, is_set_up=True), [], Verdict.MEND),
        (replace(USER, is_set_up=True, name="grid_waker"), [], Verdict.MEND),
        (replace(USER, is_set_up=True, may_load=True), [], Verdict.OK),
        (replace(USER, is_set_up=True, may_load=True, may_stage=False), [], Verdict.MEND),
    ],
)
def test_rights_are_enough_or_not(user: User, missing: list[str], verdict: Verdict) -> None:
    assert judge_rights(user, missing).verdict is verdict


# Who else could read it.


@pytest.fixture
def outsiders(warehouse: SecretStr) -> Iterator[None]:
    """The roles of Supabase's Data API, without any right."""
    names = ("anon", "authenticated", "authenticator")
    run(warehouse, *(f"CREATE ROLE {name}" for name in names))
    yield
    run(warehouse, *(f"DROP OWNED BY {name}; DROP ROLE {name}" for name in names))


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ("GRANT USAGE ON SCHEMA raw TO anon", "REVOKE ALL ON SCHEMA raw FROM anon"),
        (
            "GRANT SELECT ON core.intensity TO authenticated",
            "REVOKE ALL ON ALL TABLES IN SCHEMA core FROM authenticated",
        ),
        (
            "GRANT SELECT (asset) ON ops.etl_runs TO anon",
            "REVOKE ALL ON ALL TABLES IN SCHEMA ops FROM anon",
        ),
        (
            "GRANT SELECT ON reporting.telemetry TO PUBLIC",
            "REVOKE ALL ON ALL TABLES IN SCHEMA reporting FROM PUBLIC",
        ),
        (
            "GRANT EXECUTE ON FUNCTION reporting.greenest_window TO anon",
            "REVOKE ALL ON ALL ROUTINES IN SCHEMA reporting FROM anon",
        ),
        ("GRANT grid_reader TO authenticated", "REVOKE grid_reader FROM authenticated"),
        (
            "ALTER ROLE authenticator SET pgrst.db_schemas = 'public, reporting, storage'",
            "ALTER ROLE authenticator SET pgrst.db_schemas = 'public, storage'",
        ),
        (
            "ALTER DATABASE {} SET pgrst.db_schemas = 'raw'",
            "ALTER ROLE ALL IN DATABASE {} SET pgrst.db_schemas = 'public'",
        ),
    ],
)
def test_what_others_could_reach_is_to_be_mended_and_the_cure_closes_it(
    look: Look, warehouse: SecretStr, outsiders: None, given: str, cure: str
) -> None:
    name = read(warehouse)["dbname"]
    assert look(warehouse)["exposed"].verdict is Verdict.OK
    run(warehouse, given.format(name))
    found = look(warehouse)
    assert to_mend(found) == {"exposed"}
    assert cures(found["exposed"])[0] == cure.format(name)
    run(warehouse, *cures(found["exposed"]))
    assert look(warehouse)["exposed"].verdict is Verdict.OK


# Poolers.


@needs_pgbouncer
@pytest.mark.parametrize(
    ("mode", "text"), [("transaction", "In transaction mode"), ("session", "In session mode")]
)
def test_the_mode_of_a_pooler_is_measured_and_dagster_is_told_apart(
    look: Look, warehouse: SecretStr, mode: str, text: str
) -> None:
    with pooler(warehouse, mode=mode) as url:
        alone = look(url)
        beside = look(url, dagster_database_url=warehouse)
    assert alone["pooler"].text.startswith(text)
    assert to_mend(alone) == {"Dagster"}  # PgBouncer refuses the option in either mode
    assert "set GRID_DAGSTER_DATABASE_URL to a direct connection" in alone["Dagster"].text
    assert to_mend(beside) == set()
    assert beside["Dagster"].text.startswith("Its tables go to ")


@needs_pgbouncer
def test_a_pooler_without_transactions_is_one_line_with_the_cure(
    look: Look, warehouse: SecretStr
) -> None:
    with pooler(warehouse, mode="statement") as url:
        found = look(url)
    assert to_mend(found) == {"server"}
    assert "is in statement mode, in which there are no transactions" in found["server"].text


@pytest.mark.parametrize(
    ("seen", "announced", "text"),
    [
        ([1, 2, 1, 1, 2], 1, DIRECT),
        ([1, 2, 1, 1, 2], 9, "In session mode"),
        ([1, 1, 1, 1, 1], 9, "In transaction mode"),  # it gives the process used last
        ([1, 2, 1, 2, 1], 9, "In transaction mode"),  # two processes that take turns
        ([1, 2, 3, 1, 2], 9, "In transaction mode"),  # three
        ([1, 2, 1, 1, 3], 9, "In transaction mode"),
    ],
)
def test_connections_that_share_or_change_their_process_are_pooled_by_transaction(
    seen: list[int], announced: int, text: str
) -> None:
    assert judge_pooler(seen, announced).startswith(text)


# Dagster's own database.


def test_dagsters_own_database_is_examined_too(
    look: Look, warehouse: SecretStr, login: Callable[[SecretStr], SecretStr]
) -> None:
    down = to_url(read(warehouse) | {"port": str(free_port()), "password": "hidden-word"})
    found = look(warehouse, dagster_database_url=down)
    assert to_mend(found) == {"Dagster"}
    assert "Correct GRID_DAGSTER_DATABASE_URL" in found["Dagster"].text
    assert "hidden-word" not in str(found)
    run(warehouse, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    found = look(warehouse, dagster_database_url=login(warehouse))
    assert to_mend(found) == {"Dagster"}
    assert "the user may not create any there" in found["Dagster"].text


def test_a_dagster_schema_that_is_gone_is_named_where_it_cannot_come_back(
    look: Look, warehouse: SecretStr, login: Callable[[SecretStr], SecretStr]
) -> None:
    mine = login(warehouse)
    run(warehouse, f"GRANT grid_writer TO {read(mine)['user']}", "DROP SCHEMA dagster CASCADE")
    assert to_mend(look(warehouse)) == set()
    found = look(mine)
    assert to_mend(found) == {"Dagster"}
    assert "Run `grid migrate` as the owner" in found["Dagster"].text


# Clocks, time zones, the source.


def test_a_wrong_clock_is_to_be_mended(look: Look, warehouse: SecretStr) -> None:
    def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(days=1, minutes=1)

    found = look(warehouse, utcnow=ahead)
    assert to_mend(found) == {"clock"}
    assert found["clock"].text.startswith(
        "The clock of this machine is 24 h ahead of the clock of the API and 24 h ahead of the "
        "clock of the database. Set the one that is wrong"
    )


def test_the_time_zone_of_other_programs_is_a_note(look: Look, warehouse: SecretStr) -> None:
    name = read(warehouse)["dbname"]
    run(warehouse, f"ALTER DATABASE {name} SET timezone = 'Europe/London'")
    assert look(warehouse)["time zone"] == note(
        "Other programs get Europe/London by default. Ours use UTC; nothing depends on it."
    )


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(status=500), "The API failed with HTTP 500 on /intensity/"),
        (Reply(b"<html>", status=200), "is not JSON"),
        (Reply(b'{"data": 7}'), "The API's answer cannot be used (body: the answer has no list"),
        (None, "cannot be reached for /intensity/"),
    ],
)
def test_an_api_that_is_down_or_broken_is_to_be_mended_after_one_try(
    look: Look, warehouse: SecretStr, reply: Reply | None, text: str
) -> None:
    with serving() as stub:
        if reply is not None:
            stub.replies(reply)
        address = stub.url if reply is not None else f"http://127.0.0.1:{free_port()}"
        found = look(warehouse, address)
        asked = [path for path in stub.paths if path.startswith("/intensity/")]
    assert to_mend(found) == {"source"}
    assert text in found["source"].text
    assert "Gave up" not in found["source"].text
    assert len(asked) == (reply is not None)


NOW: Final = datetime(2026, 1, 5, 12, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "verdict", "text"),
    [
        (Answer(NOW - timedelta(minutes=70), None), Verdict.OK, "began 70 min ago, at 2026-01-05"),
        (Answer(NOW - timedelta(hours=3), None), Verdict.NOTE, "3 h ago"),
        (Answer(None, None), Verdict.NOTE, "without an actual of the last 6 h"),
        (Answer(None, None, "The API failed."), Verdict.MEND, "The API failed. Nothing new"),
    ],
)
def test_a_late_source_is_a_note_and_a_silent_one_to_be_mended(
    answer: Answer, verdict: Verdict, text: str
) -> None:
    found = judge_source(answer, NOW)
    assert found.verdict is verdict
    assert text in found.text


# Supabase, space and connections.


def test_on_supabase_missing_extensions_are_a_note_and_the_free_plan_is_counted(
    look: Look, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = look(warehouse)
    monkeypatch.setattr(case, "SUPABASE", (read(warehouse)["host"],))
    there = look(warehouse)
    assert (elsewhere["extensions"].verdict, there["extensions"].verdict) == (
        Verdict.OK,
        Verdict.NOTE,
    )
    assert "use pg_net, pg_cron, supabase_vault, schema supabase_functions" in (
        there["extensions"].text
    )
    assert re.search(r"Supabase's free plan has 4\d\d MB left", there["size"].text)
    assert "Supabase" not in elsewhere["size"].text


@pytest.mark.parametrize(
    ("host", "is_encrypted", "verdict"),
    [
        ("127.0.0.1", False, Verdict.OK),
        ("/var/run/postgresql", False, Verdict.OK),
        ("10.0.0.1", False, Verdict.NOTE),
        ("10.0.0.1", True, Verdict.OK),
    ],
)
def test_a_connection_through_a_network_should_be_encrypted(
    host: str, is_encrypted: bool, verdict: Verdict
) -> None:
    assert judge_encryption(host, is_encrypted).verdict is verdict


@pytest.mark.parametrize(
    ("left", "verdict", "text"),
    [
        (300_000_000, Verdict.OK, "300 MB left, about 157 days"),
        (13 * BYTES_A_DAY, Verdict.MEND, "24 MB left, about 13 days. Then the database is read-"),
        (-1, Verdict.NOTE, "more than Supabase's free plan holds"),
    ],
)
def test_what_is_left_of_the_free_plan_is_told_in_days(
    left: int, verdict: Verdict, text: str
) -> None:
    found = judge_size("7 MB", FREE_PLAN_BYTES - left)
    assert found.verdict is verdict
    assert text in found.text


def test_the_narrowest_limit_of_connections_counts() -> None:
    server, user = ("the server", 10, 97), ("user grid", 4, -1)
    assert judge_connections([server, user]) == ok("10 of 97 of the server are taken.")
    assert judge_connections([("the server", 90, 97), user]).verdict is Verdict.NOTE
    tight = judge_connections([server, ("user grid", 4, 5)])
    assert tight.verdict is Verdict.MEND
    assert tight.text.startswith("4 of 5 of user grid are taken.")


def test_little_space_is_to_be_mended_where_the_database_is() -> None:
    assert judge_disk("/home", LITTLE_BYTES, is_embedded=True).verdict is Verdict.OK
    assert judge_disk("/home", LITTLE_BYTES - 1, is_embedded=True).verdict is Verdict.MEND
    assert judge_disk("/home", LITTLE_BYTES - 1, is_embedded=False).verdict is Verdict.NOTE


# How checks fail, and how lines look.


def test_a_check_that_fails_says_so_and_the_others_go_on(
    look: Look, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(case: Case) -> Finding:
        raise KeyError(case.url.get_secret_value())

    def disconnected(case: Case) -> Finding:
        case.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return ok("never")

    def refused(case: Case) -> Finding:
        raise psycopg.errors.InsufficientPrivilege("permission denied")

    checks = {"one": broken, "two": disconnected, "three": refused, **doctor.DATABASE}
    monkeypatch.setattr(doctor, "DATABASE", checks)
    found = look(warehouse)
    assert to_mend(found) == {"one", "two"}
    assert found["one"].text.startswith("Could not be checked: KeyError: '***'. Run `grid doctor`")
    assert found["two"].text.startswith("Could not be checked: AdminShutdown: ")
    assert found["three"] == note("Could not be checked: permission denied.")


def test_settings_without_effect_are_a_note(
    look: Look, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_FORECAST_KEEP_DAYS", "7")
    found = look(warehouse)["settings"]
    assert found.verdict is Verdict.NOTE
    assert found.text.startswith("GRID_FORECAST_KEEP_DAYS has no effect any more.")


def test_trees_that_are_to_grow_weekly_need_their_libraries(
    look: Look, warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "NEEDED", ())
    assert look(warehouse, train_weekly=True)["settings"] == ok("None is out of use.")
    monkeypatch.setattr(libraries, "NEEDED", ("lightgbm_that_nobody_has",))
    assert look(warehouse)["settings"] == ok("None is out of use.")
    found = look(warehouse, train_weekly=True)["settings"]
    assert found.verdict is Verdict.NOTE
    assert found.text.startswith("GRID_TRAIN_WEEKLY is on. Nothing can be trained: lightgbm_that")


def test_the_trees_that_forecast_are_named_with_why_promoted_ones_do_not(
    look: Look, warehouse: SecretStr, tmp_path: Path
) -> None:
    bundled = ok("The bundled ones forecast.")
    cure = "`grid train --warehouse` makes new ones, `grid train --warehouse --revert` ends this."
    assert look(warehouse)["trees"] == bundled

    forecast = (
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
        "context_assumed, known_by, {}) VALUES ('gradient_boosting', date_bin('30 minutes', now(), "
        "'epoch') + {} * interval '30 minutes', now(), 'r', 0, 0, 'capture', 'They are broken.')"
    )
    decide = (
        "INSERT INTO forecast.model_trials (model, outcome, reason, champion, challenger, "
        "half_hours, learned_to, first_issue_at, last_issue_at, issues) VALUES "
        "('gradient_boosting', '{0}', 'By a test.', 'none', {1}, 0, now(), now(), now(), 1)"
    )
    run(warehouse, forecast.format("fallback_reason", -2))  # of trees that are reverted now
    assert look(warehouse)["trees"] == bundled

    run(
        warehouse,
        "INSERT INTO forecast.weights (model, revision, trees, card) "
        "VALUES ('gradient_boosting', 'grown', 'trees', 'card')",
        decide.format("promoted", "'grown'"),
    )
    in_use = look(warehouse)["trees"]
    assert in_use.verdict is Verdict.OK
    assert in_use.text.startswith("grown, grown here, in use since 20")

    run(warehouse, forecast.format("fallback_reason", 1))
    assert look(warehouse)["trees"] == note(f"They are broken. {cure}")
    with connect(warehouse) as connection:
        promoted, warning = learning.report(connection)
    assert promoted.startswith("trees         grown, grown here, promoted 20")
    assert warning == "    warning: They are broken."

    run(warehouse, "DELETE FROM forecast.weights")
    gone = "The promoted trees grown cannot be used: forecast.weights does not have them any more."
    assert look(warehouse)["trees"] == note(f"{gone} The bundled ones forecast. {cure}")
    assert not (tmp_path / "cache").exists()

    run(warehouse, decide.format("reverted", "NULL"))
    assert look(warehouse)["trees"] == bundled
    run(warehouse, forecast.format("refused_reason", 2))
    assert look(warehouse)["trees"] == note("They are broken.")


def test_a_long_finding_is_wrapped_with_an_indent_and_not_cut() -> None:
    words = [f"word{n}" for n in range(60)]
    lines = doctor.format_finding("roles", mend(" ".join(words) + "\x1b[31m")).splitlines()
    assert lines[0].startswith("MEND  roles        word0 ")
    assert all(line.startswith(" " * 19 + "word") for line in lines[1:])
    assert max(map(len, lines)) <= doctor.WIDTH
    assert " ".join(lines).split()[2:] == [*words[:-1], "word59[31m"]


# Wake-ups. What `grid migrate` installs where Supabase's parts are is tested in `supabase/`.


def test_a_webhook_that_differs_from_the_settings_or_is_incomplete_is_to_be_mended(
    look: Look, warehouse: SecretStr
) -> None:
    address, secret = "https://project.example/functions/v1/f", "a-secret-of-'many'-characters"
    settings = {"wake_url": address, "wake_secret": SecretStr(secret)}

    def found(**changed: Any) -> Finding:
        return look(warehouse, **{**settings, **changed})["wake-ups"]

    assert found(wake_url=None, wake_secret=None).verdict is Verdict.OK
    assert "GRID_WAKE_SECRET is not set" in found(wake_secret=None).text
    assert "nothing wakes the function" in found().text
    run(
        warehouse,
        "CREATE SCHEMA supabase_functions",
        "CREATE FUNCTION supabase_functions.http_request() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NEW; END$$",
    )
    with connect(warehouse) as connection:
        wakeups.install(connection, address, SecretStr(secret), lambda _: None)
    assert found().verdict is Verdict.NOTE
    assert "no cron job" in found().text
    assert found(wake_url="https://other.example").verdict is Verdict.MEND
    assert found(wake_secret=SecretStr("another-secret-longer")).verdict is Verdict.MEND
    for active in ("true", "false"):
        run(
            warehouse,
            "DROP SCHEMA IF EXISTS cron CASCADE; CREATE SCHEMA cron",
            f"CREATE TABLE cron.job AS SELECT 'grid-forecast' AS jobname, {active} AS active, "
            f"'SELECT net.http_post(url := ''{address}?source=cron'')'::text AS command",
        )
        assert found().verdict is (Verdict.OK if active == "true" else Verdict.MEND)
    run(warehouse, "UPDATE cron.job SET active = true")
    run(warehouse, "ALTER TABLE core.intensity DISABLE TRIGGER note_new_telemetry")
    assert "is disabled" in found().text
    for statement in found().text.partition("run: ")[2].removesuffix(";").split("; "):
        run(warehouse, statement)
    assert found().verdict is Verdict.OK
    run(warehouse, "DROP TRIGGER note_new_telemetry ON core.intensity")
    assert "incomplete" in found().text
    run(warehouse, "DROP TRIGGER forecast_on_telemetry ON ops.telemetry_landed")
    assert (found().verdict, found().text[:16]) == (Verdict.NOTE, "Only a cron job ")
    assert "cron job wakes another" in found(wake_url="https://other.example").text

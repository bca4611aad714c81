"""Runs `grid` commands as processes against a real database and a recorded or another API.

The tests check what a command prints, writes to the tables and exits with. The product that keeps
running is tested in `runtime/test_supervisor.py`, and bad answers of the API in `defs/`.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
import requests
from click.testing import CliRunner
from psycopg import sql
from pydantic import SecretStr

from grid_assets.cli.__main__ import grid as command
from grid_assets.halfhours import HALF_HOUR, day_start, floor
from grid_assets.replay.faults import FAULTS
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.connection import Connection, connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.urls import location
from grid_assets_tests.http_stub import Reply, Stub, serving
from grid_assets_tests.running import (
    GridCommand,
    files_with,
    free_port,
    grid_in_a_new_folder,
    holders,
    taken_port,
    wait_until,
    within_a_half_hour,
)

Rows = Callable[..., list[tuple[Any, ...]]]
NewDatabase = Callable[[str | None], SecretStr]

DATA = ("raw.intensity", "raw.generation", "raw.neso_forecast", "core.intensity")
FORECASTS = (
    "SELECT model, issued_at, count(*), count(DISTINCT series), min(period_start) = issued_at, "
    "bool_and(p10 <= p50 AND p50 <= p90) FROM forecast.predictions "
    "WHERE model <> 'neso' GROUP BY 1, 2 ORDER BY 1, 2"
)


@pytest.fixture
def grid(chart_library: Path) -> Iterator[GridCommand]:
    with grid_in_a_new_folder(chart_library) as made:
        yield made


@pytest.fixture
def recorded(grid: GridCommand, warehouse: SecretStr, replay: ReplayServer) -> GridCommand:
    """`grid` on a migrated, empty, recorded warehouse; reads three days, never tries twice."""
    grid.environment |= {
        "GRID_DATABASE_URL": warehouse.get_secret_value(),
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_HISTORY_START": str(days_ago(2)),
    }
    return grid


@pytest.fixture
def other_api(replay: ReplayServer) -> Iterator[Stub]:
    """An API of another program: the recorded values in the published shape, and nothing more."""

    def script(path: str) -> Reply:
        _, answer = replay.endpoints.answer(path, datetime.now(UTC), None)
        return Reply(answer.body, answer.status)

    with serving() as stub:
        stub.script = script
        yield stub


def days_ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def ask(url: SecretStr, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def counts(url: SecretStr) -> dict[str, int]:
    return {table: ask(url, f"SELECT count(*) FROM {table}")[0][0] for table in DATA}  # noqa: S608


def one_sentence(text: str) -> str:
    """The error of a command: its last line, and the only one that says so."""
    errors = [line for line in text.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in text
    return errors[0]


# A warehouse by commands alone.


def contents(url: SecretStr) -> dict[str, list[tuple[Any, ...]]]:
    """What a cycle that finds nothing new leaves as it was."""
    return {
        "intensity": ask(url, "SELECT * FROM raw.intensity ORDER BY 1, 2"),
        "mix": ask(url, "SELECT * FROM core.generation_mix ORDER BY 1"),
        "forecasts": ask(url, FORECASTS),
    }


def test_a_replay_and_a_database_become_a_warehouse_without_the_demo(
    grid: GridCommand, new_database: NewDatabase
) -> None:
    url, port, today = new_database(None), free_port(), days_ago(0)
    yesterday, first_day = today - timedelta(days=1), today - timedelta(days=9)
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": f"http://127.0.0.1:{port}",
        "GRID_HISTORY_START": str(today - timedelta(days=2)),
        "GRID_BACKTEST_DAYS": "1",
        "GRID_BACKTEST_STRIDE_HOURS": "12",
    }
    assert grid.run("url").out == url.get_secret_value() + "\n"
    assert "Run `grid migrate`" in grid.run("status", code=1).out

    replay = grid.start("replay", "--port", str(port), "--withhold", "6")
    replay.says("export GRID_API_URL=" + grid.environment["GRID_API_URL"])
    assert "RECORDED data" in grid.run("migrate").out
    again = grid.run("migrate").out
    assert "Migrations applied: none" in again
    assert "Views: unchanged" in again
    [stamp] = ask(url, "SELECT kind FROM ops.warehouse")
    assert stamp == ("replay",)

    grid.run("backfill", "--from", str(first_day), "--to", str(today - timedelta(days=3)))
    assert counts(url) == dict.fromkeys(DATA, 7 * 48) | {"raw.neso_forecast": 0}

    begun = floor(datetime.now(UTC))
    first = grid.run("tick")
    assert "raw.neso_forecast" in first.out
    status = requests.get(f"{grid.environment['GRID_API_URL']}/replay/status", timeout=5).json()
    withheld_from = datetime.fromisoformat(status["withheld_from"])
    newest = ask(url, "SELECT max(period_start), count(*) FROM core.intensity")
    half_hours = (withheld_from - day_start(first_day)) // HALF_HOUR
    assert newest == [(withheld_from - HALF_HOUR, half_hours)]
    stale = grid.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is" in stale
    assert "RECORDED data (replay), not live" in stale

    grid.run("replay", "release")

    def run_twice() -> tuple[dict[str, list[tuple[Any, ...]]], ...]:
        found = []
        for _ in range(2):
            grid.run("tick")
            found.append(contents(url))
        return tuple(found)

    once, twice = within_a_half_hour(run_twice)
    assert twice == once
    assert "healthy" in grid.run("status").out.splitlines()
    last = first.out.splitlines()[-1]
    assert re.fullmatch(r"Forecast by \S+ from 20\S+ \d\d:[03]0Z, 48 hours\..*", last), last
    forecasts = once["forecasts"]
    assert {forecast[2:] for forecast in forecasts} == {(960, 10, True, True)}
    models, issues = ({forecast[place] for forecast in forecasts} for place in (0, 1))
    assert len(forecasts) == len(models) * len(issues)
    # The issues of yesterday and today, and the newest, renewed with what was released; one more
    # for each half-hour that has begun since the first cycle.
    newest_issue = max(issues)
    every_12_hours = (day_start(yesterday) + timedelta(hours=12 * n) for n in range(4))
    expected = {at for at in every_12_hours if at < newest_issue} | {newest_issue}
    assert expected <= issues
    assert min(issues - expected, default=newest_issue) > begun
    assert ask(
        url,
        "SELECT DISTINCT issued_at, intensity_to FROM forecast.issues WHERE model <> 'neso' "
        "AND issued_at = (SELECT max(issued_at) FROM forecast.issues WHERE model <> 'neso')",
    ) == [(newest_issue, newest_issue - HALF_HOUR)]
    assert ask(url, "SELECT DISTINCT model FROM reporting.forecast_accuracy") != []
    totals = ask(url, "SELECT DISTINCT total_pct FROM reporting.telemetry")
    assert {total for (total,) in totals} - {None} == {100}

    made = ask(url, "SELECT * FROM forecast.predictions")
    days = ("--from", str(yesterday), "--to", str(yesterday))
    scored = grid.run("backtest", *days, GRID_BACKTEST_STRIDE_HOURS="6").out
    assert f"Back-testing {yesterday}: a forecast every 6 hours" in scored
    assert re.search(r"^  seasonal_naive +\d+\.\d", scored, re.MULTILINE)
    assert set(made) <= set(ask(url, "SELECT * FROM forecast.predictions"))
    assert len(ask(url, FORECASTS)) == len(models) * (len(issues) + 2)

    replay.ends(signal.SIGINT)
    assert "Traceback" not in replay.output()


def test_a_cycle_that_cannot_make_the_dashboard_warns_and_succeeds(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    (recorded.home / "files").write_text("not a folder", encoding="utf-8")
    ran = recorded.run("tick", GRID_BACKTEST_DAYS="0")
    assert "Warning: the dashboard was not updated; its data is in the warehouse." in ran.out
    assert ask(warehouse, "SELECT count(*) > 0 FROM core.intensity") == [(True,)]
    assert ask(warehouse, "SELECT DISTINCT asset FROM ops.etl_runs WHERE status <> 'success'") == [
        ("files.dashboard",)
    ]
    checked = recorded.run("status", code=None).out  # three days are too few to forecast from
    assert "warning: [Errno" in checked
    faults = [line for line in checked.splitlines() if line.startswith("NOT HEALTHY")]
    assert "files.dashboard" not in " ".join(faults)

    (recorded.home / "files").unlink()
    recorded.run("tick", GRID_BACKTEST_DAYS="0")
    page = (recorded.home / "files" / "dashboard.html").read_text(encoding="utf-8")
    assert "RECORDED data (replay), not live" in page


def test_a_cycle_whose_telemetry_fails_still_makes_a_dashboard_that_says_so(
    recorded: GridCommand, replay: ReplayServer
) -> None:
    replay.control.fault({"name": "500", "path": "/generation"})
    recorded.run("tick", code=1, GRID_BACKTEST_DAYS="0")
    page = (recorded.home / "files" / "dashboard.html").read_text(encoding="utf-8")
    assert '<th scope="row">raw.generation</th><td class="bad">failed</td>' in page


def test_an_api_of_another_program_is_live_and_the_recording_stays_out(
    grid: GridCommand, new_database: NewDatabase, other_api: Stub, replay: ReplayServer
) -> None:
    url, day = new_database(None), str(days_ago(3))
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": other_api.url,
        "GRID_HISTORY_START": str(days_ago(1)),
    }
    assert "LIVE data" in grid.run("migrate").out
    grid.run("backfill", "--from", day, "--to", day)
    assert counts(url)["core.intensity"] == 48
    assert "Warning: no forecast for " in grid.run("tick").out.splitlines()[-1]
    unhealthy = grid.run("status", code=1).out
    assert "LIVE data" in unhealthy
    # Three days are too few to forecast from; all else is well.
    faults = [line for line in unhealthy.splitlines() if line.startswith("NOT HEALTHY")]
    assert len(faults) == 1
    assert faults[0].startswith("NOT HEALTHY   forecast is missing")
    kept = counts(url)
    assert kept["core.intensity"] > 96

    refused = one_sentence(grid.run("tick", GRID_API_URL=replay.url, code=1).text)
    assert "never meet" in refused
    assert "GRID_API_URL" in refused
    assert counts(url) == kept
    refused = one_sentence(grid.run("migrate", GRID_API_URL=replay.url, code=1).text)
    assert "never meet" in refused
    assert ask(url, "SELECT kind FROM ops.warehouse") == [("live",)]


def test_live_data_stays_out_of_a_recorded_warehouse(
    recorded: GridCommand, warehouse: SecretStr, other_api: Stub
) -> None:
    refused = recorded.run("tick", GRID_API_URL=other_api.url, code=1)
    assert "never meet" in one_sentence(refused.text)
    assert counts(warehouse) == dict.fromkeys(DATA, 0)
    failed = ask(
        warehouse,
        "SELECT DISTINCT status, error_type FROM ops.etl_runs WHERE asset <> 'files.dashboard'",
    )
    assert failed == [("failed", "ApiWrongKind")]


# Controlling the recorded API.


def test_a_running_replay_is_steered_by_commands(grid: GridCommand) -> None:
    port = free_port()
    grid.environment["GRID_API_URL"] = url = f"http://127.0.0.1:{port}"
    running = grid.start("replay", "--port", str(port), "--shift-weeks", "3", "--fault", "500")
    running.says("Moved by 3 weeks")
    assert "faults         500" in grid.run("replay", "status").out
    assert requests.get(f"{url}/intensity", timeout=5).status_code == 500
    assert "faults         none" in grid.run("replay", "heal").out
    assert "withheld from  20" in grid.run("replay", "withhold", "4").out
    assert "withheld from  20" in grid.run("replay", "release", "3", "--url", url).out
    assert "withheld from  nothing" in grid.run("replay", "release").out
    options = ("--times", "2", "--path", "/generation", "--option", 'fuels=["wind"]')
    assert "faults         drop_fuels" in grid.run("replay", "fault", "drop_fuels", *options).out
    [fault] = requests.get(f"{url}/replay/status", timeout=5).json()["faults"]
    assert fault == {"name": "drop_fuels", "times": 2, "path": "/generation", "fuels": ["wind"]}
    refused = one_sentence(grid.run("replay", "fault", "html", "--option", "x=1", code=1).text)
    assert "'x' is unknown" in refused
    assert running.ends(signal.SIGTERM) == 130
    assert "No replay answers at" in one_sentence(grid.run("replay", "heal", code=1).text)


def test_an_unknown_fault_is_refused_with_the_names_of_all(grid: GridCommand) -> None:
    refused = grid.run("replay", "fault", "no_such_fault", code=2).err
    assert "no_such_fault" in refused
    assert all(name in refused for name in FAULTS)


def test_a_replay_on_a_taken_port_says_so(grid: GridCommand) -> None:
    with taken_port() as port:
        refused = one_sentence(grid.run("replay", "--port", str(port), code=1).err)
    assert f"cannot listen on port {port}" in refused
    assert "--port" in refused


def test_steering_without_a_replay_says_what_to_start(grid: GridCommand) -> None:
    refused = one_sentence(grid.run("replay", "status", code=1).err)
    assert "Start `grid demo` or `grid replay`, or give --url" in refused


# What goes wrong, and how it is told.


def test_a_dead_api_fails_the_tick_with_one_sentence_and_a_row(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    dead = f"127.0.0.1:{free_port()}"
    failed = one_sentence(recorded.run("tick", GRID_API_URL=f"http://{dead}", code=1).text)
    assert failed.startswith("Error: Telemetry failed for ")
    assert f"{dead} cannot be reached" in failed
    assert "GRID_API_URL" in failed
    rows = ask(
        warehouse,
        "SELECT status, error_type, error_message FROM ops.etl_runs "
        "WHERE asset <> 'files.dashboard' ORDER BY asset",
    )
    assert [row[:2] for row in rows] == [("failed", "ApiUnreachable")] * 3
    assert dead in rows[0][2]
    unhealthy = recorded.run("status", code=1).out
    assert f"NOT HEALTHY   raw.intensity failed: {dead}" in unhealthy


@pytest.mark.parametrize("name", ["status", "migrate", "tick", "quarantine list"])
def test_a_dead_database_is_named_without_its_password(grid: GridCommand, name: str) -> None:
    port, password = free_port(), secrets.token_hex(8)
    grid.environment["GRID_DATABASE_URL"] = f"postgresql://u:{password}@127.0.0.1:{port}/somewhere"
    failed = grid.run(*name.split(), code=1)
    assert f"127.0.0.1:{port}/somewhere cannot be used" in one_sentence(failed.text)
    assert "GRID_DATABASE_URL" in failed.err
    assert password not in failed.text


BAD = {
    "GRID_API_URL": "ftp://u:hidden@127.0.0.1",
    "GRID_DATABASE_URL": "mysql://u:hidden@127.0.0.1/x",
    "GRID_DAGSTER_DATABASE_URL": "postgresql://u:hid/den#hidden@127.0.0.1/x",
    "GRID_API_TIMEOUT_S": "-1",
    "GRID_API_RETRY_BUDGET_S": "soon",
    "GRID_API_CONCURRENCY": "99",
    "GRID_API_MAX_BODY_MB": "0",
    "GRID_HISTORY_START": "yesterday",
    "GRID_UI_PORT": "123456",
    "GRID_CHRONOS_TIMEOUT_S": "0",
    "GRID_BACKTEST_DAYS": "-1",
    "GRID_BACKTEST_STRIDE_HOURS": "0.7",
    "GRID_USE_NESO_FORECAST": "perhaps",
}


def test_each_bad_setting_is_named_and_no_secret_is_shown(grid: GridCommand) -> None:
    refused = grid.run("status", code=1, **BAD)
    assert all(f"{name}: " in one_sentence(refused.err) for name in BAD)
    assert "hidden" not in refused.text


def test_a_home_that_cannot_be_made_is_named(grid: GridCommand) -> None:
    refused = one_sentence(grid.run("status", code=1, GRID_HOME="/proc/no-such-folder").err)
    assert "/proc/no-such-folder cannot be created" in refused
    assert "GRID_HOME" in refused


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2025-06-02", "2025-06-01", "--from 2025-06-02 is after --to 2025-06-01"),
        ("2017-09-10", "2017-09-12", "is before 2017-09-11, the first day with data"),
        ("2025-06-01", "2999-01-01", "--to 2999-01-01 is in the future"),
        ("2025-06-31", "2025-07-01", "'2025-06-31' is not a day"),
    ],
)
@pytest.mark.parametrize("name", ["backfill", "backtest"])
def test_days_that_cannot_be_are_refused(name: str, first: str, last: str, reason: str) -> None:
    refused = CliRunner().invoke(command, [name, "--from", first, "--to", last])
    assert refused.exit_code == 2
    assert reason in refused.output


@pytest.mark.parametrize("name", ["backfill", "backtest"])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Missing option '--from'"),
        (("--from", "2025-06-01"), "Missing option '--to'"),
        (("--from", "2025-06-01", "--to", "2025-06-01", "--stride", "3"), "No such option"),
        (("2025-06-01", "2025-06-01"), "Missing option '--from'"),
    ],
)
def test_days_that_are_not_given_are_asked_for(
    name: str, arguments: tuple[str, ...], reason: str
) -> None:
    refused = CliRunner().invoke(command, [name, *arguments])
    assert refused.exit_code == 2
    assert reason in refused.output


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_has_help_and_a_word_in_the_documentation(name: str) -> None:
    helped = CliRunner().invoke(command, [name, "--help"])
    assert helped.exit_code == 0
    assert f"Usage: grid {name}" in helped.output
    assert len(helped.output.splitlines()) > 5
    assert f"  {name}" in CliRunner().invoke(command, ["--help"]).output
    documented = "".join(
        path.read_text(encoding="utf-8")
        for path in (PROJECT_DIR / "README.md", *(PROJECT_DIR / "docs").glob("*.md"))
    )
    assert re.search(rf"\bgrid {name}\b", documented)


def test_the_help_of_a_back_test_names_the_setting_of_its_stride() -> None:
    helped = CliRunner().invoke(command, ["backtest", "--help"]).output
    assert "GRID_BACKTEST_STRIDE_HOURS" in helped
    assert "--from" in helped
    assert "--to" in helped


def test_a_back_test_of_days_that_were_never_loaded_forecasts_nothing_and_says_so(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    day = str(days_ago(3))
    said = recorded.run("backtest", "--from", day, "--to", day, GRID_BACKTEST_STRIDE_HOURS="12")
    assert "Traceback" not in said.text
    assert ask(warehouse, "SELECT count(*) FROM forecast.predictions") == [(0,)]
    refused = ask(
        warehouse, "SELECT issued_at, refused_reason FROM forecast.issues ORDER BY issued_at"
    )
    assert len(refused) == 2
    assert all("missing" in reason for _, reason in refused)


def test_status_tells_an_empty_warehouse_from_a_stale_one(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    empty = recorded.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is missing" in empty
    assert "raw.intensity        never ran" in empty
    period = floor(datetime.now(UTC)) - timedelta(hours=5)
    with connect(warehouse) as connection:
        for relation, columns in {
            "core.intensity": {"forecast_gco2_kwh": 1, "actual_gco2_kwh": 1},
            "core.generation_mix": {"wind_pct": 100, "published_total_pct": 100},
        }.items():
            insert(connection, relation, {"period_start": period, **columns})
    stale = recorded.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is 5 h old" in stale
    assert "NOT HEALTHY   newest mix is 5 h old" in stale


def test_status_ends_with_housekeeping_and_the_size_of_the_database(recorded: GridCommand) -> None:
    said = recorded.run("status", code=1).out
    assert "housekeeping  not run yet; it runs once a day" in said
    assert re.search(r"^database      \d+ [kM]B \(telemetry \d+ kB, forecasts ", said, re.MULTILINE)


def test_a_back_test_of_thinned_days_is_refused_with_the_first_that_is_possible(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    with connect(warehouse) as connection:
        connection.execute("INSERT INTO forecast.thinning (thinned_to) VALUES ('2024-03-04')")
    days = ("--from", "2024-03-03", "--to", "2024-03-05")
    refused = one_sentence(recorded.run("backtest", *days, code=1).text)
    assert "Of the forecasts before 2024-03-04 only chosen leads are kept" in refused
    assert refused.endswith("Start at 2024-03-04 or later.")
    assert ask(warehouse, "SELECT * FROM ops.etl_runs") == []


def test_a_tick_keeps_house_in_a_warehouse_that_is_a_day_old(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    with connect(warehouse) as connection:
        connection.execute("UPDATE ops.warehouse SET stamped_at = now() - interval '2 days'")
    said = recorded.run("tick").out
    assert "Daily clean-up" in said
    assert "  ops.retention        success " in said
    assert "  dagster.runs         success " in said
    assert "Daily clean-up" not in recorded.run("tick").out
    assert "housekeeping  0 h ago, removed 0 rows" in recorded.run("status", code=None).out


def insert(connection: Connection, relation: str, values: dict[str, Any]) -> None:
    """One row; numbers that must be there and are not given are 0, times are now."""
    needed = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND adbin IS NULL",
        [relation],
    ).fetchall()
    defaults = {
        name: datetime.now(UTC) if kind.startswith("timestamp") else "none" if kind == "text" else 0
        for name, kind in needed
    }
    row = {**defaults, **values}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*relation.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


# Interruptions.


def test_an_interrupted_backfill_leaves_failed_rows_and_the_next_run_goes_on(
    recorded: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    recorded.environment |= {"GRID_API_TIMEOUT_S": "2", "GRID_API_RETRY_BUDGET_S": "600"}
    hang = {"name": "hang", "times": None, "path": None}
    day = str(days_ago(3))
    backfill = ("backfill", "--from", day, "--to", day)
    running = "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'"

    for number in (signal.SIGINT, signal.SIGTERM):
        replay.control.fault(hang)
        started = recorded.start(*backfill)
        wait_until(lambda: ask(warehouse, running) == [(1,)], 60, started.output)
        assert started.ends(number) == 130
        assert "Traceback" not in started.output()
        assert ask(warehouse, running) == [(0,)]
    seen = ask(warehouse, "SELECT DISTINCT status, error_type IS NULL FROM ops.etl_runs")
    assert seen == [("failed", False)]

    killed = recorded.start(*backfill)
    wait_until(lambda: ask(warehouse, running) == [(1,)], 60, killed.output)
    assert killed.ends(signal.SIGKILL) == -signal.SIGKILL
    assert ask(warehouse, running) == [(1,)]
    replay.control.heal()
    recorded.run(*backfill)
    assert counts(warehouse)["core.intensity"] == 48
    rows = ask(warehouse, "SELECT status, count(*) FROM ops.etl_runs GROUP BY 1 ORDER BY 1")
    assert rows == [("crashed", 1), ("failed", 2), ("success", 4)]


# Secrets.


@pytest.fixture
def own_role(
    server: SecretStr, template: str, new_database: NewDatabase
) -> Iterator[tuple[SecretStr, str]]:
    """The URL of an empty database whose owner has an awkward password, and a part of it."""
    token = secrets.token_hex(8)
    role, password = f"grid_test_{secrets.token_hex(6)}", f"p@ss /:%{token}"
    database = new_database(None)
    name = urlsplit(database.get_secret_value()).path.strip("/")
    with connect(server) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )
        # the roles are there since the template was made, by somebody else
        connection.execute(sql.SQL("GRANT grid_owner TO {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(name), sql.Identifier(role)
            )
        )
    parts = urlsplit(database.get_secret_value())
    netloc = f"{role}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    yield SecretStr(urlunsplit(parts._replace(netloc=netloc))), token
    with connect(database) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(name))
        )
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_the_password_of_the_database_is_nowhere_to_be_seen(
    grid: GridCommand, own_role: tuple[SecretStr, str], replay: ReplayServer
) -> None:
    url, token = own_role
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_API_TIMEOUT_S": "3",
        "GRID_HISTORY_START": str(days_ago(1)),
    }
    said = grid.run("migrate").text
    replay.control.fault({"name": "hang", "times": None, "path": None})
    tick = grid.start("tick")
    running = "SELECT count(*) FROM ops.etl_runs WHERE status = 'running'"
    wait_until(lambda: ask(url, running) == [(1,)], 60, tick.output)
    assert holders(token) == []
    assert tick.ends() == 1
    said += tick.output() + grid.run("status", code=1).text + grid.run("quarantine", "list").text
    assert location(url) in said
    assert token not in said
    assert files_with(grid.folder, token) == []
    assert tables_with(url, token) == []
    assert "ops.etl_runs" in tables_with(url, "cannot be reached")
    assert "dagster.event_logs" in tables_with(url, "cannot be reached")


def tables_with(url: SecretStr, token: str) -> list[str]:
    """The tables of the database, Dagster's among them, with a row that holds `token`."""
    with connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return [
            ".".join(table)
            for table in tables
            if connection.execute(
                sql.SQL("SELECT FROM {} AS t WHERE strpos(t::text, %s) > 0 LIMIT 1").format(
                    sql.Identifier(*table)
                ),
                [token],
            ).fetchall()
        ]


# Quarantine.


def test_a_rejected_record_is_listed_and_loaded_once_it_passes(
    recorded: GridCommand, warehouse: SecretStr, replay: ReplayServer
) -> None:
    assert "Nothing is in quarantine." in recorded.run("quarantine", "list").out
    replay.control.fault({"name": "string_value", "times": 1, "path": "/intensity"})
    day = str(days_ago(3))
    recorded.run("backfill", "--from", day, "--to", day)
    assert counts(warehouse)["core.intensity"] == 47
    listed = recorded.run("quarantine", "list").out
    assert listed.endswith("1 open.\n")
    assert "raw.intensity  seen 1x  /intensity/" in listed
    assert "quarantine    1 open (`grid quarantine list`)" in recorded.run("status", code=1).out
    assert "0 accepted, 1 still rejected" in recorded.run("quarantine", "replay").out

    with connect(warehouse) as connection:
        [(payload,)] = connection.execute("SELECT payload FROM ops.quarantine").fetchall()
        record = json.loads(payload)
        values = record["intensity"]
        values |= {name: int(values[name]) for name in ("forecast", "actual")}
        connection.execute("UPDATE ops.quarantine SET payload = %s", [json.dumps(record)])
    replayed = recorded.run("quarantine", "replay").out
    assert "1 accepted, 0 still rejected" in replayed
    assert "core.intensity" in replayed
    assert counts(warehouse)["core.intensity"] == 48
    assert "Nothing is in quarantine." in recorded.run("quarantine", "list").out


def test_a_warehouse_of_another_shift_is_refused_with_the_command_that_fits(
    grid: GridCommand, new_database: NewDatabase, replay: ReplayServer
) -> None:
    url = new_database(None)
    migrate(url, Stamp("replay", replay.shift_weeks + 1))
    grid.environment |= {"GRID_DATABASE_URL": url.get_secret_value(), "GRID_API_URL": replay.url}
    refused = one_sentence(grid.run("migrate", code=1).err)
    assert f"grid replay --shift-weeks {replay.shift_weeks + 1}" in refused

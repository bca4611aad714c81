"""Alarms through the real apprise: each once, by one of several senders, and with its recovery."""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.alarms.looking import Courier, after_command
from grid_assets.health import alarms as status
from grid_assets.settings import Settings, SettingsError
from grid_assets.warehouse.connection import connect
from grid_assets_tests.alarms.conftest import Operation
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply

OPEN = "SELECT key FROM ops.alarms WHERE ended_at IS NULL ORDER BY key"


def titles(service: Service) -> list[str]:
    return [taken["title"].removeprefix("Grid Assets: ") for taken in service.taken]


def test_an_episode_is_told_once_and_so_is_its_recovery(
    operation: Operation, service: Service, healthchecks: Healthchecks
) -> None:
    operation.attempt()
    operation.cycle()
    assert (titles(service), healthchecks.kinds) == ([], "+")
    for _ in range(2):
        operation.attempt("failed", minutes_ago=0)
        operation.cycle()
    operation.attempt(minutes_ago=0)
    for _ in range(2):
        operation.cycle()
    assert titles(service) == ["failed raw.intensity", "over: failed raw.intensity"]
    assert healthchecks.kinds == "+--+"
    assert "raw.intensity did not work" in healthchecks.pings[1].reason


def test_a_condition_that_comes_and_goes_sends_three_messages_and_one_at_the_end(
    operation: Operation, service: Service
) -> None:
    operation.settings = Settings(alarm_urls=service.address())
    for _ in range(8):  # eight hours of cycles
        operation.attempt("failed", minutes_ago=0)
        operation.cycle()
        operation.later(30)
        operation.attempt(minutes_ago=0)
        operation.cycle()
        operation.later(30)
    assert [title.startswith("over") for title in titles(service)] == [False, True, False]
    operation.later(180)
    operation.cycle()
    assert titles(service)[3:] == ["over: failed raw.intensity"]


def test_at_most_four_messages_an_hour_and_the_next_sums_up(
    operation: Operation, service: Service
) -> None:
    for asset in (
        *("raw.intensity", "raw.generation", "core.intensity"),
        *("core.generation_mix", "forecast.predictions", "forecast.accuracy"),
    ):
        operation.attempt("failed", asset)
        operation.cycle()
    assert len(service.taken) == 4
    operation.later(61)
    for _ in range(2):
        operation.cycle()
    assert titles(service)[4:] == ["2 began"]


def test_two_senders_at_once_tell_it_once(
    operation: Operation, service: Service, healthchecks: Healthchecks
) -> None:
    operation.attempt("failed")
    start = threading.Barrier(4)

    def sender() -> None:
        with connect(operation.url) as connection:
            start.wait()
            Operation(operation.url, connection, operation.settings).cycle()

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert titles(service) == ["failed raw.intensity"]
    assert healthchecks.kinds == "-"


def test_what_no_address_took_is_sent_later_and_what_followed_is_summed_up(
    operation: Operation, service: Service
) -> None:
    service.script = lambda path: Reply(status=500)
    operation.attempt("failed")
    [fault] = operation.cycle()
    assert fault.kind == "HttpStatus"
    assert sum("HTTP status 500" in line for line in report(operation)) == 1
    everything, operation.settings = operation.settings, Settings(alarm_urls=None)
    assert not any("HTTP status 500" in line for line in report(operation))
    operation.settings = everything
    operation.attempt("failed", asset="raw.generation")
    operation.cycle()
    service.script = lambda path: Reply()
    operation.later(30)
    for _ in range(3):
        operation.cycle()
    assert titles(service) == ["failed raw.intensity", "failed raw.generation"]
    assert operation.ask("SELECT DISTINCT status FROM ops.alarm_messages") == [("delivered",)]


def report(operation: Operation) -> list[str]:
    return list(status.report(operation.connection, operation.settings, datetime.now(UTC)))


def test_a_heartbeat_that_does_not_answer_is_a_warning_and_is_tried_after_the_next_cycle(
    operation: Operation, healthchecks: Healthchecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = "grid_assets.alarms.heartbeat.ping.__kwdefaults__"
    monkeypatch.setattr(limit, {"limit_s": 1.0})
    healthchecks.script = lambda path: Reply(wait_s=30)
    operation.attempt()
    [fault] = operation.cycle()
    assert fault.kind == "TimedOut"
    assert operation.cycle() == []
    assert sum("warning" in line for line in report(operation)) == 1
    healthchecks.script = lambda path: Reply(b"OK")
    monkeypatch.setattr(limit, {"limit_s": 30.0})  # a busy machine answers late
    operation.attempt(minutes_ago=0)
    assert operation.cycle() == []
    assert healthchecks.kinds == "+"
    assert not any("warning" in line for line in report(operation))


def test_a_cycle_that_still_runs_or_is_no_cycle_is_not_told(
    operation: Operation, healthchecks: Healthchecks
) -> None:
    operation.attempt(trigger="backfill")
    assert operation.look().cycle_at is None
    operation.attempt(minutes_ago=0)
    assert operation.look().cycle_at is None  # it may be between two assets
    assert operation.look(settle=timedelta(0)).cycle_at is not None


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        (
            "INSERT INTO ops.quarantine (captured_at, asset, endpoint, reason, payload, is_body, "
            "run_id, last_seen_at) VALUES (now(), 'raw.intensity', '/', 'odd', '{}', false, 'r', "
            "now())",
            "quarantine",
        ),
        (
            "UPDATE ops.warehouse SET stamped_at = now() - interval '1 day'",
            "stale forecast, stale intensity, stale mix",
        ),
        (
            "INSERT INTO forecast.model_trials (model, outcome, reason, champion, challenger, "
            "half_hours, learned_to, first_issue_at, last_issue_at, issues) VALUES "
            "('gradient_boosting', 'promoted', 'better', 'old', 'new', 9, now(), now(), now(), 9)",
            "lost old",
        ),
        (
            "INSERT INTO ops.wakeups (source, status, error_type, error_message, retry_at, "
            "finished_at) VALUES ('cron', 'failed', 'NotFound', 'no repository', now(), now())",
            "",  # nothing is due: whatever failed, a forecast has used the newest telemetry
        ),
    ],
    ids=["quarantine", "stale", "champion", "start"],
)
def test_conditions_are_read_from_the_tables(
    operation: Operation, statement: str, key: str
) -> None:
    operation.connection.execute(statement.encode())
    operation.look()
    assert ", ".join(found for (found,) in operation.ask(OPEN)) == key


def test_a_blocking_check_is_severe_and_what_is_not_critical_waits_for_hours(
    operation: Operation,
) -> None:
    operation.attempt("failed", asset="core.intensity", error="BlockingCheckFailed")
    operation.attempt("failed", asset="raw.outlook", minutes_ago=60)
    operation.look()
    assert operation.ask(OPEN) == [("blocked core.intensity",)]
    operation.attempt("crashed", asset="raw.regional", minutes_ago=150)
    operation.attempt("failed", asset="raw.regional", minutes_ago=2)
    operation.look()
    assert operation.ask("SELECT key, severity FROM ops.alarms ORDER BY key") == [
        ("blocked core.intensity", "severe"),
        ("failed raw.regional", "warning"),
    ]


def test_recorded_data_raises_no_alarm(operation: Operation, service: Service) -> None:
    operation.connection.execute("UPDATE ops.warehouse SET kind = 'replay', shift_weeks = 1")
    operation.attempt("failed")
    assert operation.cycle() == []
    assert service.paths == []


def test_a_full_database_is_told_without_it(
    operation: Operation, service: Service, healthchecks: Healthchecks, tmp_path: Path
) -> None:
    home = tmp_path
    operation.connection.execute(
        "CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'could not extend file: No space left on device' "
        "USING ERRCODE = '53100'; END $$"
    )
    for table in ("alarms", "alarm_messages"):
        operation.connection.execute(
            f"CREATE TRIGGER full_disk BEFORE INSERT ON ops.{table} "
            "EXECUTE FUNCTION public.full_disk()".encode()
        )

    def tick(error: Exception | None) -> None:
        after_command(operation.settings, home, operation.url, "grid tick", error)

    try:
        for _ in range(2):  # nothing of the failed attempts could be recorded either
            tick(RuntimeError("Telemetry failed."))
        assert titles(service) == ["database"]
        assert "No space left" in service.taken[0]["message"]
        assert healthchecks.kinds == "--"
    finally:
        operation.connection.execute("DROP FUNCTION public.full_disk CASCADE")
    operation.attempt(minutes_ago=0)
    tick(None)
    assert titles(service) == ["database", "over: database"]
    assert healthchecks.kinds == "--+"


def test_the_courier_sends_while_the_sensor_goes_on(
    operation: Operation, service: Service, healthchecks: Healthchecks
) -> None:
    held = threading.Event()

    def script(path: str) -> Reply:
        held.wait(60)
        return Reply()

    service.script = script
    operation.attempt("failed")
    courier = Courier()
    courier.start(operation.url, operation.settings, operation.look(settle=timedelta(0)))
    assert courier.is_busy
    held.set()
    courier.wait(60)
    assert not courier.is_busy
    assert titles(service) == ["failed raw.intensity"]


def test_without_addresses_episodes_are_kept_and_told_once_there_is_one(
    operation: Operation, service: Service
) -> None:
    everything, operation.settings = operation.settings, Settings(alarm_urls=None)
    operation.attempt("failed")
    assert not operation.look()
    operation.settings = everything
    operation.cycle()
    assert titles(service) == ["failed raw.intensity"]


def test_an_unknown_database_says_nothing_of_a_password(
    operation: Operation, service: Service, tmp_path: Path
) -> None:
    from grid_assets_tests.running import free_port

    url = SecretStr(f"postgresql://me:s3cret-word@127.0.0.1:{free_port()}/x")
    for _ in range(2):
        after_command(operation.settings, tmp_path, url, "grid tick", None)
    [taken] = service.taken
    assert "s3cret-word" not in taken["message"]


def test_a_command_that_still_fails_is_not_over_because_something_else_fails(
    operation: Operation, service: Service
) -> None:
    for _ in range(2):
        operation.cycle(command="run", failure="no code")
        operation.attempt("failed", minutes_ago=0)
    assert titles(service)[0] == "command run"
    assert not any(title.startswith("over") for title in titles(service))


def test_whatever_prevents_telling_a_good_cycle_stays_one(
    operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", fail)
    operation.attempt("failed")
    [said] = after_command(operation.settings, tmp_path, operation.url, "grid tick", None)
    assert "OSError" in said


def test_a_heartbeat_that_is_set_no_more_is_no_warning(
    operation: Operation, healthchecks: Healthchecks
) -> None:
    healthchecks.script = lambda path: Reply(status=404)
    operation.attempt()
    operation.cycle()
    assert any("404" in line for line in report(operation))
    operation.settings = Settings()
    assert not any("heartbeat" in line for line in report(operation))


def test_a_setting_that_stops_a_command_pings_although_there_is_no_cycle(
    operation: Operation, service: Service, healthchecks: Healthchecks, tmp_path: Path
) -> None:
    error = SettingsError("GRID_EXECUTOR cannot be used.")
    after_command(operation.settings, tmp_path, operation.url, "grid tick", error)
    assert (titles(service), healthchecks.kinds) == (["command grid tick"], "-")

"""One row for each attempt, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.warehouse import processes, run_log
from grid_assets.warehouse.connection import Connection, WarehouseError, write_transaction
from grid_assets.warehouse.run_log import MAX_TRACE, are_run_processes_gone, mark_crashed
from grid_assets.warehouse.urls import read, redact
from grid_assets_tests import shared_warehouse
from grid_assets_tests.running import wait_until

one_warehouse, emptied = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Attempt = Callable[..., AbstractContextManager[run_log.Attempt]]

OWN = processes.started(os.getpid())

ATTEMPT_THAT_HANGS = """
import sys, time
from datetime import date
from pydantic import SecretStr
from grid_assets.warehouse import processes, run_log
with run_log.attempt(SecretStr(sys.argv[1]), run_id="killed", asset="raw.intensity",
                    trigger="tick", first_day=date(2026, 1, 1), last_day=date(2026, 1, 1)):
    print("running", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def warehouse(emptied: SecretStr) -> SecretStr:
    """The URL with a password; a server that requires none accepts any."""
    parts = urlsplit(emptied.get_secret_value())
    if parts.password:
        return emptied
    host = parts.netloc.rpartition("@")[2]
    return SecretStr(urlunsplit(parts._replace(netloc=f"{parts.username}:of-no-use@{host}")))


@pytest.fixture
def attempt(warehouse: SecretStr) -> Attempt:
    def attempt(
        url: SecretStr = warehouse, run_id: str = "run 1", asset: str = "core.intensity"
    ) -> AbstractContextManager[run_log.Attempt]:
        return run_log.attempt(
            url,
            run_id=run_id,
            asset=asset,
            trigger="tick",
            first_day=date(2026, 1, 1),
            last_day=date(2026, 1, 2),
        )

    return attempt


@pytest.fixture
def hanging(warehouse: SecretStr) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of an attempt."""
    process = subprocess.Popen(
        [sys.executable, "-c", ATTEMPT_THAT_HANGS, warehouse.get_secret_value()],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process
        process.kill()


def test_a_success_leaves_its_counts_and_its_time(attempt: Attempt, rows: Rows) -> None:
    with attempt() as current:
        assert rows("SELECT status, finished_at, execution_time_ms FROM ops.etl_runs") == [
            ("running", None, None)
        ]
        current.rows_fetched, current.rows_written, current.rows_quarantined = 97, 3, 1
    ((*values, started, finished, spent),) = rows(
        "SELECT run_id, asset, attempt, trigger, partition_start, partition_end, status, "
        "rows_fetched, rows_written, rows_quarantined, error_type, error_message, stack_trace, "
        "pid, started_at, finished_at, execution_time_ms FROM ops.etl_runs"
    )
    days = (date(2026, 1, 1), date(2026, 1, 2))
    assert values == [
        *("run 1", "core.intensity", 1, "tick", *days, "success", 97, 3, 1),
        *(None, None, None, os.getpid()),
    ]
    assert started < finished <= datetime.now(UTC) + timedelta(seconds=5)
    assert 0 <= spent <= (finished - started).total_seconds() * 1000 + 1


def test_a_failure_leaves_its_error_and_goes_on(attempt: Attempt, rows: Rows) -> None:
    def work(current: run_log.Attempt) -> None:
        current.rows_fetched = 5
        raise LookupError("no such half-hour")

    with pytest.raises(LookupError, match="no such half-hour"), attempt() as current:
        work(current)
    ((status, fetched, error, message, trace, finished),) = rows(
        "SELECT status, rows_fetched, error_type, error_message, stack_trace, "
        "finished_at IS NOT NULL FROM ops.etl_runs"
    )
    assert (status, fetched, error, message) == ("failed", 5, "LookupError", "no such half-hour")
    assert finished
    assert trace.startswith("Traceback (most recent call last)")
    assert trace.endswith("LookupError: no such half-hour\n")


def test_an_error_without_a_text_is_recorded_by_its_type(attempt: Attempt, rows: Rows) -> None:
    with pytest.raises(AssertionError), attempt():
        raise AssertionError
    assert rows("SELECT error_type, error_message FROM ops.etl_runs") == [
        ("AssertionError", "AssertionError")
    ]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_is_recorded_and_goes_on(
    attempt: Attempt, rows: Rows, interrupt: type[BaseException]
) -> None:
    with pytest.raises(interrupt), attempt():
        raise interrupt
    assert rows("SELECT status, error_type FROM ops.etl_runs") == [("failed", interrupt.__name__)]


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "🔥", "x" * 100_000], ids=ascii)
def test_an_error_whose_text_postgresql_cannot_hold_is_recorded_all_the_same(
    attempt: Attempt, rows: Rows, text: str
) -> None:
    with pytest.raises(ValueError, match=r"^"), attempt():
        raise ValueError(text)
    ((status, error, message),) = rows("SELECT status, error_type, error_message FROM ops.etl_runs")
    assert (status, error) == ("failed", "ValueError")
    assert len(message) == len(text)


def test_the_end_of_a_long_stack_trace_is_kept(attempt: Attempt, rows: Rows) -> None:
    with pytest.raises(ValueError, match=r"^"), attempt():
        raise ValueError("x" * MAX_TRACE + " the end")
    ((trace,),) = rows("SELECT stack_trace FROM ops.etl_runs")
    assert len(trace) == MAX_TRACE
    assert trace.endswith("the end\n")


def test_a_retry_is_another_attempt_of_the_same_run(attempt: Attempt, rows: Rows) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="again"), attempt():
            raise ValueError("again")
    with attempt() as third:
        assert third.attempt == 3
    with attempt(asset="core.generation_mix") as other:
        assert other.attempt == 1
    with attempt(run_id="run 2") as later:
        assert later.attempt == 1
    assert rows(
        "SELECT attempt, status FROM ops.etl_runs WHERE run_id = 'run 1' "
        "AND asset = 'core.intensity' ORDER BY 1"
    ) == [(1, "failed"), (2, "failed"), (3, "success")]


def test_data_that_are_rolled_back_leave_the_row_of_their_attempt(
    connection: Connection, attempt: Attempt, rows: Rows
) -> None:
    def work() -> None:
        with attempt(), write_transaction(connection, "core.intensity"):
            connection.execute("INSERT INTO core.intensity (period_start) VALUES ('2026-01-01Z')")
            raise RuntimeError("broken after the write")

    with pytest.raises(RuntimeError, match="broken after"):
        work()
    assert rows("SELECT period_start FROM core.intensity") == []
    assert rows("SELECT status, error_message FROM ops.etl_runs") == [
        ("failed", "broken after the write")
    ]


# Secrets


@pytest.mark.parametrize("password", ["s3cret-word", "p@ss/w?rd#1 %é", "12:34"])
@pytest.mark.parametrize(
    "form",
    [
        "postgresql://me:{}@db.example.org:5432/grid",
        "postgresql://db.example.org/grid?user=me&password={}",
    ],
)
def test_a_password_is_not_in_a_text_in_any_of_its_spellings(form: str, password: str) -> None:
    encoded = quote(password, safe="")
    url = SecretStr(form.format(encoded))
    text = f"connecting to {url.get_secret_value()} with {password} or {encoded} failed at 5432"
    redacted = redact(text, url)
    assert redacted == "connecting to *** with *** or *** failed at 5432"


def test_a_password_that_is_a_common_word_is_not_redacted_from_texts() -> None:
    url = SecretStr("postgresql://me:at@db.example.org/grid")
    assert redact("the data at hand", url) == "the data at hand"
    assert redact(f"for {url.get_secret_value()}", url) == "for ***"


def test_a_url_without_a_password_hides_nothing_but_itself() -> None:
    url = SecretStr("postgresql://db.example.org/grid")
    assert redact("db.example.org said no", url) == "db.example.org said no"
    assert redact(f"at {url.get_secret_value()}", url) == "at ***"


def test_a_recorded_failure_does_not_hold_the_password(
    warehouse: SecretStr, attempt: Attempt, rows: Rows
) -> None:
    password = urlsplit(warehouse.get_secret_value()).password
    assert password
    with pytest.raises(ValueError, match="cannot connect"), attempt():
        raise ValueError(f"cannot connect to {warehouse.get_secret_value()} with {password}")
    ((message, trace),) = rows("SELECT error_message, stack_trace FROM ops.etl_runs")
    assert message == "cannot connect to *** with ***"
    assert password not in trace


def test_a_password_on_the_edge_of_the_kept_trace_is_not_left_in_half(
    warehouse: SecretStr, attempt: Attempt, rows: Rows
) -> None:
    password = urlsplit(warehouse.get_secret_value()).password
    assert password
    with pytest.raises(ValueError, match=r"^"), attempt():
        raise ValueError(password + "x" * (MAX_TRACE - len(password) // 2))
    ((trace,),) = rows("SELECT stack_trace FROM ops.etl_runs")
    assert password[-len(password) // 2 :] not in trace


def test_an_attempt_does_not_print_its_secrets(attempt: Attempt) -> None:
    with attempt() as current:
        assert "secret" not in repr(current)


# Crashes


def test_a_process_killed_in_the_middle_leaves_a_running_row_that_the_next_look_marks_crashed(
    warehouse: SecretStr, connection: Connection, hanging: subprocess.Popen[str], rows: Rows
) -> None:
    status = "SELECT status FROM ops.etl_runs WHERE run_id = 'killed'"
    # A live process is left alone.
    assert mark_crashed(connection) == 0
    assert rows(status) == [("running",)]
    hanging.send_signal(signal.SIGKILL)
    hanging.wait(10)
    assert rows(status) == [("running",)]
    assert mark_crashed(connection) == 1
    ((state, finished, spent, error, message),) = rows(
        "SELECT status, finished_at IS NOT NULL, execution_time_ms, error_type, error_message "
        "FROM ops.etl_runs"
    )
    assert (state, finished, spent, error) == ("crashed", True, None, "ProcessDied")
    assert message == run_log.PROCESS_DIED
    assert mark_crashed(connection) == 0


def test_a_zombie_is_dead(
    warehouse: SecretStr, connection: Connection, hanging: subprocess.Popen[str], rows: Rows
) -> None:
    hanging.send_signal(signal.SIGKILL)
    # Killed, but its parent has not asked for its exit status yet.
    process = psutil.Process(hanging.pid)
    while process.status() != psutil.STATUS_ZOMBIE:
        pass
    assert mark_crashed(connection) == 1


def test_the_next_attempt_first_marks_dead_ones_as_crashed(
    warehouse: SecretStr, attempt: Attempt, rows: Rows
) -> None:
    insert(rows, warehouse, pid=dead_pid())
    with attempt(run_id="next"):
        pass
    assert rows("SELECT run_id, status FROM ops.etl_runs ORDER BY started_at") == [
        ("old", "crashed"),
        ("next", "success"),
    ]


def test_a_younger_process_with_the_same_id_is_another_one(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    insert(rows, warehouse, pid=os.getpid(), started_s=processes.started(1))
    assert mark_crashed(connection) == 1


@pytest.mark.parametrize("clock", ["-30 seconds", "-1 day", "1 day"])
def test_an_attempt_of_this_process_is_alive_whatever_the_clocks_say(
    warehouse: SecretStr, connection: Connection, rows: Rows, clock: str
) -> None:
    """The database's clock, which writes `started_at`, may be ahead of the host's or behind it."""
    insert(rows, warehouse, pid=os.getpid())
    # However old its heartbeat: on its own machine the process decides.
    rows("UPDATE ops.etl_runs SET heartbeat_at = now() - interval '1 day'")
    born = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    rows("UPDATE ops.etl_runs SET started_at = %s + %s::interval", born, clock)
    assert mark_crashed(connection) == 0
    assert are_run_processes_gone(connection, ["old"]) == {"old": False}


@pytest.mark.parametrize(("silence", "buried"), [("2 minutes", 0), ("4 minutes", 1)])
def test_a_row_of_an_earlier_version_is_judged_by_its_heartbeat(
    warehouse: SecretStr, connection: Connection, rows: Rows, silence: str, buried: int
) -> None:
    insert(rows, warehouse, pid=os.getpid(), started_s=None)
    rows("UPDATE ops.etl_runs SET heartbeat_at = now() - %s::interval", silence)
    assert mark_crashed(connection) == buried


@pytest.mark.parametrize(
    ("silence", "buried"),
    [("2 minutes", 0), ("4 minutes", 1), ("-2 minutes", 0), ("-1 day", 1)],  # stamped in the future
)
def test_an_attempt_on_another_machine_is_dead_when_its_heartbeat_stopped(
    warehouse: SecretStr, connection: Connection, rows: Rows, silence: str, buried: int
) -> None:
    insert(rows, warehouse, pid=dead_pid(), host="elsewhere")
    rows("UPDATE ops.etl_runs SET heartbeat_at = now() - %s::interval", silence)
    assert are_run_processes_gone(connection, ["old"]) == {"old": buried == 1}
    assert mark_crashed(connection) == buried


def test_finished_attempts_are_never_marked_as_crashed(
    warehouse: SecretStr, connection: Connection, attempt: Attempt, rows: Rows
) -> None:
    with attempt():
        pass
    rows("UPDATE ops.etl_runs SET pid = %s, heartbeat_at = '2020-01-01'", dead_pid())
    assert mark_crashed(connection) == 0
    assert rows("SELECT status FROM ops.etl_runs") == [("success",)]


def test_a_heartbeat_shows_that_an_attempt_lives(
    attempt: Attempt, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "HEARTBEAT_S", 0.01)
    beat = "SELECT heartbeat_at FROM ops.etl_runs"
    with attempt():
        first = rows(beat)
        for _ in range(500):
            if rows(beat) > first:
                return
    pytest.fail("no heartbeat came")


@pytest.mark.parametrize("failure", ["terminated", "statement_timeout", "no such table"])
def test_a_beat_that_fails_is_logged_and_the_next_one_tries_again(
    attempt: Attempt,
    warehouse: SecretStr,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: str,
) -> None:
    """Each failure is a real one of the server."""
    monkeypatch.setattr(run_log, "HEARTBEAT_S", 0.05)
    name = read(warehouse)["dbname"]
    beat = "SELECT heartbeat_at FROM ops.etl_runs"
    blocked = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with attempt():
        if failure == "no such table":
            rows("ALTER TABLE ops.etl_runs RENAME TO renamed")
            wait_until(lambda: "A heartbeat of core.intensity failed" in caplog.text, 60)
            rows("ALTER TABLE ops.renamed RENAME TO etl_runs")
        else:
            if failure == "statement_timeout":
                rows(f"ALTER DATABASE {name} SET statement_timeout = '200ms'")
            with psycopg.connect(warehouse.get_secret_value()) as holder:
                holder.execute("SELECT FROM ops.etl_runs FOR UPDATE")
                wait_until(lambda: rows(blocked), 60)
                if failure == "terminated":
                    rows(blocked.replace("pid", "pg_terminate_backend(pid)", 1))
                wait_until(lambda: "A heartbeat of core.intensity failed" in caplog.text, 60)
            rows(f"ALTER DATABASE {name} RESET statement_timeout")
        before = rows(beat)
        wait_until(lambda: rows(beat) > before, 60)
    assert rows("SELECT status FROM ops.etl_runs") == [("success",)]


@pytest.mark.parametrize("fails", [False, True])
def test_an_attempt_that_was_wrongly_marked_as_crashed_says_so_at_its_end(
    connection: Connection, attempt: Attempt, rows: Rows, fails: bool
) -> None:
    def work() -> None:
        with attempt():
            rows("UPDATE ops.etl_runs SET host = 'elsewhere', heartbeat_at = '2020-01-01'")
            assert mark_crashed(connection) == 1
            connection.commit()
            if fails:
                raise LookupError("and failed")

    if fails:
        with pytest.raises(LookupError):
            work()
    else:
        work()
    said = f"and failed {run_log.WRONGLY_CRASHED}" if fails else run_log.WRONGLY_CRASHED
    assert rows("SELECT status, error_type, error_message FROM ops.etl_runs") == [
        ("failed", "LookupError", said) if fails else ("success", None, said)
    ]


def test_an_interrupt_between_the_row_and_the_work_is_recorded(
    attempt: Attempt, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there, and its number is not known yet."""
    real = run_log._start

    def interrupted(url: SecretStr, current: run_log.Attempt, *rest: Any) -> None:
        real(url, current, *rest)
        current.attempt = 0
        raise KeyboardInterrupt

    monkeypatch.setattr(run_log, "_start", interrupted)
    with pytest.raises(KeyboardInterrupt), attempt():
        pytest.fail("the work began")
    assert rows("SELECT status, error_type FROM ops.etl_runs") == [("failed", "KeyboardInterrupt")]


def test_an_end_that_cannot_be_recorded_does_not_hide_the_cause(
    attempt: Attempt, rows: Rows
) -> None:
    def work() -> None:
        rows("ALTER TABLE ops.etl_runs RENAME TO renamed")
        raise LookupError("the cause")

    with pytest.raises(LookupError, match="the cause"), attempt():
        work()
    rows("ALTER TABLE ops.renamed RENAME TO etl_runs")


def test_a_server_that_cannot_be_reached_is_reported_before_any_work(attempt: Attempt) -> None:
    nowhere = SecretStr("postgresql://me:hidden-word@127.0.0.1:1/grid")
    with (
        pytest.raises(WarehouseError, match=r"127\.0\.0\.1:1/grid cannot be used") as refused,
        attempt(nowhere),
    ):
        pytest.fail("the work began")
    assert "hidden-word" not in str(refused.value)


def dead_pid() -> int:
    """A process id that nobody has."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def insert(
    rows: Rows,
    warehouse: SecretStr,
    *,
    pid: int,
    started_s: float | None = OWN,
    host: str | None = None,
) -> None:
    """A running row as another process would have left it."""
    if host is None:
        host = this_host(warehouse)
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, status, host, pid, process_started_s, heartbeat_at) VALUES "
        "('old', 'core.intensity', 1, 'tick', '2026-01-01', '2026-01-01', "
        "now() - interval '1 second', 'running', %s, %s, %s, now())",
        host,
        pid,
        started_s,
    )


def this_host(warehouse: SecretStr) -> str:
    """How an attempt of this machine names it, learned from one."""
    with run_log.attempt(
        warehouse,
        run_id="to learn the host",
        asset="core.intensity",
        trigger="tick",
        first_day=date(2026, 1, 1),
        last_day=date(2026, 1, 1),
    ):
        pass
    with psycopg.connect(warehouse.get_secret_value(), autocommit=True) as connection:
        row = connection.execute(
            "DELETE FROM ops.etl_runs WHERE run_id = 'to learn the host' RETURNING host"
        ).fetchone()
    assert row is not None
    return str(row[0])

"""What the long commands do, step by step: `up`, `demo`, `down`, `tick`, `backfill`, `status`.

Belongs here: the order of things and what is said meanwhile. Does not belong here: options and exit
codes of the command line (`cli`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from grid_assets.dashboard import DASHBOARD, files_folder, server
from grid_assets.forecasting.retention import DayIsThinned, refuse_thinned
from grid_assets.halfhours import day_start
from grid_assets.health import contents, run_summary
from grid_assets.health.report import NOT_CRITICAL
from grid_assets.replay.recording import RECORDED_UNTIL, shift_weeks
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets.runtime.environment import Environment, open_environment, set_up
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.settings import Settings
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.gaps import Range, to_ranges
from grid_assets.warehouse.connection import Connection, connect, is_of_database
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.stamp import Stamp, read_stamp

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from grid_assets.cli.runs import Outcome

DEMO_CRON: Final = "*/2 * * * *"
"""The demo reads every other minute, so that a released half-hour shows while one watches."""

REPLAY_FILE: Final = "replay.url"

Say = Callable[[str], None]


class CommandError(Exception):
    """A command cannot do what was asked; the message names the cause and the cure."""


def up(settings: Settings, port: int, say: Say) -> None:
    """The live product, until a signal ends it."""
    with supervisor.stop_on_signals():
        environment = open_environment(settings, say=say)
        supervisor.claim(environment.home, say)
        try:
            _serve(environment, port, say, variables={})
        finally:
            _stop(environment, say)


def demo(settings: Settings, port: int, say: Say, *, once: bool) -> None:
    """The product on the recording: once to the end, or until a signal ends it."""
    with supervisor.stop_on_signals():
        environment = open_environment(settings, demo=True, say=say)
        supervisor.claim(environment.home, say)
        try:
            with start_replay(environment, say) as replay:
                environment.settings.api_url = replay.url
                if once:
                    _run_once(environment, say)
                else:
                    cron = os.environ.get("GRID_TELEMETRY_CRON", "").strip() or DEMO_CRON
                    _serve(environment, port, say, variables={"GRID_TELEMETRY_CRON": cron})
        finally:
            _stop(environment, say)


@contextmanager
def start_replay(environment: Environment, say: Say, port: int = 0) -> Iterator[ReplayServer]:
    """The recorded API, moved as the demo's database was when it was made."""
    now = datetime.now(UTC)
    with connect(environment.warehouse) as connection:
        stamp = read_stamp(connection)
    weeks = shift_weeks(now) if stamp is None or stamp.shift_weeks is None else stamp.shift_weeks
    ends = RECORDED_UNTIL + timedelta(weeks=weeks)
    if ends - now < timedelta(days=1):
        raise CommandError(
            f"The recording of this demo ended at {ends:%Y-%m-%d %H:%M} UTC. Remove "
            f"{environment.home} (on a server by URL: DROP DATABASE grid_demo) and start again."
        )
    with ReplayServer(port=port, shift_weeks=weeks) as replay:
        say(f"Serving the recording at {replay.url}, moved {weeks} weeks, to {ends:%d %B}")
        file = environment.home / REPLAY_FILE
        file.write_text(replay.url, encoding="ascii")
        try:
            yield replay
        finally:
            file.unlink(missing_ok=True)


def _serve(environment: Environment, port: int, say: Say, variables: dict[str, str]) -> None:
    say("Setting up the warehouse")
    stamp = set_up(environment, say)
    environment.prepare_dagster()
    port = supervisor.free_port(port, say)
    with server.serving(files_folder(environment.home), port + 1) as files_url:
        # A server of the operator's own serves the live folder; the demo's is only served here.
        if stamp.kind == "live" and environment.settings.files_url:
            files_url = environment.settings.files_url
        variables = {
            **environment.variables(),
            "GRID_FILES_URL": files_url,
            **variables,
        }
        _serve_until_stopped(environment, port, say, variables, stamp)


def _serve_until_stopped(
    environment: Environment, port: int, say: Say, variables: dict[str, str], stamp: Stamp
) -> None:
    processes = supervisor.serve(environment, port, variables)
    say("Reading what is missing, while the UI starts")
    _first_cycle(variables, say)
    supervisor.wait_until_ready(port, processes, environment.home)
    option = "" if stamp.kind == "live" else " --demo"
    grid = Path(sys.executable).parent / "grid"
    say("")
    say(f"  {stamp}")
    say(f"  UI         http://127.0.0.1:{port}")
    say(f"  dashboard  {variables['GRID_FILES_URL']}/{DASHBOARD}")
    say(f'  SQL        psql "$("{grid}" url{option})"')
    say(f"  health     {_quoted(grid)} status{option}")
    if stamp.kind == "replay":
        say(f"  API        {environment.settings.api_url} (`grid replay --help` steers it)")
    say(f"  logs       {environment.home / 'logs'}")
    say("")
    say("The daemon is on; new half-hours arrive by themselves. Ctrl-C stops everything.")
    supervisor.watch(processes, environment.home)


def _quoted(path: Path) -> str:
    return f"'{path}'" if " " in str(path) else str(path)


def _first_cycle(variables: dict[str, str], say: Say) -> None:
    """One cycle right away, in a process of its own, so that nobody waits for the schedule."""
    code = subprocess.call(
        [sys.executable, "-m", "grid_assets.cli", "tick"],
        env={**os.environ, **variables},
    )
    if code:
        say("The first cycle failed, as told above. The daemon tries again by itself.")


def _run_once(environment: Environment, say: Say) -> None:
    tick(environment, say)
    with connect(environment.warehouse) as connection:
        say("")
        for line in contents.table(connection):
            say(line)
        faults = contents.faults(connection)
        if faults:
            raise CommandError(f"The demo ran, but {'; '.join(faults)}.")
        say("")
        say("Mean absolute error of carbon intensity by lead, gCO2/kWh:")
        for line in run_summary.scores(connection):
            say(line)
    say("")
    say("Every run succeeded, and every mix and every forecast of it sums to exactly 100 %.")
    say(f"Dashboard: {(files_folder(environment.home) / DASHBOARD).as_uri()}")


def _stop(environment: Environment, say: Say) -> None:
    say("Stopping")
    supervisor.ignore_signals()  # a second Ctrl-C would leave processes behind
    supervisor.stop_marked(environment.home)
    environment.close()


def down(settings: Settings, say: Say) -> None:
    """Stop everything of the live product and of the demo that still runs."""
    stopped = []
    for name, home in (("live product", settings.home), ("demo", settings.home / "demo")):
        processes = supervisor.stop_marked(home) if home.is_dir() else 0
        embedded = EmbeddedPostgres(home / "postgres")
        running = embedded.is_running()
        if running:
            embedded.stop()
        if processes or running:
            parts = [f"{processes} processes"] * bool(processes) + ["PostgreSQL"] * running
            stopped.append(f"{name} ({' and '.join(parts)})")
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def tick(environment: Environment, say: Say) -> None:
    """One half-hourly cycle: telemetry, forecast and scores. Raises `CommandError` on failure.

    A forecast that cannot be made for want of telemetry is a warning.
    """
    set_up(environment, say)
    failed: list[Outcome] = []
    with _dagster(environment) as instance:
        from grid_assets.cli.runs import run_cycle

        for outcome in run_cycle(instance, say):
            with connect(environment.warehouse) as connection:
                _say_run(connection, outcome.run_id, say)
                lost = run_summary.failed_assets(connection, outcome.run_id)
            if outcome.success:
                continue
            if not lost or not lost <= NOT_CRITICAL.keys():
                failed.append(outcome)
                continue
            for asset in sorted(lost):
                say(f"Warning: {NOT_CRITICAL[asset]}")
        _run_housekeeping(instance, environment.warehouse, say)
    with connect(environment.warehouse) as connection:
        if failed:
            raise CommandError(_why(connection, failed))
        say(run_summary.newest_forecast(connection))


def _run_housekeeping(instance: DagsterInstance, warehouse: SecretStr, say: Say) -> None:
    """Daily clean-up. Failures are logged as warnings because no data depends on it."""
    from grid_assets.cli.runs import run_housekeeping_if_due

    try:
        with connect(warehouse) as connection:
            run_id = run_housekeeping_if_due(instance, connection)
            if run_id:
                say("Daily clean-up")
                _say_run(connection, run_id, say)
    except Exception as error:
        if not is_of_database(error):
            raise
        say(f"Warning: the daily clean-up failed: {' '.join(str(error).split())[:300]}")


def backfill(environment: Environment, days: Range, say: Say) -> None:
    """Load past days in one run. Raises `CommandError` when anything failed."""
    set_up(environment, say)
    count = (days.last - days.first).days + 1
    started = time.monotonic()
    say(f"Loading {days}: {count} days of intensity and mix, in one run")
    if count > 100:
        say(f"Dagster notes each day of each asset; about {count * 4 * 0.007:.0f} s of the run")
    with _dagster(environment) as instance:
        from grid_assets.cli.runs import run_history

        outcome = run_history(instance, days)
    with connect(environment.warehouse) as connection:
        _say_run(connection, outcome.run_id, say)
        if not outcome.success:
            raise CommandError(_why(connection, [outcome]))
    say(f"Done in {time.monotonic() - started:.0f} s")


def backtest(environment: Environment, days: Range, say: Say) -> None:
    """Forecast past days as they would have been forecast then, and score them, in one run."""
    set_up(environment, say)
    with connect(environment.warehouse) as connection:
        try:
            refuse_thinned(connection, day_start(days.first))
        except DayIsThinned as refused:
            raise CommandError(str(refused)) from None
    started = time.monotonic()
    hours = environment.settings.backtest_stride_hours
    say(f"Forecasting {days} again, every {hours:g} hours, with what was known then")
    with _dagster(environment) as instance:
        from grid_assets.cli.runs import run_backtest

        outcome = run_backtest(instance, days)
    with connect(environment.warehouse) as connection:
        _say_run(connection, outcome.run_id, say)
        if not outcome.success:
            raise CommandError(_why(connection, [outcome]))
        for line in run_summary.refusals(connection, days):
            say(line)
        for line in run_summary.scores(connection, days):
            say(line)
    say(f"Done in {time.monotonic() - started:.0f} s")


def replay_quarantine(environment: Environment, say: Say) -> None:
    """Try rejected records again, and make `core` again where some were accepted."""
    set_up(environment, say)
    with connect(environment.warehouse) as connection:
        replayed = quarantine.replay(connection)
    say(f"{replayed.accepted} accepted, {replayed.still_rejected} still rejected")
    if not replayed.days:
        return
    with _dagster(environment) as instance:
        from grid_assets.cli.runs import run_core, run_history

        for days in to_ranges(replayed.days):
            # An accepted record is as old as its first capture. Only the API can tell whether it
            # has published something else since: the change log does not note repeated values.
            say(f"Reading {days} again")
            outcome = run_history(instance, days)
            with connect(environment.warehouse) as connection:
                _say_run(connection, outcome.run_id, say)
                if outcome.success:
                    continue
                say(
                    "Could not re-fetch these days, so newer revisions may exist. "
                    "Publishing the values on hand."
                )
                outcome = run_core(instance, days)
                _say_run(connection, outcome.run_id, say)
                if not outcome.success:
                    raise CommandError(_why(connection, [outcome]))


@contextmanager
def _dagster(environment: Environment) -> Iterator[DagsterInstance]:
    environment.prepare_dagster()
    import dagster as dg

    from grid_assets.defs.automation import fail_dead_runs

    with dg.DagsterInstance.get() as instance:
        # What the web server does too. Dagster would otherwise open a connection for each event,
        # which is most of the time of a long run and a third of a short one.
        instance.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)
        with connect(environment.warehouse) as connection:
            mark_crashed(connection)
            fail_dead_runs(instance, connection)
        yield instance


def _say_run(connection: Connection, run_id: str, say: Say) -> None:
    lines = list(run_summary.run_lines(connection, run_id))
    for line in lines:
        say(line)
    if not lines:
        say("  nothing was started; the reason is in Dagster's run log")


def _why(connection: Connection, failed: list[Outcome]) -> str:
    """The first thing that went wrong, in one sentence."""
    row = connection.execute(
        "SELECT asset, error_message FROM ops.etl_runs "
        "WHERE status = 'failed' AND run_id = ANY(%s) ORDER BY started_at LIMIT 1",
        [[outcome.run_id for outcome in failed]],
    ).fetchone()
    cause = f"{row[0]}: {row[1]}" if row else "See ops.etl_runs and the run in the UI."
    what = "The forecast" if row and row[0].startswith("forecast.") else "Telemetry"
    return f"{what} failed for {', '.join(str(run.days) for run in failed)}. {cause}"

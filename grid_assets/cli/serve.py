"""`grid up`, `demo` and `down`: start, run and stop the product on live or recorded data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from grid_assets.alarms import outside
from grid_assets.alarms.looking import is_set
from grid_assets.alarms.watching import DatabaseWatch
from grid_assets.cli import demo_history
from grid_assets.cli.commands import CommandError, backfill, tick
from grid_assets.dashboard import server
from grid_assets.files.headers import FEEDS
from grid_assets.files.store import FilesError, Folder, Store, open_store
from grid_assets.health import comparison, contents
from grid_assets.output import DASHBOARD, files_folder, write_whole
from grid_assets.progress import doing
from grid_assets.replay.recording import RECORDED_UNTIL, shift_weeks
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets.runtime.environment import Environment, Say, open_environment, set_up
from grid_assets.runtime.postgres import EmbeddedPostgres
from grid_assets.runtime.signals import ignore_signals, stop_on_signals
from grid_assets.settings import Settings
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.stamp import Stamp, read_stamp

DEMO_CRON: Final = "*/2 * * * *"
"""The demo runs a cycle every other minute, so that a released half-hour soon appears."""

REPLAY_FILE: Final = "replay.url"
"""File in the demo's home with the address of its API, present while the demo runs."""


def up(settings: Settings, port: int, say: Say) -> None:
    """Run the product on live data until a signal ends it."""
    with stop_on_signals():
        with doing("PostgreSQL is starting"):
            environment = open_environment(settings, say=say)
        with supervisor.claim(environment.home, say):
            try:
                _serve(environment, port, say, variables={})
            finally:
                _stop(environment, say)


def demo(settings: Settings, port: int, say: Say, *, once: bool) -> None:
    """Run the product on recorded data: one cycle, or until a signal ends it."""
    with stop_on_signals():
        with doing("PostgreSQL is starting"):
            environment = open_environment(settings, demo=True, say=say)
        with supervisor.claim(environment.home, say):
            try:
                with start_replay(environment, say, announce=True) as replay:
                    environment.use_replay(replay.url)
                    set_up(environment, say)
                    past = _prepare_history(environment, replay, say)
                    if once:
                        _run_once(environment, past, say)
                    else:
                        cron = os.environ.get("GRID_TELEMETRY_CRON", "").strip() or DEMO_CRON
                        variables = {"GRID_TELEMETRY_CRON": cron}
                        _serve(environment, port, say, variables, past)
            finally:
                _stop(environment, say)


@contextmanager
def start_replay(
    environment: Environment, say: Say, *, announce: bool = False
) -> Iterator[ReplayServer]:
    """Serve the recorded API, moved by as many weeks as the demo's database is stamped with.

    With `announce`, which only the supervisor of the demo may use, other commands find it.
    """
    now = datetime.now(UTC)
    with connect(environment.warehouse) as connection:
        stamp = read_stamp(connection)
    weeks = shift_weeks(now) if stamp is None or stamp.shift_weeks is None else stamp.shift_weeks
    ends = RECORDED_UNTIL + timedelta(weeks=weeks)
    if ends - now < timedelta(days=1):
        raise CommandError(
            f"The recording of this demo ended at {ends:%Y-%m-%d %H:%M} UTC. Run `grid down`, "
            f"delete {environment.home} (with GRID_DATABASE_URL: DROP DATABASE grid_demo), and "
            "start the demo again."
        )
    with ReplayServer(shift_weeks=weeks) as replay:
        file = environment.home / REPLAY_FILE
        if announce:
            write_whole(file, replay.url)
        try:
            say(
                f"Serving the recording at {replay.url}, shifted by {weeks} weeks; "
                f"it ends on {ends:%d %B}"
            )
            yield replay
        finally:
            if announce:
                file.unlink(missing_ok=True)


def _prepare_history(environment: Environment, replay: ReplayServer, say: Say) -> Range | None:
    """The days to load before the first cycle, once NESO's forecasts of them are here."""
    with connect(environment.warehouse) as connection:
        days = demo_history.days_to_load(connection, environment, datetime.now(UTC))
        if days is None:
            return None
        with doing("Simulating NESO's forecasts"):
            count = demo_history.capture_neso_forecasts(connection, environment, replay, days)
    if count:
        say(
            f"Simulated {count} forecasts of NESO for {days}: its own were not recorded. "
            "They are marked as simulated."
        )
    return days


def _serve(
    environment: Environment,
    port: int,
    say: Say,
    variables: dict[str, str],
    past: Range | None = None,
) -> None:
    say("Setting up the warehouse")
    with doing("Setting up"):
        stamp = set_up(environment, say)
        environment.prepare_dagster()
    port = supervisor.free_port(port, say)
    own_name = urlsplit(environment.settings.files_url or "").hostname
    names = [own_name] if own_name else []
    with server.serving(_store_to_serve(environment), port + 1, names) as files_url:
        # A web server of the operator may serve the live folder; the demo's is served only here.
        if stamp.kind == "live" and environment.settings.files_url:
            files_url = environment.settings.files_url
        variables = {
            **environment.variables(),
            "GRID_FILES_URL": files_url,
            **variables,
        }
        _serve_until_stopped(environment, port, say, variables, stamp, past)


def _serve_until_stopped(
    environment: Environment,
    port: int,
    say: Say,
    variables: dict[str, str],
    stamp: Stamp,
    past: Range | None,
) -> None:
    with doing("Starting the UI"):
        processes, workspace = supervisor.start_webserver(environment, port, variables)
    say("Loading missing data while the UI starts")
    if past and _run(["backfill", "--from", str(past.first), "--to", str(past.last)], variables):
        say(
            "Not all of the past was loaded; the error is above. To load the rest: grid backfill "
            f"--demo --from {past.first} --to {past.last}"
        )
    if _run(["tick"], variables):
        say("The first cycle failed; the error is above. The daemon will try again.")
    # After the first cycle: its sensor would find the same work and do it a second time.
    processes.append(supervisor.start_daemon(environment, variables, workspace))
    with doing("The UI is starting"):
        supervisor.wait_until_ready(port, processes, environment.home)
    option = "" if stamp.kind == "live" else " --demo"
    grid = Path(sys.executable).parent / "grid"
    say("")
    say(f"  {stamp}")
    say(f"  UI         http://127.0.0.1:{port}")
    say("  caution    any web page open in a browser here can command the UI (docs/operations.md)")
    say(f"  dashboard  {variables['GRID_FILES_URL']}/{DASHBOARD}")
    say(f"  feeds      {variables['GRID_FILES_URL']}/{FEEDS}/now.json")
    if environment.settings.files_store:
        say(f"  files      {_store_to_serve(environment)}")
    say(f'  SQL        psql "$("{grid}" url{option})"')
    say(f"  health     {_quoted(grid)} status{option}")
    if stamp.kind == "replay":
        say(f"  API        {environment.settings.api_url} (`grid replay --help` controls it)")
    say(f"  logs       {environment.home / 'logs'}")
    say("")
    say("The daemon is running and loads new half-hours as they appear. Ctrl-C stops everything.")
    _watch(environment, processes, stamp)


def _watch(environment: Environment, processes: list[subprocess.Popen], stamp: Stamp) -> None:
    """Watch the processes and, of live data, the database; tell the operator if they end."""
    settings, home = environment.settings, environment.home
    if stamp.kind != "live" or not is_set(settings):
        supervisor.watch(processes, home)
        return
    outside.prepare(home)
    outside.clear(settings, home, "product", datetime.now(UTC))
    database = DatabaseWatch(settings, home, environment.warehouse)
    try:
        supervisor.watch(processes, home, database.look)
    except supervisor.ProductError as error:
        outside.tell(settings, home, "product", str(error), datetime.now(UTC))
        raise


def _store_to_serve(environment: Environment) -> Store:
    """The store of the files; one that cannot be used was reported as the warehouse was set up."""
    try:
        return open_store(environment.settings.files_store, environment.home)
    except FilesError:
        return Folder(files_folder(environment.home))


def _quoted(path: Path) -> str:
    return f"'{path}'" if " " in str(path) else str(path)


def _run(command: list[str], variables: dict[str, str]) -> int:
    """Run a command of `grid` now, in a separate process; returns its exit code."""
    return subprocess.call(
        [sys.executable, "-m", "grid_assets.cli", *command], env={**os.environ, **variables}
    )


def _run_once(environment: Environment, past: Range | None, say: Say) -> None:
    with doing("grid demo"):
        if past:
            backfill(environment, past, say)
        tick(environment, say)
    with connect(environment.warehouse) as connection:
        say("")
        for line in contents.table(connection):
            say(line)
        faults = contents.faults(connection, regions=environment.settings.regions)
        if faults:
            raise CommandError(f"The demo ran, but {'; '.join(faults)}.")
        say("")
        for line in comparison.table(connection, datetime.now(UTC)):
            say(line)
    say("")
    say("Every run succeeded, and every mix, published or forecast, sums to exactly 100 %.")
    store = _store_to_serve(environment)
    say(f"Dashboard: {store.file(DASHBOARD)}")
    say(f"Feeds:     {store.file(f'{FEEDS}/now.json')}")


def _stop(environment: Environment, say: Say) -> None:
    say("Stopping")
    ignore_signals()  # a second Ctrl-C would leave processes behind
    with doing("Stopping"):
        supervisor.stop_marked(environment.home)
        environment.close()


def down(settings: Settings, say: Say) -> None:
    """Stop whatever is still running of the live product and of the demo."""
    stopped = []
    for name, home in (("live product", settings.home), ("demo", settings.demo_home)):
        processes = supervisor.stop_marked(home) if home.is_dir() else 0
        embedded = EmbeddedPostgres(home / "postgres")
        running = embedded.is_running()
        if running:
            embedded.stop()
        if processes or running:
            parts = [f"{processes} processes"] * bool(processes) + ["PostgreSQL"] * running
            stopped.append(f"{name} ({' and '.join(parts)})")
    say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")

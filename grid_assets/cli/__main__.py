"""The `grid` command: options, exit codes, and one clear sentence when something fails.

Belongs here: reading the command line. Does not belong here: doing the work (`commands`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import click
from dotenv import load_dotenv
from pydantic import SecretStr

from grid_assets.cli.replay import replay
from grid_assets.cli.train import evaluate, train
from grid_assets.runtime.postgres import EmbeddedPostgresError
from grid_assets.settings import PROJECT_DIR, Settings, SettingsError
from grid_assets.warehouse.connection import WarehouseError, connect, is_of_database
from grid_assets.warehouse.urls import location, redact

demo_option = click.option(
    "--demo", is_flag=True, help="Work on the demo's recorded data, not on the live warehouse."
)


class Day(click.ParamType):
    """A UTC day as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2025-12-31", param, ctx)


def say(line: str) -> None:
    click.echo(line)


def _check_days(first: date, last: date, earliest: date) -> None:
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.")
    if first < earliest:
        raise click.UsageError(f"--from {first} is before {earliest}, where the data begins.")
    if last > datetime.now(UTC).date():
        raise click.UsageError(f"--to {last} is in the future; today is the last day there is.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="grid-assets")
def grid() -> None:
    """Great Britain's grid carbon data, from the operator's API into PostgreSQL.

    Settings are GRID_… variables of the environment, or lines of a file .env in the project's
    folder; .env.example lists them.
    """


grid.add_command(replay)
grid.add_command(train)
grid.add_command(evaluate)


@grid.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the UI [GRID_UI_PORT, 3000].")
def up(port: int | None) -> None:
    """Start the product on the live API.

    Database, UI and daemon run until Ctrl-C.
    """
    from grid_assets.cli import commands

    settings = Settings.from_environment()
    commands.up(settings, port or settings.ui_port, say)


@grid.command()
@click.option("--once", is_flag=True, help="Run the pipeline once to the end, print, and exit.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the UI [GRID_UI_PORT, 3000].")
def demo(once: bool, port: int | None) -> None:
    """Start the product on recorded telemetry.

    It needs no network and no credentials, and keeps a database of its own.
    """
    from grid_assets.cli import commands

    settings = Settings.from_environment()
    commands.demo(settings, port or settings.ui_port, say, once=once)


@grid.command()
def down() -> None:
    """Stop everything that still runs.

    That is the live product and the demo, their embedded PostgreSQL too.
    """
    from grid_assets.cli import commands

    commands.down(Settings.from_environment(), say)


@grid.command()
@demo_option
def tick(demo: bool) -> None:
    """One half-hourly cycle without a daemon.

    For cron or a scheduled workflow. Exit code 1 when telemetry failed.
    """
    from grid_assets.cli import commands

    _on_workplace(demo, commands.tick, needs_api=True)


@grid.command()
@click.option("--from", "first", type=Day(), required=True, help="First UTC day, included.")
@click.option("--to", "last", type=Day(), required=True, help="Last UTC day, included.")
@demo_option
def backfill(first: date, last: date, demo: bool) -> None:
    """Load past days of intensity and mix.

    Days that are loaded already change nothing.
    """
    from grid_assets.cli import commands
    from grid_assets.telemetry.gaps import FIRST_DAY, Range

    _check_days(first, last, FIRST_DAY)
    _on_workplace(
        demo,
        lambda environment, out: commands.backfill(environment, Range(first, last), out),
        needs_api=True,
    )


@grid.command()
@click.option("--from", "first", type=Day(), required=True, help="First UTC day of issue.")
@click.option("--to", "last", type=Day(), required=True, help="Last UTC day of issue, included.")
@demo_option
def backtest(first: date, last: date, demo: bool) -> None:
    """Forecast past days as they would have been forecast then, and score them.

    Every GRID_BACKTEST_STRIDE_HOURS hours, with the telemetry that was known at each issue time.
    Days that were forecast already are replaced; nothing is doubled.
    """
    from grid_assets.cli import commands
    from grid_assets.telemetry.gaps import FIRST_DAY, Range

    _check_days(first, last, FIRST_DAY)
    _on_workplace(
        demo,
        lambda environment, out: commands.backtest(environment, Range(first, last), out),
        needs_api=True,
    )


@grid.command()
@demo_option
def migrate(demo: bool) -> None:
    """Apply migrations and views.

    A new database is stamped as live or recorded, by what GRID_API_URL serves.
    """
    from grid_assets.runtime.environment import stamp_of
    from grid_assets.warehouse.migrate import migrate as apply

    def run(environment: Any, out: Callable[[str], None]) -> None:
        done = apply(environment.warehouse, stamp_of(environment.settings), out)
        out(f"Migrations applied: {', '.join(done.applied) or 'none, all were in place'}.")
        out(f"Views: {'renewed' if done.views_renewed else 'unchanged'}. It holds {done.stamp}.")

    _on_workplace(demo, run, needs_api=demo)


@grid.command()
@demo_option
def status(demo: bool) -> None:
    """Is it fresh and healthy? Exit code 1 if not."""
    from grid_assets.health.report import status as read

    def run(environment: Any, out: Callable[[str], None]) -> None:
        now = datetime.now(UTC)
        with connect(environment.warehouse) as connection:
            where = location(environment.warehouse)
            seen = read(connection, where, environment.settings, now)
        for line in seen.lines:
            out(line)
        for fault in seen.faults:
            out(f"NOT HEALTHY   {fault}")
        if seen.faults:
            sys.exit(1)
        out("healthy")

    _on_workplace(demo, run)


@grid.command()
@demo_option
def url(demo: bool) -> None:
    """The warehouse's connection URL.

    On one line. It starts the embedded PostgreSQL if need be.
    """
    from grid_assets.runtime.environment import open_environment

    environment = open_environment(Settings.from_environment(), demo=demo, say=_say_aside)
    say(environment.warehouse.get_secret_value())


@grid.group()
def quarantine() -> None:
    """Rejected records and bodies."""


@quarantine.command(name="list")
@demo_option
def list_quarantine(demo: bool) -> None:
    """What was rejected and why, oldest first."""
    from grid_assets.telemetry.quarantine import open_entries

    def run(environment: Any, out: Callable[[str], None]) -> None:
        with connect(environment.warehouse) as connection:
            entries = open_entries(connection)
        for entry in entries:
            at = entry.captured_at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
            shown = " ".join(entry.payload.split())
            out(f"{entry.id}  {at}  {entry.asset}  seen {entry.times_seen}x  {entry.endpoint}")
            out(f"    {entry.reason}")
            out(f"    {shown[:160]}{'…' if len(shown) > 160 else ''}")
        out(f"{len(entries)} open." if entries else "Nothing is in quarantine.")

    _on_workplace(demo, run)


@quarantine.command(name="replay")
@demo_option
def replay_quarantine(demo: bool) -> None:
    """Try every rejected record again, after a fix; what passes is loaded."""
    from grid_assets.cli import commands

    _on_workplace(demo, commands.replay_quarantine, needs_api=True)


def _on_workplace(
    demo: bool, run: Callable[[Any, Callable[[str], None]], None], *, needs_api: bool = False
) -> None:
    """Open the warehouse, and for a demo that is not running its recorded API, around `run`."""
    from grid_assets.api.client import probe_replay
    from grid_assets.cli import commands
    from grid_assets.runtime import supervisor
    from grid_assets.runtime.environment import open_environment

    settings = Settings.from_environment()
    with supervisor.stop_on_signals():
        environment = open_environment(settings, demo=demo, say=say)
        if not (demo and needs_api):
            run(environment, say)
            return
        running = environment.home / commands.REPLAY_FILE
        address = running.read_text(encoding="ascii") if running.exists() else ""
        if address and probe_replay(address):  # a killed demo leaves the file behind
            environment.settings.api_url = address
            run(environment, say)
            return
        with commands.start_replay(environment, say) as replay:
            environment.settings.api_url = replay.url
            run(environment, say)


def _database_urls() -> list[SecretStr]:
    settings = Settings.from_environment()
    return [url for url in (settings.database_url, settings.dagster_database_url) if url]


def _say_aside(line: str) -> None:
    click.echo(line, err=True)


def _show_progress() -> None:
    """Progress lines of long work, and what the API client waits for, on the terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    for name in ("grid_assets.progress", "grid_assets.api.retry"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False


def main() -> None:
    """Entry point: every expected failure ends with one sentence and exit code 1."""
    load_dotenv(PROJECT_DIR / ".env", override=False)
    _show_progress()
    from grid_assets.cli.commands import CommandError
    from grid_assets.dashboard.server import FileServerError
    from grid_assets.runtime.supervisor import ProductError

    try:
        grid.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Interrupted. What was loaded stays; running it again goes on.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (
        CommandError,
        EmbeddedPostgresError,
        FileServerError,
        ProductError,
        SettingsError,
        WarehouseError,
    ) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if not is_of_database(error):
            raise
        reason = " ".join(str(error).split())[:500]
        click.echo(
            f"Error: the database refused or was lost: {redact(reason, *_database_urls())}. Check "
            "the server and the rights of the user in GRID_DATABASE_URL (and in "
            "GRID_DAGSTER_DATABASE_URL, if set), then run it again; what was loaded stays.",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()

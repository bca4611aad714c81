"""The `grid` command: its options, exit codes, and one clear message when something fails."""

from __future__ import annotations

import errno
import logging
import shutil
import sys
from typing import Final, TextIO

import click
from dotenv import load_dotenv
from pydantic import SecretStr

from grid_assets import progress
from grid_assets.cli import commands, serve
from grid_assets.cli.alarm import alarm, run_and_tell
from grid_assets.cli.environment import demo_option, run_in_environment, say
from grid_assets.cli.evaluate import evaluate
from grid_assets.cli.export import export
from grid_assets.cli.health import doctor, status
from grid_assets.cli.past import backfill, backtest
from grid_assets.cli.quarantine import quarantine
from grid_assets.cli.replay import replay
from grid_assets.cli.start import start
from grid_assets.cli.train import train
from grid_assets.dashboard.server import FileServerError
from grid_assets.files.store import FilesError
from grid_assets.runtime.environment import (
    Environment,
    Say,
    install_wakeups,
    open_environment,
    stamp_of,
)
from grid_assets.runtime.postgres import EmbeddedPostgresError
from grid_assets.runtime.postgres_home import FULL_DISK_BYTES
from grid_assets.runtime.supervisor import ProductError
from grid_assets.settings import PROJECT_DIR, Settings, SettingsError
from grid_assets.warehouse.connection import WarehouseError, is_database_error
from grid_assets.warehouse.migrate import migrate as apply_migrations
from grid_assets.warehouse.refusals import statement_advice
from grid_assets.warehouse.urls import redact

CANNOT_WRITE: Final = frozenset(
    (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM)
)
"""Errors of a file that say something about its disk or its folder."""

SHOWN: Final = (
    "grid_assets.progress",
    "grid_assets.sources.http.retry",
    "grid_assets.warehouse.connection",
    "grid_assets.warehouse.run_log",
)
"""Loggers of progress and of waiting, for the terminal."""


port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the UI  [default: GRID_UI_PORT or 3000]"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="grid-assets")
def grid() -> None:
    """Great Britain's grid carbon data, from the operator's API into PostgreSQL.

    Settings are environment variables named GRID_…, or lines in the file .env in the project's
    folder. The file .env.example lists them.
    """


for command in (backfill, backtest, start, alarm, replay, train, evaluate, export, quarantine):
    grid.add_command(command)
for command in (status, doctor):
    grid.add_command(command)


@grid.command()
@port_option
def up(port: int | None) -> None:
    """Run the product on live data until Ctrl-C.

    Starts the database, the UI and the daemon, and stops them at the end.
    """
    settings = Settings.from_environment()
    serve.up(settings, port or settings.ui_port, say)


@grid.command()
@click.option("--once", is_flag=True, help="Run one cycle, print the results, and exit.")
@port_option
def demo(once: bool, port: int | None) -> None:
    """Run the product on recorded data until Ctrl-C.

    Needs no network or credentials. The demo has its own database.
    """
    settings = Settings.from_environment()
    serve.demo(settings, port or settings.ui_port, say, once=once)


@grid.command()
def down() -> None:
    """Stop every process of the product and of the demo.

    This includes both embedded PostgreSQL servers.
    """
    serve.down(Settings.from_environment(), say)


@grid.command()
@click.option("--telemetry-only", is_flag=True, help="Leave the forecast to `grid forecast`.")
@demo_option
def tick(telemetry_only: bool, demo: bool) -> None:
    """Run one half-hourly cycle, without the daemon.

    For cron or a scheduled workflow. Exits with 1 if telemetry or the forecast failed. If there is
    too little telemetry for a forecast, it only prints a warning.
    """
    run_and_tell(demo, lambda env, out: commands.tick(env, out, forecasts=not telemetry_only))


@grid.command()
@demo_option
def forecast(demo: bool) -> None:
    """Forecast from the telemetry in the warehouse, and score.

    Forecasts only if there is telemetry that no forecast has used. Exits with 1 if it failed, or if
    a check has stopped the newest telemetry. If there is too little, it only prints a warning.
    """
    run_and_tell(demo, commands.forecast)


@grid.command()
@demo_option
def migrate(demo: bool) -> None:
    """Apply migrations and update the views.

    A new database is marked as live or recorded, depending on the data that GRID_API_URL serves.
    With GRID_WAKE_URL, new telemetry will wake an edge function (docs/supabase.md).
    """

    def run(environment: Environment, out: Say) -> None:
        done = apply_migrations(environment.warehouse, stamp_of(environment.settings), out)
        out(f"Migrations applied: {', '.join(done.applied) or 'none, the schema is current'}.")
        out(f"Views: {'renewed' if done.views_renewed else 'unchanged'}.")
        out(f"The warehouse holds {done.stamp}.")
        install_wakeups(environment, out)

    run_in_environment(demo, run, needs_api=demo)


@grid.command()
@demo_option
def url(demo: bool) -> None:
    """Print the warehouse's connection URL, including its password.

    Starts the embedded PostgreSQL if it is not running.
    """
    settings = Settings.from_environment()
    with progress.doing("PostgreSQL is starting"):
        environment = open_environment(
            settings, demo=demo, say=lambda line: click.echo(line, err=True)
        )
    say(environment.warehouse.get_secret_value())


def _database_urls() -> list[SecretStr]:
    settings = Settings.from_environment()
    return [url for url in (settings.database_url, settings.dagster_database_url) if url]


def _disk_note() -> str:
    """What explains any failure of the embedded server: too little space on its disk."""
    settings = Settings.from_environment()
    if settings.database_url is not None or not settings.home.exists():
        return ""
    free = shutil.disk_usage(settings.home).free
    if free > FULL_DISK_BYTES:
        return ""
    return (
        f" The disk of {settings.home}, which holds the database, has {free // 1_000_000} MB free. "
        "Free space there, or move GRID_HOME to a larger disk."
    )


def _show_progress() -> None:
    """Print the progress of long tasks, and what is waited for, to the terminal."""

    class Handler(logging.StreamHandler[TextIO]):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            progress.spoken()

    handler = Handler(sys.stderr)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    for name in SHOWN:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False


def main() -> None:
    """Run `grid`. Every expected failure ends with one message and exit code 1."""
    load_dotenv(PROJECT_DIR / ".env", override=False)
    _show_progress()
    try:
        with progress.broken_silence():
            grid.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo(
            "Interrupted. Data already loaded is kept; re-run the command to continue.", err=True
        )
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (
        commands.CommandError,
        EmbeddedPostgresError,
        FileServerError,
        FilesError,
        ProductError,
        SettingsError,
    ) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code if isinstance(error, commands.CommandError) else 1)
    except WarehouseError as error:
        click.echo(f"Error: {error}{_disk_note()}", err=True)
        sys.exit(1)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in CANNOT_WRITE and error.filename:
            said = f"{error.filename} cannot be written: {error.strerror}. Change GRID_HOME, or "
            said += "make room."
        elif is_database_error(error):
            reason = " ".join(str(error).split())[:500]
            said = (
                "The database refused a statement, or the connection was lost: "
                f"{redact(reason, *_database_urls())}. Data already loaded is kept. "
                f"{statement_advice(error)} Then re-run the command.{_disk_note()}"
            )
        else:
            raise
        click.echo(f"Error: {said}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""`grid start`: one part of the product as one process, for a container or a unit of systemd.

Each part prepares its own GRID_HOME and then becomes a program of Dagster, so that signals reach
it. `grid up` runs the same programs under one supervisor.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click
import requests

from grid_assets.alerts import addresses
from grid_assets.cli.environment import say
from grid_assets.cli.start_dashboard import start
from grid_assets.defs.celery_config import broker_url
from grid_assets.runtime import programs
from grid_assets.runtime.environment import Environment, open_environment
from grid_assets.runtime.signals import stop_on_signals
from grid_assets.runtime.supervisor import ProductError
from grid_assets.runtime.waiting import wait_for_code_server, wait_until_migrated
from grid_assets.settings import Settings, SettingsError

__all__ = ["start"]

LOOPBACK: Final = "127.0.0.1"
CHECK_TIMEOUT_S: Final = 5
HEARTBEAT_WITHIN_S: Final = 300
"""Dagster's own limit of 1800 s would hide a daemon that hangs for half an hour."""

host_option = click.option(
    "--host", default=LOOPBACK, show_default=True, help="Address to listen on."
)
check_option = click.option(
    "--check", is_flag=True, help="Start nothing; exit with 0 if this part runs and is healthy."
)


@start.command("code-server")
@host_option
@check_option
def start_code_server(host: str, check: bool) -> None:
    """Serve the code to the daemon and the UI, and run what they start.

    Listens on the port of GRID_CODE_SERVER. Its protocol has no login.
    """
    settings = Settings.from_environment()
    port = str(settings.code_server_address[1])
    if check:
        _become(programs.code_server_check(_reached(host), port))
    for fault in addresses.faults(settings):  # its sensor sends alarms
        say(f"Warning: {fault}")
    _run(settings, lambda _: programs.code_server("-h", host, "-p", port))


@start.command("webserver")
@host_option
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the UI  [default: GRID_UI_PORT or 3000]"
)
@check_option
def start_webserver(host: str, port: int | None, check: bool) -> None:
    """Serve Dagster's UI, which has no login, from the code server at GRID_CODE_SERVER."""
    settings = Settings.from_environment()
    port = port or settings.ui_port
    if check:
        _check_webserver(host, port)
        return
    _run(settings, lambda home: programs.webserver(host, port, _workspace(settings, home)))


@start.command("daemon")
@check_option
def start_daemon(check: bool) -> None:
    """Run the schedules and the sensor of the code server at GRID_CODE_SERVER.

    Run one daemon only.
    """
    settings = Settings.from_environment()
    if check:
        _open(settings).prepare_dagster()
        os.environ.setdefault("DAGSTER_DAEMON_HEARTBEAT_TOLERANCE", str(HEARTBEAT_WITHIN_S))
        _become(programs.daemon_check())
    _run(settings, lambda home: programs.daemon(_workspace(settings, home)))


@start.command("worker")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Runs, or steps of runs, at the same time.",
)
def start_worker(concurrency: int) -> None:
    """Run what the broker at GRID_CELERY_BROKER_URL hands out (docs/cluster.md)."""
    settings = Settings.from_environment()
    broker_url(settings)
    _run(settings, lambda _: programs.worker("--concurrency", str(concurrency)))


def _open(settings: Settings) -> Environment:
    if settings.database_url is None:
        raise SettingsError(
            "GRID_DATABASE_URL is not set. `grid start` runs one part of the product and starts no "
            "database. Set the same database for every part, or run everything with `grid up`."
        )
    return open_environment(settings, say=say)


def _run(settings: Settings, command: programs.ForHome) -> None:
    with stop_on_signals():
        environment = _open(settings)
        wait_until_migrated(environment.warehouse, say)
        environment.prepare_dagster()
        os.chdir(environment.home)  # Dagster would prefer a .env in the checkout to our variables
        _become(command(environment.home))


def _workspace(settings: Settings, home: Path) -> Path:
    host, port = settings.code_server_address
    wait_for_code_server(host.strip("[]"), port, say)
    return programs.write_workspace(home, host=host, port=port)


def _become(command: list[str]) -> None:
    """Replace this process by a program, which then gets its signals."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(command[0], command, os.environ)
    except FileNotFoundError:
        program = Path(command[0]).name
        raise ProductError(
            f"{program} is not installed. For a worker: pip install 'grid-assets[celery]'."
        ) from None


def _reached(host: str) -> str:
    """Where a part that listens on `host` is reached from this machine."""
    return LOOPBACK if host in ("0.0.0.0", "::") else host


def _check_webserver(host: str, port: int) -> None:
    reached = _reached(host)
    ui = requests.Session()
    ui.trust_env = False  # a proxy cannot reach this machine's ports
    try:
        ui.get(f"http://{reached}:{port}/server_info", timeout=CHECK_TIMEOUT_S).raise_for_status()
    except requests.RequestException as error:
        raise ProductError(f"The UI at {reached}:{port} does not answer: {error}") from None

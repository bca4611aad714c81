"""`grid alarm test`, and what commands tell the operator at their end."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from grid_assets.alarms.heartbeat import ping
from grid_assets.alarms.looking import after_command, is_set
from grid_assets.alerts import addresses
from grid_assets.alerts.sending import name, send
from grid_assets.cli.environment import run_in_environment, say, say_aside
from grid_assets.progress import doing
from grid_assets.runtime.environment import Environment, Say
from grid_assets.settings import Settings


@click.group()
def alarm() -> None:
    """Try the addresses that alarms and alerts are sent to."""


@alarm.command()
def test() -> None:
    """Send a test message to GRID_ALARM_URLS and a ping to GRID_HEARTBEAT_URL.

    Says which address took it. Exits with 1 if any did not, or if none is set.
    """
    settings = Settings.from_environment()
    if not is_set(settings):
        click.echo("Nothing was sent: set GRID_ALARM_URLS or GRID_HEARTBEAT_URL.", err=True)
        sys.exit(1)
    failed = False
    urls = dict(enumerate(settings.alarm_url_list, 1))
    with doing("grid alarm test"):
        taken = send(urls, "Grid Assets: test", "A test by `grid alarm test`.") if urls else {}
        for number, fault in taken.items():
            say(f"{name(number, urls[number])}: {fault.message if fault else 'took the message'}")
            failed |= fault is not None
        if settings.heartbeat_url is not None:
            text = settings.heartbeat_fault
            if text is None:
                fault = ping(settings.heartbeat_url)
                text = fault.message if fault else None
            say(f"Heartbeat: {text or 'took the ping'}")
            failed |= text is not None
    if failed:
        sys.exit(1)


def run_and_tell(demo: bool, run: Callable[[Environment, Say], None]) -> None:
    """Run a command of the cycle, and tell the operator how it went, however it ended."""
    settings = Settings.from_environment()
    if demo or not is_set(settings):
        run_in_environment(demo, run, needs_api=True)
        return
    for fault in addresses.faults(settings):
        say(f"Warning: {fault}")
    opened: list[Environment] = []

    def remembered(environment: Environment, out: Say) -> None:
        opened.append(environment)
        run(environment, out)

    command = click.get_current_context().command_path
    error: Exception | None = None
    try:
        run_in_environment(demo, remembered, needs_api=True)
    except click.exceptions.Abort:  # interrupted by hand
        raise
    except Exception as caught:
        error = caught
        raise
    finally:
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt | click.exceptions.Abort):
            warehouse = opened[0].warehouse if opened else settings.database_url
            for line in after_command(settings, settings.home, warehouse, command, error):
                say_aside(f"Warning: {line}")

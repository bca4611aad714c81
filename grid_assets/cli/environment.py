"""The warehouse that a command works on: the live one or, with `--demo`, the recorded one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from grid_assets.cli.serve import REPLAY_FILE, start_replay
from grid_assets.progress import doing, spoken
from grid_assets.runtime.environment import Environment, Say, open_environment
from grid_assets.runtime.signals import stop_on_signals
from grid_assets.settings import Settings
from grid_assets.sources.carbon_intensity.client import probe_replay

demo_option = click.option(
    "--demo", is_flag=True, help="Use the demo's recorded data instead of the live warehouse."
)


def say(line: str) -> None:
    click.echo(line)
    spoken()


def say_aside(line: str) -> None:
    """Print a line for people where the output is data."""
    click.echo(line, err=True)
    spoken()


def run_in_environment(
    demo: bool,
    run: Callable[[Environment, Say], None],
    *,
    needs_api: bool = False,
    say: Say = say,
) -> None:
    """Open the warehouse and call `run`; start the demo's API if it is needed and not running."""
    settings = Settings.from_environment()
    with stop_on_signals(), doing(click.get_current_context().command_path):
        environment = open_environment(settings, demo=demo, say=say)
        if not (demo and needs_api):
            run(environment, say)
            return
        if address := running_replay(environment.home):
            environment.use_replay(address)
            run(environment, say)
            return
        with start_replay(environment, say) as replay:
            environment.use_replay(replay.url)
            run(environment, say)


def running_replay(home: Path) -> str | None:
    """The address of the API of the demo that runs in this folder, if one does."""
    file = home / REPLAY_FILE
    address = file.read_text(encoding="ascii") if file.exists() else ""
    # a killed demo leaves the file behind
    return address if address and probe_replay(address) else None

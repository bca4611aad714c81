"""`grid start dashboard`: serve the page and the feeds from where they are stored."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import click

from grid_assets.cli.environment import say
from grid_assets.dashboard import server
from grid_assets.files.headers import FEEDS
from grid_assets.files.store import open_store
from grid_assets.output import DASHBOARD
from grid_assets.runtime.environment import Say
from grid_assets.runtime.signals import stop_on_signals
from grid_assets.settings import Settings


@click.group()
def start() -> None:
    """Run one part of the product, for containers and clusters."""


@start.command("dashboard")
@click.option("--host", default=server.LOOPBACK, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to listen on  [default: one above GRID_UI_PORT, 3001]",
)
def start_dashboard(host: str, port: int | None) -> None:
    """Serve the page and the feeds until a signal ends it.

    Reads them from GRID_FILES_STORE, or from GRID_HOME/files, and writes nothing. Needs no
    database. On another address than this machine's own, such as 0.0.0.0, it answers to every name.
    """
    settings = Settings.from_environment()
    dashboard(settings, host, port or min(settings.ui_port + 1, 65535), say)


def dashboard(settings: Settings, host: str, port: int, say: Say) -> None:
    """Serve the files until a signal. Raises `FilesError` and `FileServerError`."""
    store = open_store(settings.files_store, settings.home)
    own_name = urlsplit(settings.files_url or "").hostname
    names = [own_name] if own_name else []
    with stop_on_signals(), server.serving(store, port, names, host=host, exactly=True) as address:
        say(f"Serving {store}")
        say(f"  dashboard  {address}/{DASHBOARD}")
        say(f"  feeds      {address}/{FEEDS}/now.json")
        say(f"  health     {address}{server.HEALTH}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("Stopping")

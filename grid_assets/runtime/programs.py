"""Dagster's programs: their command lines, and the file by which they find the code server.

`grid up` runs them as processes of one supervisor, `grid start` each as a process of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

LOCATION: Final = "grid_assets"
"""The name of the code location, which schedules and runs are stored under."""

DEFINITIONS: Final = "grid_assets.definitions"

ForHome = Callable[[Path], list[str]]
"""The command line of a program for a GRID_HOME."""

_WORKSPACE: Final = """\
# Written by `grid`; changes are overwritten.
load_from:
  - grpc_server:
      {address}
      location_name: {location}
"""


def code_server(*listen: str) -> list[str]:
    """The command line of the code server; `listen` are its options for a socket or a port."""
    code = ["-m", DEFINITIONS, "--location-name", LOCATION]
    return [_installed("dagster"), "api", "grpc", *code, *listen]


def code_server_check(host: str, port: str) -> list[str]:
    """A command that succeeds if a code server answers."""
    return [_installed("dagster"), "api", "grpc-health-check", "-h", host, "-p", port]


def webserver(host: str, port: int, workspace: Path) -> list[str]:
    """The command line of the UI."""
    return [_installed("dagster-webserver"), "-h", host, "-p", str(port), "-w", str(workspace)]


def daemon(workspace: Path) -> list[str]:
    """The command line of the daemon, which runs the schedules and the sensor."""
    return [_installed("dagster-daemon"), "run", "-w", str(workspace)]


def daemon_check() -> list[str]:
    """A command that succeeds if the daemon has sent heartbeats lately."""
    return [_installed("dagster-daemon"), "liveness-check"]


def worker(*options: str) -> list[str]:
    """The command line of a Celery worker."""
    app = ["--app", "grid_assets.celery_worker", "worker"]
    quiet = ["--without-gossip", "--without-mingle"]  # workers need not know of each other
    return [_installed("celery"), *app, "--loglevel", "info", *quiet, *options]


def write_workspace(home: Path, **address: str | int) -> Path:
    """Write the file that names the code server; `address` is a `socket`, or `host` and `port`."""
    file = home / "dagster" / "workspace.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}: {json.dumps(value)}" for name, value in address.items()]
    text = _WORKSPACE.format(address="\n      ".join(lines), location=LOCATION)
    file.write_text(text, encoding="utf-8")
    return file


def _installed(program: str) -> str:
    """A program of the virtual environment of this process."""
    return str(Path(sys.executable).parent / program)

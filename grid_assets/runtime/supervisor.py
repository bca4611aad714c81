"""The processes of the running product: Dagster's web server and daemon, started and stopped.

Each process, and each that it starts in turn, has the environment variable GRID_PRODUCT set to its
GRID_HOME. Processes to stop are found by that mark, orphans included. A process id alone would not
do: the system later gives it to other programs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil
import requests

from grid_assets.runtime import programs
from grid_assets.runtime.environment import Environment, Say
from grid_assets.warehouse.processes import is_gone, this_process

MARK: Final = "GRID_PRODUCT"
SUPERVISOR_FILE: Final = "supervisor.pid"
"""Never removed: a lock on a removed file would keep nobody out."""

START_TIMEOUT_S: Final = 90
STOP_TIMEOUT_S: Final = 20
PORTS_TRIED: Final = 50
MAX_LOG_BYTES: Final = 20_000_000
LONGEST_SOCKET_PATH: Final = 100
"""Bytes; the system allows 104 to 108."""


class ProductError(Exception):
    """The product cannot start or has ended; the message says why and what to do."""


def free_port(first: int, say: Say) -> int:
    """The first free port from `first` on, with a message if it is not `first` itself."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != first:
            say(f"Port {first} is taken; the UI uses {port} (GRID_UI_PORT sets another).")
        return port
    raise ProductError(
        f"No port from {first} to {first + PORTS_TRIED - 1} is free for the UI. Set GRID_UI_PORT."
    )


@contextmanager
def claim(home: Path, say: Say) -> Iterator[None]:
    """Make this process the only supervisor of `home`. Raises `ProductError` if there is one.

    The file that names it is locked. The system frees the lock when this process ends,
    however that happens. Processes of a killed supervisor are stopped first: two daemons would do
    everything twice.
    """
    with (home / SUPERVISOR_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().partition("@")[0] or "just started"
            raise ProductError(
                f"Grid Assets is already running (process {pid}, {home}). `grid down` stops it."
            ) from None
        file.truncate(0)
        file.write(this_process())
        file.flush()
        if stop_marked(home):
            say("Stopped processes left over from an earlier start")
        os.environ[MARK] = str(home)
        try:
            yield
        finally:
            file.truncate(0)


def start_webserver(
    environment: Environment, port: int, variables: dict[str, str]
) -> tuple[list[subprocess.Popen[bytes]], Path]:
    """Start the code server and the UI, on the loopback interface only: it has no login.

    Returns the processes, and the file by which the daemon finds the code server.

    Without a code server of ours, the web server and the daemon each start one, and the daemon
    another one every minute, which loads everything again and opens new connections.
    """
    code_socket = socket_path(environment.home)
    code_socket.unlink(missing_ok=True)
    workspace = programs.write_workspace(environment.home, socket=str(code_socket))
    command = programs.code_server("-s", str(code_socket))
    code_server = _start(environment, variables, "code", command)
    _wait_for_socket(code_socket, code_server, environment.home)
    ui = programs.webserver("127.0.0.1", port, workspace)
    return [code_server, _start(environment, variables, "webserver", ui)], workspace


def start_daemon(
    environment: Environment, variables: dict[str, str], workspace: Path
) -> subprocess.Popen[bytes]:
    """Start the daemon, which runs the schedules and the sensor, beside the web server."""
    return _start(environment, variables, "daemon", programs.daemon(workspace))


def socket_path(home: Path) -> Path:
    """The socket of the code server, which only this user may open.

    It is in GRID_HOME, or if that path is too long for a socket, in a folder for temporary files.
    """
    path = home / "dagster" / "code.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"grid-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ProductError(f"{folder} belongs to another user. Choose a shorter GRID_HOME.")
    return folder / "code.sock"


def _start(
    environment: Environment, variables: dict[str, str], name: str, command: list[str]
) -> subprocess.Popen[bytes]:
    """Start a program; its log is named `name`."""
    log = environment.home / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={**os.environ, **variables, MARK: str(environment.home)},
            # not the checkout: Dagster would prefer a .env there to our variables
            cwd=environment.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that Ctrl-C reaches only the supervisor
        )


def _wait_for_socket(path: Path, process: subprocess.Popen, home: Path) -> None:
    """Return when the code server listens, because the web server tries to load it only once."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        raise_if_ended([process], home)
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.1)
    raise ProductError(
        f"The code did not load within {START_TIMEOUT_S} s. The reason is in {home / 'logs'}."
    )


def wait_until_ready(port: int, processes: list[subprocess.Popen], home: Path) -> None:
    """Return when the UI answers. Raises `ProductError` if a process ends or time runs out."""
    ui = requests.Session()
    ui.trust_env = False  # a proxy cannot reach this machine's ports
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        raise_if_ended(processes, home)
        try:
            if ui.get(f"http://127.0.0.1:{port}/server_info", timeout=2).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.3)
    raise ProductError(
        f"The UI did not answer within {START_TIMEOUT_S} s. The reason is in {home / 'logs'}."
    )


def raise_if_ended(processes: list[subprocess.Popen], home: Path) -> None:
    for process in processes:
        code = process.poll()
        if code is not None:
            program = Path(str(process.args[0] if isinstance(process.args, list) else "")).name
            raise ProductError(
                f"{program} ended with exit code {code}. The reason is in {home / 'logs'}."
            )


def watch(
    processes: list[subprocess.Popen], home: Path, look: Callable[[], None] = lambda: None
) -> None:
    """Wait until a signal arrives or a process ends, which raises `ProductError`; `look` is called
    every second."""
    while True:
        raise_if_ended(processes, home)
        look()
        time.sleep(1)


def stop_marked(home: Path) -> int:
    """End every process with the mark of `home` except this one; return how many.

    They get SIGTERM first, so that a run can be logged as interrupted, and SIGKILL after a while.
    """
    found = [process for process in _marked(home) if process.pid != os.getpid()]
    for process in found:
        _quietly(process.terminate)
    _wait(found, STOP_TIMEOUT_S)
    left = [process for process in _marked(home) if process.pid != os.getpid()]
    for process in left:
        _quietly(process.kill)
    _wait(left, 5)
    return len(found)


def _marked(home: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _carries_mark(process.pid, home)]


def _carries_mark(pid: int, home: Path) -> bool:
    """Whether a process belongs to the product of `home`."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.environ().get(MARK) == str(home):
            return True
        # The supervisor sets the variable after it has started, which others cannot see.
        supervisor = (home / SUPERVISOR_FILE).read_text(encoding="utf-8")
        return supervisor.startswith(f"{pid}@") and is_gone(supervisor) is False
    except (psutil.Error, OSError):
        return False


def _wait(processes: list[psutil.Process], timeout_s: float) -> None:
    """Wait until all have ended, or for `timeout_s`. A zombie counts as ended."""
    deadline = time.monotonic() + timeout_s
    while any(map(_runs, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _quietly(act: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        act()

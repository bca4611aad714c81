"""One supervisor for each home, however close together several start and however one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grid_assets.runtime.supervisor import SUPERVISOR_FILE, stop_marked
from grid_assets_tests.running import wait_until

pytestmark = pytest.mark.slow  # it starts processes

STARTING = """
import sys, time
from pathlib import Path
from grid_assets.runtime import supervisor
from grid_assets.runtime.signals import stop_on_signals

home, go = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while not go.exists():
    pass
try:
    with stop_on_signals(), supervisor.claim(home, lambda line: None):
        print("claimed", flush=True)
        time.sleep(600)
except supervisor.ProductError as refused:
    print(refused, flush=True)
except KeyboardInterrupt:
    pass
"""

Process = subprocess.Popen[str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path], Process]]:
    """Starts processes that claim a home as soon as the file `go` is there."""
    started: list[Process] = []

    def one(home: Path) -> Process:
        command = [sys.executable, "-c", STARTING, str(home), str(tmp_path / "go")]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.communicate()


def line(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_several_that_start_at_once_one_runs_and_the_others_name_it(
    home: Path, tmp_path: Path, start: Callable[[Path], Process]
) -> None:
    processes = [start(home) for _ in range(6)]
    assert {line(process) for process in processes} == {"ready"}
    (tmp_path / "go").touch()
    said = {process.pid: line(process) for process in processes}
    winners = [pid for pid, text in said.items() if text == "claimed"]
    assert len(winners) == 1
    for pid, text in said.items():
        if pid not in winners:
            assert text.startswith("Grid Assets is already running (process ")
            assert text.endswith("`grid down` stops it.")
    # Whoever comes later is told the right process.
    later = start(home)
    assert [line(later), line(later)] == [
        "ready",
        f"Grid Assets is already running (process {winners[0]}, {home}). `grid down` stops it.",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_home_is_free_again_when_its_supervisor_has_ended(
    home: Path, tmp_path: Path, start: Callable[[Path], Process], number: signal.Signals
) -> None:
    (tmp_path / "go").touch()
    first = start(home)
    assert [line(first), line(first)] == ["ready", "claimed"]
    first.send_signal(number)
    first.wait(30)
    again = start(home)
    assert [line(again), line(again)] == ["ready", "claimed"]
    wait_until(lambda: (home / SUPERVISOR_FILE).read_text().startswith(f"{again.pid}@"), 10)


def test_a_supervisor_is_stopped_whatever_the_clock_said_when_it_started(
    home: Path, tmp_path: Path, start: Callable[[Path], Process]
) -> None:
    (tmp_path / "go").touch()
    process = start(home)
    assert [line(process), line(process)] == ["ready", "claimed"]
    os.utime(home / SUPERVISOR_FILE, (0, 0))
    assert stop_marked(home) == 1
    assert process.wait(30) == 0


def test_another_process_with_the_id_of_a_supervisor_is_left_alone(
    home: Path, tmp_path: Path, start: Callable[[Path], Process]
) -> None:
    (tmp_path / "go").touch()
    process = start(home)
    assert [line(process), line(process)] == ["ready", "claimed"]
    pid, _, machine = (home / SUPERVISOR_FILE).read_text().split("@")
    (home / SUPERVISOR_FILE).write_text(f"{pid}@0.01@{machine}")
    assert stop_marked(home) == 0
    assert process.poll() is None

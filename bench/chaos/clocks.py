"""The clocks of a world: one for commands and one for the server, both set by libfaketime."""

from __future__ import annotations

import select
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, SupportsIndex

from bench.results import BenchError

PLACES: Final = ("lib/*/faketime", "lib*/faketime", "local/lib*/faketime")
LIBRARY: Final = next(
    (file for place in PLACES for file in Path("/usr").glob(f"{place}/libfaketimeMT.so.1")), None
)
READ_EVERY_S: Final = 1
SEEN_S: Final = 2.2
"""After this time, every program has seen that its clock was set."""


class Clocks:
    """False clocks, kept in files that programs read anew each second."""

    def __init__(self, folder: Path) -> None:
        if LIBRARY is None:
            raise BenchError("libfaketime is not installed (Debian: apt install faketime)")
        self._folder = folder
        self._ahead = timedelta(0)
        self.are_wrong = False

    def now(self) -> datetime:
        """The right time in the world."""
        return datetime.now(UTC) + self._ahead

    def set_time(self, at: datetime) -> None:
        """Set all clocks right, to `at`; from then on they run."""
        self._ahead = at - datetime.now(UTC)
        self.set()

    def pass_time(self, time: timedelta) -> None:
        self._ahead += time
        self.set()

    def set(self, process: timedelta = timedelta(0), database: timedelta = timedelta(0)) -> None:
        """Set the clocks of commands and of the server wrong by so much."""
        self.are_wrong = bool(process or database)
        for name, wrong in (("process", process), ("database", database)):
            file = self._folder / f"{name}.clock"
            new = file.with_suffix(".new")
            new.write_text(f"{(self._ahead + wrong).total_seconds():+.3f}\n")
            new.chmod(0o644)
            new.replace(file)

    def variables(self, whose: Literal["process", "database"]) -> dict[str, str]:
        """The environment of a program that lives by one of the clocks."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / f"{whose}.clock"),
            "FAKETIME_CACHE_DURATION": str(READ_EVERY_S),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # with it, threads of Python would fight for its lock and use twice the CPU time
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }


def sleep(seconds: float | SupportsIndex, /) -> None:
    """For `time.sleep` in a process with a false clock.

    Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 takes for false
    although it leaves that clock as it is.
    """
    select.select([], [], [], float(seconds))


def sweep() -> None:
    """Remove what libfaketime has left in /dev/shm for processes that have ended."""
    for file in Path("/dev/shm").glob("*faketime_s*_*"):
        if not Path("/proc", file.name.rpartition("_")[2]).exists():
            with suppress(OSError):  # it may be that of another user
                file.unlink()

"""Runs tests, together with their PostgreSQL, as if it were another time, with libfaketime.

`environment` is for a pytest at that time. In the pytest that it starts, `share_with_postgres`
passes the false clock on to the embedded server, whose programs do not inherit variables.

The library is named to the linker directly. The `faketime` command, which does the same, refuses to
start where a killed process that had its id has left a semaphore in /dev/shm; the library does not.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from bench.chaos.clocks import LIBRARY, sleep
from grid_assets.runtime import postgres, postgres_programs

MISSING: Final = "no faketime: nothing was tested at other times of day and year"

needs_faketime = pytest.mark.skipif(LIBRARY is None, reason=MISSING)

VARIABLES: Final = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")


def environment(at: datetime) -> dict[str, str]:
    """The variables of this process, and those with which a program runs as if it were `at`."""
    ahead_s = round((at - datetime.now(UTC)).total_seconds())
    false = (str(LIBRARY), f"{ahead_s:+d}s", "1")
    return {**os.environ, **dict(zip(VARIABLES, false, strict=True))}


def share_with_postgres() -> None:
    """Where the clock is false, give it to the embedded server too, and mend `time.sleep`."""
    if "FAKETIME" not in os.environ:
        return
    real = postgres_programs.run
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]

    def run(user: postgres_programs.User, *program: str, **options: Any) -> Any:
        return real(user, "/usr/bin/env", *variables, *program, **options)

    for module in (postgres_programs, postgres):
        vars(module)["run"] = run

    time.sleep = sleep

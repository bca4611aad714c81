"""Runs tests, together with their PostgreSQL, as if it were another time, with libfaketime.

`command` starts pytest at that time. In the pytest that it starts, `share_with_postgres` passes the
false clock on to the embedded server, whose programs do not inherit variables.
"""

from __future__ import annotations

import os
import select
import shutil
import time
from datetime import UTC, datetime
from typing import Any, Final, SupportsIndex

import pytest

from grid_assets.runtime import postgres, postgres_programs

FAKETIME: Final = shutil.which("faketime")

MISSING: Final = "no faketime: nothing was tested at other times of day and year"

needs_faketime = pytest.mark.skipif(FAKETIME is None, reason=MISSING)

VARIABLES: Final = ("LD_PRELOAD", "FAKETIME", "DONT_FAKE_MONOTONIC")


def command(at: datetime) -> list[str]:
    """The beginning of a command line: what follows it runs as if it were `at`."""
    assert FAKETIME is not None, MISSING
    ahead_s = round((at - datetime.now(UTC)).total_seconds())
    return [FAKETIME, "-m", "--exclude-monotonic", "-f", f"{ahead_s:+d}s"]


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

    def sleep(seconds: float | SupportsIndex, /) -> None:
        select.select([], [], [], float(seconds))

    # Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 takes for false
    # although it leaves that clock as it is.
    time.sleep = sleep

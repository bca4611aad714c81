"""How long the definitions take to load, which every command and every run waits for.

Belongs here: a new Python that imports them. Does not belong here: what is done with them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Final

from bench.place import untouched_environment
from bench.results import PROJECT, BenchError, Result, below

BELOW_S: Final = 3


def importing(times: int, say: Callable[[str], None]) -> list[Result]:
    """`definitions_import_s`: a new Python that loads the definitions, from start to end."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys, grid_assets.definitions; print('torch' in sys.modules)",
            ],
            cwd=PROJECT,
            env=untouched_environment(),
            capture_output=True,
            text=True,
        )
        seconds.append(time.perf_counter() - started)
        if done.returncode != 0:
            raise BenchError(f"The definitions cannot be imported:\n{done.stderr[-2000:]}")
        if done.stdout.strip() != "False":
            raise BenchError("Importing the definitions imports torch")
    say(f"importing the definitions: {median(seconds):.2f} s")
    return [
        below(
            "definitions_import_s",
            median(seconds),
            "s",
            BELOW_S,
            f"{times} new processes: {min(seconds):.2f} to {max(seconds):.2f} s, without torch",
        )
    ]

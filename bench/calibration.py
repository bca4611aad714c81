"""How fast is this machine now: an empty Dagster run, and `SELECT 1` through the readers' client.

Times of different machines compare by their ratio to these, measured in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from statistics import median
from typing import Final

from bench.readers import ask, quantile
from bench.results import RUN_CALIBRATION, SELECT_CALIBRATION, BenchError, Figure, Measured
from bench.sandbox import inherited_environment, sandbox
from bench.sizes import Sizes
from grid_assets.runtime.dagster_yaml import dagster_yaml
from grid_assets.settings import Settings

FIGURES: Final = {RUN_CALIBRATION: Figure("s"), SELECT_CALIBRATION: Figure("ms")}

EMPTY_RUN: Final = """
import dagster as dg

@dg.op
def nothing():
    pass

@dg.job
def empty():
    nothing()

with dg.DagsterInstance.get() as instance:
    assert empty.execute_in_process(instance=instance).success
"""


@cache
def measure(sizes: Sizes) -> dict[str, Measured]:
    """New processes with a run of one empty op each, stored in PostgreSQL; then the client."""
    with sandbox() as box:
        home = box.home / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text(dagster_yaml(Settings()), encoding="utf-8")
        environment = inherited_environment() | {
            "DAGSTER_HOME": str(home),
            "GRID_DAGSTER_STORAGE_URL": box.url.get_secret_value(),
        }
        # the first one also makes Dagster's tables
        seconds = [_empty_run(environment) for _ in range(sizes.calibrations + 1)][1:]
        client = ask(box.url, {"client": "SELECT 1"}, sizes.calibration_s)["client"]
    runs = f"{len(seconds)} new processes: {min(seconds):.2f} to {max(seconds):.2f} s"
    answers = f"median of {len(client)}; p95 {quantile(client, 0.95):.2f} ms"
    return {
        RUN_CALIBRATION: Measured(median(seconds), runs),
        SELECT_CALIBRATION: Measured(median(client), answers),
    }


def _empty_run(environment: dict[str, str]) -> float:
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", EMPTY_RUN], env=environment, capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    if ran.returncode != 0:
        raise BenchError(f"The empty Dagster run failed:\n{ran.stderr[-2000:]}")
    return seconds

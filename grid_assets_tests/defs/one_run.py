"""One run of the real assets in a separate process, to be killed or to race another.

It imports no test.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import date
from multiprocessing.context import ForkServerProcess

import dagster as dg

from grid_assets.cli import runs
from grid_assets.definitions import defs
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import HISTORY
from grid_assets.telemetry.due import Range
from grid_assets_tests.forked import PROCESSES


def start(environment: Mapping[str, str], first: date, last: date) -> ForkServerProcess:
    """Run the assets over UTC days, both included; `environment` says where, and holds TMPDIR."""
    process = PROCESSES.Process(target=_run, args=(dict(environment), first, last), daemon=True)
    process.start()
    return process


def start_recorded(
    environment: Mapping[str, str], day: date, *, with_tag: bool
) -> ForkServerProcess:
    """A run in the Dagster of DAGSTER_HOME, as `grid tick` starts one, or as a daemon does."""
    process = PROCESSES.Process(
        target=_run_recorded, args=(dict(environment), day, with_tag), daemon=True
    )
    process.start()
    return process


def _run_recorded(environment: dict[str, str], day: date, with_tag: bool) -> None:
    os.environ.update(environment)
    assets = [asset.key for asset in HISTORY]
    with dg.DagsterInstance.get() as instance:
        if with_tag:
            runs.run(instance, Range(day, day), "tick", assets)
        else:
            defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance, tags=range_tags(day, day, "sensor"), asset_selection=assets
            )


def _run(environment: dict[str, str], first: date, last: date) -> None:
    os.environ.update(environment)
    tempfile.tempdir = environment["TMPDIR"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=range_tags(first, last, "backfill"),
            asset_selection=[asset.key for asset in HISTORY],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    raise SystemExit(0 if result.success else 1)

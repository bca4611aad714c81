"""Running assets from a command, in its own process, without a daemon.

Belongs here: one Dagster run over a range of days. Does not belong here: which days (`plan`), and
what the command says about it (`cli`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg

from grid_assets.defs import automation, core
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.resources import Grid
from grid_assets.plan import Range
from grid_assets.settings import Settings

CORE = [core.intensity.key, core.generation_mix.key]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished run."""

    run_id: str
    days: Range
    success: bool


def run_cycle(instance: dg.DagsterInstance, announce: Callable[[Range], None]) -> Iterator[Outcome]:
    """One half-hourly cycle, run by run: yesterday and today, then the days that are due."""
    grid = _grid()
    now = grid.now()
    for days in automation.cycle(grid, now):
        announce(days)
        yield run(instance, days, "tick", automation.selection(days, now))


def run_history(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Everything that can be fetched for past days, in one run."""
    return run(instance, days, "backfill", [asset.key for asset in automation.HISTORY])


def run_core(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """`core` made again from what `raw` holds."""
    return run(instance, days, "backfill", CORE)


def run(
    instance: dg.DagsterInstance, days: Range, trigger: str, assets: list[dg.AssetKey]
) -> Outcome:
    """One run of `assets` over `days`; a failure is in the outcome, not raised."""
    from grid_assets.definitions import defs

    result = defs.resolve_job_def("telemetry").execute_in_process(
        instance=instance,
        tags=range_tags(days.first, days.last, trigger),
        asset_selection=assets,
        raise_on_error=False,
        # The command says what happened, from ops.etl_runs; the whole story is in the UI.
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return Outcome(result.run_id, days, result.success)


def _grid() -> Grid:
    grid = Grid()
    grid._settings = Settings.from_environment()
    return grid

"""Running assets from a command, in its own process, without a daemon.

Belongs here: one Dagster run over a range of days. Does not belong here: which days (`plan`), and
what the command says about it (`cli`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import dagster as dg
from dagster._core.events import RunFailureReason  # not exported, but in every failure event

from grid_assets.defs import automation
from grid_assets.defs.assets import forecast
from grid_assets.defs.partitions import BACKTEST, TRIGGER_TAG, range_tags
from grid_assets.defs.resources import Services
from grid_assets.forecasting.due import is_scored
from grid_assets.health import housekeeping
from grid_assets.telemetry import gaps
from grid_assets.telemetry.gaps import Range
from grid_assets.warehouse.connection import Connection

Planned = TypeVar("Planned")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished run."""

    run_id: str
    days: Range
    success: bool


def run_cycle(instance: dg.DagsterInstance, announce: Callable[[str], None]) -> Iterator[Outcome]:
    """One half-hourly cycle, run by run: yesterday and today with their forecast, then the days
    that are due, then whatever else the tables ask for, as the sensor would; the dashboard last.

    Where the newest days cannot be fetched, nothing older is tried.
    """
    now = datetime.now(UTC)
    newest, *_ = gaps.cycle(now.date(), [])
    announce(f"Reading {newest}")
    yield run(instance, newest, "tick", automation.selection(newest, now))
    for days in _plan(lambda services: automation.cycle(services, now))[1:]:
        announce(f"Reading {days}")
        yield run(instance, days, "tick", automation.selection(days, now))
    # Each question is asked after the runs of the one before, whose answer they change.
    for planned in _plan(lambda s: automation.plan_core_runs(s, gaps.FIRST_DAY, now, "tick")):
        announce(f"Cleaning {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)
    for planned in _plan(lambda s: automation.plan_forecast_runs(s, now, "tick")):
        announce(f"Forecasting {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)
    for planned in _plan(
        lambda s: automation.plan_dashboard_run(s, s.now(), "tick", pause=timedelta(0))
    ):
        announce(f"Making the dashboard: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)


def _plan(ask: Callable[[Services], list[Planned]]) -> list[Planned]:
    with Services().open() as services:
        return ask(services)


def run_backtest(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Forecasts of past days as they would have been made then, and their scores."""
    assets = [asset.key for asset in automation.FORECASTS]
    return run(instance, days, BACKTEST, assets)


def run_history(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Everything that can be fetched for past days, and their scores if they have any, in one run.

    A day without scores is spared the asset: Dagster notes each day of each asset.
    """
    with Services().open() as services:
        scored = is_scored(services.connection, days.first, days.last)
    assets = [*automation.HISTORY, *([forecast.accuracy] if scored else [])]
    return run(instance, days, "backfill", [asset.key for asset in assets])


def run_core(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """`core` made again from what `raw` holds."""
    return run(instance, days, "backfill", [asset.key for asset in automation.CORE])


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
        run_config=automation.QUIET_RUN_CONFIG,
    )
    raise_if_interrupted(result)
    return Outcome(result.run_id, days, result.success)


def raise_if_interrupted(result: dg.ExecuteInProcessResult) -> None:
    """Raise `KeyboardInterrupt` again where Dagster noted a signal as the run's failure."""
    for event in result.all_events:
        if (
            event.event_type is dg.DagsterEventType.RUN_FAILURE
            and event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION
        ):
            raise KeyboardInterrupt


def run_housekeeping_if_due(instance: dg.DagsterInstance, connection: Connection) -> str | None:
    """Run the job in this process if it is due; the id of the run, whatever became of it."""
    if not housekeeping.is_due(connection, datetime.now(UTC)):
        return None
    from grid_assets.definitions import defs

    result = defs.resolve_job_def("housekeeping").execute_in_process(
        instance=instance,
        tags={TRIGGER_TAG: "tick"},
        raise_on_error=False,
        run_config=automation.QUIET_RUN_CONFIG,
    )
    raise_if_interrupted(result)
    return result.run_id

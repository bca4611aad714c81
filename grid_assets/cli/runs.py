"""Starts Dagster runs in the process of a command, without the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import uuid4

import dagster as dg
from dagster._core.events import RunFailureReason  # not exported, but in every failure event
from pydantic import SecretStr

from grid_assets.defs import planning
from grid_assets.defs.assets import forecast
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import BACKTEST, TRIGGER_TAG, process_tag, range_tags
from grid_assets.defs.planning import PlannedRun
from grid_assets.defs.resources import Services
from grid_assets.forecasting.due import is_scored
from grid_assets.health import housekeeping
from grid_assets.telemetry import due
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import connect

Planned = TypeVar("Planned")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished run."""

    run_id: str
    days: Range
    success: bool


REGIONS_LOOKED_AT: Final = timedelta(days=30)
"""How far back a daily look for regions that `raw` has and `core` lacks goes."""

MOST_FORECASTS: Final = 3
"""How often a command forecasts again because telemetry landed while it forecast. What lands after
that wakes the next one."""


def run_cycle(
    instance: dg.DagsterInstance, announce: Callable[[str], None], *, forecasts: bool = True
) -> Iterator[Outcome]:
    """Run one half-hourly cycle, run by run, and yield each outcome.

    Yesterday and today come first, with their forecast, then older days that are due, then the runs
    that the sensor would start, then missing regions, with the dashboard last. If the newest days
    cannot be fetched, older ones are not tried. The first forecast of all follows the back-test, if
    telemetry of past days is there. Without `forecasts`, nothing is forecast and no dashboard made.
    """
    now = datetime.now(UTC)
    newest, *_ = due.plan_cycle(now.date(), [])
    announce(f"Loading {newest}")
    at_once = forecasts and not _plan(lambda s: planning.backtest_comes_first(s, now))
    yield run(instance, newest, "tick", planning.selection(newest, now, forecasts=at_once))
    for planned in _plan(lambda services: planning.cycle(services, now, "tick"))[1:]:
        announce(f"Loading {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)
    # Each plan is made after the runs of the previous one, because those change it.
    # What failed before this cycle is tried again without a pause, what failed in it is not.
    for planned in _plan(lambda s: _core_runs(s, now, forecasts=forecasts)):
        announce(f"Publishing {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)
    if forecasts:
        yield from _run_forecasts(instance, announce, now, "tick")
    for planned in _plan(lambda services: planning.regional_gaps(services, now, "tick")):
        announce(f"Loading {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)
    if not forecasts:
        return
    for planned in _plan(
        lambda s: planning.plan_dashboard_run(s, s.now(), "tick", pause=timedelta(0))
    ):
        announce(f"Updating the feeds and the dashboard: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)


def _core_runs(services: Services, now: datetime, *, forecasts: bool) -> list[PlannedRun]:
    """Runs of `core` over the days for which `raw` has newer rows.

    The outlook and the regions have many more rows, so more than the last days of them is looked at
    only once a day, and of the regions no more than a month.
    """
    at_once = timedelta(0)
    if forecasts:
        forecasts = planning.forecast_state(services, now, at_once) != "failed_lately"
    is_daily = housekeeping.is_due(services.connection, now)
    recent = now.date() - due.REVISED
    first = due.FIRST_DAY if is_daily else recent
    # years of them take half a minute; a day that core lacks is fetched again and then published
    first_regional = now.date() - REGIONS_LOOKED_AT if is_daily else recent
    return [
        *planning.plan_core_runs(
            services, due.FIRST_DAY, now, "tick", at_once, forecasts=forecasts
        ),
        *planning.plan_outlook_runs(services, first, now, "tick", at_once),
        *planning.plan_regional_runs(services, first_regional, now, "tick", at_once),
    ]


def run_forecasts(
    instance: dg.DagsterInstance, announce: Callable[[str], None]
) -> Iterator[Outcome]:
    """Forecast from what the warehouse holds, as long as a forecast is due, and yield each outcome.

    A warehouse without forecasts is back-tested first, as in a cycle.
    """
    for _ in range(MOST_FORECASTS):
        outcomes = list(_run_forecasts(instance, announce, datetime.now(UTC), "forecast"))
        yield from outcomes
        if not outcomes or not all(outcome.success for outcome in outcomes):
            return


def _run_forecasts(
    instance: dg.DagsterInstance, announce: Callable[[str], None], now: datetime, trigger: str
) -> Iterator[Outcome]:
    for planned in _plan(
        lambda s: planning.plan_forecast_runs(
            s, now, trigger, planning.forecast_state(s, now, pause=timedelta(0))
        )
    ):
        announce(f"Forecasting {planned.days}: {planned.why}")
        yield run(instance, planned.days, planned.trigger, planned.assets)


def _plan(make: Callable[[Services], Planned]) -> Planned:
    with Services().open() as services:
        return make(services)


def run_backtest(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Forecast past days from the telemetry known at each issue time, and score them."""
    assets = [asset.key for asset in planning.FORECASTS]
    return run(instance, days, BACKTEST, assets)


def run_history(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Load past days in one run, with their scores if they have forecasts.

    Otherwise scores are left out, because Dagster records each day of each asset.
    """
    with Services().open() as services:
        scored = is_scored(services.connection, days.first, days.last)
    assets = [*planning.HISTORY, *([forecast.accuracy] if scored else [])]
    return run(instance, days, "backfill", [asset.key for asset in assets])


def run_outlook_history(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Load the outlook and generation of past days that the warehouse lacks."""
    return run(instance, days, "backfill", [asset.key for asset in planning.OUTLOOK])


def run_regional_history(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Load the regions of past days."""
    return run(instance, days, "backfill", [asset.key for asset in planning.REGIONS])


def run_core(instance: dg.DagsterInstance, days: Range) -> Outcome:
    """Publish `core` from the rows that `raw` holds."""
    return run(instance, days, "backfill", [asset.key for asset in planning.CORE])


def run_later_core(
    instance: dg.DagsterInstance, announce: Callable[[str], None]
) -> Iterator[Outcome]:
    """Publish the outlook, generation and regions of all days for which `raw` has newer rows than
    `core`."""
    at_once = timedelta(0)
    for planned in _plan(
        lambda s: [
            *planning.plan_outlook_runs(s, due.FIRST_DAY, s.now(), "backfill", at_once),
            *planning.plan_regional_runs(s, due.FIRST_DAY, s.now(), "backfill", at_once),
        ]
    ):
        announce(f"Publishing {planned.days}")
        yield run(instance, planned.days, planned.trigger, planned.assets)


def run(
    instance: dg.DagsterInstance, days: Range, trigger: str, assets: list[dg.AssetKey]
) -> Outcome:
    """Run `assets` over `days`. A failure is returned in the outcome, not raised."""
    from grid_assets.definitions import defs

    run_id = str(uuid4())
    result = defs.resolve_job_def("telemetry").execute_in_process(
        instance=instance,
        run_id=run_id,
        tags={**range_tags(days.first, days.last, trigger), **process_tag(run_id)},
        asset_selection=assets,
        raise_on_error=False,
        run_config=QUIET_RUN_CONFIG,
    )
    raise_if_interrupted(result)
    return Outcome(result.run_id, days, result.success)


def raise_if_interrupted(result: dg.ExecuteInProcessResult) -> None:
    """Raise `KeyboardInterrupt` if Dagster has recorded a signal as the run's failure."""
    for event in result.all_events:
        if (
            event.event_type is dg.DagsterEventType.RUN_FAILURE
            and event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION
        ):
            raise KeyboardInterrupt


def run_housekeeping_if_due(instance: dg.DagsterInstance, warehouse: SecretStr) -> str | None:
    """Run housekeeping in this process if it is due; return the run's id, even if it failed."""
    with connect(warehouse) as connection:
        if not housekeeping.is_due(connection, datetime.now(UTC)):
            return None
    from grid_assets.definitions import defs

    run_id = str(uuid4())
    result = defs.resolve_job_def("housekeeping").execute_in_process(
        instance=instance,
        run_id=run_id,
        tags={TRIGGER_TAG: "tick", **process_tag(run_id)},
        raise_on_error=False,
        run_config=QUIET_RUN_CONFIG,
    )
    raise_if_interrupted(result)
    return result.run_id

"""What runs by itself: the half-hourly schedule, and the jobs that it and `grid` start.

Belongs here: when. Does not belong here: which days (`plan`), or how.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from pydantic import SecretStr

from grid_assets import plan
from grid_assets.defs import core, raw
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.resources import Grid
from grid_assets.halfhours import api_time
from grid_assets.runlog import bury_crashed, run_processes_gone
from grid_assets.settings import Settings

HISTORY: Final = [raw.intensity, raw.generation, core.intensity, core.generation_mix]
"""What can be fetched for past days; NESO's forecast cannot."""

TELEMETRY: Final = dg.define_asset_job(
    "telemetry",
    selection=[*(asset.key for asset in HISTORY), raw.neso_forecast.key],
    description="One cycle: yesterday and today from the API into core, and NESO's forecast.",
)


QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration: the console says nothing, every event is in the UI and `ops.etl_runs`."""

SILENT_RUN: Final = timedelta(hours=1)
"""A run that left no trace in ops.etl_runs is given up after this; its first comes in seconds."""

MISSED: Final = timedelta(minutes=20)
"""A cycle this late was missed while the daemon was down; the newest one makes up for it."""


@dg.schedule(
    job=TELEMETRY,
    cron_schedule=Settings.from_environment().telemetry_cron,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Twice an hour, 12 minutes after each half-hour ends (GRID_TELEMETRY_CRON): for 10 to "
        "11.4 minutes after the end, measured minute by minute, the API repeats the previous "
        "actual. Reads yesterday and today, and past days that lack half-hours."
    ),
)
def half_hourly(
    context: dg.ScheduleEvaluationContext, grid: Grid
) -> list[dg.RunRequest] | dg.SkipReason:
    now = grid.now()
    bury_crashed(grid.warehouse)
    fail_dead_runs(context.instance, grid.warehouse)
    if now - context.scheduled_execution_time > MISSED:
        return dg.SkipReason("Missed while the daemon was down; the newest cycle makes up for it.")
    return [
        dg.RunRequest(
            # Dagster refuses several requests without keys; with the tick in it none is ever old.
            run_key=f"{api_time(context.scheduled_execution_time)} {days}",
            tags=range_tags(days.first, days.last, "schedule"),
            asset_selection=selection(days, now),
            run_config=QUIET,
        )
        for days in cycle(grid, now)
    ]


def cycle(grid: Grid, now: datetime) -> list[plan.Range]:
    """The day ranges of one cycle, the newest first; each is one run.

    While the newest days cannot be fetched, nothing older is tried: each run would wait in vain.
    """
    if plan.newest_failed(grid.warehouse, now.date()):
        return plan.cycle(now.date(), [])
    start = max(grid.settings.first_history_day(now), plan.FIRST_DAY)
    return plan.cycle(now.date(), plan.days_due(grid.warehouse, start, now))


def selection(days: plan.Range, now: datetime) -> list[dg.AssetKey]:
    """The assets of one range: all, or without NESO's forecast where the range is past."""
    assets = [*HISTORY, raw.neso_forecast] if days.last == now.date() else HISTORY
    return [asset.key for asset in assets]


def fail_dead_runs(instance: dg.DagsterInstance, warehouse: SecretStr) -> None:
    """Close runs whose process was killed; the queue would count them as running for ever."""
    open_runs = {
        record.dagster_run.run_id: record
        for record in instance.get_run_records(
            dg.RunsFilter(
                statuses=[
                    dg.DagsterRunStatus.STARTING,
                    dg.DagsterRunStatus.STARTED,
                    dg.DagsterRunStatus.CANCELING,
                ]
            )
        )
    }
    gone = run_processes_gone(warehouse, open_runs.keys()) if open_runs else {}
    for run_id, record in open_runs.items():
        silent = datetime.now(UTC) - record.update_timestamp.replace(tzinfo=UTC) > SILENT_RUN
        if gone.get(run_id, silent):
            instance.report_run_failed(record.dagster_run, "The run's process has died.")

"""What runs by itself: the half-hourly schedule, and the jobs that it and `grid` start.

Belongs here: when. Does not belong here: which days (`plan`), or how.
"""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from grid_assets import plan
from grid_assets.defs import core, raw
from grid_assets.defs.partitions import FIRST_DAY, range_tags
from grid_assets.defs.resources import Grid
from grid_assets.halfhours import api_time
from grid_assets.settings import Settings

HISTORY: Final = [raw.intensity, raw.generation, core.intensity, core.generation_mix]
"""What can be fetched for past days; NESO's forecast cannot."""

TELEMETRY: Final = dg.define_asset_job(
    "telemetry",
    selection=[*(asset.key for asset in HISTORY), raw.neso_forecast.key],
    description="One cycle: yesterday and today from the API into core, and NESO's forecast.",
)


@dg.configured(
    dg.colored_console_logger,
    config_schema={"log_level": dg.Field(str, default_value="ERROR", is_required=False)},
)
def console(config: dict[str, str]) -> dict[str, str]:
    """Only errors go to the processes' log files; every event is in the UI."""
    return {"log_level": config["log_level"]}


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
    if now - context.scheduled_execution_time > MISSED:
        return dg.SkipReason("Missed while the daemon was down; the newest cycle makes up for it.")
    return [
        dg.RunRequest(
            # Dagster refuses several requests without keys; with the tick in it none is ever old.
            run_key=f"{api_time(context.scheduled_execution_time)} {days}",
            tags=range_tags(days.first, days.last, "schedule"),
            asset_selection=selection(days, now),
        )
        for days in cycle(grid, now)
    ]


def cycle(grid: Grid, now: datetime) -> list[plan.Range]:
    """The day ranges of one cycle, the newest first; each is one run."""
    start = max(grid.settings.first_history_day(now), FIRST_DAY)
    return plan.cycle(now.date(), plan.days_due(grid.warehouse, start, now))


def selection(days: plan.Range, now: datetime) -> list[dg.AssetKey]:
    """The assets of one range: all, or without NESO's forecast where the range is past."""
    assets = [*HISTORY, raw.neso_forecast] if days.last == now.date() else HISTORY
    return [asset.key for asset in assets]

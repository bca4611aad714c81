"""The daily job that removes old Dagster runs. Our own tables are kept for ever.

`health.housekeeping` decides whether it is due.
"""

from datetime import timedelta
from typing import Final

import dagster as dg

from grid_assets.defs import run_retention
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import TRIGGER_TAG, today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.health.housekeeping import PURGING

QUIET_MINUTE: Final = "27 3 * * *"
"""At night, and midway between two half-hourly cycles, which start at minutes 12 and 42."""


@dg.op(
    out=dg.Out(dg.Nothing),
    description=(
        "Deletes Dagster's runs older than GRID_DAGSTER_KEEP_DAYS with their events, except those "
        "with the newest materialisation of a partition. rows_written counts the runs removed."
    ),
)
def purge_history(context: dg.OpExecutionContext, services: Services) -> None:
    days, now = services.settings.dagster_keep_days, services.now()
    with attempt(context, services, PURGING, today_of(context, now)) as current:
        if days == 0:
            context.log.info("GRID_DAGSTER_KEEP_DAYS is 0, so no runs are deleted.")
            return
        done = run_retention.purge(context.instance, now - timedelta(days=days))
        current.rows_fetched, current.rows_written = done.seen, done.deleted
    context.log.info(f"Deleted {done.deleted} of {done.seen} runs older than {days} days.")


@dg.job(description="Once a day: deletes Dagster's old runs.")
def housekeeping() -> None:
    purge_history()


@dg.schedule(
    job=housekeeping,
    cron_schedule=QUIET_MINUTE,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Daily clean-up at night. Without the daemon, `grid tick` does it once a day.",
)
def daily_housekeeping() -> dg.RunRequest:
    return dg.RunRequest(tags={TRIGGER_TAG: "schedule"}, run_config=QUIET_RUN_CONFIG)

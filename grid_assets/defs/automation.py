"""When runs start: the half-hourly schedule, the sensor for new rows, and the job they both start.

`planning` decides which runs are due.
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

import dagster as dg

from grid_assets.defs import planning
from grid_assets.defs.assets import forecast, raw
from grid_assets.defs.dead_runs import OPEN, fail_dead_runs
from grid_assets.defs.partitions import BACKTEST, BATCH_TAG, CYCLES, TRIGGER_TAG
from grid_assets.defs.resources import Services
from grid_assets.forecasting import due
from grid_assets.halfhours import HALF_HOUR, api_time, floor
from grid_assets.settings import DEFAULT_CRON, Settings, SettingsError
from grid_assets.telemetry import due as telemetry_due
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.statements import statement

TELEMETRY: Final = dg.define_asset_job(
    "telemetry",
    selection=[
        asset.key
        for asset in (
            *planning.HISTORY,
            raw.neso_forecast,
            *planning.OUTLOOK,
            *planning.FORECASTS,
            *planning.OF_CYCLE,
            *planning.ALERTS,
        )
    ],
    description=(
        "One half-hourly cycle: loads yesterday and today into raw and core, captures NESO's "
        "forecast and the outlook, forecasts from the new telemetry, scores, captures the "
        "regions, updates the feeds and the dashboard, and judges alerts."
    ),
)


QUIET_RUN_CONFIG: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration without console output; events are in the UI and in `ops.etl_runs`."""

WHY_TAG: Final = "grid/why"
"""The tag that says why the sensor started a run."""

SENSOR_INTERVAL_S: Final = 4
"""The daemon looks for sensors every 5 seconds. With 5, each second look would come too early."""

FULL_SCAN_EVERY: Final = timedelta(minutes=5)
"""How often `core` is compared with all of `raw`, whether or not anything was written."""

LOOK_EVERY: Final = timedelta(minutes=1)
"""How often the sensor looks at the tables although nothing was written: pauses end, days pass."""

MISSED: Final = timedelta(minutes=20)
"""A cycle this late was missed while the daemon was down; the newest one catches up."""


def telemetry_cron() -> str:
    """GRID_TELEMETRY_CRON. A setting that is invalid must not break the import of this module:
    its message is logged, and each run and evaluation fails with it."""
    try:
        return Settings.from_environment().telemetry_cron
    except SettingsError as error:
        logging.getLogger(__name__).error(str(error))
        return DEFAULT_CRON


@dg.schedule(
    job=TELEMETRY,
    cron_schedule=telemetry_cron(),
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Twice an hour, 12 minutes after each half-hour ends (GRID_TELEMETRY_CRON). For the first "
        "10 to 11.4 minutes, as measured, the API repeats the previous actual. Loads yesterday, "
        "today, and past days with missing half-hours."
    ),
)
def half_hourly(
    context: dg.ScheduleEvaluationContext, services: Services
) -> list[dg.RunRequest] | dg.SkipReason:
    now = services.now()
    mark_crashed(services.connection)
    fail_dead_runs(context.instance, services.connection)
    if now - context.scheduled_execution_time > MISSED:
        return dg.SkipReason("Missed while the daemon was down. The newest cycle catches up.")
    return [
        dg.RunRequest(
            # Dagster needs a key for each of several requests. The tick makes it unique.
            run_key=f"{api_time(context.scheduled_execution_time)} {planned.days}: {planned.why}",
            tags=planned.tags(now),
            asset_selection=planned.assets,
            run_config=QUIET_RUN_CONFIG,
        )
        for planned in (
            *planning.cycle(services, now, "schedule"),
            *planning.regional_gaps(services, now, "schedule"),
        )
    ]


@dataclass(frozen=True, slots=True)
class Looked:
    """What the sensor remembers of its looks, in its cursor.

    `written` and `until` are those of the last look that found nothing to do; with the same number
    of rows written since then, and before `until`, another look would find nothing either. `full`
    is the time of the last look at all of history, and `first` the first day with work left then.
    """

    full: float = 0
    first: str | None = None
    written: int | None = None
    until: float = 0

    @classmethod
    def from_cursor(cls, text: str | None) -> "Looked":
        try:
            return cls(**json.loads(text or "{}"))
        except (TypeError, ValueError):  # the cursor of an earlier version
            return cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))


@dg.sensor(
    job=TELEMETRY,
    minimum_interval_seconds=SENSOR_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Asks every 5 seconds whether anything was written. If so, and every minute, it checks "
        "the last week of the tables, and every 5 minutes all of history. Starts a run if raw has "
        "rows that core lacks, from any writer; if core has telemetry that no forecast has used; "
        "if past days have no back-test; or if the dashboard is older than the last run. Starts "
        "one run at a time, so that a burst of rows leads to one forecast, and decides from the "
        "tables, so that a crash loses none."
    ),
)
def new_telemetry(
    context: dg.SensorEvaluationContext, services: Services
) -> dg.SensorResult | dg.SkipReason:
    now = services.now()
    if _is_running(context.instance):
        fail_dead_runs(context.instance, services.connection)
        return dg.SkipReason("A run is in progress. The tables are checked again when it ends.")
    looked = Looked.from_cursor(context.cursor)
    written = rows_written(services.connection)
    # a clock that was set back must not put the next look off for longer
    is_recent = 0 < looked.until - now.timestamp() <= LOOK_EVERY.total_seconds()
    if written is not None and written == looked.written and is_recent:
        return dg.SkipReason("Nothing was written since the last look.")
    is_full = not 0 <= now.timestamp() - looked.full < FULL_SCAN_EVERY.total_seconds()
    first = telemetry_due.FIRST_DAY if is_full else now.date() - telemetry_due.REVISED
    if looked.first is not None:
        first = min(first, date.fromisoformat(looked.first))
    state = planning.forecast_state(services, now)
    core_runs = planning.plan_core_runs(
        services, first, now, "sensor", forecasts=state != "failed_lately"
    )
    runs = core_runs or planning.plan_forecast_runs(services, now, "sensor", state)
    if not runs:  # no forecast waits for a look at the outlook
        core_runs = planning.plan_outlook_runs(services, first, now, "sensor")
        # the regions have too many rows for a look at all of history
        recent = max(first, now.date() - telemetry_due.REVISED)
        core_runs = core_runs or planning.plan_regional_runs(services, recent, now, "sensor")
        runs = core_runs or planning.plan_dashboard_run(services, now, "sensor")
    full = now.timestamp() if is_full else looked.full
    oldest = str(core_runs[0].days.first) if core_runs else None
    if not runs:
        until = min(now + LOOK_EVERY, floor(now) + HALF_HOUR).timestamp()
        return dg.SensorResult(
            skip_reason=dg.SkipReason(_nothing_because(state)),
            cursor=str(Looked(full, None, written, until)),
        )
    planned = runs[0]
    return dg.SensorResult(
        cursor=str(Looked(full, oldest)),
        run_requests=[
            # No run key: Dagster would remember it for ever and never retry a failed run.
            dg.RunRequest(
                tags={
                    **planned.tags(now),
                    WHY_TAG: planned.why,
                },
                asset_selection=planned.assets,
                run_config=QUIET_RUN_CONFIG,
            )
        ],
    )


def _nothing_because(state: due.State) -> str:
    if state == "failed_lately":
        minutes = due.PAUSE // timedelta(minutes=1)
        return f"A forecast failed in the last {minutes} minutes. After that it is tried again."
    if state == "blocked":
        return "A check has stopped the newest telemetry, so nothing is forecast until it passes."
    return "Every forecast and every score is up to date."


def rows_written(connection: Connection) -> int | None:
    """A count of the rows ever written, by any program; None if the server keeps no statistics."""
    row = connection.execute(statement("ops/count_rows_written")).fetchone()
    return row[0] if row else None


def _is_running(instance: dg.DagsterInstance) -> bool:
    """Whether a run that may change the plan is queued or in progress: any but a backfill, or a
    back-test that a command has spread over many runs, which may take hours."""
    open_runs = instance.get_runs(
        dg.RunsFilter(job_name=TELEMETRY.name, statuses=[*OPEN]), limit=200
    )
    return any(
        BATCH_TAG not in run.tags
        and (
            run.tags.get(TRIGGER_TAG) in (*CYCLES, BACKTEST)
            or run.asset_selection is None
            or forecast.predictions.key in run.asset_selection
        )
        for run in open_runs
    )

"""When runs start: the half-hourly schedule, the sensor for new rows, and the job they both start.

`telemetry.due` and `forecasting.due` decide which days a run covers.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import dagster as dg

from grid_assets.defs.assets import core, dashboard, forecast, raw
from grid_assets.defs.partitions import BACKTEST, CYCLES, TRIGGER_TAG, range_tags
from grid_assets.defs.resources import Services
from grid_assets.forecasting import due
from grid_assets.forecasting.models.registry import configured_name
from grid_assets.halfhours import DAY, api_time
from grid_assets.settings import DEFAULT_CRON, Settings, SettingsError
from grid_assets.telemetry import due as telemetry_due
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.run_log import are_run_processes_gone, mark_crashed

HISTORY: Final = [raw.intensity, raw.generation, core.intensity, core.generation_mix]
"""The assets that can be fetched for past days; NESO's forecast cannot."""

CORE: Final = [core.intensity, core.generation_mix, forecast.accuracy]
"""`core`, published from `raw`, and the scores that depend on it."""

FORECASTS: Final = [forecast.predictions, forecast.accuracy, dashboard.dashboard]
"""A forecast, its scores, and the page that shows them."""

TELEMETRY: Final = dg.define_asset_job(
    "telemetry",
    selection=[asset.key for asset in (*HISTORY, raw.neso_forecast, *FORECASTS)],
    description=(
        "One half-hourly cycle: loads yesterday and today into raw and core, captures NESO's "
        "forecast, forecasts from the new telemetry, scores, and updates the dashboard."
    ),
)


QUIET_RUN_CONFIG: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration without console output; events are in the UI and in `ops.etl_runs`."""

WHY_TAG: Final = "grid/why"
"""The tag that says why the sensor started a run."""

FULL_SCAN_EVERY: Final = timedelta(minutes=5)
"""How often `core` is compared with all of `raw`; the last week is compared every time."""

OPEN: Final = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

SILENT_RUN: Final = timedelta(hours=1)
"""A run without a row in `ops.etl_runs` counts as dead after this. The first row takes seconds."""

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
            run_key=f"{api_time(context.scheduled_execution_time)} {days}",
            tags=range_tags(days.first, days.last, "schedule"),
            asset_selection=selection(days, now),
            run_config=QUIET_RUN_CONFIG,
        )
        for days in cycle(services, now)
    ]


def cycle(services: Services, now: datetime) -> list[telemetry_due.Range]:
    """The day ranges of one cycle, the newest first; each is one run.

    While the newest days cannot be fetched, older ones are not tried: each run would only wait.
    """
    if telemetry_due.newest_failed(services.connection, now.date()):
        return telemetry_due.plan_cycle(now.date(), [])
    start = max(services.settings.first_history_day(now), telemetry_due.FIRST_DAY)
    return telemetry_due.plan_cycle(
        now.date(), telemetry_due.days_due(services.connection, start, now)
    )


def selection(days: telemetry_due.Range, now: datetime) -> list[dg.AssetKey]:
    """The assets of one range: all, or telemetry and scores for a past range.

    Past days are back-tested once their telemetry is loaded (`plan_forecast_runs`).
    """
    if days.last == now.date():
        return [asset.key for asset in (*HISTORY, raw.neso_forecast, *FORECASTS)]
    return [asset.key for asset in (*HISTORY, forecast.accuracy)]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that is due: its days, its assets, and why."""

    days: telemetry_due.Range
    assets: list[dg.AssetKey]
    trigger: str
    why: str


def plan_core_runs(
    services: Services,
    first: date,
    now: datetime,
    trigger: str,
    pause: timedelta = due.PAUSE,
) -> list[PlannedRun]:
    """Runs of `core` over the days for which `raw` has newer rows, from any writer.

    What failed is retried after `pause`; here and below, a command run by hand does not wait.
    """
    lacking = due.days_core_lacks(services.connection, first, now, pause)
    return [
        PlannedRun(days, [asset.key for asset in CORE], trigger, "raw has newer rows")
        for days in telemetry_due.to_ranges(lacking)
    ]


def plan_forecast_runs(
    services: Services, now: datetime, trigger: str, pause: timedelta = due.PAUSE
) -> list[PlannedRun]:
    """Runs of `forecast`: for telemetry that no forecast has used, then for past days without one.

    For a model that has never forecast, past days come first, because bands are calibrated on its
    errors. Today so far is back-tested with yesterday, so that a new warehouse has no gap.
    """
    connection = services.connection
    if due.has_failed_lately(connection, now, pause) or due.core_is_blocked(connection, now):
        return []
    settings, today = services.settings, now.date()
    model = configured_name(settings.chronos_model)
    assets = [asset.key for asset in FORECASTS]
    newest = []
    if due.forecast_is_due(services.connection, model, now):
        days = telemetry_due.Range(today - DAY, today)
        newest = [PlannedRun(days, assets, trigger, "telemetry is newer than the forecast")]
    lacking = due.days_to_backtest(services.connection, model, settings.backtest_days, now)
    if today - DAY in lacking:
        lacking.append(today)
    past = [
        PlannedRun(days, assets, BACKTEST, "these days have no forecasts")
        for days in telemetry_due.to_ranges(lacking)
    ]
    if due.has_forecast(services.connection, model):
        return newest + past
    # a back-test that includes today ends with the current forecast
    return past if today in lacking else past + newest


def plan_dashboard_run(
    services: Services, now: datetime, trigger: str, pause: timedelta = dashboard.PAUSE
) -> list[PlannedRun]:
    """A run of the dashboard alone, after runs without it, such as failed ones or backfills."""
    if not dashboard.dashboard_is_due(services.connection, now, pause):
        return []
    today = telemetry_due.Range(now.date(), now.date())
    return [
        PlannedRun(today, [dashboard.dashboard.key], trigger, "a run has ended since the last one")
    ]


@dg.sensor(
    job=TELEMETRY,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Checks the tables every 5 seconds. Starts a run if raw has rows that core lacks, from any "
        "writer; if core has telemetry that no forecast has used; if past days have no back-test; "
        "or if the dashboard is older than the last run. Starts one run at a time, so that a burst "
        "of rows leads to one forecast, and decides from the tables, so that a crash loses none."
    ),
)
def new_telemetry(
    context: dg.SensorEvaluationContext, services: Services
) -> dg.SensorResult | dg.SkipReason:
    now = services.now()
    if _is_running(context.instance):
        fail_dead_runs(context.instance, services.connection)
        return dg.SkipReason("A run is in progress. The tables are checked again when it ends.")
    last_full_scan = float(context.cursor or 0)
    is_full_scan = (
        now.timestamp() - last_full_scan >= FULL_SCAN_EVERY.total_seconds()
        or now.timestamp() < last_full_scan
    )
    first = telemetry_due.FIRST_DAY if is_full_scan else now.date() - telemetry_due.REVISED
    runs = (
        plan_core_runs(services, first, now, "sensor")
        or plan_forecast_runs(services, now, "sensor")
        or plan_dashboard_run(services, now, "sensor")
    )
    if not runs:
        return dg.SensorResult(
            skip_reason=dg.SkipReason("Every forecast and every score is up to date."),
            cursor=str(now.timestamp()) if is_full_scan else context.cursor,
        )
    planned = runs[0]
    return dg.SensorResult(
        run_requests=[
            # No run key: Dagster would remember it for ever and never retry a failed run.
            dg.RunRequest(
                tags={
                    **range_tags(planned.days.first, planned.days.last, planned.trigger),
                    WHY_TAG: planned.why,
                },
                asset_selection=planned.assets,
                run_config=QUIET_RUN_CONFIG,
            )
        ]
    )


def _is_running(instance: dg.DagsterInstance) -> bool:
    """Whether a run that may change the plan (any but a backfill) is queued or in progress."""
    open_runs = instance.get_runs(
        dg.RunsFilter(job_name=TELEMETRY.name, statuses=[*OPEN]), limit=20
    )
    return any(
        run.tags.get(TRIGGER_TAG) in (*CYCLES, BACKTEST)
        or run.asset_selection is None
        or forecast.predictions.key in run.asset_selection
        for run in open_runs
    )


def fail_dead_runs(instance: dg.DagsterInstance, connection: Connection) -> None:
    """Mark runs of dead processes as failed; the queue would count them as running for ever."""
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
    gone = are_run_processes_gone(connection, open_runs.keys()) if open_runs else {}
    for run_id, record in open_runs.items():
        silent = datetime.now(UTC) - record.update_timestamp.replace(tzinfo=UTC) > SILENT_RUN
        if gone.get(run_id, silent):
            instance.report_run_failed(record.dagster_run, "The run's process has died.")

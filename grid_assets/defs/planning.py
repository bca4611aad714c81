"""Which runs are due, and over which days and assets: for the schedule, the sensor and `grid tick`.

`telemetry.due` and `forecasting.due` ask the tables; nothing here starts a run.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg

from grid_assets.defs.assets import (
    alerts,
    core,
    dashboard,
    feeds,
    forecast,
    generation,
    outlook,
    raw,
    regional,
    regional_scores,
)
from grid_assets.defs.partitions import BACKTEST, lane_tags, range_tags
from grid_assets.defs.resources import Services
from grid_assets.forecasting import due
from grid_assets.forecasting.models.registry import configured_name
from grid_assets.halfhours import DAY
from grid_assets.outlook import archive, behind
from grid_assets.outlook.sources import SOURCES
from grid_assets.regional import due as regional_due
from grid_assets.telemetry import due as telemetry_due

HISTORY: Final = [raw.intensity, raw.generation, core.intensity, core.generation_mix]
"""The assets that can be fetched for past days; NESO's forecast cannot."""

GENERATION: Final = [generation.elexon_generation, generation.generation_mw]
"""What later cycles fetch for days that lack it."""

ELEXON_OUTLOOK: Final = [outlook.outlook, outlook.core_outlook]
"""What later cycles fetch for days that lack publications by Elexon."""

OUTLOOK: Final = [
    outlook.outlook,
    generation.elexon_generation,
    generation.embedded_generation,
    outlook.core_outlook,
    generation.generation_mw,
]
"""The assets of Elexon and the NESO Data Portal, which telemetry does not depend on."""

REGIONS: Final = [regional.regional, regional.regional_intensity, regional.regional_mix]
"""Regions, which can be fetched for past days; later cycles fetch what is missing."""

OF_CYCLE: Final = [*REGIONS, regional.regional_forecast, regional_scores.regional_accuracy]
"""The assets of regions in a cycle: their forecast is captured, and once a day scored."""

REGIONS_CORE: Final = [regional.regional_intensity, regional.regional_mix]
"""Regions, published from `raw`."""

CORE: Final = [core.intensity, core.generation_mix, forecast.accuracy]
"""`core`, published from `raw`, and the scores that depend on it."""

OUTLOOK_CORE: Final = [outlook.core_outlook, generation.generation_mw]
"""The outlook and generation by fuel, published from `raw`."""

FILES: Final = [feeds.feeds, dashboard.dashboard]
"""The files that show the newest data."""

ALERTS: Final = [alerts.alert_deliveries]
"""What a run over the newest data ends with: alerts are judged by what it has made."""

FORECASTS: Final = [forecast.predictions, forecast.accuracy, *FILES]
"""A forecast, its scores, and the files that show them."""

MOST_GENERATION: Final = 4
"""Runs of a cycle that fetch missing generation, 14 days and five requests each; the rest follows
in later cycles. Elexon documents no limit, and other users have met one."""

REGIONAL_RANGE_DAYS: Final = 14
MOST_REGIONAL: Final = 3
"""Days in one run of regions that are missing, and such runs in a cycle: at most 21 requests of
3 MB; the rest follows in later cycles."""

MOST_OUTLOOK: Final = 7
"""Days in the one run of a cycle that fetches missing publications: a request for WINDFOR, and one
for each day of NDF; the rest follows in later cycles."""

MOST_AT_FIRST: Final = 30
"""The same where nothing is forecast yet: the first back-test is not made again, so that it should
have the outlook of its days."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that is due: its days, its assets, and why."""

    days: telemetry_due.Range
    assets: list[dg.AssetKey]
    trigger: str
    why: str

    def tags(self, now: datetime) -> dict[str, str]:
        """The tags of the run: its days, what started it, and its place in the queue."""
        return {
            **range_tags(self.days.first, self.days.last, self.trigger),
            **lane_tags(self.days.last, self.trigger, now.date()),
        }


def cycle(services: Services, now: datetime, trigger: str) -> list[PlannedRun]:
    """The runs of one cycle but for missing regions, the newest days first.

    While the newest days cannot be fetched, older ones are not tried: each run would only wait. The
    same goes for Elexon's generation by fuel and forecasts, which have days of their own: those
    that lack them.
    """
    today = now.date()
    start = max(services.settings.first_history_day(now), telemetry_due.FIRST_DAY)
    telemetry: list[date] = []
    if not telemetry_due.newest_failed(services.connection, today):
        telemetry = telemetry_due.days_due(services.connection, start, now)
    ranges = telemetry_due.plan_cycle(today, telemetry)
    lacking: set[date] = set()
    gaps: list[date] = []
    if services.why_off("elexon") is None and not archive.newest_failed(services.connection, today):
        lacking = set(archive.due_generation(services.connection, start, now))
        gaps = archive.due_outlook(services.connection, start, now)
    shared = {days for days in ranges[1:] if any(days.first <= day <= days.last for day in lacking)}
    alone = {day for day in lacking if not any(days.first <= day <= days.last for days in shared)}
    others = telemetry_due.to_ranges(alone, telemetry_due.MAX_RANGE_DAYS)[::-1]
    # at most so many ranges of generation in a cycle, to be polite
    shared = set(sorted(shared, reverse=True)[:MOST_GENERATION])
    runs = [
        PlannedRun(
            days,
            [*selection(days, now), *(asset.key for asset in GENERATION if days in shared)],
            trigger,
            "a cycle" if days is ranges[0] else "telemetry may be missing",
        )
        for days in ranges
    ]
    runs += [
        PlannedRun(days, [asset.key for asset in GENERATION], trigger, "generation is missing")
        for days in others[: MOST_GENERATION - len(shared)]
    ]
    most = MOST_AT_FIRST if gaps and _is_first_backtest_due(services) else MOST_OUTLOOK
    return runs + [
        PlannedRun(days, [asset.key for asset in ELEXON_OUTLOOK], trigger, "the outlook has a gap")
        for days in telemetry_due.to_ranges(gaps[-most:])[-1:]
    ]


def regional_gaps(services: Services, now: datetime, trigger: str) -> list[PlannedRun]:
    """Runs of a cycle over past days that lack regions, the newest first.

    Nothing else needs them, so they come last.
    """
    if services.why_no_regions or regional_due.newest_failed(services.connection, now.date()):
        return []
    start = services.settings.first_history_day(now)
    days = regional_due.days_due(services.connection, start, now)
    ranges = telemetry_due.to_ranges(days, REGIONAL_RANGE_DAYS)[::-1][:MOST_REGIONAL]
    assets = [asset.key for asset in REGIONS]
    return [PlannedRun(some, assets, trigger, "regions may be missing") for some in ranges]


def selection(
    days: telemetry_due.Range, now: datetime, *, forecasts: bool = True
) -> list[dg.AssetKey]:
    """The assets of one range: all, or telemetry and scores for a past range.

    Past days are back-tested once their telemetry is loaded (`plan_forecast_runs`). Without
    `forecasts`, the newest range has no forecast and no dashboard either.
    """
    if days.last < now.date():
        return [asset.key for asset in (*HISTORY, forecast.accuracy)]
    last = FORECASTS if forecasts else [forecast.accuracy]
    newest = (*HISTORY, raw.neso_forecast, *OUTLOOK, *last, *OF_CYCLE, *ALERTS)
    return [asset.key for asset in newest]


def forecast_state(services: Services, now: datetime, pause: timedelta = due.PAUSE) -> due.State:
    """Whether a forecast of the configured model is due, and if not, why."""
    return due.state(
        services.connection, configured_name(services.settings.chronos_model), now, pause
    )


def plan_core_runs(
    services: Services,
    first: date,
    now: datetime,
    trigger: str,
    pause: timedelta = due.PAUSE,
    *,
    forecasts: bool,
) -> list[PlannedRun]:
    """Runs of `core` over the days for which `raw` has newer rows, from any writer.

    What failed is retried after `pause`; here and below, a command run by hand does not wait. With
    `forecasts`, a run over the newest days forecasts as well: a second run would need seconds to
    start.
    """
    lacking = due.days_core_lacks(services.connection, first, now, pause)
    newest = telemetry_due.Range(now.date() - DAY, now.date())
    why = "raw has newer rows"
    runs = [
        PlannedRun(days, [asset.key for asset in CORE], trigger, why)
        for days in telemetry_due.to_ranges(day for day in lacking if day < newest.first)
    ]
    if any(day >= newest.first for day in lacking):
        last = FORECASTS if forecasts else []
        assets = dict.fromkeys(asset.key for asset in (*CORE, *last, *ALERTS))
        runs.append(PlannedRun(newest, list(assets), trigger, why))
    return runs


def plan_outlook_runs(
    services: Services,
    first: date,
    now: datetime,
    trigger: str,
    pause: timedelta = due.PAUSE,
) -> list[PlannedRun]:
    """Runs of the outlook's `core` over the days from `first` on for which `raw` has newer rows.

    Without any source nothing of the outlook is published.
    """
    today = now.date()
    if first > today or all(services.why_off(source) for source in SOURCES):
        return []
    days = telemetry_due.Range(first, today)
    assets = [asset.key for asset in OUTLOOK_CORE]
    why = "raw has newer rows of the outlook"
    lacking = behind.days_core_lacks(services.connection, days, now, pause)
    return [PlannedRun(some, assets, trigger, why) for some in telemetry_due.to_ranges(lacking)]


def plan_regional_runs(
    services: Services,
    first: date,
    now: datetime,
    trigger: str,
    pause: timedelta = due.PAUSE,
) -> list[PlannedRun]:
    """Runs of the regions' `core` over the days from `first` on for which `raw` has newer rows."""
    today = now.date()
    if first > today or services.why_no_regions:
        return []
    lacking = regional_due.days_core_lacks(
        services.connection, telemetry_due.Range(first, today), now, pause
    )
    assets = [asset.key for asset in REGIONS_CORE]
    why = "raw has newer rows of the regions"
    return [PlannedRun(some, assets, trigger, why) for some in telemetry_due.to_ranges(lacking)]


def _is_first_backtest_due(services: Services) -> bool:
    """Whether past days will be back-tested for the first time, once their telemetry is there."""
    model = configured_name(services.settings.chronos_model)
    is_wanted = services.settings.backtest_days > 0
    return is_wanted and not due.has_forecast(services.connection, model)


def backtest_comes_first(services: Services, now: datetime) -> bool:
    """Whether the model has never forecast and past days can be back-tested.

    The band of the current forecast is calibrated on their errors, so it waits for them.
    """
    settings = services.settings
    model = configured_name(settings.chronos_model)
    return _is_first_backtest_due(services) and bool(
        due.days_to_backtest(services.connection, model, settings.backtest_days, now)
    )


def plan_forecast_runs(
    services: Services, now: datetime, trigger: str, state: due.State
) -> list[PlannedRun]:
    """Runs of `forecast`: for telemetry that no forecast has used, then for past days without one.

    For a model that has never forecast, past days come first, because bands are calibrated on its
    errors. Today so far is back-tested with yesterday, so that a new warehouse has no gap.
    """
    settings, today = services.settings, now.date()
    model = configured_name(settings.chronos_model)
    if state in ("failed_lately", "blocked"):
        return []
    assets = [asset.key for asset in FORECASTS]
    newest = []
    if state == "due":
        days = telemetry_due.Range(today - DAY, today)
        current = [*assets, *(asset.key for asset in ALERTS)]
        newest = [PlannedRun(days, current, trigger, "telemetry is newer than the forecast")]
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
    """A run of the files alone, after runs without them, such as failed ones or backfills."""
    if not dashboard.dashboard_is_due(services.connection, now, pause):
        return []
    today = telemetry_due.Range(now.date(), now.date())
    # Only the executor of one process keeps to priorities, so that alerts come last in their run.
    assets = FILES if services.settings.executor == "in_process" else [*FILES, *ALERTS]
    return [
        PlannedRun(
            today, [asset.key for asset in assets], trigger, "a run has ended since the last one"
        )
    ]

"""Partitions, which are UTC days, and the days that a run covers.

Half-hours are rows within a day: half-hourly partitions since 2017 would need over 160,000 keys,
more than Dagster recommends for one asset. A UTC day has 48 half-hours in every season.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import dagster as dg

from grid_assets.halfhours import Window, days_window
from grid_assets.telemetry.due import FIRST_DAY
from grid_assets.warehouse.processes import is_gone, this_process

DAYS: Final = dg.DailyPartitionsDefinition(
    start_date=FIRST_DAY.isoformat(),
    timezone="UTC",
    end_offset=1,  # today is a partition while it is still being published
)

ONE_RUN: Final = dg.BackfillPolicy.single_run()
"""A range is one run: the API serves 14 days at once, and each Dagster run costs seconds."""

TRIGGER_TAG: Final = "grid/trigger"
"""The tag that names what started a run; a run without it was started by hand in the UI."""

PROCESS_TAG: Final = "grid/process"
"""The tag that names a run and its process, so that a run whose process has died is closed."""

STEPS_TAG: Final = "grid/steps"
"""The tag that says where the steps of a run are executed, if not in its process."""

LANE_TAG: Final = "grid/lane"
PAST: Final = "past"
"""The tag of a run over past days. Dagster limits how many of these run at once, and they may run
on other machines; a run over the newest days waits for none of them (decision 0055)."""

BATCH_TAG: Final = "grid/batch"
"""The tag that names the command which has spread its work over many runs."""

FIRST_IN_QUEUE: Final = {"dagster/priority": "10"}

BACKTEST: Final = "backtest"
"""Trigger of a run that forecasts past days from the telemetry known at each issue time."""

CYCLES: Final = ("schedule", "sensor", "tick", "forecast", "webhook")
"""Triggers of the half-hourly cycle, which covers the newest data, not chosen days."""

UNCHANGED: Final = "unchanged"
"""Metadata label of a materialisation that repeats the newest one of its partition."""


@dataclass(frozen=True, slots=True)
class Days:
    """The UTC days of a run, both included."""

    first: date
    last: date
    trigger: str

    @property
    def window(self) -> Window:
        return days_window(self.first, self.last)

    @property
    def is_one_by_hand(self) -> bool:
        return self.trigger == "manual" and self.first == self.last


def days_of(context: dg.AssetExecutionContext) -> Days:
    """The days that this run materialises."""
    keys = context.partition_key_range
    return Days(
        date.fromisoformat(keys.start),
        date.fromisoformat(keys.end),
        context.run.tags.get(TRIGGER_TAG, "manual"),
    )


def today_of(context: dg.AssetExecutionContext | dg.OpExecutionContext, now: datetime) -> Days:
    """The current day, for what has no partitions."""
    today = now.date()
    return Days(today, today, context.run.tags.get(TRIGGER_TAG, "manual"))


def process_tag(run_id: str) -> dict[str, str]:
    """The tag of a run in this process. It names the run, because a re-execution copies tags."""
    return {PROCESS_TAG: f"{run_id} {this_process()}"}


def process_has_died(run: dg.DagsterRun) -> bool | None:
    """Whether the process in the run's tag has ended; None if that is not known."""
    run_id, _, process = run.tags.get(PROCESS_TAG, "").partition(" ")
    return is_gone(process) if run_id == run.run_id else None


def range_tags(first: date, last: date, trigger: str) -> dict[str, str]:
    """Tags of a run that covers the days `first` to `last`, both included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
        TRIGGER_TAG: trigger,
    }


def lane_tags(last: date, trigger: str, today: date) -> dict[str, str]:
    """Tags that keep runs over past days out of the way of those over the newest."""
    is_past = last < today or trigger not in CYCLES
    return {LANE_TAG: PAST} if is_past else FIRST_IN_QUEUE

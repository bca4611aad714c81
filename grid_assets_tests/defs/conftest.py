"""Fixtures for the pipeline's tests: steady days, the recording as rows, and table readers.

Runs are started by the fixture `materialise`, one folder up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import dagster as dg
import pytest

from grid_assets.definitions import defs
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import range_tags
from grid_assets.halfhours import HALF_HOUR, days_window
from grid_assets.replay import recording
from grid_assets.replay.server import ReplayServer
from grid_assets_tests.running import wait_out_half_hour

VALUES = {
    "raw.intensity": "SELECT period_start, forecast_gco2_kwh, actual_gco2_kwh, intensity_index "
    "FROM raw.intensity ORDER BY period_start, captured_at",
    "core.intensity": "SELECT period_start, forecast_gco2_kwh, actual_gco2_kwh, intensity_index "
    "FROM core.intensity ORDER BY period_start",
    "raw.generation": "SELECT period_start, biomass_pct, coal_pct, imports_pct, gas_pct, "
    "nuclear_pct, other_pct, hydro_pct, solar_pct, wind_pct "
    "FROM raw.generation ORDER BY period_start, captured_at",
    "core.generation_mix": "SELECT period_start, biomass_pct, coal_pct, imports_pct, gas_pct, "
    "nuclear_pct, other_pct, hydro_pct, solar_pct, wind_pct "
    "FROM core.generation_mix ORDER BY period_start",
}
"""The published values of each data table, without the time of capture, which no two runs share."""

CONTENTS = {
    "raw.intensity": "SELECT * FROM raw.intensity ORDER BY period_start, captured_at",
    "core.intensity": "SELECT * FROM core.intensity ORDER BY period_start",
    "raw.generation": "SELECT * FROM raw.generation ORDER BY period_start, captured_at",
    "core.generation_mix": "SELECT * FROM core.generation_mix ORDER BY period_start",
}

DATA = tuple(VALUES)

STEADY_S = 60
"""The longest that a test which depends on the current half-hour takes, with room to spare."""


class Attempt(NamedTuple):
    """One row of `ops.etl_runs`."""

    asset: str
    status: str
    attempt: int
    fetched: int
    written: int
    quarantined: int
    error_type: str | None
    error_message: str | None
    stack_trace: str | None
    first_day: date
    last_day: date
    trigger: str


class Entry(NamedTuple):
    """One row of `ops.quarantine`."""

    asset: str
    reason: str
    payload: str
    is_body: bool
    times_seen: int
    endpoint: str


@dataclass(frozen=True)
class Tables:
    """The tables of one warehouse, read through one query function."""

    rows: Callable[..., list[tuple[Any, ...]]]

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the data tables, times of capture included."""
        return {table: self.rows(query) for table, query in CONTENTS.items()}

    def values(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: self.rows(query) for table, query in VALUES.items()}

    def counts(self) -> dict[str, int]:
        return {table: len(found) for table, found in self.values().items()}

    def by_period(self, relation: str) -> dict[datetime, tuple[Any, ...]]:
        """The values of a table by half-hour; the newest capture of each."""
        return {start: tuple(values) for start, *values in self.rows(VALUES[relation])}

    def attempts(self) -> list[Attempt]:
        return [
            Attempt(*row)
            for row in self.rows(
                "SELECT asset, status, attempt, rows_fetched, rows_written, rows_quarantined, "
                "error_type, error_message, stack_trace, partition_start, partition_end, trigger "
                "FROM ops.etl_runs ORDER BY started_at"
            )
        ]

    def quarantine(self) -> list[Entry]:
        return [
            Entry(*row)
            for row in self.rows(
                "SELECT asset, reason, payload, is_body, times_seen, endpoint "
                "FROM ops.quarantine ORDER BY id"
            )
        ]


@dataclass(frozen=True)
class Recorded:
    """What a replay publishes of days that are over, read from the recording and not by HTTP."""

    shift: timedelta

    def intensity(
        self, first: date, last: date | None = None
    ) -> dict[datetime, recording.Intensity]:
        known = recording.load_recording().intensity
        return {start: known[start - self.shift] for start in half_hours(first, last)}

    def shares(self, first: date, last: date | None = None) -> dict[datetime, tuple[Decimal, ...]]:
        known = recording.load_recording().mix
        return {
            start: tuple(Decimal(str(share)) for share in known[start - self.shift])
            for start in half_hours(first, last)
        }


def half_hours(first: date, last: date | None = None) -> list[datetime]:
    """The starts of the half-hours of UTC days, both included."""
    window = days_window(first, last or first)
    return [window.start + n * HALF_HOUR for n in range(window.half_hours)]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def publish_alone(asset: dg.AssetsDefinition, day: date) -> dg.ExecuteInProcessResult:
    """Publish a day from what `raw` holds, without asking the API, which would put it right."""
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=range_tags(day, day, "backfill"),
            asset_selection=[asset.key],
            run_config=QUIET_RUN_CONFIG,
        )


def evaluations(
    result: dg.ExecuteInProcessResult, *names: str
) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """The check evaluations of a run by relation and name, of all checks or of some."""
    return {
        (".".join(found.asset_key.path), found.check_name): found
        for found in result.get_asset_check_evaluations()
        if not names or found.check_name in names
    }


def failed_checks(result: dg.ExecuteInProcessResult) -> set[tuple[str, str, str]]:
    """Relation, name and severity of the checks that did not pass."""
    return {
        (*key, found.severity.value)
        for key, found in evaluations(result).items()
        if not found.passed
    }


def examples(evaluation: dg.AssetCheckEvaluation) -> list[str]:
    found = evaluation.metadata["examples"].value
    assert isinstance(found, list), found
    return found


@pytest.fixture
def tables(rows: Callable[..., list[tuple[Any, ...]]]) -> Tables:
    return Tables(rows)


@pytest.fixture
def recorded(replay: ReplayServer) -> Recorded:
    return Recorded(replay.shift_weeks * recording.WEEK)


@pytest.fixture
def today() -> date:
    """The UTC day, which cannot change during a test: waits out the last seconds of a half-hour."""
    wait_out_half_hour(STEADY_S)
    return datetime.now(UTC).date()


@pytest.fixture
def day(today: date) -> date:
    """A past day that is complete in the recording."""
    return today - timedelta(days=3)

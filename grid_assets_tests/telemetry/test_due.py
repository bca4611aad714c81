"""Which days a cycle reads, decided from the contents of the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.halfhours import DAY, HALF_HOUR, day_start
from grid_assets.telemetry.due import MAX_RANGES, Range, days_due, plan_cycle
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Fill = Callable[..., None]
Tried = Callable[..., None]

TODAY = date(2026, 3, 31)
NOW = datetime(2026, 3, 31, 12, 12, tzinfo=UTC)
ASSETS = ("raw.intensity", "raw.generation", "core.intensity", "core.generation_mix")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def old_days_due(connection: Connection, first: date) -> list[date]:
    """Those of the due days that are too old to be revised."""
    return [day for day in days_due(connection, first, NOW) if day < ago(7)]


@pytest.fixture
def fill(rows: Rows) -> Fill:
    """Fills core with whole days, or some half-hours of them."""

    def fill(*days: date, intensity: int = 48, mix: int = 48) -> None:
        starts = [day_start(day) for day in days]
        rows(
            "WITH intensity AS (INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
            "SELECT day + n * interval '30 minutes', 0 "
            "FROM unnest(%s::timestamptz[]) AS day, generate_series(0, %s - 1) AS n) "
            "INSERT INTO core.generation_mix (period_start) "
            "SELECT day + n * interval '30 minutes' "
            "FROM unnest(%s::timestamptz[]) AS day, generate_series(0, %s - 1) AS n",
            *(starts, intensity, starts, mix),
        )

    return fill


@pytest.fixture
def tried(rows: Rows) -> Tried:
    """Records a run of all four assets over days, some time before now."""

    def tried(
        first: date,
        last: date | None = None,
        *,
        before_now: timedelta = timedelta(minutes=30),
        status: str = "success",
        assets: tuple[str, ...] = ASSETS,
    ) -> None:
        rows(
            "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
            "partition_end, started_at, finished_at, status, error_type, host, pid, "
            "heartbeat_at) SELECT gen_random_uuid(), asset, 1, 'schedule', %s, %s, %s, "
            "CASE WHEN %s <> 'running' THEN now() END, %s, "
            "CASE WHEN %s IN ('failed', 'crashed') THEN 'Error' END, 'host', 1, now() "
            "FROM unnest(%s::text[]) AS asset",
            *(first, last or first, NOW - before_now, status, status, status, list(assets)),
        )

    return tried


def test_every_day_of_an_empty_history_is_due_but_yesterday_and_today(
    warehouse: SecretStr,
    connection: Connection,
) -> None:
    # Yesterday and today are read in every cycle anyway.
    assert days_due(connection, ago(5), NOW) == [ago(5), ago(4), ago(3), ago(2)]


@pytest.mark.parametrize("first", [TODAY, ago(1), TODAY + DAY])
def test_a_history_that_starts_yesterday_or_later_has_nothing_due(
    warehouse: SecretStr, connection: Connection, first: date
) -> None:
    assert days_due(connection, first, NOW) == []


@pytest.mark.parametrize(
    ("intensity", "mix"), [(47, 48), (48, 47), (0, 48), (48, 0), (0, 0)], ids=str
)
def test_an_old_day_that_lacks_half_hours_of_either_kind_is_due(
    warehouse: SecretStr, connection: Connection, fill: Fill, tried: Tried, intensity: int, mix: int
) -> None:
    fill(ago(12), ago(11), ago(9), ago(8))
    fill(ago(10), intensity=intensity, mix=mix)
    # The complete old days were read long ago and are never read again.
    tried(ago(7), ago(2))
    assert [day for day in days_due(connection, ago(12), NOW) if day < ago(7)] == [ago(10)]


def test_a_day_that_lacks_an_actual_is_due_until_it_has_a_value_or_a_reason_for_none(
    connection: Connection, warehouse: SecretStr, rows: Rows, fill: Fill, tried: Tried
) -> None:
    fill(ago(9), ago(8))
    tried(ago(7), ago(2))
    rows(
        "UPDATE core.intensity SET actual_gco2_kwh = NULL WHERE period_start = %s",
        day_start(ago(9)),
    )
    assert old_days_due(connection, ago(9)) == [ago(9)]
    rows("UPDATE core.intensity SET actual_reason = 'x' WHERE actual_gco2_kwh IS NULL")
    assert old_days_due(connection, ago(9)) == []


def test_a_complete_day_is_read_once_a_day_while_it_may_be_revised_and_then_never(
    warehouse: SecretStr, connection: Connection, fill: Fill, tried: Tried
) -> None:
    fill(*(ago(days) for days in range(2, 20)))
    young = [ago(days) for days in range(6, 1, -1)]
    assert days_due(connection, ago(19), NOW) == young
    tried(ago(4), before_now=timedelta(hours=25))
    assert days_due(connection, ago(19), NOW) == young
    tried(ago(5), ago(3), before_now=timedelta(hours=23))
    assert days_due(connection, ago(19), NOW) == [ago(6), ago(2)]
    tried(ago(6), ago(2))
    assert days_due(connection, ago(19), NOW) == []


def test_a_try_while_the_day_was_still_running_does_not_count(
    warehouse: SecretStr, connection: Connection, fill: Fill, tried: Tried
) -> None:
    fill(ago(2))
    # It was read an hour before its end, so its last half-hours came later.
    end = day_start(ago(1))
    tried(ago(2), before_now=NOW - (end - timedelta(hours=1)))
    assert days_due(connection, ago(2), NOW) == [ago(2)]
    tried(ago(2), before_now=NOW - (end + timedelta(hours=13)))
    assert days_due(connection, ago(2), NOW) == []


@pytest.mark.parametrize(
    ("days_old", "minutes_since", "due"),
    [
        # A young day that lacks half-hours is read in every cycle, an old one after a tenth of its
        # age: 10.5 days old, 25 hours.
        (2, 1, True),
        (6, 1, True),
        (8, 20 * 60, False),
        (10, 25 * 60 - 30, False),
        (10, 25 * 60 + 30, True),
        (30, 73 * 60 - 30, False),
        (30, 74 * 60, True),
    ],
)
def test_a_day_that_stays_incomplete_is_tried_less_and_less_often(
    warehouse: SecretStr,
    connection: Connection,
    fill: Fill,
    tried: Tried,
    days_old: int,
    minutes_since: int,
    due: bool,
) -> None:
    fill(*(ago(days) for days in range(2, 31) if days != days_old))
    fill(ago(days_old), intensity=46, mix=48)
    tried(ago(30), ago(2), before_now=timedelta(minutes=minutes_since))
    assert (ago(days_old) in days_due(connection, ago(30), NOW)) == due


@pytest.mark.parametrize("status", ["failed", "crashed", "running"])
def test_a_try_that_did_not_succeed_does_not_count(
    connection: Connection, warehouse: SecretStr, tried: Tried, status: str
) -> None:
    tried(ago(13), status=status)
    assert old_days_due(connection, ago(13))[:2] == [ago(13), ago(12)]
    tried(ago(13))
    assert old_days_due(connection, ago(13))[:2] == [ago(12), ago(11)]


@pytest.mark.parametrize("missing", ASSETS)
def test_a_try_counts_only_when_all_four_assets_succeeded(
    connection: Connection, warehouse: SecretStr, tried: Tried, missing: str
) -> None:
    tried(ago(8), assets=tuple(asset for asset in ASSETS if asset != missing))
    tried(ago(8), assets=(missing,), status="failed")
    assert old_days_due(connection, ago(8)) == [ago(8)]
    tried(ago(8), assets=(missing,))
    assert old_days_due(connection, ago(8)) == []


def test_a_run_of_other_days_or_of_another_asset_does_not_count(
    warehouse: SecretStr, connection: Connection, tried: Tried
) -> None:
    tried(ago(3))
    tried(ago(1), TODAY)
    tried(ago(2), assets=("raw.neso_forecast",))
    assert days_due(connection, ago(2), NOW) == [ago(2)]


def test_a_utc_day_is_complete_with_48_half_hours_when_the_clocks_change(
    warehouse: SecretStr, connection: Connection, fill: Fill, tried: Tried
) -> None:
    change = date(2026, 3, 29)
    fill(change)
    tried(change)
    assert days_due(connection, change, NOW) == []


# The runs of one cycle


def test_a_quiet_cycle_is_one_run_of_yesterday_and_today() -> None:
    assert plan_cycle(TODAY, []) == [Range(ago(1), TODAY)]


def test_nothing_old_shares_the_run_of_yesterday_and_today() -> None:
    assert plan_cycle(TODAY, [ago(3), ago(2)]) == [Range(ago(1), TODAY), Range(ago(3), ago(2))]
    assert plan_cycle(TODAY, [ago(1), TODAY]) == [Range(ago(1), TODAY)]


def test_other_due_days_follow_as_ranges_newest_first() -> None:
    due = [ago(20), ago(19), ago(18), ago(9), ago(5), ago(4)]
    assert plan_cycle(TODAY, due) == [
        Range(ago(1), TODAY),
        Range(ago(5), ago(4)),
        Range(ago(9), ago(9)),
        Range(ago(20), ago(18)),
    ]
    assert plan_cycle(TODAY, reversed([*due, *due])) == plan_cycle(TODAY, due)


def test_a_cycle_starts_no_more_runs_than_it_may_and_the_newest_days_first() -> None:
    runs = plan_cycle(TODAY, [ago(days) for days in range(3, 100, 2)])
    assert runs[0] == Range(ago(1), TODAY)
    assert len(runs) == 1 + MAX_RANGES
    oldest = ago(1 + 2 * MAX_RANGES)
    assert runs[-1] == Range(oldest, oldest)


def test_an_empty_history_is_read_in_runs_of_one_request_each(
    warehouse: SecretStr, connection: Connection
) -> None:
    assert plan_cycle(TODAY, days_due(connection, ago(30), NOW)) == [
        Range(ago(1), TODAY),
        Range(ago(2), ago(2)),
        Range(ago(16), ago(3)),
        Range(ago(30), ago(17)),
    ]


def test_a_range_is_printed_by_its_days() -> None:
    assert str(Range(TODAY, TODAY)) == "2026-03-31"
    assert str(Range(ago(1), TODAY)) == "2026-03-30 to 2026-03-31"
    assert Range(ago(1), TODAY).last - Range(ago(1), TODAY).first == DAY == 48 * HALF_HOUR

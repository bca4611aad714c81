"""The tables decide what is due: no work is lost, requested twice, or requested for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.halfhours import HALF_HOUR, Window, day_start, floor
from grid_assets.warehouse.connection import Connection, connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import (
    DAY,
    HOUR,
    LATER,
    MODEL,
    WEEK,
    Stub,
    T,
    captured_live,
    shown,
)

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]

TODAY = T.date()
NOW = T - timedelta(minutes=17)
"""One minute after the half-hour that ended at 11:30 was captured."""

NEWEST = T - HOUR


def is_due(url: SecretStr, now: datetime = NOW, model: str = MODEL) -> bool:
    with connect(url) as connection:
        return due.forecast_is_due(connection, model, now)


@pytest.fixture
def live(warehouse: SecretStr) -> SecretStr:
    """A warehouse whose telemetry was captured live, up to the half-hour that began at 11:00."""
    issues.fill(warehouse, T - 9 * DAY, T - HALF_HOUR, captured_live)
    return warehouse


def attempt(
    rows: Rows,
    asset: str,
    status: str,
    started_at: datetime,
    first: date = TODAY,
    last: date = TODAY,
    written: int = 0,
) -> None:
    """A row of `ops.etl_runs`; a finished one took a second."""
    finalise = None if status == "running" else started_at + timedelta(seconds=1)
    error = "ProcessDied" if status in ("failed", "crashed") else None
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, rows_written, status, error_type, host, pid, "
        "heartbeat_at) VALUES (gen_random_uuid(), %s, 1, 'tick', %s, %s, %s, %s, %s, %s, %s, "
        "'here', 1, now())",
        *(asset, first, last, started_at, finalise, written, status, error),
    )


# A forecast from new telemetry.


def test_nothing_is_due_in_an_empty_warehouse(warehouse: SecretStr) -> None:
    assert not is_due(warehouse)


def test_telemetry_that_no_forecast_has_used_makes_one_due_and_a_forecast_covers_it(
    live: SecretStr,
) -> None:
    assert is_due(live)
    issues.issue(live, T, now=NOW)
    assert not is_due(live)
    assert not is_due(live, NOW + 5 * HOUR)  # time alone is no news


@pytest.mark.parametrize("what", ["intensity", "mix"])
def test_a_new_half_hour_of_either_makes_a_forecast_due(what: str, live: SecretStr) -> None:
    issues.issue(live, T, now=NOW)
    start = T - HALF_HOUR
    if what == "intensity":
        issues.put_intensity(live, [(start, T + HOUR, 150)])
    else:
        issues.put_mix(live, [(start, T + HOUR, issues.shares_of(start))])
    issues.publish(live, Window(T - DAY, T))
    assert is_due(live, T + HOUR)
    issues.issue(live, T + HOUR, now=T + HOUR)
    assert not is_due(live, T + HOUR)


def test_a_forecast_of_another_model_covers_nothing(live: SecretStr) -> None:
    issues.issue(live, T, now=NOW, model=Stub("chronos:other"), configured="chronos:other")
    assert is_due(live)
    assert not is_due(live, model="chronos:other")


def test_a_back_test_of_a_past_day_does_not_cover_what_is_new(live: SecretStr) -> None:
    issues.issue(live, T - DAY, T - HALF_HOUR, now=NOW, backtest=True)
    assert is_due(live)


def test_what_was_captured_in_the_future_does_not_count(live: SecretStr) -> None:
    issues.issue(live, T, now=NOW)
    issues.fill(live, T - HALF_HOUR, T, lambda _: T + 3 * HOUR)
    assert not is_due(live, T + HOUR)
    assert is_due(live, T + 3 * HOUR)


def test_what_is_stamped_later_than_now_does_not_block_the_next_forecast(
    warehouse: SecretStr,
) -> None:
    now = datetime.now(UTC)
    newest = floor(now) - HALF_HOUR
    issues.fill(warehouse, newest - WEEK, newest, captured_live)
    issues.put_intensity(warehouse, [(newest, now + DAY, 150)])
    issues.put_mix(warehouse, [(newest, now + DAY, issues.shares_of(newest))])
    issues.publish(warehouse, Window(newest, newest + HALF_HOUR), now)
    assert is_due(warehouse, now)
    at = current_issue_time(now)
    issues.issue(warehouse, at, now=now)
    assert not is_due(warehouse, now)
    assert shown(warehouse, at).intensity_to == newest + HALF_HOUR


def test_a_half_hour_that_has_not_ended_does_not_count(live: SecretStr, rows: Rows) -> None:
    issues.issue(live, T, now=NOW)
    rows("INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, 150)", T)
    assert not is_due(live)


def test_after_the_clock_was_set_back_a_forecast_is_made_once_for_each_time(
    live: SecretStr,
) -> None:
    issues.issue(live, T, now=NOW)
    for back in (HOUR, DAY, 3 * DAY):
        assert is_due(live, NOW - back)
        issues.issue(live, T - back, now=NOW - back)
        assert not is_due(live, NOW - back)
    assert not is_due(live)
    issues.fill(live, T - HALF_HOUR, T, captured_live)
    assert is_due(live, T + timedelta(minutes=13))


def test_a_forecast_made_while_the_clock_was_ahead_covers_nothing(live: SecretStr) -> None:
    issues.issue(live, T + 9 * HOUR, now=T + 9 * HOUR)
    assert is_due(live)
    issues.issue(live, T, now=NOW)
    assert not is_due(live)
    issues.fill(live, T - HALF_HOUR, T, captured_live)
    assert is_due(live, T + timedelta(minutes=13))


@pytest.mark.parametrize("published", [0, 13579])
def test_a_newest_actual_that_is_no_measurement_does_not_make_a_forecast_due_for_ever(
    published: int, live: SecretStr
) -> None:
    at = T - HALF_HOUR
    issues.put_intensity(live, [(at, captured_live(at), published)])
    issues.put_mix(live, [(at, captured_live(at), issues.shares_of(at))])
    issues.publish(live, Window(T - DAY, T))
    now = T + timedelta(minutes=13)
    assert is_due(live, now)
    issues.issue(live, T + HALF_HOUR, now=now)
    assert not is_due(live, now)


# A refused issue.


def test_a_refused_issue_is_not_tried_again_until_core_has_changed(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 2 * DAY, T - HALF_HOUR, captured_live)
    assert is_due(warehouse)
    done = issues.issue(warehouse, T, now=NOW)
    assert (done.issues, list(done.refused)) == (0, [T])
    assert not is_due(warehouse)

    attempt(rows, "core.intensity", "success", NOW + timedelta(seconds=5), written=0)
    assert not is_due(warehouse)
    attempt(rows, "core.generation_mix", "success", NOW + timedelta(seconds=5), written=48)
    assert is_due(warehouse)

    issues.fill(warehouse, T - 9 * DAY, T - 2 * DAY, lambda _: NOW)
    assert issues.issue(warehouse, T, now=NOW + timedelta(seconds=9)).issues == 1
    assert not is_due(warehouse)


def test_history_that_is_too_old_for_a_context_does_not_make_a_forecast_due_for_ever(
    warehouse: SecretStr,
) -> None:
    issues.fill(warehouse, T - 30 * DAY, T - 20 * DAY, captured_live)
    issues.issue(warehouse, T, now=NOW)
    assert not is_due(warehouse)


@pytest.mark.parametrize("missing", ["intensity", "generation_mix"])
def test_telemetry_of_one_kind_alone_is_refused_once(
    missing: str, live: SecretStr, rows: Rows
) -> None:
    rows(f"DELETE FROM core.{missing} WHERE period_start >= %s", T - 8 * DAY)  # noqa: S608
    done = issues.issue(live, T, now=NOW)
    assert list(done.refused) == [T]
    assert not is_due(live)


def test_rows_of_core_whose_capture_is_not_in_raw_are_used_and_requested_once(
    live: SecretStr, rows: Rows
) -> None:
    for table in ("raw.intensity", "raw.generation"):
        rows(f"DELETE FROM {table} WHERE period_start >= %s", T - DAY)  # noqa: S608
    issues.issue(live, T, now=NOW)
    assert not is_due(live)


# Past days without a forecast.


def past(url: SecretStr, days: int = 14, now: datetime = NOW, model: str = MODEL) -> list[date]:
    with connect(url) as connection:
        return due.days_to_backtest(connection, model, days, now)


def test_past_days_with_telemetry_and_without_an_issue_are_to_be_back_tested(
    live: SecretStr,
) -> None:
    today = TODAY
    assert past(live) == [today - n * DAY for n in range(9, 0, -1)]  # today is not past
    assert past(live, days=2) == [today - 2 * DAY, today - DAY]
    assert past(live, days=0) == []
    issues.issue(live, day_start(today - DAY), T - 3 * DAY, T - 3 * DAY + HOUR, backtest=True)
    assert past(live, days=4) == [today - 4 * DAY, today - 2 * DAY]
    assert past(live, days=2, model="chronos:other") == [today - 2 * DAY, today - DAY]


@pytest.mark.parametrize(
    ("ago", "written", "again"),
    [
        pytest.param(9, 5, True, id="the day itself"),
        pytest.param(18, 5, True, id="the oldest day that its contexts reach"),
        pytest.param(19, 5, False, id="an older day"),
        pytest.param(8, 5, False, id="a later day"),
        pytest.param(9, 0, False, id="nothing changed"),
    ],
)
def test_a_past_day_that_was_refused_is_due_again_once_core_has_changed_before_it(
    live: SecretStr, rows: Rows, ago: int, written: int, again: bool
) -> None:
    refused, at = TODAY - 9 * DAY, day_start(TODAY - 9 * DAY) + 15 * HOUR
    assert issues.issue(live, at, now=NOW, backtest=True).issues == 0
    assert refused not in past(live)

    day = TODAY - ago * DAY
    attempt(rows, "core.intensity", "success", NOW + HOUR, day, day, written)
    assert (refused in past(live)) is again
    issues.issue(live, at, now=NOW + 2 * HOUR, backtest=True)  # refused once more
    assert refused not in past(live)


# Days that core lacks.


def lacking(url: SecretStr, first: date = date(2017, 9, 11), now: datetime = LATER) -> list[date]:
    with connect(url) as connection:
        return due.days_core_lacks(connection, first, now)


def test_core_lacks_nothing_after_a_run(live: SecretStr) -> None:
    assert lacking(live) == []


def test_rows_that_another_program_wrote_into_raw_are_found_however_old(
    live: SecretStr,
) -> None:
    old = datetime(2019, 4, 1, 10, tzinfo=T.tzinfo)
    issues.put_intensity(live, [(old, LATER, 150)])
    issues.put_mix(live, [(old + 3 * DAY, LATER, issues.shares_of(old))])
    assert lacking(live) == [date(2019, 4, 1), date(2019, 4, 4)]
    assert lacking(live, first=date(2019, 4, 2)) == [date(2019, 4, 4)]
    issues.publish(live, Window(old, old + 4 * DAY))
    assert lacking(live) == []


def test_a_newer_capture_of_a_half_hour_that_core_has_is_found(live: SecretStr) -> None:
    issues.put_intensity(live, [(NEWEST, LATER, 150)])
    assert lacking(live) == [TODAY]


def test_half_hours_that_have_not_begun_are_not_lacking(live: SecretStr) -> None:
    issues.put_intensity(live, [(T, NOW, None), (T + DAY, NOW, None)])
    assert lacking(live, now=T - timedelta(seconds=1)) == []
    assert lacking(live, now=T) == [TODAY]


def test_a_mix_that_a_run_has_refused_does_not_loop_and_a_newer_capture_of_it_counts(
    live: SecretStr, rows: Rows
) -> None:
    at = T - 2 * HOUR
    bad = ["NaN", *[10] * 8]
    issues.put_mix(live, [(at, LATER, bad)])
    assert lacking(live) == [TODAY]
    rows(
        "INSERT INTO ops.quarantine (captured_at, asset, endpoint, reason, payload, is_body, "
        "run_id, last_seen_at) VALUES (%s, 'core.generation_mix', 'raw', 'mix', %s, "
        "false, 'r', %s)",
        *(LATER + HOUR, json.dumps({"period_start": at.isoformat()}), LATER + HOUR),
    )
    assert lacking(live) == []
    issues.put_mix(live, [(at, LATER + 2 * HOUR, bad)])
    assert lacking(live) == [TODAY]


def test_what_else_is_in_quarantine_does_not_stand_in_the_way(live: SecretStr, rows: Rows) -> None:
    at = T - 2 * HOUR
    for asset, payload, is_body in (
        ("raw.generation", "<html>", True),
        ("raw.generation", '{"from": "2026"}', False),
        ("core.generation_mix", json.dumps({"period_start": T.isoformat()}), False),
    ):
        rows(
            "INSERT INTO ops.quarantine (captured_at, asset, endpoint, reason, payload, is_body, "
            "run_id, last_seen_at) VALUES (%s, %s, 'raw', 'mix', %s, %s, 'r', %s)",
            *(LATER, asset, payload, is_body, LATER + DAY),
        )
    issues.put_mix(live, [(at, LATER, issues.shares_of(at))])
    assert lacking(live) == [TODAY]


@pytest.mark.parametrize(
    ("status", "ago", "asset", "lacks"),
    [
        ("running", HOUR, "core.intensity", False),
        ("failed", due.PAUSE - timedelta(seconds=1), "core.intensity", False),
        ("crashed", due.PAUSE - timedelta(seconds=1), "core.intensity", False),
        ("failed", due.PAUSE + timedelta(seconds=1), "core.intensity", True),
        ("failed", timedelta(0), "core.generation_mix", True),
        ("success", timedelta(0), "core.intensity", True),
    ],
)
def test_a_day_whose_run_is_on_its_way_or_has_just_failed_waits(
    status: str, ago: timedelta, asset: str, lacks: bool, live: SecretStr, rows: Rows
) -> None:
    issues.put_intensity(live, [(NEWEST, LATER, 150)])
    attempt(rows, asset, status, LATER - ago, TODAY - DAY, TODAY)
    assert lacking(live) == ([TODAY] if lacks else [])


def test_a_failed_run_over_other_days_holds_up_nothing(live: SecretStr, rows: Rows) -> None:
    issues.put_intensity(live, [(NEWEST, LATER, 150)])
    attempt(rows, "core.intensity", "failed", LATER, TODAY - 9 * DAY, TODAY - DAY)
    assert lacking(live) == [TODAY]


# What failed is left alone for a while.


@pytest.mark.parametrize(
    ("statuses", "ago", "waits"),
    [
        (["failed"], due.PAUSE - timedelta(seconds=1), True),
        (["failed"], due.PAUSE + timedelta(seconds=1), False),
        (["crashed"], timedelta(0), False),
        (["crashed", "crashed"], timedelta(0), True),
        (["success", "running"], timedelta(0), False),
    ],
)
def test_a_failed_forecast_is_not_tried_again_at_once_and_a_killed_one_is_once(
    statuses: list[str],
    ago: timedelta,
    waits: bool,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
) -> None:
    for status in statuses:
        attempt(rows, "forecast.predictions", status, NOW - ago)
    attempt(rows, "core.intensity", "failed", NOW)  # another matter
    assert (due.state(connection, MODEL, NOW) == "failed_lately") is waits
    # Nobody who starts a cycle by hand has to wait.
    assert due.state(connection, MODEL, NOW, timedelta(0)) == "up_to_date"


@pytest.mark.parametrize(
    ("asset", "error", "last", "blocked"),
    [
        ("core.intensity", "BlockingCheckFailed", TODAY, True),
        ("core.generation_mix", "BlockingCheckFailed", TODAY, True),
        ("core.intensity", "OperationalError", TODAY, False),
        ("core.intensity", "BlockingCheckFailed", TODAY - 2 * DAY, False),
    ],
)
def test_a_failed_blocking_check_on_the_newest_days_blocks_until_a_run_passes(
    asset: str,
    error: str,
    last: date,
    blocked: bool,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
) -> None:
    attempt(rows, asset, "failed", NOW, TODAY - 3 * DAY, last)
    rows("UPDATE ops.etl_runs SET error_type = %s", error)
    assert (due.state(connection, MODEL, NOW) == "blocked") is blocked
    attempt(rows, asset, "success", NOW + HOUR, TODAY - DAY, TODAY)
    assert due.state(connection, MODEL, NOW + HOUR) == "up_to_date"

"""Old forecasts keep exactly the chosen leads; scores and views do not change."""

from __future__ import annotations

import os
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.retention import DayIsThinned, Thinned, thin, thinned_to
from grid_assets.forecasting.scoring import Scored, score
from grid_assets.halfhours import HALF_HOUR, Window, days_window
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection, connect, copy_rows, write_transaction
from grid_assets.warehouse.run_log import attempt
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Forecast = tuple[str, str, datetime, datetime]
"""Model, series, half-hour and time of issue: the key of a row."""

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
"""The first issue; every day of these tests is long past."""

NOW = datetime(2024, 6, 1, 9, 7, tzinfo=UTC)
KEEP = (NOW.date() - FIRST.date()).days - 3
"""Thins the first three days of target when it is `NOW`."""

LEADS = [hours * HOUR for hours in (0, 3, 6, 12, 24, 36)]
STORED = "SELECT model, series, period_start, issued_at FROM forecast.predictions"
SCORES = "SELECT * FROM forecast.accuracy ORDER BY 1, 2, 3, 4"


def issued(model: str, series: str, at: datetime, steps: int = HORIZON) -> list[Forecast]:
    first = at + (FIRST - at) % HALF_HOUR
    return [(model, series, first + step * HALF_HOUR, at) for step in range(steps)]


def many_forecasts() -> list[Forecast]:
    """Five days: one model each half-hour, one back-tested, one of both, NESO with outages."""
    random = np.random.default_rng(5)
    half_hours = issues.half_hours(FIRST, FIRST + 5 * DAY)
    found: list[Forecast] = []
    for series in ("carbon_intensity", "wind"):
        for at in half_hours:
            found += issued("chronos:a", series, at)
        for at in half_hours[::6]:
            found += issued("chronos:b", series, at)
    for at in [*half_hours[:100:6], *half_hours[100:]]:
        found += issued("seasonal_naive", "solar", at)
    for at in half_hours:
        if random.random() < 0.7:  # a capture comes some seconds after minute 12 or is missed
            captured = at + timedelta(seconds=720 + float(random.uniform(0, 90)))
            found += issued("neso", "carbon_intensity", captured, int(random.integers(80, 96)))
    return found


def put(url: SecretStr, forecasts: Sequence[Forecast]) -> None:
    """The rows, with values that depend on their place, and their issues."""
    with connect(url) as connection:
        copy_rows(
            connection,
            "forecast.predictions",
            ("model", "series", "period_start", "issued_at", "created_at", "p10", "p50", "p90"),
            ((*key, key[3], 5, 10 + n % 70, 90) for n, key in enumerate(forecasts)),
        )
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source) "
            "SELECT DISTINCT model, 'r1', 'builtin' FROM forecast.predictions "
            "WHERE model <> 'neso' ON CONFLICT DO NOTHING"
        )
        connection.execute("SELECT forecast.refresh_statistics()")  # as after a back-test


def chosen(forecasts: Sequence[Forecast], leads: Sequence[timedelta]) -> set[Forecast]:
    """For each half-hour and chosen lead the row with the smallest lead that is not below it."""
    targets: dict[tuple[Any, ...], list[datetime]] = defaultdict(list)
    for *target, at in forecasts:
        targets[tuple(target)].append(at)
    kept: set[Forecast] = set()
    for (model, series, start), times in targets.items():
        for lead in leads:
            enough = [at for at in times if start - at >= lead]
            if enough:
                kept.add((model, series, start, max(enough)))
    return kept


def days_before(forecasts: Sequence[Forecast], end: datetime) -> list[Forecast]:
    return [each for each in forecasts if each[2] < end]


def thin_by_url(url: SecretStr, *options: Any) -> None:
    """In a process of its own, which cannot be given an open connection."""
    with connect(url) as connection:
        thin(connection, *options)


def scored(url: SecretStr, window: Window | None = None) -> Scored:
    with connect(url) as connection, write_transaction(connection, "forecast.accuracy"):
        window = window or Window(FIRST, FIRST + 5 * DAY)
        return score(connection, window, thinned_to(connection))


def mark(rows: Rows) -> Any:
    found = rows("SELECT thinned_to FROM forecast.thinning")
    return found[0][0] if found else None


@pytest.mark.parametrize(
    "leads", [LEADS, [timedelta(0)], [timedelta(0), HOUR / 2, 47.5 * HOUR]], ids=str
)
def test_of_old_days_exactly_the_chosen_leads_are_left_and_newer_days_are_whole(
    warehouse: SecretStr, connection: Connection, rows: Rows, leads: list[timedelta]
) -> None:
    forecasts, end = many_forecasts(), FIRST + 3 * DAY
    put(warehouse, forecasts)

    done = thin(connection, KEEP, leads, NOW)

    old = days_before(forecasts, end)
    expected = chosen(old, leads) | (set(forecasts) - set(old))
    left = rows(STORED)
    assert len(left) == len(set(left))
    assert set(left) == expected
    assert done == Thinned(3, len(forecasts) - len(expected))
    assert mark(rows) == end.date()


def test_leads_are_hours_whatever_the_time_zone_of_the_session(warehouse: SecretStr) -> None:
    """A day of 24 hours that London's clock makes 23 or 25, and the leads of 24 and 36 hours."""
    forecasts = [
        ("chronos:a", "wind", change + 12 * HOUR, change + (12 - lead) * HOUR)
        for change in (datetime(2023, 3, 26, tzinfo=UTC), datetime(2023, 10, 29, tzinfo=UTC))
        for lead in range(48)
    ]
    put(warehouse, forecasts)
    with connect(warehouse) as connection:
        connection.execute("SET timezone = 'Europe/London'")
        connection.execute("SELECT forecast.thin_predictions('2023-12-01Z', %s)", [LEADS])
        connection.execute("SET timezone = 'UTC'")
        left = connection.execute(STORED.encode()).fetchall()
    assert set(left) == chosen(forecasts, LEADS)


def test_a_score_of_a_thinned_day_is_final_even_where_none_of_its_forecasts_is_left(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST, FIRST + 2 * DAY)
    put(warehouse, issued("chronos:a", "wind", FIRST))
    thin(connection, KEEP, [timedelta(0)], NOW)
    rows("UPDATE core.generation_mix SET period_start = period_start + interval '9 days'")
    dropped = rows(
        "SELECT sum(forecast.drop_score_without_forecast(model, series, target_date, lead_bucket))"
        "::integer FROM forecast.accuracy"
    )
    assert dropped == [(0,)]


def test_a_lead_that_is_stored_exactly_is_the_one_that_is_kept(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    put(warehouse, [each for each in many_forecasts() if each[0] == "chronos:a"])
    thin(connection, KEEP, LEADS, NOW)
    found = rows(
        "SELECT DISTINCT period_start - issued_at FROM forecast.predictions "
        "WHERE period_start >= %s AND period_start < %s",
        FIRST + 2 * DAY,
        FIRST + 3 * DAY,
    )
    assert {lead for (lead,) in found} == set(LEADS)


def test_thinning_again_changes_nothing(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    put(warehouse, many_forecasts())
    thin(connection, KEEP, LEADS, NOW)
    left = sorted(rows(STORED))
    assert thin(connection, KEEP, LEADS, NOW) == Thinned()
    rows("DELETE FROM forecast.thinning")  # even where the mark is lost
    assert thin(connection, KEEP, LEADS, NOW) == Thinned(3, 0)
    assert sorted(rows(STORED)) == left


def test_a_call_works_off_a_bounded_number_of_days_and_the_next_goes_on(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    forecasts = many_forecasts()
    put(warehouse, forecasts)
    done = [thin(connection, KEEP, LEADS, NOW, max_days=2) for _ in range(3)]
    assert [each.days for each in done] == [2, 1, 0]
    old = days_before(forecasts, FIRST + 3 * DAY)
    assert set(rows(STORED)) == chosen(old, LEADS) | (set(forecasts) - set(old))


def test_a_call_that_is_killed_leaves_whole_days_and_the_next_goes_on(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    forecasts = many_forecasts()
    put(warehouse, forecasts)
    with connect(warehouse) as holder:
        thin(connection, KEEP, LEADS, NOW, max_days=1)
        # The next process waits for this row with a day deleted and not committed.
        with holder.transaction():
            holder.execute("SELECT FROM forecast.thinning FOR UPDATE")
            process = issues.PROCESSES.Process(
                target=thin_by_url, args=(warehouse, KEEP, LEADS, NOW), daemon=True
            )
            process.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            waiting += "AND datname = current_database() AND query LIKE '%thin_predictions%'"
            _until(lambda: rows(waiting) == [(1,)])
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
    gone = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%thin_predictions%' "
    gone += "AND datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    _until(lambda: rows(gone) == [(0,)])
    assert mark(rows) == (FIRST + DAY).date()
    old = days_before(forecasts, FIRST + DAY)
    assert set(rows(STORED)) == chosen(old, LEADS) | (set(forecasts) - set(old))

    thin(connection, KEEP, LEADS, NOW)
    old = days_before(forecasts, FIRST + 3 * DAY)
    assert set(rows(STORED)) == chosen(old, LEADS) | (set(forecasts) - set(old))


def _until(condition: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(300):
        if condition():
            return
        waited.wait(0.1)
    raise AssertionError("not within 30 s")


def test_scores_are_the_same_after_thinning_and_are_never_made_again(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST, FIRST + 7 * DAY)
    put(warehouse, many_forecasts())
    scored(warehouse)
    before = rows(SCORES)
    assert len(before) > 50

    thin(connection, KEEP, LEADS, NOW)
    assert rows(SCORES) == before
    # A revision of a thinned day, and of one that is not: only the second is scored again.
    rows("UPDATE core.intensity SET actual_gco2_kwh = 999")
    days = scored(warehouse)
    assert days.compared > 0
    changed = set(rows(SCORES)) - set(before)
    assert {row[2] for row in changed} == {(FIRST + n * DAY).date() for n in (3, 4)}
    assert scored(warehouse, days_window(FIRST.date(), FIRST.date() + 2 * DAY)) == Scored(0, 0)


def test_a_day_that_was_never_scored_is_scored_before_it_is_thinned(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST, FIRST + 7 * DAY)
    forecasts = many_forecasts()
    put(warehouse, forecasts)
    thin(connection, KEEP, LEADS, NOW)
    old = days_before(forecasts, FIRST + 3 * DAY)
    assert rows("SELECT sum(n)::integer FROM forecast.accuracy") == [(len(old),)]


def test_the_views_of_a_thinned_day_show_what_is_kept(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST, FIRST + 7 * DAY)
    forecasts = many_forecasts()
    put(warehouse, forecasts)
    latest = "SELECT * FROM reporting.forecast_latest ORDER BY 1, 4, 5"
    before = rows(latest)
    thin(connection, KEEP, LEADS, NOW)
    assert rows(latest) == before
    old = chosen(days_before(forecasts, FIRST + 3 * DAY), LEADS)
    assert (
        set(
            rows(
                "SELECT model, series, period_start, issued_at "
                "FROM reporting.actual_vs_predicted WHERE period_start < %s",
                FIRST + 3 * DAY,
            )
        )
        == old
    )
    known = rows(
        "SELECT count(*)::integer FROM reporting.forecast_as_known_at(%s) WHERE period_start < %s",
        NOW,
        FIRST + 3 * DAY,
    )
    assert known == [(len(old),)]


def test_a_thinned_day_is_not_forecast_again_and_the_next_one_is(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST - 9 * DAY, FIRST + 5 * DAY)
    put(warehouse, many_forecasts())
    thin(connection, KEEP, LEADS, NOW)
    left = sorted(rows(STORED))
    with pytest.raises(DayIsThinned, match=r"before 2024-03-04 only chosen leads .* Start at 2024"):
        issues.issue(warehouse, FIRST + 3 * DAY - HALF_HOUR, backtest=True)
    assert sorted(rows(STORED)) == left
    assert issues.issue(warehouse, FIRST + 3 * DAY, backtest=True).issues == 1
    lacking = due.days_to_backtest(connection, "chronos:new", KEEP + 3, NOW)
    assert lacking == [(FIRST + n * DAY).date() for n in (3, 4)]


def test_a_day_that_is_thinned_while_it_is_forecast_is_not_written(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    issues.fill(warehouse, FIRST - 9 * DAY, FIRST + 5 * DAY)
    put(warehouse, issued("chronos:a", "wind", FIRST))

    def loads_slowly() -> Any:
        assert thin(connection, KEEP, LEADS, NOW).days == 2
        return issues.loaded(issues.Stub())

    with pytest.raises(DayIsThinned):
        issues.issue(warehouse, FIRST + DAY, load=loads_slowly, backtest=True)
    assert rows("SELECT * FROM forecast.predictions WHERE model <> 'chronos:a'") == []


def test_thinning_waits_for_a_back_test_of_such_days_and_not_for_the_newest_cycle(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    put(warehouse, many_forecasts())
    log = {"run_id": "r", "asset": "forecast.predictions", "trigger": "manual"}
    old, newest = FIRST.date() + DAY, NOW.date()
    with attempt(warehouse, **log, first_day=old, last_day=old):
        assert thin(connection, KEEP, LEADS, NOW) == Thinned(1, thinned_rows(rows), postponed=True)
    with attempt(warehouse, **log, first_day=newest, last_day=newest):
        assert thin(connection, KEEP, LEADS, NOW).days == 2


def thinned_rows(rows: Rows) -> int:
    [(left,)] = rows("SELECT count(*)::integer FROM forecast.predictions")
    return len(many_forecasts()) - int(left)


def test_margins_of_thinned_days_go_and_issues_stay(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    put(warehouse, issued("chronos:a", "wind", FIRST))
    rows(
        "INSERT INTO forecast.calibration SELECT 'chronos:a', 'r1', day::date, 'wind', 0, 1, 20 "
        "FROM generate_series(%s::timestamptz, %s, '1 day') AS day",
        FIRST,
        FIRST + 4 * DAY,
    )
    rows(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
        "context_assumed, known_by) VALUES ('chronos:a', %s, now(), 'r1', 0, 0, 'capture')",
        FIRST,
    )
    assert thin(connection, KEEP, LEADS, NOW).days == 2
    assert rows("SELECT min(issue_date) FROM forecast.calibration") == [((FIRST + 2 * DAY).date(),)]
    assert rows("SELECT count(*)::integer FROM forecast.issues") == [(1,)]


def test_nothing_is_thinned_where_nothing_is_old_enough_or_the_setting_is_0(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    assert thin(connection, KEEP, LEADS, NOW) == Thinned()  # no forecast at all
    put(warehouse, issued("chronos:a", "wind", FIRST))
    assert thin(connection, 0, LEADS, NOW) == Thinned()
    assert thin(connection, 400, LEADS, NOW) == Thinned()
    assert mark(rows) is None
    assert len(rows(STORED)) == HORIZON


@pytest.mark.parametrize(
    ("before", "leads", "said"),
    [
        ("date_trunc('day', now(), 'UTC') - interval '696 hours'", "'{00:00}'", "last 30 days"),
        ("'infinity'", "'{00:00}'", "last 30 days"),
        ("'2024-03-02 00:30Z'", "'{00:00}'", "whole UTC days"),
        ("'2024-03-02Z'", "'{03:00}'", "must include 0"),
        ("'2024-03-02Z'", "'{}'", "must include 0"),
        ("'2024-03-02Z'", "NULL", "must include 0"),
    ],
)
def test_the_function_refuses_what_is_not_retention(
    warehouse: SecretStr, rows: Rows, before: str, leads: str, said: str
) -> None:
    put(warehouse, issued("chronos:a", "wind", FIRST))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=said):
        rows(f"SELECT forecast.thin_predictions({before}, {leads})")
    assert len(rows(STORED)) == HORIZON


def test_only_those_with_the_right_may_thin(warehouse: SecretStr, rows: Rows) -> None:
    call = "SELECT forecast.thin_predictions('2024-03-02Z', '{00:00}')"
    with connect(warehouse) as connection, connection.transaction(force_rollback=True):
        connection.execute("GRANT USAGE ON SCHEMA forecast TO grid_reader")
        connection.execute("SET LOCAL ROLE grid_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(call.encode())


def test_the_default_leads_lie_in_every_bucket_and_one_is_the_newest() -> None:
    assert Settings().forecast_keep_leads == LEADS


def test_a_run_over_thinned_days_asks_no_model(
    warehouse: SecretStr, connection: Connection
) -> None:
    put(warehouse, issued("chronos:a", "wind", FIRST))
    thin(connection, KEEP, LEADS, NOW)

    def never() -> Any:
        raise AssertionError("a model was loaded")

    with pytest.raises(DayIsThinned):
        issues.issue(warehouse, FIRST, load=never, backtest=True)

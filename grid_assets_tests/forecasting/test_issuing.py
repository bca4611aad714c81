"""Issues in the warehouse: complete, exact, repeatable, and never mixed when made concurrently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.issuing import FutureIssue
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR, Window, day_start
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection, connect, lock_relation
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import (
    DAY,
    HOUR,
    LATER,
    MODEL,
    Broken,
    Stub,
    T,
)
from grid_assets_tests.running import wait_until

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
NAIVE = "seasonal_naive"
LAST = T - HALF_HOUR


@pytest.fixture
def filled(warehouse: SecretStr) -> SecretStr:
    """A warehouse with the telemetry of nine days that end at `T`, loaded later."""
    issues.fill(warehouse, T - 9 * DAY, T)
    return warehouse


def predictions(rows: Rows) -> list[tuple[Any, ...]]:
    return rows(
        "SELECT * FROM forecast.predictions ORDER BY model, series, issued_at, period_start"
    )


def issue_rows(rows: Rows) -> dict[tuple[str, datetime], tuple[Any, ...]]:
    """Reasons (refused, fallback) by model and issue time."""
    return {
        (model, at): (refused, fallback)
        for model, at, refused, fallback in rows(
            "SELECT model, issued_at, refused_reason, fallback_reason FROM forecast.issues"
        )
    }


def revise(url: SecretStr, at: datetime, actual: int, captured: datetime | None = None) -> None:
    """Another actual for a half-hour that was captured live before `T`."""
    issues.put_intensity(url, [(at, captured or T - timedelta(minutes=1), actual)])
    issues.publish(url, Window(T - DAY, T))


# What one issue leaves.


def test_an_issue_leaves_96_half_hours_of_ten_series_for_the_model_and_for_seasonal_naive(
    filled: SecretStr, rows: Rows
) -> None:
    done = issues.issue(filled, T)
    assert (done.issues, done.rows_written, done.refused, done.model) == (1, 2 * 960, {}, MODEL)
    assert done.rows_read == 2 * (336 + 84)
    assert rows(
        "SELECT model, count(*), count(DISTINCT (series, period_start)), count(DISTINCT series), "
        "min(period_start), max(period_start) FROM forecast.predictions GROUP BY 1 ORDER BY 1"
    ) == [(model, 960, 960, 10, T, T + 2 * DAY - HALF_HOUR) for model in (MODEL, NAIVE)]


def test_what_is_stored_is_ordered_in_range_and_exact(filled: SecretStr, rows: Rows) -> None:
    wild = Stub(factor=3, spread=60)  # shares that sum to 300, and bands that leave every range
    issues.issue(filled, T, model=wild)
    assert rows(
        "SELECT count(*) FROM forecast.predictions WHERE (0 <= p10 AND p10 <= p50 AND p50 <= p90 "
        "AND p90 <= CASE series WHEN 'carbon_intensity' THEN 1000 ELSE 100 END) IS NOT TRUE"
    ) == [(0,)]
    assert rows(
        "SELECT DISTINCT sum(p50), count(*) FROM forecast.predictions "
        "WHERE series <> 'carbon_intensity' GROUP BY model, period_start"
    ) == [(100, 9)]
    [(low, high)] = rows(
        "SELECT min(low), max(high) FROM forecast.archive, "
        "unnest(raw_p10[2:10], raw_p90[2:10]) AS raw (low, high) WHERE model = %s",
        MODEL,
    )
    assert low < -30  # as the model gave it
    assert high > 100


def test_the_issue_says_what_was_shown_and_the_model_which_weights_forecast(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    issues.issue(filled, T - HOUR, now=LATER + HOUR)
    assert rows(
        "SELECT created_at, revision, intensity_to, mix_to, context_missing, context_assumed, "
        "known_by, neso_issued_at, calibrated_on FROM forecast.issues "
        "WHERE model = %s AND issued_at = %s",
        *(MODEL, T),
    ) == [(LATER, "r1", T, T, 0, 336, "end_of_half_hour", None, 0)]
    assert rows(
        "SELECT model, revision, source, parameters, scores, first_used_at, last_used_at "
        "FROM forecast.models WHERE model = %s",
        MODEL,
    ) == [(MODEL, "r1", "/models/stub", 7, {"mae": 1.5}, LATER, LATER + HOUR)]


def test_of_late_actuals_the_half_hours_before_the_issue_are_forecast_and_not_stored(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 12 * DAY, T)
    late, on_time, stub = T + 2 * HOUR, T, Stub()
    issues.issue(warehouse, on_time, late, model=stub)
    assert [problem.start for problem in stub.asked] == [T - 7 * DAY] * 2  # the same context
    by_issue = {
        at: rows(
            "SELECT period_start, p50 FROM forecast.predictions WHERE model = %s AND "
            "issued_at = %s AND series = 'gas' AND period_start < %s ORDER BY 1",
            *(MODEL, at, T + 2 * DAY),
        )
        for at in (on_time, late)
    }
    assert by_issue[late] == by_issue[on_time][4:]
    assert rows("SELECT count(*) FROM forecast.predictions WHERE period_start < issued_at") == [
        (0,)
    ]


def test_a_model_is_shown_nesos_forecast_only_where_that_is_switched_on(
    filled: SecretStr, rows: Rows
) -> None:
    issues.put_neso(filled, T - HOUR, T - HOUR, [200] * 96)
    for use_neso in (False, True):
        stub = Stub()
        issues.issue(filled, T, model=stub, use_neso=use_neso)
        assert (stub.asked[0].neso is not None) is use_neso
        [(at,)] = rows("SELECT neso_issued_at FROM forecast.issues WHERE model = %s", MODEL)
        assert at == (T - HOUR if use_neso else None)


# Again.


def test_the_same_issue_again_writes_nothing_and_keeps_when_it_was_made(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    before = predictions(rows), rows("SELECT * FROM forecast.issues ORDER BY model")
    done = issues.issue(filled, T, now=LATER + DAY)
    assert (done.issues, done.rows_written) == (1, 0)
    assert (predictions(rows), rows("SELECT * FROM forecast.issues ORDER BY model")) == before


def test_changed_telemetry_replaces_the_whole_issue_and_no_other(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T - 3 * HOUR, T)
    with psycopg.connect(filled.get_secret_value()) as connection:
        # the same version with other values, as after a repair of what was loaded wrongly
        connection.execute(
            "UPDATE raw.intensity SET actual_gco2_kwh = 400 WHERE period_start = %s", [LAST]
        )
    issues.publish(filled, Window(T - DAY, T))

    done = issues.issue(filled, T - 3 * HOUR, T, now=LATER + DAY)

    assert done.rows_written == 2 * 960
    assert rows(
        "SELECT issued_at, created_at, count(*) FROM forecast.predictions GROUP BY 1, 2 ORDER BY 1"
    ) == [(T - 3 * HOUR, LATER, 1920), (T, LATER + DAY, 1920)]


def test_another_revision_of_the_weights_replaces_the_issue_even_if_it_says_the_same(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    done = issues.issue(filled, T, load=lambda: issues.loaded(Stub(), "r2"), configured=MODEL)
    assert done.rows_written == 960  # of seasonal naive nothing changed
    assert rows("SELECT revision FROM forecast.issues WHERE model = %s", MODEL) == [("r2",)]


def test_an_older_run_that_ends_later_does_not_overwrite_a_newer_one(
    warehouse: SecretStr, connection: Connection, rows: Rows
) -> None:
    live = issues.captured_live
    issues.fill(warehouse, T - 9 * DAY, T - HOUR, live)
    at = T + HALF_HOUR
    newest: list[list[tuple[Any, ...]]] = []

    def overtaken(connection: Connection, span: Window) -> None:
        """Another run ends while this one has read its context and not yet written."""
        issues.all_checks(connection, span)

    class Slow(Stub):
        def predict(self, problems: Any, steps: int) -> Any:
            if not newest:
                issues.fill(warehouse, T - HOUR, T, live)
                issues.issue(warehouse, at)
                newest.append(predictions(rows))
            return super().predict(problems, steps)

    done = issues.issue(warehouse, at, model=Slow(factor=2), judge=overtaken)

    assert done.rows_written == 0
    assert [predictions(rows)] == newest
    assert rows("SELECT DISTINCT intensity_to FROM forecast.issues") == [(T,)]


def test_a_run_that_knew_nothing_does_not_overwrite_one_that_did(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    before = predictions(rows)
    for table in ("core.intensity", "core.generation_mix"):
        rows(f"DELETE FROM {table}")  # noqa: S608
    done = issues.issue(filled, T)
    assert list(done.refused) == [T]
    assert predictions(rows) == before
    assert issue_rows(rows)[MODEL, T] == (None, None)


# Several at once, and none at all.


def waiting_for_locks(url: SecretStr, count: int) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    query = b"SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with psycopg.connect(url.get_secret_value(), autocommit=True) as watcher:
        wait_until(
            lambda: len(watcher.execute(query, [watcher.info.dbname]).fetchall()) >= count,
            60,
            f"{count} sessions wait for a lock",
        )


def test_two_runs_of_the_same_issue_at_once_leave_one(filled: SecretStr, rows: Rows) -> None:
    with psycopg.connect(filled.get_secret_value()) as gate, ThreadPoolExecutor(2) as pool:
        lock_relation(gate, "forecast.predictions")
        both = [pool.submit(issues.issue, filled, T) for _ in range(2)]
        waiting_for_locks(filled, 2)  # both have their forecast and none has written it
        gate.rollback()
        assert sorted(done.result(60).rows_written for done in both) == [0, 1920]
    assert len(predictions(rows)) == 1920
    assert len(issue_rows(rows)) == 2


def test_two_runs_that_differ_leave_one_of_them_whole(filled: SecretStr, rows: Rows) -> None:
    url = filled.get_secret_value()
    with psycopg.connect(url) as gate:
        lock_relation(gate, "forecast.predictions")
        processes = [issues.start_process(url, T, factor) for factor in (1.0, 1.5)]
        waiting_for_locks(filled, 2)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    left = predictions(rows)
    assert len(left) == 1920
    wholes = []
    for factor in (1.0, 1.5):
        issues.issue(filled, T, model=Stub(factor=factor))
        wholes.append([row[:4] + row[5:] for row in predictions(rows)])
    assert wholes[0] != wholes[1]
    assert [row[:4] + row[5:] for row in left] in wholes


@pytest.fixture
def held_after_insert(rows: Rows) -> Iterator[None]:
    """Makes each insert of forecasts wait for an advisory lock before it can continue."""
    rows(
        "CREATE FUNCTION forecast.hold() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock(1, 2); RETURN NULL; END $$"
    )
    rows(
        "CREATE TRIGGER hold AFTER INSERT ON forecast.archive "
        "FOR EACH STATEMENT EXECUTE FUNCTION forecast.hold()"
    )
    yield
    rows("DROP FUNCTION forecast.hold CASCADE")


@pytest.mark.usefixtures("held_after_insert")
def test_a_process_killed_between_insert_and_commit_leaves_nothing_and_the_next_run_completes(
    filled: SecretStr, rows: Rows
) -> None:
    url = filled.get_secret_value()
    inserting = (
        "SELECT pid FROM pg_locks WHERE relation = 'forecast.archive'::regclass "
        "AND mode = 'RowExclusiveLock'"
    )
    with psycopg.connect(url) as gate:
        gate.execute("SELECT pg_advisory_xact_lock(1, 2)")
        process = issues.start_process(url, T)
        waiting_for_locks(filled, 1)
        assert rows(inserting)
        process.kill()
        process.join()
        assert predictions(rows) == []
    wait_until(lambda: not rows(inserting), 60, "the killed process's transaction is over")
    assert predictions(rows) == []
    assert issue_rows(rows) == {}

    assert issues.issue(filled, T).rows_written == 1920
    assert len(predictions(rows)) == 1920


def test_a_failing_blocking_check_leaves_earlier_forecasts_as_they_were(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    before = predictions(rows), issue_rows(rows)

    class NotGood(Exception):
        pass

    def refuse(connection: Connection, span: Window) -> None:
        assert connection.execute("SELECT count(*) FROM staged").fetchone() == (1920,)
        assert span == Window(T, T + 2 * DAY)
        raise NotGood

    with pytest.raises(NotGood):
        issues.issue(filled, T, model=Stub(factor=2), judge=refuse)
    assert (predictions(rows), issue_rows(rows)) == before


def test_a_day_whose_check_fails_leaves_the_days_before_it_and_none_after(
    filled: SecretStr, rows: Rows
) -> None:
    days = [day_start(T.date()) - DAY, day_start(T.date()), day_start(T.date()) + DAY]

    def refuse(connection: Connection, span: Window) -> None:
        if span.start == days[1]:
            raise LookupError

    with pytest.raises(LookupError):
        issues.issue(filled, *days, judge=refuse)
    assert {at for _, at in issue_rows(rows)} == {days[0]}


# Issue times that cannot be, and contexts that are not enough.


def test_an_issue_time_in_the_future_is_refused_before_anything_is_made(
    filled: SecretStr, rows: Rows
) -> None:
    stub = Stub()
    now = T - timedelta(minutes=17)
    with pytest.raises(FutureIssue) as refused:
        issues.issue(filled, T - DAY, T + HALF_HOUR, now=now, model=stub)
    assert str(refused.value) == (
        "2026-03-20 12:30 UTC is in the future, and what will be published before it is not known "
        "yet. Start at 12:00 or earlier."
    )
    assert stub.asked == []
    assert issue_rows(rows) == {}
    assert issues.issue(filled, T, now=now).issues == 1  # the half-hour that starts next


def test_without_enough_context_there_is_no_forecast_and_the_reason_is_recorded(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 9 * DAY, T - 3 * DAY)
    good, stub = T - 2 * DAY, Stub()
    done = issues.issue(warehouse, good, good + HALF_HOUR, T, model=stub)
    assert done.issues == 2
    assert list(done.refused) == [T]
    assert "144 of the 336 half-hours of carbon intensity" in done.refused[T]
    assert len(stub.asked) == 2
    found = issue_rows(rows)
    assert found[MODEL, T] == (done.refused[T], None)
    assert (NAIVE, T) not in found
    assert rows("SELECT count(*) FROM forecast.predictions WHERE issued_at = %s", T) == [(0,)]


def test_a_model_is_not_even_loaded_where_every_context_is_refused(
    warehouse: SecretStr, rows: Rows
) -> None:
    def load() -> registry.Loaded:
        raise AssertionError

    done = issues.issue(warehouse, T, load=load, configured=MODEL)
    assert (done.issues, done.model) == (0, None)
    assert issue_rows(rows)[MODEL, T][0] == done.refused[T]
    assert rows("SELECT count(*) FROM forecast.models") == [(0,)]


def test_a_refused_issue_becomes_a_forecast_once_there_is_enough(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - DAY, T)
    issues.issue(warehouse, T)
    issues.fill(warehouse, T - 9 * DAY, T - DAY)
    assert issues.issue(warehouse, T).rows_written == 1920
    assert issue_rows(rows)[MODEL, T] == (None, None)


# A model that cannot be run.


def test_a_fallback_forecasts_under_its_own_name_and_the_configured_models_issue_is_refused(
    filled: SecretStr, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "nowhere")
    done = issues.issue(filled, T, model=Broken())
    assert (done.issues, done.model, done.rows_written) == (1, NAIVE, 960)
    found = issue_rows(rows)
    assert found.keys() == {(MODEL, T), (NAIVE, T)}
    refused, fallback = found[MODEL, T][0], found[NAIVE, T][1]
    assert refused == fallback
    assert refused.startswith("GRID_CHRONOS_MODEL=/models/stub cannot be used: it ran out of mem")
    assert refused.endswith("seasonal_naive forecasts instead.")
    assert rows("SELECT DISTINCT model FROM forecast.predictions") == [(NAIVE,)]
    assert rows("SELECT model FROM forecast.models") == [(NAIVE,)]


def test_a_model_that_no_longer_works_does_not_take_back_what_it_forecast(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T)
    before = [row for row in predictions(rows) if row[0] == MODEL]
    assert len(before) == 960

    issues.issue(filled, T, model=Broken())
    assert [row for row in predictions(rows) if row[0] == MODEL] == before
    assert issue_rows(rows)[MODEL, T] == (None, None)


def test_a_refusal_never_takes_back_a_forecast_also_where_it_knows_newer_telemetry(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 9 * DAY, T - HOUR, issues.captured_live)
    at = T + HALF_HOUR
    issues.issue(warehouse, at)
    before = predictions(rows), rows("SELECT * FROM forecast.issues ORDER BY model")
    issues.fill(warehouse, T - HOUR, T, issues.captured_live)
    # shown half an hour more than the stored forecast was, and broken
    issues.issue(warehouse, at, model=Broken())
    [refused] = [row for row in before[1] if row[0] == MODEL]
    assert refused in rows("SELECT * FROM forecast.issues")
    stored = [row for row in predictions(rows) if row[0] == MODEL]
    assert stored == [row for row in before[0] if row[0] == MODEL]


def test_a_refusal_is_replaced_by_a_newer_one(warehouse: SecretStr, rows: Rows) -> None:
    issues.fill(warehouse, T - DAY, T)
    issues.issue(warehouse, T)
    first = issue_rows(rows)[MODEL, T][0]
    issues.fill(warehouse, T - 2 * DAY, T - DAY)
    issues.issue(warehouse, T)
    assert first != issue_rows(rows)[MODEL, T][0]
    assert "half-hours of carbon intensity" in issue_rows(rows)[MODEL, T][0]


def test_the_configured_model_replaces_its_refusal_when_it_works_again(
    filled: SecretStr, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "nowhere")
    issues.issue(filled, T, model=Broken())
    assert issues.issue(filled, T).rows_written == 2 * 960
    assert issue_rows(rows) == {(MODEL, T): (None, None), (NAIVE, T): (None, None)}


def test_seasonal_naive_as_the_model_itself_is_forecast_once(filled: SecretStr, rows: Rows) -> None:
    naive = registry.seasonal_naive()
    done = issues.issue(filled, T, load=lambda: naive, configured=NAIVE)
    assert (done.model, done.rows_written) == (NAIVE, 960)
    assert issue_rows(rows) == {(NAIVE, T): (None, None)}


# NESO beside our own.


def neso_issues(rows: Rows) -> list[Any]:
    return [at for model, at in sorted(issue_rows(rows)) if model == "neso"]


def test_a_captured_forecast_of_neso_becomes_a_forecast_without_a_band(
    filled: SecretStr, rows: Rows
) -> None:
    issued_at = T - timedelta(minutes=18)
    issues.put_neso(filled, issued_at, T - HOUR, [180.26, 190, -5, 200, 1200, *[210] * 91])
    issues.issue(filled, T)
    assert neso_issues(rows) == [issued_at]
    found = rows(
        "SELECT period_start, created_at, series, p10, p50::float8, p90, simulated "
        "FROM forecast.predictions WHERE model = 'neso' ORDER BY period_start"
    )
    # no half-hour that had begun at its capture, and nothing that no grid emits
    assert len(found) == 96 - 2 - 2
    assert found[0] == (T + HALF_HOUR, issued_at, SERIES[0], None, 200, None, False)
    assert rows("SELECT min(lead_minutes) FROM reporting.forecast_latest WHERE model = 'neso'") == [
        (48,)
    ]


def test_every_capture_since_the_newest_copied_one_is_copied_also_after_an_outage(
    filled: SecretStr, rows: Rows
) -> None:
    captures = [T - 5 * HOUR, T - timedelta(minutes=18)]
    for at in captures:
        issues.put_neso(filled, at, T, [200] * 96)
    assert issues.issue(filled, T).rows_written == 1920 + 2 * 96
    assert neso_issues(rows) == captures
    for at in (T + 3 * HOUR, T + 50 * HOUR):
        issues.put_neso(filled, at, at, [200] * 96)
    issues.fill(filled, T, T + 2 * DAY)
    issues.issue(filled, T + 51 * HOUR)
    assert len(neso_issues(rows)) == 4
    assert issues.issue(filled, T + 51 * HOUR).rows_written == 0


def test_half_hours_that_are_added_to_a_capture_later_are_copied_and_need_no_lock_otherwise(
    filled: SecretStr, rows: Rows
) -> None:
    at = T - timedelta(minutes=18)
    issues.put_neso(filled, at, T, [200] * 94)
    assert issues.issue(filled, T).rows_written == 1920 + 94
    issues.put_neso(filled, at, T + 47 * HOUR, [150, 160])
    assert issues.issue(filled, T).rows_written == 2
    newest = "SELECT p50::integer FROM forecast.latest WHERE model = 'neso' ORDER BY period_start"
    assert [p50 for (p50,) in rows(newest)] == [*[200] * 94, 150, 160]
    with connect(filled) as other, other.transaction():
        # a program that inserts into the view holds this until it commits
        other.execute("LOCK TABLE forecast.incoming IN SHARE ROW EXCLUSIVE MODE")
        assert issues.issue(filled, T).rows_written == 0


def test_the_forecasts_known_at_an_instant_are_those_made_by_then(
    filled: SecretStr, rows: Rows
) -> None:
    issues.issue(filled, T, now=T)
    issues.issue(filled, T - DAY, now=LATER, backtest=True)
    known = "SELECT DISTINCT issued_at FROM reporting.forecast_as_known_at(%s) ORDER BY 1"
    assert rows(known, T - timedelta(seconds=1)) == []
    assert rows(known, T) == [(T,)]
    assert rows(known, LATER) == [(T - DAY,), (T,)]

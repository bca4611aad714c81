"""Automation: the runs that the schedule requests, and how runs that die or overlap end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psycopg
import pytest
from psycopg.pq import TransactionStatus
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import automation, dead_runs
from grid_assets.defs.assets import forecast, raw
from grid_assets.defs.partitions import BACKTEST, PROCESS_TAG, process_tag, range_tags
from grid_assets.defs.planning import (
    ALERTS,
    CORE,
    FORECASTS,
    HISTORY,
    OF_CYCLE,
    OUTLOOK,
    OUTLOOK_CORE,
)
from grid_assets.defs.resources import Services
from grid_assets.forecasting import due
from grid_assets.forecasting.models.registry import configured_name
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.dagster_yaml import dagster_yaml
from grid_assets.settings import Settings
from grid_assets.telemetry import due as telemetry_due
from grid_assets.warehouse import run_log
from grid_assets.warehouse.connection import Connection, lock_relation
from grid_assets.warehouse.processes import this_process
from grid_assets_tests.defs import one_run
from grid_assets_tests.defs.conftest import DATA, Recorded, Tables, half_hours
from grid_assets_tests.running import wait_until

Materialise = Callable[..., dg.ExecuteInProcessResult]
Rows = Callable[..., list[tuple[Any, ...]]]
Asks = Callable[..., Any]

DAY = timedelta(days=1)
QUIET_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def tick(late: timedelta = timedelta(0)) -> dg.ScheduleExecutionData | Any:
    """What the schedule asks for when its tick of `late` ago is evaluated now."""
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime.now(UTC) - late,
            resources={"services": Services()},
            repository_def=defs.get_repository_def(),
        ) as context,
    ):
        return defs.resolve_schedule_def("half_hourly").evaluate_tick(context)


def asked(request: dg.RunRequest) -> tuple[str, str, str]:
    return (
        request.tags["dagster/asset_partition_range_start"],
        request.tags["dagster/asset_partition_range_end"],
        request.tags["grid/trigger"],
    )


def run(request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """The run that a daemon would start for a request."""
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=request.tags,
            asset_selection=list(request.asset_selection or []),
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )


# The schedule.


def test_the_schedule_is_on_by_default_and_runs_12_minutes_after_each_half_hour() -> None:
    schedule = defs.resolve_schedule_def("half_hourly")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.cron_schedule == "12,42 * * * *"
    assert schedule.execution_timezone == "UTC"
    assert schedule.job_name == "telemetry"


def test_a_tick_asks_for_yesterday_and_today_and_then_for_days_with_gaps_newest_first(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 9 * DAY))
    for first, last in ((9, 8), (6, 6), (4, 4), (2, 2)):  # lacks 7, 5 and 3 days ago
        assert materialise(today - first * DAY, today - last * DAY).success

    requests = tick().run_requests

    def ago(days: int) -> str:
        return str(today - days * DAY)

    assert [asked(request) for request in requests] == [
        (ago(1), ago(0), "schedule"),
        (ago(3), ago(3), "schedule"),
        (ago(5), ago(5), "schedule"),
        (ago(7), ago(7), "schedule"),
    ]
    assert len({request.run_key for request in requests}) == 4  # else Dagster refuses all of them
    newest, *gaps = [set(request.asset_selection) for request in requests]
    everything = (*HISTORY, raw.neso_forecast, *OUTLOOK, *FORECASTS, *OF_CYCLE, *ALERTS)
    assert newest == {asset.key for asset in everything}
    # NESO's past forecasts are gone; past days are back-tested once they are whole.
    assert gaps == [{asset.key for asset in (*HISTORY, forecast.accuracy)}] * 3
    for request in requests:
        assert run(request).success
    # With more than a quarter of its week missing, the newest run had nothing to forecast from.
    assert tables.rows(
        "SELECT refused_reason IS NOT NULL FROM forecast.issues WHERE model <> 'neso'"
    ) == [(True,)]
    assert tables.rows("SELECT * FROM forecast.predictions WHERE model <> 'neso'") == []
    assert (
        len(
            tables.by_period("core.intensity").keys()
            & set(half_hours(today - 9 * DAY, today - DAY))
        )
        == 9 * 48
    )
    assert [asked(request)[0] for request in tick().run_requests] == [ago(1)]


@pytest.mark.parametrize(
    ("late", "runs"),
    [(timedelta(minutes=19), True), (timedelta(minutes=21), False)],
)
def test_a_tick_missed_while_the_daemon_was_down_is_left_to_the_next_one(
    late: timedelta,
    runs: bool,
    materialise: Materialise,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_HISTORY_START", str(today))
    data = tick(late)
    assert [asked(request)[:2] for request in data.run_requests] == (
        [(str(today - DAY), str(today))] if runs else []
    )
    assert (data.skip_message or "").startswith("" if runs else "Missed while the daemon was down")


def test_after_an_outage_the_plan_closes_the_gap(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    connection: Connection,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = today - 4 * DAY
    monkeypatch.setenv("GRID_HISTORY_START", str(start))
    replay.control.fault({"name": "500"})
    newest, older = tick().run_requests
    assert asked(newest)[:2] == (str(today - DAY), str(today))
    assert asked(older)[:2] == (str(start), str(today - 2 * DAY))
    assert not run(newest).success
    assert not run(older).success
    [again] = tick().run_requests  # nothing older while the newest days cannot be fetched
    assert asked(again) == asked(newest)
    assert tables.counts() == dict.fromkeys(DATA, 0)

    replay.control.heal()
    now = datetime.now(UTC)
    ranges = telemetry_due.plan_cycle(now.date(), telemetry_due.days_due(connection, start, now))
    assert ranges == [
        telemetry_due.Range(today - DAY, today),
        telemetry_due.Range(start, today - 2 * DAY),
    ]
    for days in ranges:
        assert materialise(days.first, days.last).success

    over = half_hours(start, today - DAY)
    found = tables.by_period("core.intensity")
    assert {p: found[p] for p in over[:-1]} == {
        p: v for p, v in recorded.intensity(start, today - DAY).items() if p != over[-1]
    }
    assert tables.by_period("raw.generation").keys() >= set(over[:-1])
    now = datetime.now(UTC)
    assert telemetry_due.days_due(connection, start, now) == []


def test_old_days_that_cannot_be_read_do_not_hold_up_what_is_new(
    replay: ReplayServer,
    materialise: Materialise,
    tables: Tables,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = today - 4 * DAY
    monkeypatch.setenv("GRID_HISTORY_START", str(start))
    replay.control.fault({"name": "500", "path": f"/intensity/{start}"})
    newest, older = tick().run_requests
    assert not run(older).success
    assert run(newest).success
    assert set(half_hours(today - DAY, today - DAY)) <= tables.by_period("core.intensity").keys()


# The sensor.


@pytest.fixture
def asks(warehouse: SecretStr, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> Asks:
    """Evaluates the sensor now, with the runs of `instance`."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "0")
    sensor = defs.get_repository_def().get_sensor_def("new_telemetry")

    def asks(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
        with dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            resources={"services": Services()},
            repository_def=defs.get_repository_def(),
        ) as context:
            return sensor.evaluate_tick(context)

    return asks


def test_a_connection_that_was_lost_while_idle_is_replaced_before_a_step(
    warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    with Services().open() as services:
        lost = services.connection
        with psycopg.connect(warehouse.get_secret_value()) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [lost.info.backend_pid])
        services.check_connection()
        assert services.connection is not lost
        assert services.connection.execute("SELECT 1").fetchone() == (1,)


def test_evaluations_share_one_connection_and_replace_it_when_the_server_has_closed_it(
    asks: Asks, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[psycopg.Connection[Any]] = []

    def connect(*arguments: Any, **options: Any) -> psycopg.Connection[Any]:
        opened.append(psycopg.Connection.connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(psycopg, "connect", connect)
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            asks(instance)
        [kept] = opened
        assert kept.info.transaction_status is TransactionStatus.IDLE
        # `rows` connects as well
        rows("SELECT pg_terminate_backend(%s, 5000)", kept.info.backend_pid)
        del opened[1:]
        assert asks(instance).skip_message == "Every forecast and every score is up to date."
        asks(instance)
    assert len(opened) == 2
    assert kept.closed


def test_an_evaluation_that_fails_keeps_no_broken_connection(asks: Asks, rows: Rows) -> None:
    rows("ALTER TABLE core.intensity RENAME TO away")
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(Exception, match=r"core\.intensity"):
            asks(instance)
        rows("ALTER TABLE core.away RENAME TO intensity")
        assert asks(instance).skip_message == "Every forecast and every score is up to date."


def test_the_tables_are_looked_at_only_when_something_was_written_or_a_minute_has_passed(
    asks: Asks, rows: Rows, connection: Connection, today: date
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        idle = asks(instance).cursor
        again = asks(instance, idle)
        assert again.skip_message == "Nothing was written since the last look."
        assert asks(instance, idle).cursor == idle
        looked = automation.Looked.from_cursor(idle)
        for away in (-1, automation.LOOK_EVERY.total_seconds() + 60):  # or the clock was set back
            over = str(replace(looked, until=datetime.now(UTC).timestamp() + away))
            found = asks(instance, over)
            assert found.skip_message == "Every forecast and every score is up to date."

        rows("INSERT INTO raw.intensity VALUES (%s, now(), 90, 100)", half_hours(today - DAY)[0])
        # the server counts what was written a moment after the commit
        wait_until(
            lambda: automation.rows_written(connection) != looked.written, 30, "a count of the row"
        )
        [request] = asks(instance, idle).run_requests
        assert set(request.asset_selection) >= {asset.key for asset in CORE}


def test_a_server_without_statistics_is_looked_at_each_time(
    asks: Asks, rows: Rows, warehouse: SecretStr
) -> None:
    rows(f"ALTER DATABASE {urlsplit(warehouse.get_secret_value()).path[1:]} SET track_counts = off")
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            found = asks(instance, asks(instance).cursor)
            assert found.skip_message == "Every forecast and every score is up to date."


def fill_core(rows: Rows, *starts: datetime) -> None:
    """Half-hours that another program wrote into core."""
    for start in starts:
        rows("INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, 100)", start)
        rows("INSERT INTO core.generation_mix (period_start, wind_pct) VALUES (%s, 100)", start)


def note_issue(rows: Rows, issued_at: datetime, known_to: datetime) -> None:
    """The configured model's issue that has used core up to `known_to`."""
    rows(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, intensity_to, "
        "mix_to, context_missing, context_assumed, known_by) "
        "VALUES (%s, %s, now(), '1', %s, %s, 0, 0, 'capture')",
        *(configured_name(None), issued_at, known_to, known_to),
    )


def test_the_sensor_is_on_by_default_and_looks_every_5_seconds() -> None:
    sensor = defs.get_repository_def().get_sensor_def("new_telemetry")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    # the daemon looks for sensors every 5 seconds
    assert sensor.minimum_interval_seconds == 4
    assert sensor.job_name == "telemetry"


def test_an_empty_warehouse_asks_for_nothing_and_is_asked_once(
    asks: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []

    def state(*arguments: Any) -> due.State:
        answers.append(real(*arguments))
        return answers[-1]

    real = due.state
    monkeypatch.setattr(due, "state", state)
    with dg.instance_for_test() as instance:
        result = asks(instance)
    assert result.run_requests == []
    assert result.skip_message == "Every forecast and every score is up to date."
    assert answers == ["up_to_date"]


def test_telemetry_that_no_forecast_has_used_asks_for_one_run_until_it_is_used(
    asks: Asks, rows: Rows, today: date
) -> None:
    now = floor(datetime.now(UTC))
    fill_core(rows, now - HALF_HOUR, now - 2 * HALF_HOUR)
    job = defs.resolve_job_def("telemetry")
    with dg.instance_for_test() as instance:
        [request] = asks(instance).run_requests
        assert asked(request) == (str(today - DAY), str(today), "sensor")
        assert set(request.asset_selection) == {asset.key for asset in (*FORECASTS, *ALERTS)}
        assert request.run_key is None  # Dagster would never try it again after a failure

        # A burst of events while it is on its way leads to no second one.
        on_its_way = instance.create_run_for_job(
            job,
            status=dg.DagsterRunStatus.STARTED,
            tags=request.tags,
            asset_selection=frozenset(request.asset_selection),
        )
        fill_core(rows, now - 3 * HALF_HOUR)
        result = asks(instance)
        assert result.run_requests == []
        assert "A run is in progress" in result.skip_message

        # Killed before it forecast anything, it is asked for again.
        instance.report_run_canceled(on_its_way)
        assert len(asks(instance).run_requests) == 1

        note_issue(rows, now + HALF_HOUR, known_to=now)
        assert asks(instance).run_requests == []


def test_a_long_history_that_loads_does_not_hold_up_the_forecast(
    asks: Asks, rows: Rows, day: date
) -> None:
    fill_core(rows, floor(datetime.now(UTC)) - HALF_HOUR)
    job = defs.resolve_job_def("telemetry")
    with dg.instance_for_test() as instance:
        instance.create_run_for_job(
            job,
            status=dg.DagsterRunStatus.STARTED,
            tags=range_tags(day - 30 * DAY, day, "backfill"),
            asset_selection=frozenset(asset.key for asset in HISTORY),
        )
        assert len(asks(instance).run_requests) == 1


def add_attempt(
    rows: Rows, asset: str, day: date, started_at: datetime, status: str, error: str | None
) -> None:
    """One ended attempt at a day."""
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "VALUES ('1', %s, 1, 'sensor', %s, %s, %s, now(), %s, %s, 'host', 1, now())",
        *(asset, day, day, started_at, status, error),
    )


def test_a_forecast_that_failed_is_tried_again_after_a_pause(
    asks: Asks, rows: Rows, today: date
) -> None:
    fill_core(rows, floor(datetime.now(UTC)) - HALF_HOUR)
    with dg.instance_for_test() as instance:
        everything = [asset.key for asset in (*FORECASTS, *ALERTS)]
        page = [asset.key for asset in FORECASTS[-2:]]  # the files show the failure meanwhile
        for ago, wanted in (
            (due.PAUSE - timedelta(minutes=1), page),
            (due.PAUSE + HALF_HOUR / 30, everything),
        ):
            rows("DELETE FROM ops.etl_runs")
            failed_at = datetime.now(UTC) - ago
            add_attempt(rows, "forecast.predictions", today, failed_at, "failed", "Error")
            [request] = asks(instance).run_requests
            assert request.asset_selection == wanted
            if wanted == page:
                add_attempt(rows, "files.dashboard", today, datetime.now(UTC), "success", None)
                assert asks(instance).skip_message == (
                    "A forecast failed in the last 5 minutes. After that it is tried again."
                )


def test_while_a_check_stops_the_newest_telemetry_the_sensor_says_so(
    asks: Asks, rows: Rows, today: date
) -> None:
    fill_core(rows, floor(datetime.now(UTC)) - HALF_HOUR)
    now = datetime.now(UTC)
    add_attempt(rows, "core.intensity", today, now, "failed", "BlockingCheckFailed")
    add_attempt(rows, "files.dashboard", today, now, "success", None)
    with dg.instance_for_test() as instance:
        assert asks(instance).skip_message == (
            "A check has stopped the newest telemetry, so nothing is forecast until it passes."
        )


def test_rows_that_another_program_writes_into_raw_are_checked_before_they_are_forecast_from(
    asks: Asks, rows: Rows, day: date
) -> None:
    fill_core(rows, floor(datetime.now(UTC)) - HALF_HOUR)
    for start in half_hours(day)[:2]:
        rows("INSERT INTO raw.intensity VALUES (%s, now(), 90, 100)", start)
    with dg.instance_for_test() as instance:
        [request] = asks(instance).run_requests
        assert asked(request) == (str(day), str(day), "sensor")
        assert set(request.asset_selection) == {asset.key for asset in CORE}
        assert run(request).success
        assert rows(
            "SELECT count(*) FROM core.intensity WHERE period_start >= %s AND period_start < %s",
            *(half_hours(day)[0], half_hours(day)[2]),
        ) == [(2,)]
        [request] = asks(instance).run_requests
        assert set(request.asset_selection) == {asset.key for asset in (*FORECASTS, *ALERTS)}


def test_all_of_history_is_looked_at_every_few_minutes_and_the_last_week_each_time(
    asks: Asks, rows: Rows, today: date
) -> None:
    old = today - 60 * DAY
    with dg.instance_for_test() as instance:
        # whatever was written or not
        looked = replace(automation.Looked.from_cursor(asks(instance).cursor), written=None)
        rows("INSERT INTO raw.intensity VALUES (%s, now(), 90, 100)", half_hours(old)[0])
        assert asks(instance, str(looked)).run_requests == []
        before = looked.full - automation.FULL_SCAN_EVERY.total_seconds()
        [request] = asks(instance, str(replace(looked, full=before))).run_requests
        assert asked(request) == (str(old), str(old), "sensor")
        # A clock that was set back does not put it off for longer.
        ahead = replace(looked, full=looked.full + 3600)
        assert len(asks(instance, str(ahead)).run_requests) == 1


def test_a_look_at_all_of_history_that_finds_work_is_not_repeated_and_what_it_found_is_not_lost(
    asks: Asks, rows: Rows, today: date
) -> None:
    old = [today - ago * DAY for ago in (90, 60)]
    for day in old:
        rows("INSERT INTO raw.intensity VALUES (%s, now(), 90, 100)", half_hours(day)[0])
    with dg.instance_for_test() as instance:
        found = asks(instance, "1795680000.25")  # the cursor of an earlier version
        first = automation.Looked.from_cursor(found.cursor)
        assert first.full == pytest.approx(datetime.now(UTC).timestamp(), abs=60)
        assert first.first == str(old[0])
        for expected in old:
            [request] = found.run_requests
            assert asked(request)[:2] == (str(expected), str(expected))
            assert run(request).success
            found = asks(instance, found.cursor)
            left = automation.Looked.from_cursor(found.cursor)
            assert left.full == first.full  # what is left is found without another full look
        assert left.first is None


@pytest.mark.parametrize("ago", [3, 60])
def test_publications_that_core_lacks_are_published_unless_their_sources_are_off(
    ago: int,
    asks: Asks,
    rows: Rows,
    replay: ReplayServer,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = today - ago * DAY
    rows(
        "INSERT INTO raw.outlook_publications VALUES ('elexon_ndf', 'demand_mw', %s, %s, %s, 30, "
        "true, '{25000,26000}')",
        *half_hours(day)[:3],
    )
    with dg.instance_for_test() as instance:
        assert asks(instance).run_requests == []
        for name, url in source_urls(replay.url).items():
            monkeypatch.setenv(f"GRID_{name.upper()}", url)
        [request] = asks(instance).run_requests
        assert asked(request) == (str(day), str(day), "sensor")
        assert set(request.asset_selection) == {asset.key for asset in OUTLOOK_CORE}
        assert run(request).success
        assert rows("SELECT count(*) FROM core.outlook") == [(1,)]
        assert not {asset.key for asset in OUTLOOK_CORE} & {
            key for found in asks(instance).run_requests for key in found.asset_selection
        }


def test_past_days_without_forecasts_are_back_tested_when_nothing_newer_is_due(
    asks: Asks, rows: Rows, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = floor(datetime.now(UTC))
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "4")
    for ago in (6, 4, 3, 1):
        fill_core(rows, half_hours(today - ago * DAY)[0])
    fill_core(rows, now)
    note_issue(rows, now + HALF_HOUR, known_to=now + HALF_HOUR)
    with dg.instance_for_test() as instance:
        # One at a time; oldest first, as a band is recalibrated from the errors before it.
        [request] = asks(instance).run_requests
        assert asked(request) == (str(today - 4 * DAY), str(today - 3 * DAY), BACKTEST)
        assert set(request.asset_selection) == {asset.key for asset in FORECASTS}
        for ago in (4, 3):
            note_issue(rows, half_hours(today - ago * DAY)[0], known_to=now)
        [request] = asks(instance).run_requests
        # with what has passed of today
        assert asked(request) == (str(today - DAY), str(today), BACKTEST)
        note_issue(rows, half_hours(today - DAY)[0], known_to=now)
        assert asks(instance).run_requests == []


# Runs that die, and runs that meet.


def record(url: SecretStr, run_id: str) -> AbstractContextManager[object]:
    """An attempt of this process that is under way in the block."""
    day = date(2026, 1, 1)
    return run_log.attempt(
        url, run_id=run_id, asset="raw.intensity", trigger="tick", first_day=day, last_day=day
    )


def test_a_run_whose_process_was_killed_is_closed_and_a_living_one_is_not(
    materialise: Materialise,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dead_runs, "SILENT_RUN", timedelta(0))  # all runs are old enough
    job = defs.resolve_job_def("telemetry")
    with dg.instance_for_test() as instance:
        killed, living, unheard_of = (
            instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
            for _ in range(3)
        )
        with record(warehouse, killed), record(warehouse, living):
            rows("UPDATE ops.etl_runs SET pid = %s WHERE run_id = %s", 2**22 + 1, killed)
            dead_runs.fail_dead_runs(instance, connection)

        states = {run.run_id: run.status for run in instance.get_runs()}
    assert states == {
        killed: dg.DagsterRunStatus.FAILURE,
        living: dg.DagsterRunStatus.STARTED,
        unheard_of: dg.DagsterRunStatus.FAILURE,
    }


@pytest.mark.parametrize("trigger", ["tick", "launched"])
def test_a_run_killed_before_its_first_row_is_closed_at_once(
    trigger: str,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
    tmp_path: Path,
    replay: ReplayServer,
    day: date,
) -> None:
    url = f"{warehouse.get_secret_value()}?options=-csearch_path%3Ddagster"
    (tmp_path / "dagster.yaml").write_text(dagster_yaml(Settings()))
    settings = {
        **environment(warehouse, replay, tmp_path),
        "DAGSTER_HOME": str(tmp_path),
        "GRID_DAGSTER_STORAGE_URL": url,
    }
    with (
        psycopg.connect(warehouse.get_secret_value()) as gate,
        pytest.MonkeyPatch.context() as patch,
    ):
        # no process can write its first row, nor read whether others have died
        gate.execute("LOCK TABLE ops.etl_runs IN ACCESS EXCLUSIVE MODE")
        process = one_run.start_recorded(settings, day, with_tag=trigger == "tick")
        wait_until(
            lambda: rows(
                "SELECT pid FROM pg_stat_activity WHERE wait_event = 'relation' "
                "AND datname = current_database()"
            ),
            60,
            "a run that waits to write its first row",
        )
        patch.setenv("GRID_DAGSTER_STORAGE_URL", url)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            [before] = instance.get_runs()
            process.kill()
            process.join()
            gate.rollback()
            assert rows("SELECT * FROM ops.etl_runs") == []

            dead_runs.fail_dead_runs(instance, connection)

            after = instance.get_run_by_id(before.run_id)
    assert before.status is dg.DagsterRunStatus.STARTED
    assert after is not None
    assert after.status is dg.DagsterRunStatus.FAILURE


def test_a_run_that_carries_the_tag_of_another_run_is_not_taken_for_a_dead_one(
    warehouse: SecretStr, connection: Connection
) -> None:
    job = defs.resolve_job_def("telemetry")
    dead = f"1@0.5@{this_process().split('@', 2)[2]}"  # process 1 was created at another time
    with dg.instance_for_test() as instance:
        statuses = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED)
        # Dagster copies the tags of a run that is executed again.
        copied = [
            instance.create_run_for_job(job, status=status, tags={PROCESS_TAG: f"other {dead}"})
            for status in statuses
        ]
        own = [instance.create_run_for_job(job, status=status) for status in statuses]
        for one in own:
            instance.add_run_tags(one.run_id, {PROCESS_TAG: f"{one.run_id} {dead}"})
        here = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        instance.add_run_tags(here.run_id, process_tag(here.run_id))

        dead_runs.fail_dead_runs(instance, connection)

        failed = {run.run_id for run in instance.get_runs() if run.is_finished}
    assert failed == {run.run_id for run in own}
    assert failed.isdisjoint(run.run_id for run in (*copied, here))


def environment(url: SecretStr, replay: ReplayServer, folder: Path) -> dict[str, str]:
    return {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": replay.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "TMPDIR": str(folder),
    }


def assert_as_in_a_clean_run(tables: Tables, recorded: Recorded, first: date, last: date) -> None:
    """`raw` and `core` hold what one clean run leaves: each recorded half-hour once, exactly."""
    values = tables.values()
    assert set(map(len, values.values())) == {len(half_hours(first, last))}
    assert tables.by_period("raw.intensity") == recorded.intensity(first, last)
    assert tables.by_period("core.intensity") == recorded.intensity(first, last)
    assert tables.by_period("raw.generation") == recorded.shares(first, last)
    assert tables.rows("SELECT DISTINCT total_pct FROM reporting.telemetry") == tables.rows(
        "SELECT 100.0"
    )


@pytest.fixture
def clean(
    materialise: Materialise,
    new_database: Callable[..., SecretStr],
    template: str,
    warehouse: SecretStr,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, list[tuple[Any, ...]]]:
    """The results of an undisturbed run over the same days in another warehouse."""
    other = new_database(template)
    with monkeypatch.context() as patch:
        patch.setenv("GRID_DATABASE_URL", other.get_secret_value())
        assert materialise(day - 4 * DAY, day).success

    def query(text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(other.get_secret_value()) as connection:
            return connection.execute(text.encode()).fetchall()

    return Tables(query).values()


def test_a_run_killed_at_any_moment_loses_and_doubles_nothing(
    materialise: Materialise,
    clean: dict[str, list[tuple[Any, ...]]],
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    day: date,
    tmp_path: Path,
) -> None:
    first, chance = day - 4 * DAY, random.Random(20261122)
    settings = environment(warehouse, replay, tmp_path)
    # One kill is sure to hit a capture; the others come at random moments of each asset.
    replay.control.fault({"name": "hang", "path": "/intensity"})
    kill(settings, first, day, tables, while_running="raw.intensity")
    replay.control.heal()
    for asset in (*chance.sample(DATA, 4), *chance.sample(DATA, 2)):
        kill(settings, first, day, tables, while_running=asset, after_s=chance.uniform(0, 0.08))
    crashed = [a for a in tables.attempts() if a.status in ("running", "crashed")]
    assert crashed

    assert materialise(first, day).success

    assert tables.values() == clean
    assert_as_in_a_clean_run(tables, recorded, first, day)
    statuses = {a.status for a in tables.attempts()}
    assert statuses == {"success", "crashed"}
    for a in tables.attempts():
        if a.status == "crashed":
            assert a.error_type == "ProcessDied"
    assert tables.rows(
        "SELECT count(*) FROM ops.etl_runs WHERE (finished_at IS NULL) OR "
        "(status = 'crashed') <> (execution_time_ms IS NULL)"
    ) == [(0,)]


def kill(
    settings: dict[str, str],
    first: date,
    last: date,
    tables: Tables,
    *,
    while_running: str,
    after_s: float = 0,
) -> None:
    """Start a run, and kill it some time after it began an asset."""
    known = len(tables.attempts())
    process = one_run.start(settings, first, last)
    deadline = time.monotonic() + 60
    while not any(a.asset == while_running for a in tables.attempts()[known:]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.join(after_s)
    process.kill()
    process.join()


def test_two_processes_that_load_the_same_days_at_once_leave_what_one_leaves(
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    warehouse: SecretStr,
    day: date,
    tmp_path: Path,
) -> None:
    settings, url = environment(warehouse, replay, tmp_path), warehouse.get_secret_value()
    with psycopg.connect(url) as gate, psycopg.connect(url, autocommit=True) as watcher:
        lock_relation(gate, "raw.generation")
        processes = [one_run.start(settings, day - 4 * DAY, day) for _ in range(2)]
        # Both have their answer and wait to write it: the second must see what the first wrote.
        deadline = time.monotonic() + 60
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
        while len(watcher.execute(waiting, [gate.info.dbname]).fetchall()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert_as_in_a_clean_run(tables, recorded, day - 4 * DAY, day)
    attempts = tables.attempts()
    assert [a.status for a in attempts] == ["success"] * 8
    for asset in DATA:
        assert sorted(a.written for a in attempts if a.asset == asset) in ([0, 240], [240, 240])
    assert sum(a.written for a in attempts if a.asset.startswith("raw.")) == 480

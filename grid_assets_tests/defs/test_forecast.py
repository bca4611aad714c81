"""Forecasts through Dagster: the results of a run, when one starts, and that none knows the future.

Telemetry is from the recording; the model is a real Chronos-2 with few, random weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.cli.runs import run_cycle
from grid_assets.definitions import defs
from grid_assets.defs import storage
from grid_assets.defs.assets import raw
from grid_assets.defs.automation import Looked
from grid_assets.defs.partitions import BACKTEST, TRIGGER_TAG, range_tags
from grid_assets.defs.planning import ALERTS, CORE, FORECASTS, HISTORY
from grid_assets.defs.resources import Services
from grid_assets.forecasting import bands, issuing
from grid_assets.forecasting.issue_times import current_issue_time
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR, Window, day_start, floor
from grid_assets.replay.server import ReplayServer
from grid_assets_tests import shared_warehouse
from grid_assets_tests.defs.conftest import Tables, evaluations, examples, failed_checks
from grid_assets_tests.forecasting import conftest as tiny
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.learning import worlds

one_warehouse = shared_warehouse.one_warehouse
chronos2_folder = tiny.chronos2_folder
nothing_remembered = tiny.nothing_remembered

Rows = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., dg.ExecuteInProcessResult]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
QUIET_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
BLEND, BOOSTED, NAIVE = "blend", "gradient_boosting", "seasonal_naive"
CHRONOS = "chronos:tiny-2"
MODELS = BLEND, CHRONOS, BOOSTED, NAIVE
KEYS = [asset.key for asset in (*FORECASTS, *ALERTS)]
BACKTESTED = {asset.key for asset in FORECASTS}
FILES = [dg.AssetKey(["files", "feeds"]), dg.AssetKey(["files", "dashboard"])]


def execute(
    assets: list[dg.AssetKey], tags: dict[str, str], instance: dg.DagsterInstance | None = None
) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def("telemetry").execute_in_process(
        instance=instance,
        tags=tags,
        asset_selection=assets,
        raise_on_error=False,
        run_config=QUIET_RUN_CONFIG,
    )


@pytest.fixture(scope="module")
def recorded_days(one_warehouse: SecretStr, replay_server: ReplayServer) -> str:
    """The name of a database with recorded telemetry, the last 13 days and today."""
    today = datetime.now(UTC).date()
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("GRID_DATABASE_URL", one_warehouse.get_secret_value())
        patch.setenv("GRID_API_URL", replay_server.url)
        days = range_tags(today - 13 * DAY, today, "backfill")
        assert execute([asset.key for asset in HISTORY], days, instance).success
    return urlsplit(one_warehouse.get_secret_value()).path[1:]


@pytest.fixture
def empty_or_recorded(request: pytest.FixtureRequest) -> str:
    """The template of a test's warehouse: recorded days, or nothing if it is marked `empty`."""
    wanted = getattr(request, "param", "recorded_days")
    template: str = request.getfixturevalue(wanted)
    return template


@pytest.fixture
def warehouse(
    empty_or_recorded: str,
    new_database: Callable[[str | None], SecretStr],
    chronos2_folder: Path,
    kept_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> SecretStr:
    """The test's own warehouse, which runs in this process use."""
    url = new_database(empty_or_recorded)
    monkeypatch.setenv("GRID_DATABASE_URL", url.get_secret_value())
    monkeypatch.setenv("GRID_HOME", str(kept_home))
    monkeypatch.setenv("GRID_CHRONOS_MODEL", str(chronos2_folder))
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "6")
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "0")
    return url


empty = pytest.mark.parametrize("empty_or_recorded", ["template"], indirect=True)


@pytest.fixture
def forecast(warehouse: SecretStr) -> Iterator[Run]:
    """Runs the assets of `forecast`, or others, over a range of UTC days."""
    with dg.DagsterInstance.ephemeral() as instance:

        def run(
            first: date,
            last: date | None = None,
            trigger: str = BACKTEST,
            assets: list[dg.AssetKey] = KEYS,
        ) -> dg.ExecuteInProcessResult:
            return execute(assets, range_tags(first, last or first, trigger), instance)

        yield run


def answer(result: dg.ExecuteInProcessResult, relation: str) -> dict[str, Any]:
    """The metadata that a run left on an asset."""
    [materialized] = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(relation.split("."))
        and event.partition == result.dagster_run.tags["dagster/asset_partition_range_end"]
    ]
    return {name: value.value for name, value in materialized.metadata.items()}


def predictions(rows: Rows, more: str = "") -> list[tuple[Any, ...]]:
    return rows(
        "SELECT model, series, issued_at, period_start, p10, p50, p90 "  # noqa: S608
        f"FROM forecast.predictions WHERE true {more} ORDER BY 1, 2, 3, 4"
    )


# A past day.


def test_a_stride_that_does_not_divide_a_day_gives_a_day_the_same_issues_in_every_run(
    forecast: Run, rows: Rows, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "10")
    issued = "SELECT DISTINCT issued_at FROM forecast.issues ORDER BY 1"
    assert forecast(day - DAY, day).success
    together = rows(issued)
    assert len(together) >= 4
    for alone in (day - DAY, day):
        assert forecast(alone).success
        assert rows(issued) == together


def test_a_past_day_is_back_tested_at_the_stride_and_scored(
    forecast: Run, rows: Rows, tables: Tables, day: date
) -> None:
    result = forecast(day)

    assert result.success
    assert rows(
        "SELECT model, issued_at, count(*) FROM forecast.predictions GROUP BY 1, 2 ORDER BY 1, 2"
    ) == [(model, day_start(day) + n * 6 * HOUR, 960) for model in MODELS for n in range(4)]
    left = answer(result, "forecast.predictions")
    found = (left["run_issues"], left["run_rows_changed"], left["model"])
    assert found == (4, 4 * 4 * 960, CHRONOS)
    assert left["data"] == "RECORDED data (replay), not live"
    assert left["dagster/partition_row_count"] == 4 * 4 * 960
    assert left["half_day_ahead"].startswith("![Carbon intensity as forecast at least 12 hours")
    assert "data:image/png;base64,iVBOR" in left["half_day_ahead"]
    assert "fan_chart" not in left  # one picture of the whole, not one an issue

    scored = answer(result, "forecast.accuracy")
    assert "data:image/png;base64,iVBOR" in scored["error_by_lead"]
    assert scored["run_forecasts_compared"] > 0
    assert rows(
        "SELECT model, min(target_date), max(target_date), count(DISTINCT series), "
        "count(DISTINCT lead_bucket) FROM reporting.forecast_accuracy GROUP BY 1 ORDER BY 1"
    ) == [(model, day, day + 2 * DAY, 10, 5) for model in MODELS]
    assert rows(
        "SELECT model, target_date, wait_hours, n FROM reporting.forecast_value ORDER BY 1, 3"
    ) == [(model, day, hours, 4) for model in MODELS for hours in (12, 24)]
    assert {(a.asset, a.status, a.trigger) for a in tables.attempts()[-4:]} == {
        ("forecast.predictions", "success", BACKTEST),
        ("forecast.accuracy", "success", BACKTEST),
        ("files.feeds", "success", BACKTEST),
        ("files.dashboard", "success", BACKTEST),
    }
    blocking = {"quantiles_ordered", "shares_sum_to_100", "horizon_complete"}
    judged = evaluations(result, *blocking)
    assert {name for _, name in judged} == blocking
    assert all(found.passed for found in judged.values())


def test_every_run_forecasts_by_the_trees_that_were_promoted(
    forecast: Run,
    warehouse: SecretStr,
    rows: Rows,
    day: date,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worlds.build(tmp_path / "trees")
    revision = worlds.put_in_use(warehouse, tmp_path / "trees")
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "home"))
    assert forecast(day, assets=KEYS[:1]).success
    assert rows(
        "SELECT DISTINCT m.source, i.revision, i.fallback_reason FROM forecast.issues AS i "
        "JOIN forecast.models AS m USING (model, revision) WHERE i.model = %s",
        BOOSTED,
    ) == [("warehouse", revision, None)]


def test_a_back_test_again_changes_nothing(forecast: Run, rows: Rows, day: date) -> None:
    assert forecast(day).success
    before = rows("SELECT * FROM forecast.predictions ORDER BY 1, 2, 3, 4")
    again = forecast(day)
    assert answer(again, "forecast.predictions")["run_rows_changed"] == 0
    assert answer(again, "forecast.accuracy")["run_rows_changed"] == 0
    assert rows("SELECT * FROM forecast.predictions ORDER BY 1, 2, 3, 4") == before


# A cycle.


def test_a_cycle_adds_the_issue_of_the_next_half_hour_with_a_fan_chart(
    forecast: Run, rows: Rows, today: date
) -> None:
    result = forecast(today - DAY, today, "sensor")
    at = current_issue_time(datetime.now(UTC))
    assert result.success
    left = answer(result, "forecast.predictions")
    assert (left["run_issues"], left["model"]) == (1, CHRONOS)
    assert f"issued {at:%Y-%m-%d %H:%M} UTC" in left["fan_chart"]
    assert "data:image/png;base64,iVBOR" in left["fan_chart"]
    assert rows(
        "SELECT count(*), count(*) FILTER (WHERE p10 <= p50 AND p50 <= p90) "
        "FROM reporting.forecast_latest WHERE model = %s AND issued_at = %s",
        *(CHRONOS, at),
    ) == [(960, 960)]

    again = forecast(today - DAY, today, "tick")
    left = answer(again, "forecast.predictions")
    assert (left["run_issues"], left["run_rows_changed"]) == (0, 0)


def test_a_machine_whose_clock_is_ahead_forecasts_from_now_by_the_clock_of_the_database(
    forecast: Run, rows: Rows, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, an issue that is later than now would not become the newest forecast."""
    ahead = 2 * HALF_HOUR
    monkeypatch.setattr(Services, "now", lambda self: datetime.now(UTC) + ahead)
    before = current_issue_time(datetime.now(UTC))
    assert forecast(today - DAY, today, "sensor").success
    after = current_issue_time(datetime.now(UTC))
    newest = "SELECT DISTINCT issued_at FROM {} WHERE model = %s"
    [(issued_at,)] = rows(newest.format("forecast.latest"), CHRONOS)
    assert issued_at in (before, after)
    assert rows(newest.format("forecast.issues"), CHRONOS) == [(issued_at,)]


EVERYTHING = [*(asset.key for asset in HISTORY), raw.neso_forecast.key, *KEYS]


@pytest.fixture
def stored(warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster with the product's storage, in the test's warehouse."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    url = f"{warehouse.get_secret_value()}?options=-csearch_path%3Ddagster"
    custom = {
        "module": "grid_assets.defs.storage",
        "class": "Storage",
        "config": {"postgres_url": url},
    }
    with dg.instance_for_test(overrides={"storage": {"custom": custom}}) as instance:
        yield instance
    storage.engine(url).dispose()


def newest(instance: dg.DagsterInstance, relation: str) -> tuple[str, dict[str, Any]]:
    """The run and the metadata of the newest materialisation of an asset, as its page shows it."""
    event = instance.get_latest_materialization_event(dg.AssetKey(relation.split(".")))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    return event.run_id, {name: value.value for name, value in metadata.items()}


def test_cycles_without_news_leave_the_pictures_and_record_their_attempts_and_checks(
    stored: dg.DagsterInstance,
    replay: ReplayServer,
    rows: Rows,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_API_URL", replay.url)
    days = range_tags(today - DAY, today, "schedule")
    past = range_tags(today - 2 * DAY, today - DAY, BACKTEST)
    assert execute(KEYS[:2], past, stored).success  # for something to score
    news = execute(EVERYTHING, days, stored)
    assert news.success
    shown = ("raw.intensity", "core.intensity", "forecast.predictions", "forecast.accuracy")
    before = {relation: newest(stored, relation) for relation in shown}
    assert {run_id for run_id, _ in before.values()} == {news.run_id}
    assert "fan_chart" in before["forecast.predictions"][1]
    assert "error_by_lead" in before["forecast.accuracy"][1]

    checks = "SELECT count(*) FROM dagster.asset_check_executions WHERE run_id = %s"
    judged = sum(key.asset_key in EVERYTHING for key in defs.resolve_asset_graph().asset_check_keys)
    assert rows(checks, news.run_id) == [(judged,)]

    again = execute(EVERYTHING, days, stored)

    assert again.success
    assert {relation: newest(stored, relation) for relation in shown} == before
    assert rows(checks, again.run_id) == [(judged,)]  # freshness is judged without news, too
    assert rows(
        "SELECT count(DISTINCT asset) FROM ops.etl_runs WHERE run_id = %s", again.run_id
    ) == [(9,)]
    # Of two days that are new to Dagster; `make bench` measures a cycle of operation.
    [(events, in_bytes)] = rows(
        "SELECT count(*), sum(length(event)) FROM dagster.event_logs WHERE run_id = %s",
        news.run_id,
    )
    assert events <= 60
    assert in_bytes <= 80_000
    # A warning about versions of data that Dagster expected is none of a user's business.
    assert rows("SELECT event FROM dagster.event_logs WHERE dagster_event_type IS NULL") == []


def test_a_day_that_dagster_does_not_know_is_materialised_although_nothing_changed(
    stored: dg.DagsterInstance, replay: ReplayServer, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_API_URL", replay.url)
    core = [asset.key for asset in CORE[:2]]
    both = range_tags(today - DAY, today, "schedule")
    assert execute(core, both, stored).success
    shown = {str(today - DAY), str(today)}
    for key in core:
        assert stored.get_materialized_partitions(key) == shown
    by_hand = execute(core, range_tags(today - DAY, today - DAY, "manual"), stored)
    assert newest(stored, "core.intensity")[0] == by_hand.run_id


def test_a_failed_blocking_check_in_core_leads_to_no_forecast(
    forecast: Run, rows: Rows, today: date
) -> None:
    rows(
        "INSERT INTO raw.intensity SELECT period_start, clock_timestamp(), forecast_gco2_kwh, NULL "
        "FROM core.intensity WHERE period_start >= %s",
        day_start(today - DAY),
    )
    assets = [*(asset.key for asset in CORE), *KEYS]
    result = forecast(today - DAY, today, "sensor", assets)
    assert not result.success
    assert ("core.intensity", "actuals_kept", "ERROR") in failed_checks(result)
    assert predictions(rows) == []
    assert rows("SELECT DISTINCT asset FROM ops.etl_runs WHERE asset LIKE 'forecast.%'") == []
    # nor is one asked for while that is so: only the page that shows the failure
    [wanted] = look().run_requests
    assert wanted.asset_selection == FILES

    rows("DELETE FROM raw.intensity WHERE actual_gco2_kwh IS NULL")
    assert forecast(today - DAY, today, "sensor", assets).success
    assert len(predictions(rows)) == 4 * 960


def test_a_broken_rule_of_our_own_publishes_nothing_and_leaves_earlier_forecasts(
    forecast: Run, rows: Rows, tables: Tables, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forecast(day - DAY).success
    before = predictions(rows)
    exact = bands.sum_to_whole
    monkeypatch.setattr(bands, "sum_to_whole", lambda shares: exact(shares) * 9 // 10)

    result = forecast(day - DAY, day)

    assert not result.success
    assert predictions(rows) == before
    found = evaluations(result)["forecast.predictions", "shares_sum_to_100"]
    assert (found.passed, found.severity.value) == (False, "ERROR")
    assert "of 9 fuels" in examples(found)[0]
    failed = next(a for a in tables.attempts() if a.status == "failed")
    assert (failed.asset, failed.error_type) == ("forecast.predictions", "BlockingCheckFailed")
    assert "Earlier forecasts are unchanged." in (failed.error_message or "")


# Contexts of another kind.


@empty
def test_a_constant_context_is_forecast_as_any_other(
    forecast: Run, warehouse: SecretStr, rows: Rows, day: date
) -> None:
    times = issues.half_hours(day_start(day) - 8 * DAY, day_start(day) + DAY)
    shares = [0, 0, 0, 100, 0, 0, 0, 0, 0]
    issues.put_intensity(warehouse, ((at, datetime.now(UTC), 200) for at in times))
    issues.put_mix(warehouse, ((at, datetime.now(UTC), shares) for at in times))
    issues.publish(warehouse, Window(times[0], times[-1] + HALF_HOUR), datetime.now(UTC))

    result = forecast(day)

    assert result.success
    assert answer(result, "forecast.predictions")["run_issues"] == 4
    assert rows(
        "SELECT series, min(p10), max(p90) FROM forecast.predictions "
        "WHERE model = 'seasonal_naive' GROUP BY 1 HAVING max(p90) > 0 ORDER BY 1"
    ) == [("carbon_intensity", 200, 200), ("gas", 100, 100)]
    assert rows(
        "SELECT count(cell.p50), count(raw) FILTER (WHERE raw <> 'NaN') "
        "FROM forecast.archive AS a, unnest(a.p50, a.raw_p10) AS cell (p50, raw) WHERE model = %s",
        CHRONOS,
    ) == [(4 * 960, 4 * 960)]


@empty
def test_a_context_shorter_than_a_day_is_refused_and_says_so_without_failing(
    forecast: Run, warehouse: SecretStr, rows: Rows, today: date
) -> None:
    now = datetime.now(UTC)
    issues.fill(warehouse, floor(now) - 20 * HOUR, floor(now) - HALF_HOUR, issues.captured_live)

    result = forecast(today - DAY, today, "sensor")

    assert result.success
    assert answer(result, "forecast.predictions")["run_issues"] == 0
    found = evaluations(result)["forecast.predictions", "context_sufficient"]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert "at most 84 may be" in examples(found)[0]
    assert predictions(rows) == []
    [(model, reason)] = rows("SELECT model, refused_reason FROM forecast.issues")
    assert model == CHRONOS
    assert "of the 336 half-hours of carbon intensity" in reason
    assert look().run_requests == []


def test_a_model_that_is_missing_is_replaced_by_a_named_stand_in_and_a_check_says_so(
    forecast: Run, rows: Rows, today: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", tmp_path / "no checkpoint")
    monkeypatch.setenv("GRID_CHRONOS_MODEL", str(tmp_path / "nowhere"))
    result = forecast(today - DAY, today, "sensor")
    assert result.success
    assert answer(result, "forecast.predictions")["model"] == NAIVE
    found = evaluations(result)["forecast.predictions", "by_configured_model"]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert "cannot be used" in examples(found)[0]
    assert {row[0] for row in predictions(rows)} == {BLEND, BOOSTED, NAIVE}
    assert rows("SELECT model, refused_reason IS NULL FROM forecast.issues ORDER BY 1") == [
        (BLEND, True),
        ("chronos:nowhere", False),
        (BOOSTED, True),
        (NAIVE, True),
    ]
    assert look().run_requests == []  # trying again at once would not help


# The sensor.


def look(instance: dg.DagsterInstance | None = None, cursor: str | None = None) -> Any:
    """What the sensor asks for when it is evaluated now."""
    with dg.build_sensor_context(
        instance=instance or dg.DagsterInstance.ephemeral(),
        cursor=cursor,
        resources={"services": Services()},
        repository_def=defs.get_repository_def(),
    ) as context:
        return defs.resolve_sensor_def("new_telemetry").evaluate_tick(context)


def asked(request: dg.RunRequest) -> tuple[str, str, str, set[dg.AssetKey]]:
    return (
        request.tags["dagster/asset_partition_range_start"],
        request.tags["dagster/asset_partition_range_end"],
        request.tags[TRIGGER_TAG],
        set(request.asset_selection or []),
    )


def follow(instance: dg.DagsterInstance) -> list[tuple[str, str, str, set[dg.AssetKey]]]:
    """Run what the sensor asks for until it asks for nothing; returns what it asked for."""
    found = []
    while requests := look(instance).run_requests:
        [request] = requests
        found.append(asked(request))
        assert len(found) < 9, found
        assert execute(request.asset_selection, request.tags, instance).success
    return found


def test_the_sensor_is_on_by_default_and_runs_every_5_seconds() -> None:
    sensor = defs.resolve_sensor_def("new_telemetry")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    # the daemon looks for sensors every 5 seconds
    assert sensor.minimum_interval_seconds == 4
    assert sensor.job_name == "telemetry"


def test_telemetry_that_no_forecast_has_used_leads_to_one_run_and_then_to_none(
    warehouse: SecretStr, rows: Rows, today: date
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        newest = (str(today - DAY), str(today), "sensor", set(KEYS))
        assert follow(instance) == [newest]
        assert len(predictions(rows)) == 4 * 960
        assert look(instance).skip_message == "Every forecast and every score is up to date."


def test_rows_that_another_program_writes_into_raw_lead_to_core_and_then_to_a_forecast(
    warehouse: SecretStr, rows: Rows, today: date
) -> None:
    old = datetime(2021, 6, 1, 12, tzinfo=UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        follow(instance)
        rows(
            "INSERT INTO raw.intensity SELECT period_start, now(), 0, 333, 'high' "
            "FROM core.intensity WHERE actual_gco2_kwh IS NOT NULL "
            "ORDER BY period_start DESC LIMIT 2"
        )
        issues.put_intensity(warehouse, [(old, datetime.now(UTC), 111)])

        found = follow(instance)

    core = {asset.key for asset in CORE}
    assert found == [
        ("2021-06-01", "2021-06-01", "sensor", core),
        # the newest days with their forecast, because a second run takes seconds to start
        (str(today - DAY), str(today), "sensor", core | set(KEYS)),
    ]
    assert rows("SELECT actual_gco2_kwh FROM core.intensity WHERE period_start = %s", old) == [
        (111,)
    ]
    assert rows("SELECT count(*) FROM core.intensity WHERE actual_gco2_kwh = 333") == [(2,)]


def test_a_burst_of_new_half_hours_leads_to_one_forecast(
    warehouse: SecretStr, rows: Rows, today: date
) -> None:
    newest_three = (
        "period_start IN (SELECT period_start FROM core.{} ORDER BY period_start DESC LIMIT 3)"
    )
    kept: dict[str, list[tuple[Any, ...]]] = {}
    for raw_table, table in (("intensity", "intensity"), ("generation", "generation_mix")):
        condition = newest_three.format(table)
        kept[raw_table] = rows(f"DELETE FROM raw.{raw_table} WHERE {condition} RETURNING *")  # noqa: S608
        rows(f"DELETE FROM core.{table} WHERE {condition}")  # noqa: S608
    with dg.DagsterInstance.ephemeral() as instance:
        assert len(follow(instance)) == 1
        for start, captured, _, actual, *_ in kept["intensity"]:
            issues.put_intensity(warehouse, [(start, captured, actual)])
        for start, captured, *shares, _, _ in kept["generation"]:
            issues.put_mix(warehouse, [(start, captured, shares)])
        found = follow(instance)
    assert [request[3] for request in found] == [{asset.key for asset in CORE} | set(KEYS)]
    assert len(predictions(rows)) == 4 * 960  # the same issue, replaced


def test_past_days_and_today_so_far_are_back_tested_with_the_first_forecast_and_only_once(
    warehouse: SecretStr, rows: Rows, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "2")
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "12")
    with dg.DagsterInstance.ephemeral() as instance:
        now = datetime.now(UTC)
        assert follow(instance) == [(str(today - 2 * DAY), str(today), BACKTEST, BACKTESTED)]
    passed = [day_start(today) + n * 12 * HOUR for n in range(-4, 2)]
    expected = {at for at in passed if at <= now} | {current_issue_time(now)}
    assert {row[2] for row in predictions(rows)} == expected


def test_a_back_test_leaves_what_was_forecast_today_as_it_was(
    forecast: Run, rows: Rows, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "0.5")
    assert forecast(today, trigger="tick").success
    [(issued_at, created_at)] = rows(
        "SELECT issued_at, created_at FROM forecast.issues WHERE model = %s", CHRONOS
    )
    assert forecast(today - DAY, today, trigger=BACKTEST).success
    made: dict[datetime, datetime] = dict(
        rows("SELECT issued_at, created_at FROM forecast.issues WHERE model = %s", CHRONOS)
    )
    assert made[issued_at] == created_at
    assert len(made) > 48


def test_while_a_run_is_on_its_way_nothing_is_requested(warehouse: SecretStr) -> None:
    job = defs.resolve_job_def("telemetry")
    with dg.DagsterInstance.ephemeral() as instance:
        for trigger in ("schedule", "sensor", BACKTEST):
            for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
                run = instance.create_run_for_job(job, status=status, tags={TRIGGER_TAG: trigger})
                found = look(instance)
                assert found.run_requests == []
                assert found.skip_message.startswith("A run is in progress")
                instance.delete_run(run.run_id)
        assert len(look(instance).run_requests) == 1


@pytest.mark.parametrize(("ago", "waits"), [(HOUR / 20, True), (HOUR / 10, False)])
def test_after_a_failure_only_the_page_is_requested_until_a_pause_is_over(
    ago: timedelta, waits: bool, warehouse: SecretStr, rows: Rows
) -> None:
    at = datetime.now(UTC) - ago
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "VALUES ('x', 'forecast.predictions', 1, 'sensor', %s, %s, %s, %s, 'failed', 'E', 'h', "
        "1, %s)",
        *(at.date(), at.date(), at, at, at),
    )
    [wanted] = look().run_requests
    assert wanted.asset_selection == (FILES if waits else KEYS)


def test_a_cycle_by_hand_does_not_wait_and_tries_what_fails_in_it_once(
    warehouse: SecretStr,
    rows: Rows,
    today: date,
    replay: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 2 * DAY))
    monkeypatch.setenv("GRID_REGIONS", "true")
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "1")
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "12")
    tries: list[datetime] = []

    def fail(*arguments: Any) -> None:
        tries.append(datetime.now(UTC))
        raise OSError("No space left on device")

    said: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as full:
            full.setattr(issuing, "issue", fail)
            assert not all(run.success for run in run_cycle(instance, said.append))
        assert len(tries) == 1
        assert [request.asset_selection for request in look(instance).run_requests] in (
            [],
            [FILES],
        )
        assert all(run.success for run in run_cycle(instance, said.append))
    back_test = f"Forecasting {today - DAY} to {today}: these days have no forecasts"
    assert said.count(back_test) == 2  # once in each cycle: the first forecast waits for it
    # and no forecast for the regions of past days
    assert said.index(f"Loading {today - 2 * DAY}: regions may be missing") > said.index(back_test)
    made = rows("SELECT count(*) FROM forecast.issues WHERE model = %s", CHRONOS)
    assert made[0][0] >= 3  # two of yesterday, and the newest


def test_what_lies_far_back_is_looked_for_only_every_few_minutes(warehouse: SecretStr) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        follow(instance)
        first = Looked.from_cursor(look(instance).cursor)
        assert first.full == pytest.approx(datetime.now(UTC).timestamp(), abs=60)
        old = datetime(2021, 6, 1, 12, tzinfo=UTC)
        issues.put_intensity(warehouse, [(old, datetime.now(UTC), 111)])
        again = replace(first, written=None)  # whether or not anything was written
        assert look(instance, str(again)).run_requests == []
        assert Looked.from_cursor(look(instance, str(again)).cursor).full == first.full
        earlier = str(replace(again, full=first.full - 301))
        assert len(look(instance, earlier).run_requests) == 1
        ahead = str(replace(again, full=first.full + 9000))  # the clock was set back
        assert len(look(instance, ahead).run_requests) == 1


# No leakage.


def everything_up_to(url: SecretStr, at: datetime) -> dict[str, list[tuple[Any, ...]]]:
    """Every stored forecast issued by `at`, what it was made from, and the margins behind it."""
    queries = {
        "predictions": "SELECT model, series, issued_at, period_start, p10, p50, p90 "
        "FROM forecast.predictions WHERE issued_at <= %s ORDER BY 1, 2, 3, 4",
        "raw quantiles": "SELECT model, issued_at, raw_p10, raw_p90 "
        "FROM forecast.archive WHERE issued_at <= %s AND raw_p10 IS NOT NULL ORDER BY 1, 2",
        "issues": "SELECT model, issued_at, intensity_to, mix_to, context_missing, "
        "context_assumed, known_by, neso_issued_at, calibrated_on, refused_reason, blend "
        "FROM forecast.issues WHERE issued_at <= %s ORDER BY 1, 2",
        "margins": "SELECT model, issue_date, margins, issues "
        "FROM forecast.calibration WHERE issue_date <= %s ORDER BY 1, 2",
    }
    with psycopg.connect(url.get_secret_value()) as connection:
        return {
            name: connection.execute(q.encode(), [at]).fetchall() for name, q in queries.items()
        }


NOISE = (
    # all that ended later, and what had ended and was captured later
    "UPDATE raw.intensity SET actual_gco2_kwh = 7 + floor(random() * 900), "
    "forecast_gco2_kwh = floor(random() * 900) "
    "WHERE period_start + interval '30 minutes' > %(at)s "
    "OR captured_at > %(at)s AND captured_at < period_start + interval '1 day'",
    "UPDATE raw.generation SET gas_pct = 60, wind_pct = 40, biomass_pct = 0, coal_pct = 0, "
    "imports_pct = 0, nuclear_pct = 0, other_pct = 0, hydro_pct = 0, solar_pct = 0 "
    "WHERE period_start + interval '30 minutes' > %(at)s "
    "OR captured_at > %(at)s AND captured_at < period_start + interval '1 day'",
    "UPDATE raw.neso_vintages SET forecast_gco2_kwh = "
    "array_fill(999, ARRAY[cardinality(forecast_gco2_kwh)]) WHERE issued_at > %(at)s",
    # later revisions of what had been captured live before
    "INSERT INTO raw.intensity SELECT period_start, %(at)s + interval '1 hour', 1, 999, 'high' "
    "FROM raw.intensity WHERE period_start >= %(live)s AND captured_at <= %(at)s",
    "INSERT INTO raw.generation (period_start, captured_at, solar_pct, other_pct) "
    "SELECT period_start, %(at)s + interval '1 hour', 99, 1 "
    "FROM raw.generation WHERE period_start >= %(live)s AND captured_at <= %(at)s",
)


def noise_after(url: SecretStr, at: datetime, live_from: datetime) -> None:
    """Replace all that was published after `at` by noise, in `raw` and in `core`."""
    now = datetime.now(UTC)
    with psycopg.connect(url.get_secret_value()) as connection:
        for change in NOISE:
            connection.execute(change.encode(), {"at": at, "live": live_from})
    issues.publish(url, Window(live_from, floor(now)), now)


def test_a_forecast_is_the_same_to_the_bit_whatever_is_published_after_it(
    forecast: Run,
    rows: Rows,
    warehouse: SecretStr,
    new_database: Callable[[str | None], SecretStr],
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_BACKTEST_STRIDE_HOURS", "3")
    monkeypatch.setenv("GRID_USE_NESO_FORECAST", "1")
    at = day_start(day) + 21 * HOUR  # the last issue of the day
    live_from = day_start(day) - 6 * HOUR
    # The newest days were captured live, the ones before them loaded later.
    for table in ("raw.intensity", "raw.generation", "core.intensity", "core.generation_mix"):
        rows(
            f"UPDATE {table} SET captured_at = period_start + interval '42 minutes' "  # noqa: S608
            "WHERE period_start >= %s",
            live_from,
        )
    for captured, value in ((at - HOUR / 3, 210), (at + timedelta(seconds=1), 220)):
        issues.put_neso(warehouse, captured, at - HOUR, [value] * 90)
    other = new_database(urlsplit(warehouse.get_secret_value()).path[1:])
    noise_after(other, at, live_from)

    assert forecast(day - 3 * DAY, day).success
    with monkeypatch.context() as patch:
        patch.setenv("GRID_DATABASE_URL", other.get_secret_value())
        assert forecast(day - 3 * DAY, day).success

    found, beside_noise = everything_up_to(warehouse, at), everything_up_to(other, at)
    assert beside_noise == found
    # and there is something to compare: issues of all kinds, recalibrated, with NESO's forecast
    assert len(found["predictions"]) == 4 * 32 * 960 + 88
    assert len(found["margins"]) == 4
    made_from = {(row[0], row[1]): row[2:] for row in found["issues"]}
    assert made_from[CHRONOS, at][0] == at - HALF_HOUR  # what ended at 21:00 was captured later
    assert made_from[CHRONOS, at][4:7] == ("end_of_half_hour", at - HOUR / 3, 24)
    stored = [row for row in found["predictions"] if row[:3] == (CHRONOS, "carbon_intensity", at)]
    [raw_p10] = [row[2][0] for row in found["raw quantiles"] if row[:2] == (CHRONOS, at)]
    recalibrated = [abs(float(row[4]) - raw) for row, raw in zip(stored, raw_p10, strict=True)]
    assert max(recalibrated) > 0.1

    # What was known does count: one actual before the issue is another forecast.
    rows(
        "UPDATE raw.intensity SET actual_gco2_kwh = 900 WHERE period_start = %s",
        at - 3 * HALF_HOUR,
    )
    issues.publish(warehouse, Window(live_from, at), datetime.now(UTC))
    assert forecast(day).success
    assert everything_up_to(warehouse, at)["predictions"] != found["predictions"]


def test_the_noise_of_that_test_does_change_what_happened(
    warehouse: SecretStr, rows: Rows, day: date
) -> None:
    at = day_start(day) + 21 * HOUR
    before = rows("SELECT actual_gco2_kwh FROM core.intensity WHERE period_start >= %s", at)
    noise_after(warehouse, at, at - DAY)
    after = rows("SELECT actual_gco2_kwh FROM core.intensity WHERE period_start >= %s", at)
    assert len(after) == len(before) > 48
    assert after != before

"""Checks in real runs: a failed blocking check publishes nothing, odd data is published and named.

Each check fails because of faults of the replay or of rows that another program wrote. Only the
check that a mix sums to 100 needs a broken rule of our own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from grid_assets import mix
from grid_assets.definitions import defs
from grid_assets.defs.assets import core, raw
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import DAYS, ONE_RUN, range_tags
from grid_assets.defs.planning import FORECASTS
from grid_assets.defs.resources import Services
from grid_assets.forecasting import bands, issuing
from grid_assets.forecasting.bands import Tenths
from grid_assets.forecasting.due import days_core_lacks
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR, api_time, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.series import FUELS
from grid_assets.telemetry.load import load_intensity
from grid_assets.warehouse.connection import Connection, lock_relation
from grid_assets_tests.archive import forget
from grid_assets_tests.defs.conftest import (
    Recorded,
    Tables,
    evaluations,
    examples,
    failed_checks,
    half_hours,
    noon,
    publish_alone,
)

Materialise = Callable[..., dg.ExecuteInProcessResult]
Rows = Callable[..., list[tuple[Any, ...]]]
Staged = tuple[Any, ...]

MOST = 25
"""Half-hours of a day that are more than half of it."""


def first_half_hours(day: date, count: int) -> list[datetime]:
    return half_hours(day)[:count]


def withdraw_actuals(replay: ReplayServer, day: date, count: int) -> None:
    for start in first_half_hours(day, count):
        replay.control.fault({"name": "actual_null", "period": api_time(start)})


def leave_out_biomass(replay: ReplayServer, day: date, count: int) -> None:
    for start in first_half_hours(day, count):
        replay.control.fault(
            {"name": "drop_fuels", "fuels": ["biomass"], "period": api_time(start)}
        )


OUTSIDE = [
    (
        "core.intensity",
        withdraw_actuals,
        "actuals_kept",
        "25 of 48 half-hours would lose their actual",
    ),
    (
        "core.generation_mix",
        leave_out_biomass,
        "fuels_kept",
        "25 of 48 half-hours would lose a fuel: biomass",
    ),
]
"""What the API can send that a blocking check stops, and how the check says so."""


@pytest.mark.parametrize(("relation", "lose", "check", "example"), OUTSIDE)
def test_an_api_that_takes_back_most_of_what_is_known_publishes_nothing(
    relation: str,
    lose: Callable[[ReplayServer, date, int], None],
    check: str,
    example: str,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    day: date,
) -> None:
    assert materialise(day).success
    before, values = tables.contents(), tables.values()[relation]
    lose(replay, day, MOST)

    result = materialise(day)

    assert not result.success
    assert {key for key in failed_checks(result) if key[2] == "ERROR"} == {
        (relation, check, "ERROR")
    }
    found = evaluations(result)[relation, check]
    assert found.metadata["found"].value == MOST
    assert examples(found)[0] == f"{api_time(half_hours(day)[0])} {example}"
    assert tables.contents()[relation] == before[relation]
    raw_relation = relation.replace("core.generation_mix", "raw.generation").replace("core", "raw")
    assert len(tables.contents()[raw_relation]) == 48 + MOST  # what was published is kept
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == (relation, "BlockingCheckFailed")
    assert (failed.written, failed.attempt) == (0, 1)
    assert check in (failed.error_message or "")

    replay.control.heal()
    assert materialise(day).success
    assert tables.values()[relation] == values


def test_actuals_that_the_api_takes_back_are_published_as_null_while_most_stay(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    assert materialise(day).success
    withdraw_actuals(replay, day, MOST - 1)
    result = materialise(day)
    assert result.success
    assert evaluations(result)["core.intensity", "actuals_kept"].passed
    lost = [values for values in tables.by_period("core.intensity").values() if None in values]
    assert len(lost) == MOST - 1


@pytest.mark.parametrize("count", [1, MOST - 1])
def test_a_mix_that_lacks_a_fuel_never_replaces_one_that_has_it(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    connection: Connection,
    day: date,
    count: int,
) -> None:
    assert materialise(day).success
    before = tables.contents()["core.generation_mix"]
    leave_out_biomass(replay, day, count)
    result = materialise(day)
    assert result.success
    assert evaluations(result)["core.generation_mix", "fuels_kept"].passed
    assert tables.contents()["core.generation_mix"] == before
    refused = [entry for entry in tables.quarantine() if entry.asset == "core.generation_mix"]
    assert len(refused) == count
    assert {entry.reason.partition("(")[0] for entry in refused} == {
        "mix: it lacks a fuel that the half-hour has in core "
    }
    # The sensor does not ask for the same again and again, and the fuller mix may be revised.
    assert days_core_lacks(connection, day, datetime.now(UTC)) == []
    replay.control.heal()
    replay.control.fault({"name": "revision", "period": api_time(half_hours(day)[0])})
    assert materialise(day).success
    changed = tables.contents()["core.generation_mix"]
    assert changed[0] != before[0]


@pytest.mark.parametrize(("count", "passes"), [(6, True), (7, False)])
@pytest.mark.parametrize(("relation", "lose", "check", "example"), OUTSIDE)
def test_a_few_values_may_be_taken_back_even_if_they_are_most_of_the_known_ones(
    relation: str,
    lose: Callable[[ReplayServer, date, int], None],
    check: str,
    example: str,
    count: int,
    passes: bool,
    materialise: Materialise,
    replay: ReplayServer,
    connection: Connection,
    day: date,
) -> None:
    assert materialise(day).success
    connection.execute(
        f"DELETE FROM {relation} WHERE period_start >= %s".encode(),  # noqa: S608
        [half_hours(day)[10]],
    )
    lose(replay, day, count)

    result = materialise(day)

    assert result.success is passes
    assert evaluations(result)[relation, check].passed is passes


def test_the_exact_100_rule_broken_leaves_yesterdays_truth_until_it_is_mended(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    recorded: Recorded,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert materialise(day).success
    before = tables.contents()["core.generation_mix"]
    shown = tables.rows("SELECT * FROM reporting.generation_mix ORDER BY period_start, fuel")
    replay.control.fault({"name": "revision", "period": api_time(noon(day))})
    complete = mix.complete

    def wrong(*args: Any) -> mix.Mix:
        exact = complete(*args)
        return replace(exact, other=exact.other + 1)

    with monkeypatch.context() as patch:
        patch.setattr(mix, "complete", wrong)
        result = materialise(day)

    assert not result.success
    found = evaluations(result)["core.generation_mix", "sums_to_100"]
    assert (found.passed, found.severity.value) == (False, "ERROR")
    assert found.metadata["found"].value == 48
    assert len(examples(found)) == 10
    assert len(tables.contents()["raw.generation"]) == 49  # what was published is kept
    assert tables.contents()["core.generation_mix"] == before
    assert (
        tables.rows("SELECT * FROM reporting.generation_mix ORDER BY period_start, fuel") == shown
    )

    assert materialise(day).success
    wind = dict(zip(FUELS, recorded.shares(day)[noon(day)], strict=True))["wind"]
    assert dict(zip(FUELS, tables.by_period("core.generation_mix")[noon(day)], strict=True))[
        "wind"
    ] == wind - min(Decimal("0.6"), wind)


def test_a_day_of_impossible_actuals_is_published_as_null_with_its_reasons(
    materialise: Materialise, rows: Rows, tables: Tables, day: date
) -> None:
    assert materialise(day).success
    rows("DELETE FROM raw.intensity")
    rows(
        "INSERT INTO raw.intensity (period_start, captured_at, actual_gco2_kwh) "
        "SELECT period_start, now(), 13579 FROM core.intensity"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=range_tags(day, day, "backfill"),
            asset_selection=[core.intensity.key],
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )
    assert result.success
    assert rows("SELECT count(actual_reason), count(actual_gco2_kwh) FROM core.intensity") == [
        (48, 0)
    ]


def test_what_lies_downstream_of_a_failed_blocking_check_does_not_run(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    assert materialise(day).success
    leave_out_biomass(replay, day, MOST)
    ran: list[str] = []

    @dg.asset(deps=[core.generation_mix], partitions_def=DAYS, backfill_policy=ONE_RUN)
    def after_mix() -> None:
        ran.append("mix")

    @dg.asset(deps=[core.intensity], partitions_def=DAYS, backfill_policy=ONE_RUN)
    def after_intensity() -> None:
        ran.append("intensity")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [
                raw.intensity,
                raw.generation,
                core.intensity,
                core.generation_mix,
                after_mix,
                after_intensity,
            ],
            instance=instance,
            resources={"services": Services()},
            partition_key=day.isoformat(),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        checked = instance.event_log_storage.get_asset_check_summary_records(
            [dg.AssetCheckKey(core.generation_mix.key, "fuels_kept")]
        )
    assert not result.success
    assert ran == ["intensity"]
    [summary] = checked.values()
    assert summary.last_check_execution_record is not None
    assert summary.last_check_execution_record.status.value == "FAILED"


# Forecasts, by seasonal naive: a rule is broken the same whichever model forecasts.


@pytest.fixture
def forecast_now(
    warehouse: SecretStr,
    replay: ReplayServer,
    tables: Tables,
    today: date,
    kept_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dg.ExecuteInProcessResult]:
    """Makes the current forecast and the scores from a week of half-hours in core."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_HOME", str(kept_home))
    monkeypatch.setattr(registry, "load", lambda source, timeout_s: registry.seasonal_naive())
    week = (
        "SELECT start, 100 + 50 * sin(extract(epoch FROM start) / 13751)::numeric, 30 "
        "FROM generate_series(%s - interval '8 days', %s, interval '30 minutes') AS start"
    )
    newest = floor(datetime.now(UTC)) - HALF_HOUR
    for columns in (
        "core.intensity (period_start, actual_gco2_kwh, forecast_gco2_kwh)",
        "core.generation_mix (period_start, wind_pct, gas_pct)",
    ):
        shares = week.replace("100 + 50", "30 + 20")
        query = week if "intensity" in columns else shares
        tables.rows(f"INSERT INTO {columns} {query}", newest, newest)

    def run(trigger: str = "manual") -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(today, today, trigger),
                asset_selection=[asset.key for asset in FORECASTS],
                raise_on_error=False,
                run_config=QUIET_RUN_CONFIG,
            )

    return run


FORECAST = "SELECT * FROM forecast.predictions ORDER BY 1, 2, 3, 4"


@pytest.mark.parametrize(
    ("tamper", "fails"),
    [
        ("SET below = NULL, above = NULL", {"quantiles_ordered"}),
        (
            "SET p50[10][1] = p50[10][1] + 1, above[10][1] = 0",
            {"shares_sum_to_100"},
        ),
        ("SET p50 = NULL WHERE false", set()),
    ],
)
def test_a_forecast_that_another_program_has_changed_fails_the_next_cycle(
    tamper: str,
    fails: set[str],
    forecast_now: Callable[..., dg.ExecuteInProcessResult],
    tables: Tables,
) -> None:
    assert forecast_now().success
    tables.rows(f"UPDATE forecast.archive {tamper}")
    before = tables.rows(FORECAST)

    result = forecast_now("tick")  # nothing is due, so the newest issue is judged as it is stored

    assert result.success is not bool(fails)
    failed_here = {name for _, name, severity in failed_checks(result) if severity == "ERROR"}
    assert failed_here == fails
    assert tables.rows(FORECAST) == before
    if fails:
        [failed] = [a for a in tables.attempts() if a.status != "success"]
        assert (failed.asset, failed.error_type) == ("forecast.predictions", "BlockingCheckFailed")


def test_a_forecast_from_which_another_program_has_taken_a_half_hour_fails_the_next_cycle(
    forecast_now: Callable[..., dg.ExecuteInProcessResult], warehouse: SecretStr
) -> None:
    assert forecast_now().success
    last = "series = 'wind' AND period_start = (SELECT max(period_start) FROM forecast.predictions)"
    assert forget(warehouse, last) > 0
    result = forecast_now("tick")
    assert not result.success
    found = evaluations(result)["forecast.predictions", "horizon_complete"]
    assert not found.passed
    assert any("seasonal_naive: " in each for each in examples(found))


def test_a_broken_forecast_rule_fails_the_run_and_leaves_the_earlier_forecast(
    forecast_now: Callable[..., dg.ExecuteInProcessResult],
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert forecast_now().success
    before = tables.rows(FORECAST)
    assert before
    finalise = bands.finalise

    def wrong(*args: Any) -> Tenths:
        tenths = finalise(*args)
        tenths[0, 9, 7] += 1
        return tenths

    monkeypatch.setattr(issuing, "finalise", wrong)
    result = forecast_now()

    assert not result.success
    failed_here = {key for key in failed_checks(result) if key[2] == "ERROR"}
    assert failed_here == {("forecast.predictions", "shares_sum_to_100", "ERROR")}
    assert tables.rows(FORECAST) == before
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == ("forecast.predictions", "BlockingCheckFailed")
    assert "shares_sum_to_100: " in (failed.error_message or "")
    # Scores are made of forecasts, so that none is made after a failure.
    assert [a.asset for a in tables.attempts()].count("forecast.accuracy") == 1


def test_a_sound_forecast_by_another_model_passes_every_check_but_the_one_that_says_so(
    forecast_now: Callable[[], dg.ExecuteInProcessResult],
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    why = "GRID_CHRONOS_MODEL=/gone cannot be used. seasonal_naive forecasts instead."
    standing_in = replace(registry.seasonal_naive(), reason=why)
    monkeypatch.setattr(registry, "load", lambda source, timeout_s: standing_in)

    result = forecast_now()

    assert result.success
    judged = {key for key, found in evaluations(result).items() if found.passed}
    # the blend of it and of trees may be worse than it on the few half-hours of this world
    by_chance = "forecast.accuracy", "better_than_naive"
    assert judged | {by_chance} == {
        ("forecast.predictions", "quantiles_ordered"),
        ("forecast.predictions", "shares_sum_to_100"),
        ("forecast.predictions", "horizon_complete"),
        ("forecast.predictions", "context_sufficient"),
        ("forecast.predictions", "is_recent"),
        ("forecast.accuracy", "coverage_80"),
        by_chance,
    }
    failed = failed_checks(result) - {(*by_chance, "WARN")}
    assert failed == {("forecast.predictions", "by_configured_model", "WARN")}
    answer = examples(evaluations(result)["forecast.predictions", "by_configured_model"])
    assert answer[0].endswith(f"seasonal_naive: {why}")
    explained = evaluations(result)["forecast.predictions", "by_configured_model"].description
    assert explained is not None
    assert explained.endswith(f"seasonal_naive: {why}")
    assert all(found.description for found in evaluations(result).values())


def test_a_week_with_holes_is_reported_and_not_forecast_from(
    forecast_now: Callable[[], dg.ExecuteInProcessResult], tables: Tables
) -> None:
    tables.rows("DELETE FROM core.intensity WHERE period_start < now() - interval '4 days'")

    result = forecast_now()

    assert result.success
    assert tables.rows(FORECAST) == []
    warned = {check for _, check, severity in failed_checks(result) if severity == "WARN"}
    assert warned == {"context_sufficient", "is_recent"}
    answer = examples(evaluations(result)["forecast.predictions", "context_sufficient"])
    assert all("carbon intensity" in example for example in answer)


# Warnings: the run succeeds, and the fault shows with an example.


def test_a_sound_cycle_passes_every_check(
    materialise: Materialise, tables: Tables, today: date
) -> None:
    result = materialise(today - timedelta(days=1), today)
    assert result.success
    judged = {key for key, found in evaluations(result).items() if found.passed}
    assert judged == {
        ("raw.intensity", "clocks_agree"),
        ("raw.intensity", "few_quarantined"),
        ("raw.generation", "clocks_agree"),
        ("raw.generation", "few_quarantined"),
        ("core.intensity", "actuals_kept"),
        ("core.intensity", "half_hours_complete"),
        ("core.intensity", "is_recent"),
        ("core.intensity", "values_plausible"),
        ("core.generation_mix", "sums_to_100"),
        ("core.generation_mix", "fuels_kept"),
        ("core.generation_mix", "half_hours_complete"),
        ("core.generation_mix", "is_recent"),
        ("core.generation_mix", "published_total_near_100"),
        ("core.generation_mix", "fuels_known"),
    }
    assert failed_checks(result) == set()


def test_half_hours_that_are_withheld_show_as_missing_and_as_too_old_until_they_come(
    materialise: Materialise, replay: ReplayServer, tables: Tables, today: date
) -> None:
    replay.control.withhold(60, replay.now())  # 30 hours: yesterday is short at any time of day
    withheld = replay.control.withheld_from
    assert withheld is not None
    first = today - timedelta(days=2)  # holds what came before them, also just after midnight

    result = materialise(first, today)

    assert result.success
    expected = {
        (asset, check, "WARN")
        for asset in ("core.intensity", "core.generation_mix")
        for check in ("half_hours_complete", "is_recent")
    }
    assert failed_checks(result) == expected
    newest = api_time(withheld - HALF_HOUR)
    for asset, _, _ in expected:
        [too_old] = examples(evaluations(result)[asset, "is_recent"])
        what = "actual" if asset == "core.intensity" else "mix"
        assert too_old.startswith(f"{newest} newest {what} began 1 day 0")
        missing = examples(evaluations(result)[asset, "half_hours_complete"])
        assert all(example.endswith(" missing") for example in missing)

    replay.control.release(None, replay.now())
    assert failed_checks(materialise(first, today)) == set()


def test_the_checks_of_an_empty_warehouse_say_that_there_is_nothing(
    materialise: Materialise, replay: ReplayServer, today: date
) -> None:
    replay.control.withhold(48 * 3, replay.now())

    found = evaluations(materialise(today))

    assert examples(found["core.intensity", "is_recent"]) == ["- there is no actual"]
    assert examples(found["core.generation_mix", "is_recent"]) == ["- there is no mix"]


def test_a_day_short_of_one_half_hour_and_over_its_share_of_rejects_says_so(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    replay.control.fault({"name": "nan", "period": api_time(noon(day)), "path": "/generation"})

    result = materialise(day)

    assert result.success
    found = evaluations(result)
    assert examples(found["core.generation_mix", "half_hours_complete"]) == [
        f"{day}T00:00Z 1 missing"
    ]
    assert examples(found["raw.generation", "few_quarantined"]) == [
        "generationmix.wind: nan is not a finite number"
    ]
    assert found["core.intensity", "half_hours_complete"].passed
    assert found["raw.intensity", "few_quarantined"].passed


def test_an_intensity_far_from_both_neighbours_is_published_with_a_warning(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    odd = noon(day)
    assert materialise(day).success
    actual = recorded.intensity(day)[odd].actual
    assert actual is not None
    far = actual + 300
    tables.rows(
        "INSERT INTO raw.intensity (period_start, captured_at, forecast_gco2_kwh, "
        "actual_gco2_kwh) VALUES (%s, clock_timestamp(), 100, %s)",
        odd,
        far,
    )

    result = publish_alone(core.intensity, day)

    assert result.success
    assert tables.by_period("core.intensity")[odd][1] == far
    found = evaluations(result)["core.intensity", "values_plausible"]
    assert (found.passed, found.severity.value) == (False, "WARN")
    assert f"{api_time(odd)} " in examples(found)[0]
    assert f"actual {far} is far from both neighbours" in examples(found)[0]


# The database goes away.


def test_a_connection_lost_while_publishing_is_tried_again_with_a_row_for_each_attempt(
    materialise: Materialise, tables: Tables, warehouse: Any, day: date
) -> None:
    def cut_one_connection() -> None:
        """Hold up the publication until its connection waits, and end that connection."""
        url = warehouse.get_secret_value()
        with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
            lock_relation(holder, "core.intensity")
            ready.set()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                cut = watcher.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ).fetchall()
                if cut:
                    return
                time.sleep(0.02)

    ready = threading.Event()
    cutter = threading.Thread(target=cut_one_connection)
    cutter.start()
    ready.wait(10)

    result = materialise(day)

    cutter.join()
    assert result.success
    tries = [a for a in tables.attempts() if a.asset == "core.intensity"]
    assert [(a.attempt, a.status, a.error_type) for a in tries] == [
        (1, "failed", "AdminShutdown"),
        (2, "success", None),
    ]
    assert tables.counts() == dict.fromkeys(tables.counts(), 48)


def test_a_process_suspended_in_a_transaction_tries_its_step_again(
    materialise: Materialise, tables: Tables, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has ended the transaction by then, so that others could go on."""
    suspended: list[bool] = []

    def load(connection: Connection, captures: Any) -> int:
        if not suspended:
            suspended.append(True)
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
            time.sleep(1)
        return load_intensity(connection, captures)

    monkeypatch.setattr(raw, "load_intensity", load)
    assert materialise(day).success
    tries = [a for a in tables.attempts() if a.asset == "raw.intensity"]
    assert [(a.attempt, a.status, a.error_type) for a in tries] == [
        (1, "failed", "IdleInTransactionSessionTimeout"),
        (2, "success", None),
    ]
    assert tables.counts() == dict.fromkeys(tables.counts(), 48)

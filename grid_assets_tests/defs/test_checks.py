"""Checks in real runs: our own broken rule publishes nothing, an odd world is told and published.

A rule is broken by patching it: nothing that the API can send breaks one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from grid_assets import mix
from grid_assets.definitions import defs
from grid_assets.defs.assets import core, raw
from grid_assets.defs.automation import FORECASTS, QUIET_RUN_CONFIG
from grid_assets.defs.partitions import DAYS, ONE_RUN, range_tags
from grid_assets.defs.resources import Services
from grid_assets.forecasting import bands, issuing, store
from grid_assets.forecasting.bands import Tenths
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR, api_time, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.series import FUELS
from grid_assets.telemetry import publish
from grid_assets.warehouse.statements import statement
from grid_assets_tests.defs.conftest import (
    Recorded,
    Tables,
    evaluations,
    examples,
    failed_checks,
    noon,
)

Materialise = Callable[..., dg.ExecuteInProcessResult]
Staged = tuple[Any, ...]

CLEANED = publish._cleaned
FUEL = {fuel: 2 + place for place, fuel in enumerate(FUELS)}
"""Where the share of a fuel stands in a staged row."""


def shifted_shares(row: Staged, by: dict[str, Decimal]) -> Staged:
    places = {FUEL[fuel]: amount for fuel, amount in by.items()}
    return tuple(
        value + places[place] if place in places else value for place, value in enumerate(row)
    )


def sums_to_101(row: Staged) -> list[Staged]:
    return [shifted_shares(row, {"other": Decimal(1)})]


def has_a_share_of_minus_1(row: Staged) -> list[Staged]:
    away = row[FUEL["other"]] + 1
    return [shifted_shares(row, {"other": -away, "gas": away})]


def stands_twice(row: Staged) -> list[Staged]:
    return [row, row]


def is_five_past(row: Staged) -> list[Staged]:
    return [(row[0] + timedelta(minutes=5), *row[1:])]


def breaking_mix(at: datetime, broken: Callable[[Staged], list[Staged]]) -> Callable[..., Any]:
    def cleaned(batch: Any, refused: list[Any]) -> Iterator[Staged]:
        for row in CLEANED(batch, refused):
            yield from broken(row) if row[0] == at else [row]

    return cleaned


MIX_BROKEN = [
    (sums_to_101, {"sums_to_100"}, "101.0"),
    (has_a_share_of_minus_1, {"shares_in_range"}, "other -1.0"),
    (stands_twice, {"keys_unique"}, "2"),
    (is_five_past, {"on_the_half_hour"}, "not a half-hour"),
]


@pytest.mark.parametrize(("broken", "fails", "example"), MIX_BROKEN)
def test_a_broken_mix_rule_fails_the_run_and_publishes_nothing(
    broken: Callable[[Staged], list[Staged]],
    fails: set[str],
    example: str,
    materialise: Materialise,
    tables: Tables,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = noon(day)
    monkeypatch.setattr(publish, "_cleaned", breaking_mix(at, broken))

    result = materialise(day)

    assert not result.success
    # Other checks of the same table hold, and all four were judged.
    blocking = {
        name: found
        for (asset, name), found in evaluations(result).items()
        if asset == "core.generation_mix"
    }
    assert blocking.keys() == {"sums_to_100", "shares_in_range", "keys_unique", "on_the_half_hour"}
    assert {name for name, found in blocking.items() if not found.passed} == fails
    for name in fails:
        assert blocking[name].severity.value == "ERROR"
        assert blocking[name].metadata["found"].value == 1
        [told] = examples(blocking[name])
        assert told.startswith(f"{day}T12:0")
        assert told.endswith(example)
    assert tables.counts() == {
        "raw.intensity": 48,
        "core.intensity": 48,  # the other half of the run is not held up
        "raw.generation": 48,
        "core.generation_mix": 0,
    }
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == ("core.generation_mix", "BlockingCheckFailed")
    assert failed.error_message == (
        f"core.generation_mix, {day} to {day}: nothing was published, because {fails.pop()}: 1 "
        f"({told}). The rows in raw are as they were."
    )
    assert "BlockingCheckFailed" in (failed.stack_trace or "")
    assert (failed.written, failed.attempt) == (0, 1)


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


INTENSITY_BROKEN = [
    ("DISTINCT ON (published.period_start)", "", "keys_unique"),
    (
        "       published.period_start,\n",
        "       published.period_start + interval '5 minutes' AS period_start,\n",
        "on_the_half_hour",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "fails"), INTENSITY_BROKEN)
def test_a_broken_staging_of_intensity_fails_the_run_and_publishes_nothing(
    right: str,
    wrong: str,
    fails: str,
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert materialise(day).success
    before = tables.contents()["core.intensity"]
    replay.control.fault({"name": "revision", "period": api_time(noon(day))})

    def broken(name: str) -> sql.SQL:
        text = statement(name)
        if name != "core/stage_intensity":
            return text
        assert right in text.as_string()
        return sql.SQL(text.as_string().replace(right, wrong))

    monkeypatch.setattr(publish, "statement", broken)

    result = materialise(day)

    assert not result.success
    failed_here = {found for found in failed_checks(result) if found[0] == "core.intensity"}
    assert failed_here == {("core.intensity", fails, "ERROR")}
    assert tables.contents()["core.intensity"] == before
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == ("core.intensity", "BlockingCheckFailed")
    assert fails in (failed.error_message or "")


def test_what_lies_downstream_of_a_failed_blocking_check_does_not_run(
    materialise: Materialise, tables: Tables, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    @dg.asset(deps=[core.generation_mix], partitions_def=DAYS, backfill_policy=ONE_RUN)
    def after_mix() -> None:
        ran.append("mix")

    @dg.asset(deps=[core.intensity], partitions_def=DAYS, backfill_policy=ONE_RUN)
    def after_intensity() -> None:
        ran.append("intensity")

    monkeypatch.setattr(publish, "_cleaned", breaking_mix(noon(day), sums_to_101))
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
            [dg.AssetCheckKey(core.generation_mix.key, "sums_to_100")]
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
) -> Callable[[], dg.ExecuteInProcessResult]:
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

    def run() -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(today, today, "manual"),
                asset_selection=[asset.key for asset in FORECASTS],
                raise_on_error=False,
                run_config=QUIET_RUN_CONFIG,
            )

    return run


def crossed(tenths: Tenths) -> None:
    tenths[0, 0, 7] = tenths[0, 0, 7, ::-1] + (9, 0, 0)


def off_by_one(tenths: Tenths) -> None:
    tenths[0, 9, 7] += 1


def beyond_1000(tenths: Tenths) -> None:
    tenths[0, 0, 7, 2] = 10_001


FORECAST = "SELECT * FROM forecast.predictions ORDER BY 1, 2, 3, 4"


@pytest.mark.parametrize(
    ("broken", "fails"),
    [
        (crossed, "quantiles_ordered"),
        (off_by_one, "shares_sum_to_100"),
        (beyond_1000, "values_in_range"),
    ],
)
def test_a_broken_forecast_rule_fails_the_run_and_leaves_the_earlier_forecast(
    broken: Callable[[Tenths], None],
    fails: str,
    forecast_now: Callable[[], dg.ExecuteInProcessResult],
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert forecast_now().success
    before = tables.rows(FORECAST)
    assert before
    finalise = bands.finalise

    def wrong(*args: Any) -> Tenths:
        tenths = finalise(*args)
        broken(tenths)
        return tenths

    monkeypatch.setattr(issuing, "finalise", wrong)
    result = forecast_now()

    assert not result.success
    failed_here = {key for key in failed_checks(result) if key[2] == "ERROR"}
    assert failed_here == {("forecast.predictions", fails, "ERROR")}
    found = evaluations(result)["forecast.predictions", fails]
    number = found.metadata["found"].value
    assert isinstance(number, int)
    assert number >= 1
    assert tables.rows(FORECAST) == before
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == ("forecast.predictions", "BlockingCheckFailed")
    assert f"nothing was published, because {fails}: " in (failed.error_message or "")
    assert "Earlier forecasts are as they were" in (failed.error_message or "")
    # Scores are made of forecasts, so that none is made after a failure.
    assert [a.asset for a in tables.attempts()].count("forecast.accuracy") == 1


def test_a_forecast_short_of_a_half_hour_fails_the_run_and_publishes_nothing(
    forecast_now: Callable[[], dg.ExecuteInProcessResult],
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = store._prediction_rows

    def one_too_few(*args: Any) -> Iterator[tuple[Any, ...]]:
        yield from list(rows(*args))[:-1]

    monkeypatch.setattr(store, "_prediction_rows", one_too_few)
    result = forecast_now()
    assert not result.success
    found = evaluations(result)["forecast.predictions", "horizon_complete"]
    assert not found.passed
    assert "seasonal_naive: " in examples(found)[0]
    assert tables.rows(FORECAST) == []


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
    assert judged == {
        ("forecast.predictions", "quantiles_ordered"),
        ("forecast.predictions", "values_in_range"),
        ("forecast.predictions", "shares_sum_to_100"),
        ("forecast.predictions", "horizon_complete"),
        ("forecast.predictions", "context_sufficient"),
        ("forecast.predictions", "is_recent"),
        ("forecast.accuracy", "coverage_80"),
        ("forecast.accuracy", "better_than_naive"),
    }
    assert failed_checks(result) == {("forecast.predictions", "by_configured_model", "WARN")}
    told = examples(evaluations(result)["forecast.predictions", "by_configured_model"])
    assert told[0].endswith(f"seasonal_naive: {why}")


def test_a_week_with_holes_is_told_and_not_forecast_from(
    forecast_now: Callable[[], dg.ExecuteInProcessResult], tables: Tables
) -> None:
    tables.rows("DELETE FROM core.intensity WHERE period_start < now() - interval '4 days'")

    result = forecast_now()

    assert result.success
    assert tables.rows(FORECAST) == []
    warned = {check for _, check, severity in failed_checks(result) if severity == "WARN"}
    assert warned == {"context_sufficient", "is_recent"}
    told = examples(evaluations(result)["forecast.predictions", "context_sufficient"])
    assert all("carbon intensity" in example for example in told)


# Warnings: the run succeeds, and the fault shows with an example.


def test_a_sound_cycle_passes_every_check(
    materialise: Materialise, tables: Tables, today: date
) -> None:
    result = materialise(today - timedelta(days=1), today)
    assert result.success
    judged = {key for key, found in evaluations(result).items() if found.passed}
    assert judged == {
        ("raw.intensity", "few_quarantined"),
        ("raw.generation", "few_quarantined"),
        ("core.intensity", "keys_unique"),
        ("core.intensity", "on_the_half_hour"),
        ("core.intensity", "half_hours_complete"),
        ("core.intensity", "is_recent"),
        ("core.intensity", "values_plausible"),
        ("core.generation_mix", "sums_to_100"),
        ("core.generation_mix", "shares_in_range"),
        ("core.generation_mix", "keys_unique"),
        ("core.generation_mix", "on_the_half_hour"),
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
        "actual_gco2_kwh) VALUES (%s, clock_timestamp() + interval '1 hour', 100, %s)",
        odd,
        far,
    )

    result = materialise(day)

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
            holder.execute(
                "SELECT pg_advisory_xact_lock(hashtext('grid_assets'), hashtext('core.intensity'))"
            )
            ready.set()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                cut = watcher.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event = 'advisory'"
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

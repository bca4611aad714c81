"""The assets: their names and descriptions, and the results of a run."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

import grid_assets
from grid_assets import definitions, halfhours
from grid_assets.definitions import defs
from grid_assets.halfhours import HALF_HOUR, api_time, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.carbon_intensity import payloads
from grid_assets.telemetry import quarantine
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.defs.conftest import Attempt, Recorded, Tables, failed_checks, half_hours
from grid_assets_tests.http_stub import Reply, serving

Materialise = Callable[..., dg.ExecuteInProcessResult]
Rows = Callable[..., list[tuple[Any, ...]]]

PACKAGE = Path(grid_assets.__file__).parent
GRAPH = defs.resolve_asset_graph()
ASSETS = {key.to_user_string(): GRAPH.get(key) for key in GRAPH.get_all_asset_keys()}
STORED = sorted(name for name, asset in ASSETS.items() if asset.is_materializable)

LOADED = {
    "core/generation_mix": "/generation",
    "core/generation_mw": None,
    "core/intensity": "/intensity",
    "core/outlook": None,
    "core/regional_intensity": "/regional/intensity/{from}/{to}",
    "core/regional_mix": "/regional/intensity/{from}/{to}",
    "forecast/accuracy": "/intensity",
    "forecast/predictions": "/intensity",
    "forecast/regional_accuracy": "/regional/intensity/{from}/fw48h",
    "ops/alert_deliveries": None,
    "raw/elexon_generation": None,
    "raw/embedded_generation": None,
    "raw/generation": "/generation",
    "raw/intensity": "/intensity",
    "raw/neso_forecast": "/intensity/{from}/fw48h",
    "raw/outlook": None,
    "raw/regional": "/regional/intensity/{from}/{to}",
    "raw/regional_forecast": "/regional/intensity/{from}/fw48h",
}
"""The assets that a run makes, with the path of their source if it is the Carbon Intensity API."""

CREDITS = {
    "core/generation_mw": ("BMRS", "Supported by National Energy SO Open Data"),
    "core/outlook": ("BMRS", "Supported by National Energy SO Open Data"),
    "ops/alert_deliveries": ("Source: the warehouse",),
    "raw/elexon_generation": ("BMRS",),
    "raw/embedded_generation": ("Supported by National Energy SO Open Data",),
    "raw/outlook": ("BMRS", "Supported by National Energy SO Open Data"),
}
"""What the licences of the other sources ask for."""

ONE_ROW = {
    "core/outlook": "one series of one publication",
    "core/regional_intensity": "one region and half-hour",
    "core/regional_mix": "one region and half-hour",
    "raw/outlook": "one half-hour, or hour, of one publication",
    "forecast/accuracy": "one model's errors for one series, UTC target day and lead bucket",
    "forecast/predictions": "one quantile forecast of carbon intensity",
    "forecast/regional_accuracy": "one model's errors in one region, UTC target day and",
    "ops/alert_deliveries": "one event of an alert",
}
"""What one row is, of the assets where it is not one half-hour."""

VIEWS = {
    "reporting/actual_vs_predicted",
    "reporting/actual_vs_predicted_24h",
    "reporting/daily",
    "reporting/daily_energy",
    "reporting/forecast_accuracy",
    "reporting/forecast_day_ahead",
    "reporting/forecast_latest",
    "reporting/forecast_value",
    "reporting/generation_groups",
    "reporting/generation_mix",
    "reporting/generation_mix_24h",
    "reporting/generation_mw",
    "reporting/monthly",
    "reporting/monthly_energy",
    "reporting/outlook_newest",
    "reporting/regional_24h",
    "reporting/regional_forecast_accuracy",
    "reporting/regional_forecast_latest",
    "reporting/regional_now",
    "reporting/regional_telemetry",
    "reporting/telemetry",
    "reporting/telemetry_24h",
}

FILES = {"files/dashboard", "files/feeds"}
"""The assets that are files, not relations; `test_files` says what they are."""

CHECKS = {
    ("core/generation_mix", "sums_to_100", True),
    ("core/generation_mix", "fuels_kept", True),
    ("core/generation_mix", "half_hours_complete", False),
    ("core/generation_mix", "is_recent", False),
    ("core/generation_mix", "published_total_near_100", False),
    ("core/generation_mix", "fuels_known", False),
    ("core/generation_mw", "is_recent", False),
    ("core/generation_mw", "recomputed_drift", False),
    ("core/generation_mw", "values_plausible", False),
    ("core/intensity", "actuals_kept", True),
    ("core/intensity", "half_hours_complete", False),
    ("core/intensity", "is_recent", False),
    ("core/intensity", "values_plausible", False),
    ("core/outlook", "is_recent", False),
    ("core/outlook", "no_suspects", False),
    ("core/regional_intensity", "half_hours_complete", False),
    ("core/regional_intensity", "is_recent", False),
    ("core/regional_intensity", "values_plausible", False),
    ("core/regional_mix", "sums_to_100", True),
    ("core/regional_mix", "fuels_kept", True),
    ("core/regional_mix", "half_hours_complete", False),
    ("core/regional_mix", "is_recent", False),
    ("core/regional_mix", "published_total_near_100", False),
    ("core/regional_mix", "fuels_known", False),
    ("forecast/accuracy", "better_than_naive", False),
    ("forecast/accuracy", "coverage_80", False),
    ("forecast/predictions", "by_configured_model", False),
    ("forecast/predictions", "context_sufficient", False),
    ("forecast/predictions", "horizon_complete", True),
    ("forecast/predictions", "is_recent", False),
    ("forecast/predictions", "quantiles_ordered", True),
    ("forecast/predictions", "shares_sum_to_100", True),
    ("ops/alert_deliveries", "all_delivered", False),
    ("ops/alert_deliveries", "all_judged", False),
    ("raw/elexon_generation", "clocks_agree", False),
    ("raw/elexon_generation", "few_quarantined", False),
    ("raw/elexon_generation", "sources_answer", False),
    ("raw/embedded_generation", "few_quarantined", False),
    ("raw/embedded_generation", "sources_answer", False),
    ("raw/generation", "clocks_agree", False),
    ("raw/generation", "few_quarantined", False),
    ("raw/intensity", "clocks_agree", False),
    ("raw/intensity", "few_quarantined", False),
    ("raw/neso_forecast", "reaches_48_hours", False),
    ("raw/outlook", "clocks_agree", False),
    ("raw/outlook", "few_quarantined", False),
    ("raw/outlook", "sources_answer", False),
    ("raw/regional", "clocks_agree", False),
    ("raw/regional", "few_quarantined", False),
    ("raw/regional", "no_actuals", False),
    ("raw/regional", "regions_complete", False),
    ("raw/regional", "sources_answer", False),
    ("raw/regional_forecast", "clocks_agree", False),
    ("raw/regional_forecast", "few_quarantined", False),
    ("raw/regional_forecast", "reaches_48_hours", False),
    ("raw/regional_forecast", "sources_answer", False),
}
"""Asset, check, and whether its failure keeps the data from being published."""


# The surface.


def test_the_surface_is_exactly_this() -> None:
    assert set(ASSETS) == set(LOADED) | VIEWS | FILES
    assert set(STORED) == set(LOADED) | FILES
    found = {
        (key.asset_key.to_user_string(), key.name, bool(GRAPH.get(key).blocking))
        for key in GRAPH.asset_check_keys
    }
    assert found == CHECKS
    own = [job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    assert own == ["housekeeping", "learning", "telemetry"]
    repository = defs.get_repository_def()
    assert [schedule.name for schedule in repository.schedule_defs] == [
        "daily_housekeeping",
        "half_hourly",
        "weekly_learning",
    ]
    assert [sensor.name for sensor in repository.sensor_defs] == ["alarms", "new_telemetry"]


def test_each_asset_depends_on_what_it_reads() -> None:
    parents = {
        name: {key.to_user_string() for key in asset.parent_keys} for name, asset in ASSETS.items()
    }
    assert parents == {
        "raw/intensity": set(),
        "raw/generation": set(),
        "raw/neso_forecast": set(),
        "raw/outlook": set(),
        "raw/elexon_generation": set(),
        "raw/embedded_generation": set(),
        "core/outlook": {"raw/outlook"},
        "core/generation_mw": {
            "raw/elexon_generation",
            "raw/embedded_generation",
            "core/outlook",
        },
        "core/intensity": {"raw/intensity"},
        "core/generation_mix": {"raw/generation"},
        "raw/regional": set(),
        # a dependency that failed would keep a silence from being told
        "ops/alert_deliveries": set(),
        "raw/regional_forecast": set(),
        "core/regional_intensity": {"raw/regional"},
        "core/regional_mix": {"raw/regional"},
        "forecast/predictions": {"core/intensity", "core/generation_mix", "raw/neso_forecast"},
        "forecast/accuracy": {"forecast/predictions", "core/intensity", "core/generation_mix"},
        "reporting/telemetry": {"core/intensity", "core/generation_mix"},
        "reporting/telemetry_24h": {"reporting/telemetry"},
        "reporting/generation_mix": {"core/generation_mix", "raw/generation"},
        "reporting/generation_mix_24h": {"reporting/generation_mix"},
        "reporting/forecast_latest": {"forecast/predictions"},
        "reporting/forecast_day_ahead": {"forecast/predictions"},
        "reporting/actual_vs_predicted": {
            "forecast/predictions",
            "core/intensity",
            "core/generation_mix",
        },
        "reporting/actual_vs_predicted_24h": {
            "forecast/predictions",
            "core/intensity",
            "core/generation_mix",
        },
        "reporting/forecast_accuracy": {"forecast/accuracy"},
        "reporting/forecast_value": {"forecast/accuracy"},
        "reporting/generation_mw": {"core/generation_mw"},
        "reporting/generation_groups": {"core/generation_mix", "core/generation_mw"},
        "reporting/daily": {"core/intensity", "core/generation_mix"},
        "reporting/monthly": {"core/intensity", "core/generation_mix"},
        "reporting/daily_energy": {"core/generation_mw", "core/intensity"},
        "reporting/monthly_energy": {"core/generation_mw", "core/intensity"},
        "reporting/outlook_newest": {"core/outlook"},
        "forecast/regional_accuracy": {
            "forecast/predictions",
            "raw/regional_forecast",
            "core/regional_intensity",
        },
        "reporting/regional_forecast_latest": {
            "raw/regional_forecast",
            "forecast/predictions",
            "forecast/regional_accuracy",
        },
        "reporting/regional_forecast_accuracy": {"forecast/regional_accuracy"},
        "files/feeds": {
            "forecast/accuracy",
            "reporting/telemetry",
            "reporting/forecast_latest",
            "reporting/forecast_accuracy",
            "reporting/regional_now",
            "reporting/regional_forecast_latest",
            "reporting/regional_forecast_accuracy",
        },
        "reporting/regional_telemetry": {"core/regional_intensity", "core/regional_mix"},
        "reporting/regional_24h": {"reporting/regional_telemetry"},
        "reporting/regional_now": {"reporting/regional_telemetry"},
        "files/dashboard": {
            "forecast/accuracy",
            "reporting/generation_mw",
            "reporting/outlook_newest",
            "reporting/telemetry",
            "reporting/telemetry_24h",
            "reporting/generation_mix",
            "reporting/generation_mix_24h",
            "reporting/forecast_latest",
            "reporting/forecast_day_ahead",
            "reporting/actual_vs_predicted",
            "reporting/forecast_accuracy",
            "reporting/forecast_value",
            "reporting/regional_now",
            "reporting/regional_forecast_latest",
            "reporting/regional_forecast_accuracy",
        },
    }


def test_a_score_needs_the_forecasts_of_its_day_and_of_the_two_before() -> None:
    mapping = GRAPH.get_partition_mapping(
        dg.AssetKey(["forecast", "accuracy"]), dg.AssetKey(["forecast", "predictions"])
    )
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-2, 0)
    assert mapping.allow_nonexistent_upstream_partitions  # on the first two days there are


@pytest.mark.parametrize("name", sorted(set(ASSETS) - FILES))
def test_every_asset_says_what_it_is(name: str) -> None:
    asset = ASSETS[name]
    layer = name.split("/")[0]
    assert asset.group_name == layer
    assert asset.owners == ["team:grid-assets"]
    assert asset.kinds == {"postgres", "python" if name in LOADED else "view"}
    assert asset.tags.items() >= {"domain": "electricity", "region": "gb"}.items()
    assert asset.metadata["dagster/table_name"] == name.replace("/", ".")
    # a view is never materialised, so Dagster could only judge it as stale
    assert asset.freshness_policy == (
        dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=2), warn_window=timedelta(hours=1)
        )
        if name in LOADED
        else None
    )


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_says_what_a_row_is_and_that_it_is_never_materialised(name: str) -> None:
    text = ASSETS[name].description or ""
    assert text.startswith("One row is one ")
    assert "never materialised" in text


@pytest.mark.parametrize("name", sorted(set(ASSETS) - FILES))
def test_nothing_in_a_description_vanishes_as_html(name: str) -> None:
    schema = ASSETS[name].metadata["dagster/column_schema"]
    texts = [ASSETS[name].description or "", *(c.description or "" for c in schema.columns)]
    assert [text for text in texts if "<" in re.sub("`[^`]*`", "", text)] == []


@pytest.mark.parametrize("name", sorted(LOADED))
def test_every_loaded_asset_tells_row_unit_source_re_run_and_partition(name: str) -> None:
    asset = ASSETS[name]
    text = " ".join((asset.description or "").split())
    assert text.startswith(f"One row is {ONE_ROW.get(name, 'one half-hour')}")
    assert re.search("gCO2/kWh|%|MW", text)
    assert re.search("re-run|repeated one adds nothing|[Oo]nly changed rows", text)
    source = f"Source: `https://api.carbonintensity.org.uk{LOADED[name]}`, NESO, CC BY 4.0."
    assert all(credit in text for credit in CREDITS.get(name, [source]))
    # Beside other labels the UI shows when the code was loaded, which it does not always know.
    assert {label.partition("/")[0] for label in asset.metadata} == {"dagster"}
    partitions = asset.partitions_def
    # the past cannot be fetched, is scored again and again, or is not what an alert is about
    if name in (
        "raw/neso_forecast",
        "raw/regional_forecast",
        "forecast/regional_accuracy",
        "ops/alert_deliveries",
    ):
        assert partitions is None
        assert "There are no partitions" in text
        return
    assert "partition is the UTC day" in text
    assert name in CREDITS or "one that no run has made is missing" in text
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.timezone == "UTC"
    assert partitions.get_first_partition_key() == "2017-09-11"
    assert partitions.get_last_partition_key() == str(datetime.now(UTC).date())
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()


# What a run leaves behind.


def metadata_of(
    result: dg.ExecuteInProcessResult, relation: str
) -> dict[str, dict[str, dg.MetadataValue[Any]]]:
    """Metadata of the materialisations of a relation, by partition."""
    return {
        event.partition or "": dict(event.materialization.metadata)
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and ".".join(event.asset_key.path) == relation
    }


def test_a_range_reports_each_day_of_its_own_and_says_that_the_data_is_recorded(
    materialise: Materialise, tables: Tables, day: date
) -> None:
    days = [day - timedelta(days=2), day - timedelta(days=1), day]

    result = materialise(days[0], days[-1], trigger="schedule")

    assert result.success
    for relation in ("raw.intensity", "raw.generation", "core.intensity", "core.generation_mix"):
        by_day = metadata_of(result, relation)
        assert list(by_day) == [d.isoformat() for d in days]
        for d in days:
            answer = {name: value.value for name, value in by_day[d.isoformat()].items()}
            assert answer["dagster/partition_row_count"] == 48
            assert answer["first_period"] == f"{d}T00:00Z"
            assert answer["last_period"] == f"{d}T23:30Z"
            assert answer["run_rows_changed"] == 144
            assert answer["run_rows_quarantined"] == 0
            assert answer["data"] == "RECORDED data (replay), not live"
            assert "picture" not in answer
    assert [(a.fetched, a.written, a.trigger) for a in tables.attempts()] == [
        (144, 144, "schedule")
    ] * 4

    again = materialise(days[0], days[-1], trigger="schedule")

    assert {a.written for a in tables.attempts()[4:]} == {0}
    answer = metadata_of(again, "core.intensity")[day.isoformat()]
    assert answer["run_rows_changed"].value == 0
    assert answer["dagster/partition_row_count"].value == 48


def test_only_one_day_started_by_hand_gets_a_picture(
    materialise: Materialise, tables: Tables, day: date
) -> None:
    by_hand = materialise(day, trigger="manual")
    for relation in ("raw.intensity", "raw.generation", "core.intensity", "core.generation_mix"):
        picture = metadata_of(by_hand, relation)[day.isoformat()]["picture"]
        assert isinstance(picture, dg.MarkdownMetadataValue)
        found = re.fullmatch(
            r"!\[(?P<title>[^]]+)\]\(data:image/png;base64,(?P<image>[A-Za-z0-9+/=]+)\)",
            str(picture.value),
        )
        assert found
        assert found["title"] == f"{relation}, {day} (UTC) – RECORDED data (replay), not live"
        image = base64.b64decode(found["image"], validate=True)
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        assert image.endswith(b"IEND\xaeB`\x82")
    scheduled = materialise(day, trigger="schedule")
    a_range = materialise(day - timedelta(days=1), day, trigger="manual")
    for result in (scheduled, a_range):
        for relation in ("raw.intensity", "core.generation_mix"):
            assert "picture" not in metadata_of(result, relation)[day.isoformat()]
    assert {a.trigger for a in tables.attempts()} == {"manual", "schedule"}


# NESO's forecast.


def forecasts(rows: Rows) -> list[tuple[Any, ...]]:
    return rows(
        "SELECT issued_at, count(*), min(period_start), max(period_start), bool_and(simulated), "
        "count(DISTINCT period_start) FROM raw.neso_forecast GROUP BY issued_at"
    )


def test_a_forecast_is_48_hours_marked_as_simulated_and_a_repeated_one_adds_nothing(
    materialise: Materialise, tables: Tables, rows: Rows, today: date
) -> None:
    start = floor(datetime.now(UTC))

    result = materialise(today, forecast=True)

    assert result.success
    [(issued_at, n, first, last, simulated, distinct)] = forecasts(rows)
    assert (n, distinct, simulated) == (96, 96, True)
    assert (first, last) == (start, start + timedelta(hours=48) - HALF_HOUR)
    assert start <= issued_at <= datetime.now(UTC)
    answer = metadata_of(result, "raw.neso_forecast")[""]
    assert answer["simulated"].value is True
    assert answer["run_rows_changed"].value == answer["run_rows_fetched"].value == 96
    assert answer["data"].value == "RECORDED data (replay), not live"

    again = materialise(today, forecast=True)

    assert again.success
    assert len(forecasts(rows)) == 1
    tries = [a for a in tables.attempts() if a.asset == "raw.neso_forecast"]
    assert [(a.fetched, a.written) for a in tries] == [(96, 96), (96, 0)]


def test_a_bad_record_in_a_forecast_is_quarantined_and_the_95_others_are_captured(
    materialise: Materialise, replay: ReplayServer, tables: Tables, rows: Rows, today: date
) -> None:
    odd = floor(datetime.now(UTC)) + timedelta(hours=6)
    replay.control.fault({"name": "nan", "period": api_time(odd), "path": "/intensity"})

    result = materialise(today, forecast=True)

    [(_, n, _, _, _, _)] = forecasts(rows)
    assert n == 95
    assert ("raw.neso_forecast", "reaches_48_hours", "WARN") in failed_checks(result)
    [kept] = [e for e in tables.quarantine() if e.asset == "raw.neso_forecast"]
    assert kept.reason == "intensity.forecast: nan is not a finite number"
    assert kept.endpoint.endswith("/fw48h")
    [tried] = [a for a in tables.attempts() if a.asset == "raw.neso_forecast"]
    assert (tried.fetched, tried.written, tried.quarantined) == (96, 95, 1)


def test_a_forecast_that_is_empty_is_captured_as_nothing_and_warned_of(
    materialise: Materialise, replay: ReplayServer, rows: Rows, today: date
) -> None:
    now = api_time(floor(datetime.now(UTC)))
    replay.control.fault({"name": "empty_list", "path": f"/intensity/{now}/fw48h"})

    result = materialise(today, forecast=True)

    assert result.success
    assert forecasts(rows) == []
    assert ("raw.neso_forecast", "reaches_48_hours", "WARN") in failed_checks(result)


def test_a_forecast_record_that_becomes_usable_completes_its_forecast(
    materialise: Materialise,
    replay: ReplayServer,
    warehouse: SecretStr,
    connection: Connection,
    rows: Rows,
    today: date,
) -> None:
    odd = floor(datetime.now(UTC)) + timedelta(hours=6)
    replay.control.fault({"name": "nan", "period": api_time(odd), "path": "/intensity"})
    materialise(today, forecast=True)
    rows("UPDATE ops.quarantine SET payload = replace(payload, 'NaN', '123')")

    replayed = quarantine.replay(connection)

    assert (replayed.accepted, replayed.still_rejected, replayed.days) == (1, 0, frozenset())
    [(_, n, _, _, simulated, _)] = forecasts(rows)
    assert (n, simulated) == (96, True)
    assert rows("SELECT forecast_gco2_kwh FROM raw.neso_forecast WHERE period_start = %s", odd) == [
        (123,)
    ]


def test_a_run_over_past_days_captures_the_current_forecast_which_has_no_partitions(
    materialise: Materialise, tables: Tables, rows: Rows, day: date, today: date
) -> None:
    result = materialise(day, forecast=True)

    assert result.success
    [(_, n, first, *_)] = forecasts(rows)
    assert (n, first.date()) == (96, today)
    assert list(metadata_of(result, "raw.neso_forecast")) == [""]
    assert ASSETS["raw/neso_forecast"].partitions_def is None
    assert tables.rows(
        "SELECT partition_start, partition_end FROM ops.etl_runs WHERE asset = 'raw.neso_forecast'"
    ) == [(today, today)]


# Several windows, several kinds of data.


def test_a_window_that_fails_keeps_no_other_from_loading_and_fails_the_run(
    materialise: Materialise, replay: ReplayServer, tables: Tables, recorded: Recorded, day: date
) -> None:
    first = day - timedelta(days=29)  # three windows: 14, 14 and 2 days
    second = first + timedelta(days=14)
    replay.control.fault({"name": "500", "path": f"/intensity/{second}T00:00Z"})

    result = materialise(first, day)

    assert not result.success
    [failed] = [a for a in tables.attempts() if a.status != "success"]
    assert (failed.asset, failed.error_type) == ("raw.intensity", "ApiServerError")
    assert f"/intensity/{second}T00:00Z/" in (failed.error_message or "")
    assert "(1 of 3 windows failed; the others are loaded.)" in (failed.error_message or "")
    assert (failed.fetched, failed.written) == (16 * 48, 16 * 48)
    assert tables.by_period("raw.intensity") == {
        **recorded.intensity(first, second - timedelta(days=1)),
        **recorded.intensity(second + timedelta(days=14), day),
    }
    assert tables.by_period("raw.generation") == recorded.shares(first, day)
    assert not [a for a in tables.attempts() if a.asset == "core.intensity"]
    assert len(tables.by_period("core.generation_mix")) == 30 * 48

    replay.control.heal()
    assert materialise(first, day).success
    assert tables.by_period("core.intensity") == recorded.intensity(first, day)
    assert len(tables.values()["raw.intensity"]) == 30 * 48
    assert [a.written for a in tables.attempts() if a.asset == "raw.intensity"] == [768, 14 * 48]


def test_a_window_that_cannot_be_read_through_a_fault_of_ours_keeps_no_other_from_loading(
    materialise: Materialise,
    tables: Tables,
    recorded: Recorded,
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = day - timedelta(days=29)
    second = first + timedelta(days=14)
    real = halfhours.parse_api_time

    def faulty(text: str) -> datetime:
        if text.startswith(str(second + timedelta(days=1))):
            raise KeyError(text)
        return real(text)

    monkeypatch.setattr(payloads, "parse_api_time", faulty)
    assert not materialise(first, day).success
    for failed in tables.attempts():
        if failed.asset in ("raw.intensity", "raw.generation"):
            assert failed.status == "failed"
            assert "(1 of 3 windows failed; the others are loaded.)" in (failed.error_message or "")
    assert tables.by_period("raw.intensity") == {
        **recorded.intensity(first, second - timedelta(days=1)),
        **recorded.intensity(second + timedelta(days=14), day),
    }


def test_where_every_window_fails_the_message_does_not_speak_of_others(
    materialise: Materialise, replay: ReplayServer, tables: Tables, day: date
) -> None:
    replay.control.fault({"name": "400"})
    assert not materialise(day - timedelta(days=14), day).success
    for failed in tables.attempts():
        assert "others are loaded" not in (failed.error_message or "")
        assert "2 windows failed" in (failed.error_message or "")


def assert_refused(attempts: list[Attempt], tables: Tables, message: str) -> None:
    assert sorted(a.asset for a in attempts) == [
        "raw.generation",
        "raw.intensity",
        "raw.neso_forecast",
    ]
    assert {(a.status, a.error_type, a.written) for a in attempts} == {
        ("failed", "ApiWrongKind", 0)
    }
    for a in attempts:
        assert message in (a.error_message or "")
        assert "Recorded and live data are never mixed" in (a.error_message or "")
    assert set(tables.counts().values()) == {0}
    assert tables.rows("SELECT * FROM raw.neso_forecast") == []
    assert tables.quarantine() == []


@pytest.mark.parametrize(
    ("stamp", "message"),
    [
        (("live", None), "is recorded, but live data is expected"),
        (("replay", 5), "but shift_weeks=5 is expected"),
    ],
)
def test_recorded_data_is_refused_by_a_warehouse_that_holds_other(
    stamp: tuple[str, int | None],
    message: str,
    materialise: Materialise,
    tables: Tables,
    rows: Rows,
    today: date,
) -> None:
    rows("UPDATE ops.warehouse SET kind = %s, shift_weeks = %s", *stamp)
    assert not materialise(today, forecast=True).success
    assert_refused(tables.attempts(), tables, message)


def test_live_data_is_refused_by_a_warehouse_that_holds_recorded(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    today: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = half_hours(today)[0]
    records = replay.view.intensity(start, start + timedelta(days=1), replay.now())
    body = json.dumps({"data": records}).encode()
    with serving() as live:
        live.script = lambda path: Reply(body)
        monkeypatch.setenv("GRID_API_URL", live.url)
        assert not materialise(today, forecast=True).success
    assert_refused(tables.attempts(), tables, "is not recorded, but a replay is expected")


def test_a_database_that_was_never_set_up_is_reported_with_its_cure(
    materialise: Materialise,
    new_database: Callable[..., SecretStr],
    day: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = new_database().get_secret_value()
    monkeypatch.setenv("GRID_DATABASE_URL", bare)
    result = materialise(day)
    assert not result.success
    for step in ("raw__intensity", "raw__generation"):
        failure = result.failure_data_for_node(step)
        assert failure is not None
        assert "grid migrate" in str(failure.error) + str(failure.user_failure_data)
    with psycopg.connect(bare) as connection:
        made = connection.execute("SELECT to_regnamespace('raw')").fetchone()
    assert made == (None,)


# The shape of the code.


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""}
    return found


@pytest.mark.slow
def test_the_definitions_load_quickly_and_without_what_only_models_and_pictures_need() -> None:
    heavy = "torch chronos transformers onnxruntime pandas matplotlib holidays sklearn scipy "
    heavy += "fsspec s3fs gcsfs aiobotocore aiohttp"
    script = (
        "import json, sys, time, grid_assets.definitions\n"
        f"heavy = [n for n in {heavy.split()} if n in sys.modules]\n"
        "print(json.dumps({'heavy': heavy, 'cpu_s': time.process_time()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    answer = json.loads(done.stdout)
    assert answer["heavy"] == []
    assert answer["cpu_s"] < 3  # computing time, so that a busy machine does not count


def test_the_definitions_read_as_a_table_of_contents() -> None:
    lines = Path(definitions.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 80

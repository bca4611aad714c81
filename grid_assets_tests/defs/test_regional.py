"""The regions in a cycle, against the recorded API: loaded, published, marked, and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import planning
from grid_assets.defs.assets import dashboard, feeds, forecast, raw, regional
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import REGIONS, REGIONS_CORE
from grid_assets.defs.resources import Services
from grid_assets.halfhours import DAY, HALF_HOUR, Window, api_time, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import RegionalRow, parse_regional
from grid_assets.sources.http.body import json_object
from grid_assets.telemetry.due import Range
from grid_assets_tests.defs.conftest import Tables, failed_checks, half_hours, noon
from grid_assets_tests.running import wait_out_half_hour

Rows = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., dg.ExecuteInProcessResult]

ALL: Final = (*REGIONS, regional.regional_forecast)
RAW: Final = "raw.regional"
FORECAST: Final = "raw.regional_forecast"
NEEDED_S: Final = 20
TABLES: Final = (RAW, FORECAST, "core.regional_intensity", "core.regional_mix")


@pytest.fixture
def run(
    warehouse: SecretStr, replay: ReplayServer, kept_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Runs the regions, or other assets, as one cycle does, in this process.

    It waits if a half-hour is about to end, so that a test does not see two.
    """
    wait_out_half_hour(NEEDED_S)
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_URL", replay.url)
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "0")
    monkeypatch.setenv("GRID_HOME", str(kept_home))
    monkeypatch.setenv("GRID_REGIONS", "true")
    with dg.DagsterInstance.ephemeral() as instance:

        def made(
            first: date, last: date | None = None, assets: Any = ALL, trigger: str = "tick"
        ) -> dg.ExecuteInProcessResult:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(first, last or first, trigger),
                asset_selection=[asset.key for asset in assets],
                raise_on_error=False,
                run_config=QUIET_RUN_CONFIG,
            )

        yield made


def counts(rows: Rows) -> dict[str, int]:
    return {table: rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def published(replay: ReplayServer, path: str, window: Window) -> list[RegionalRow]:
    """What the API answers, parsed as a body that was received."""
    _, answer = replay.endpoints.answer(path, replay.now(), None)
    return parse_regional(json_object(path, answer.body.decode()), window).rows


def values(row: RegionalRow) -> tuple[Any, ...]:
    shares = (row.shares_pct[fuel] for fuel in FUELS)
    return (row.region_id, row.period_start, row.forecast_gco2_kwh, *shares)


VALUES: Final = (
    "SELECT region_id, period_start, forecast_gco2_kwh, biomass_pct, coal_pct, imports_pct, "
    "gas_pct, nuclear_pct, other_pct, hydro_pct, solar_pct, wind_pct FROM {} ORDER BY 1, 2"
)


def gaps() -> list[Range]:
    """The days of the runs that a cycle plans to fetch missing regions."""
    with Services().open() as services:
        missing = planning.regional_gaps(services, datetime.now(UTC), "tick")
    assert all(one.assets == [asset.key for asset in REGIONS] for one in missing)
    return [one.days for one in missing]


def requests(replay: ReplayServer) -> dict[str, int]:
    asked = replay.control.status()["requests"]
    return {kind: count for kind, count in asked.items() if "regional" in kind}


def test_a_cycle_brings_the_regions_as_published_and_a_second_one_adds_nothing(
    run: Run, today: date, rows: Rows, tables: Tables, replay: ReplayServer
) -> None:
    asked = requests(replay)
    now = floor(datetime.now(UTC))
    first = run(today)
    assert first.success
    assert failed_checks(first) == set()
    begun = [start for start in half_hours(today) if start <= now]
    assert counts(rows) == {
        FORECAST: 18 * 96,
        **dict.fromkeys((RAW, "core.regional_intensity", "core.regional_mix"), 18 * len(begun)),
    }
    path = f"/regional/intensity/{api_time(begun[0])}/{api_time(now + HALF_HOUR)}"
    past = Window(begun[0], now + HALF_HOUR)
    assert rows(VALUES.format(RAW)) == [values(one) for one in published(replay, path, past)]
    ahead = Window(now, now + 2 * DAY)
    fw48h = published(replay, f"/regional/intensity/{api_time(now)}/fw48h", ahead)
    assert rows(VALUES.format(FORECAST)) == [values(one) for one in fw48h]
    intensities = (
        "SELECT count(*) FILTER (WHERE i.intensity_gco2_kwh = r.forecast_gco2_kwh), count(*) "
        "FROM raw.regional AS r JOIN core.regional_intensity AS i "
        "USING (region_id, period_start, captured_at)"
    )
    assert rows(intensities) == [(18 * len(begun),) * 2]
    totals = "SELECT DISTINCT total_pct, simulated FROM reporting.regional_telemetry"
    assert rows(totals) == [(100, True)]
    assert rows("SELECT DISTINCT simulated FROM raw.regional_forecast") == [(True,)]
    now_shown = "SELECT count(*), min(period_start), max(period_start) FROM reporting.regional_now"
    assert rows(now_shown) == [(18, now, now)]

    assert run(today).success
    once = {name: count - asked.get(name, 0) for name, count in requests(replay).items()}
    assert once == {"/regional/intensity": 2, "/regional/intensity/fw48h": 2}
    assert counts(rows)[FORECAST] == 18 * 96
    by_asset: dict[str, list[tuple[str, int]]] = {}
    for one in tables.attempts():
        by_asset.setdefault(one.asset, []).append((one.status, one.written))
    assert by_asset[FORECAST] == [("success", 18 * 96), ("success", 0)]
    for table in (RAW, "core.regional_intensity", "core.regional_mix"):
        assert by_asset[table] == [("success", 18 * len(begun)), ("success", 0)]
    assert tables.quarantine() == []


def test_a_revised_value_adds_a_row_and_changes_that_region_alone(
    run: Run, day: date, rows: Rows, replay: ReplayServer
) -> None:
    assert run(day, assets=REGIONS).success
    before = rows("SELECT * FROM core.regional_intensity ORDER BY 1, 3")
    replay.control.fault({"name": "revision", "region": 13, "period": api_time(noon(day))})
    assert run(day, assets=REGIONS).success
    assert counts(rows)[RAW] == 48 * 18 + 1
    after = rows("SELECT * FROM core.regional_intensity ORDER BY 1, 3")
    [(old, new)] = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert (new[0], new[2], new[3]) == (13, noon(day), old[3] + 3)
    mixes = (
        "SELECT count(*) FILTER (WHERE m.captured_at <> i.captured_at), bool_and(total_pct = 100) "
        "FROM core.regional_mix AS m JOIN core.regional_intensity AS i "
        "USING (region_id, period_start) "
        "JOIN reporting.regional_telemetry USING (region_id, period_start)"
    )
    assert rows(mixes) == [(0, True)]


def test_without_regions_a_cycle_asks_for_none_and_says_why(
    run: Run,
    today: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_REGIONS", "false")
    asked = requests(replay)
    for trigger in ("tick", "backfill"):
        made = run(today - DAY, today, trigger=trigger)
        assert made.success
        assert failed_checks(made) == set()
        said = {
            event.materialization.metadata["switched_off"].value
            for event in made.get_asset_materialization_events()
        }
        assert said == {"Switched off: GRID_REGIONS is false."}
    assert requests(replay) == asked
    assert set(counts(rows).values()) == {0}
    assert {(a.status, a.fetched, a.written) for a in tables.attempts()} == {("success", 0, 0)}
    assert gaps() == []


def test_regions_come_after_the_forecast_and_before_the_files_that_show_them() -> None:
    def priority(asset: dg.AssetsDefinition) -> int:
        return int(asset.op.tags.get("dagster/priority", 0))

    first = (raw.intensity, raw.neso_forecast, forecast.predictions, forecast.accuracy)
    assert max(map(priority, ALL)) < min(map(priority, first))
    assert min(map(priority, ALL)) > max(map(priority, (dashboard.dashboard, feeds.feeds)))


# Gaps


def test_days_without_regions_are_planned_newest_first_and_not_too_many_at_once(
    run: Run, today: date, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 60 * DAY))
    found = gaps()
    assert len(found) == planning.MOST_REGIONAL
    assert found[0].last == today - 2 * DAY
    assert all(older.last + DAY == newer.first for newer, older in pairwise(found))
    assert all(1 + (one.last - one.first).days <= 14 for one in found)
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 3 * DAY))
    assert gaps() == [Range(today - 3 * DAY, today - 2 * DAY)]
    assert run(today - 3 * DAY, today - 2 * DAY, REGIONS).success
    assert gaps() == []  # they may be revised, but were asked for today
    rows(
        "DELETE FROM core.regional_mix WHERE region_id = 6 AND period_start = %s",
        noon(today - 3 * DAY),
    )
    assert gaps() == []  # a tenth of its age has not passed since
    rows(
        "UPDATE ops.etl_runs SET started_at = started_at - interval '10 hours' WHERE asset = %s",
        RAW,
    )
    assert gaps() == [Range(today - 3 * DAY, today - 3 * DAY)]


def test_while_the_newest_regions_cannot_be_had_no_older_day_is_asked_for(
    run: Run, today: date, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 4 * DAY))
    replay.control.fault({"name": "500", "path": "/regional"})
    assert run(today - DAY, today, [regional.regional]).success
    assert gaps() == []
    replay.control.heal()
    assert run(today, assets=[regional.regional]).success
    assert gaps() == [Range(today - 4 * DAY, today - 2 * DAY)]


def test_what_a_killed_run_left_in_raw_is_published_by_the_next_cycle(
    run: Run, day: date, rows: Rows
) -> None:
    assert run(day, assets=[regional.regional]).success
    assert counts(rows) == dict.fromkeys(TABLES, 0) | {RAW: 48 * 18}

    def planned() -> list[planning.PlannedRun]:
        with Services().open() as services:
            return planning.plan_regional_runs(
                services, day - DAY, datetime.now(UTC), "tick", timedelta(0)
            )

    [due] = planned()
    assert due.days == Range(day, day)
    assert due.assets == [asset.key for asset in REGIONS_CORE]
    assert run(due.days.first, due.days.last, REGIONS_CORE).success
    assert counts(rows) == dict.fromkeys(TABLES, 48 * 18) | {FORECAST: 0}
    assert planned() == []

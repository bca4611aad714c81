"""The outlook and generation by fuel in a cycle, against the replays of Elexon and the portal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import GENERATION, HISTORY, OUTLOOK, PlannedRun, cycle
from grid_assets.defs.resources import Services
from grid_assets.replay.addresses import ELEXON_PATH, NESO_ACTIONS, source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets_tests.defs.conftest import Tables, failed_checks

Rows = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def run(
    warehouse: SecretStr,
    replay: ReplayServer,
    kept_home: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs telemetry and the outlook as one cycle does, in this process."""
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_API_RETRY_BUDGET_S", "0")
    monkeypatch.setenv("GRID_HOME", str(kept_home))
    for name, url in source_urls(replay.url).items():
        monkeypatch.setenv(f"GRID_{name.upper()}", url)

    def made(
        first: date, last: date, assets: Any = (*HISTORY, *OUTLOOK), trigger: str = "tick"
    ) -> dg.ExecuteInProcessResult:
        return defs.resolve_job_def("telemetry").execute_in_process(
            instance=instance,
            tags=range_tags(first, last, trigger),
            asset_selection=[asset.key for asset in assets],
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )

    return made


def states(tables: Tables) -> dict[str, str]:
    """The status of the last attempt at each asset."""
    return {one.asset: one.status for one in tables.attempts()}


def requests(replay: ReplayServer) -> Counter[str]:
    """How many requests each of the two sources has had."""
    found: Counter[str] = Counter()
    for kind, count in replay.control.status()["requests"].items():
        found[kind.split()[0]] += count
    return Counter({source: found[source] for source in ("elexon", "neso_portal")})


SOURCES = (
    "SELECT source, series, count(*) FROM raw.outlook_publications GROUP BY 1, 2 ORDER BY 1, 2"
)


def test_a_cycle_brings_the_outlook_and_generation_and_a_second_one_adds_nothing(
    run: Run, today: date, rows: Rows, tables: Tables, replay: ReplayServer
) -> None:
    yesterday = today - timedelta(days=1)
    assert run(yesterday, today).success
    assert set(states(tables).values()) == {"success"}
    held = {(source, series): count for source, series, count in rows(SOURCES)}
    assert held["elexon_windfor", "wind_mw"] >= 7
    assert held["elexon_ndf", "demand_mw"] >= 40
    assert held["neso_embedded", "embedded_wind_mw"] == 1
    assert held["neso_embedded", "embedded_solar_mw"] == 1
    known = rows(
        "SELECT series, count(*) FROM core.outlook_as_known_at(now()) "
        "WHERE period_start >= now() GROUP BY 1 ORDER BY 1"
    )
    assert [series for series, _ in known] == [
        "demand_mw",
        "embedded_solar_mw",
        "embedded_wind_mw",
        "wind_mw",
    ]
    assert all(count >= 10 for _, count in known)
    begun = rows("SELECT count(*) FROM core.intensity")[0][0]
    [(half_hours, metered)] = rows(
        "SELECT count(*), count(metered_wind_mw) FROM core.generation_mw "
        "WHERE demand_mw > 10000 AND gas_mw + nuclear_mw + imports_mw > 0"
    )
    assert begun - 2 <= half_hours == metered <= begun

    asked = requests(replay)
    before = rows("SELECT * FROM raw.elexon_generation ORDER BY 1, 2"), rows(SOURCES)
    # the datasets that take turns: until each has been looked at once, then none is due
    for _ in range(3):
        assert run(yesterday, today).success
    again = {api: count - asked[api] for api, count in requests(replay).items()}
    assert again == {"elexon": 3 * 4, "neso_portal": 3 * 1 + 2}  # two datasets were still due
    assert tables.quarantine() == []
    assert rows("SELECT * FROM raw.elexon_generation ORDER BY 1, 2") == before[0]
    after = {(source, series): count for source, series, count in rows(SOURCES)}
    assert after.items() >= held.items()
    assert set(after.values()) >= {1}
    assert {source for source, _ in after} == {
        "elexon_ndf",
        "elexon_windfor",
        "neso_day_ahead_wind",
        "neso_demand_2_14_days",
        "neso_embedded",
    }
    [(estimates, days)] = rows(
        "SELECT count(*), count(DISTINCT period_start::date) FROM raw.embedded_generation"
    )
    assert estimates > 1000
    assert days > 30
    assert rows(
        "SELECT count(*) > 0 FROM core.generation_mw WHERE embedded_known_by = 'estimate' "
        "AND recomputed_gco2_kwh > 0"
    ) == [(True,)]


FAILURES: list[Any] = [
    pytest.param(
        [("elexon", None)],
        {"raw.outlook", "raw.elexon_generation"},
        {"core.outlook"},
        {"neso_embedded"},
        id="Elexon",
    ),
    pytest.param(
        [("neso_portal", None)],
        {"raw.outlook", "raw.embedded_generation"},
        {"core.outlook", "core.generation_mw"},
        {"elexon_ndf", "elexon_windfor"},
        id="the portal",
    ),
    pytest.param(
        [("elexon", None), ("neso_portal", None)],
        {"raw.outlook", "raw.elexon_generation", "raw.embedded_generation"},
        set(),
        set(),
        id="both",
    ),
    pytest.param(
        [("elexon", f"{ELEXON_PATH}/datasets/WINDFOR")],
        {"raw.outlook"},
        {"core.outlook", "core.generation_mw"},
        {"elexon_ndf", "neso_embedded"},
        id="one dataset",
    ),
]


@pytest.mark.parametrize(("faults", "may_fail", "published", "kept"), FAILURES)
def test_what_fails_keeps_nothing_else_from_being_published(
    run: Run,
    today: date,
    rows: Rows,
    tables: Tables,
    replay: ReplayServer,
    faults: list[tuple[str, str | None]],
    may_fail: set[str],
    published: set[str],
    kept: set[str],
) -> None:
    for source, path in faults:
        replay.control.fault({"name": "500", "source": source, "path": path})
    run(today - timedelta(days=1), today)
    found = states(tables)
    failed = {asset for asset, status in found.items() if status == "failed"}
    # the embedded estimates are looked at in some cycles only
    assert failed - {"raw.embedded_generation"} == may_fail - {"raw.embedded_generation"}
    assert failed <= may_fail
    telemetry = {"core.intensity", "core.generation_mix"}
    assert {asset for asset, status in found.items() if status == "success"} >= (
        telemetry | published
    )
    sources = {source for (source,) in rows("SELECT DISTINCT source FROM core.outlook")}
    assert sources >= kept
    assert sources.isdisjoint({"elexon_windfor"} if ("one dataset" in str(faults)) else set())
    [message] = [one.error_message for one in tables.attempts() if one.asset == "raw.outlook"]
    assert "HTTP 500" in str(message)


def test_a_source_that_is_switched_off_is_no_failure_and_is_not_asked(
    run: Run, today: date, tables: Tables, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GRID_ELEXON_URL", "GRID_NESO_PORTAL_URL"):
        monkeypatch.setenv(name, "")
    asked = requests(replay)
    ran = run(today - timedelta(days=1), today, OUTLOOK)
    assert ran.success
    assert states(tables) == dict.fromkeys(
        (".".join(asset.key.path) for asset in OUTLOOK), "success"
    )
    assert requests(replay) == asked
    said = {
        event.asset_key.path[-1]: event.materialization.metadata["switched_off"].value
        for event in ran.get_asset_materialization_events()
        if event.asset_key is not None
    }
    assert said["elexon_generation"] == "Switched off: GRID_ELEXON_URL is empty."
    assert "GRID_NESO_PORTAL_URL is empty" in str(said["generation_mw"])

    # the public addresses are not asked on behalf of recorded data either
    for name in ("GRID_ELEXON_URL", "GRID_NESO_PORTAL_URL"):
        monkeypatch.delenv(name)
    ran = run(today - timedelta(days=1), today, OUTLOOK[:1])
    [event] = ran.get_asset_materialization_events()[:1]
    assert "holds recorded data" in str(event.materialization.metadata["switched_off"].value)


def test_a_bogus_publication_is_kept_as_published_and_passed_over(
    run: Run, today: date, rows: Rows, replay: ReplayServer
) -> None:
    path = f"{ELEXON_PATH}/datasets/NDF"
    replay.control.fault({"name": "halved", "source": "elexon", "path": path})
    ran = run(today - timedelta(days=1), today)
    newest = (
        "SELECT suspect, reason FROM core.outlook WHERE source = 'elexon_ndf' "
        "ORDER BY published_at DESC, captured_at DESC LIMIT 1"
    )
    [(suspect, reason)] = rows(newest)
    assert suspect
    assert "differs by" in reason
    assert ("core.outlook", "no_suspects", "WARN") in failed_checks(ran)
    replay.control.heal()
    run(today - timedelta(days=1), today)
    assert rows(newest) == [(False, None)]


def test_rejected_records_are_in_quarantine_with_their_endpoint(
    run: Run, today: date, tables: Tables, replay: ReplayServer
) -> None:
    for source, path in (
        ("elexon", f"{ELEXON_PATH}/datasets/FUELHH"),
        ("elexon", f"{ELEXON_PATH}/datasets/NDF"),
        ("neso_portal", f"{NESO_ACTIONS}/datastore_search"),
    ):
        replay.control.fault({"name": "negative", "source": source, "path": path})
    replay.control.fault(
        {"name": "truncated", "source": "elexon", "path": f"{ELEXON_PATH}/datasets/WINDFOR"}
    )
    ran = run(today - timedelta(days=1), today)
    found = {(entry.asset, entry.endpoint, entry.is_body) for entry in tables.quarantine()}
    assert found >= {
        ("raw.outlook", "/datasets/NDF", False),
        ("raw.outlook", "/datasets/WINDFOR", True),
        ("raw.outlook", "embedded-wind-and-solar-forecasts", False),
    }
    assert ("raw.outlook", "few_quarantined", "WARN") in failed_checks(ran)


def test_days_without_generation_are_found_and_filled_by_a_cycle(
    run: Run, today: date, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, yesterday = today - timedelta(days=3), today - timedelta(days=1)
    monkeypatch.setenv("GRID_HISTORY_START", str(first))
    run(first, yesterday, HISTORY)  # telemetry is whole, so that it asks for nothing
    run(yesterday, today, OUTLOOK)

    def planned() -> list[PlannedRun]:
        with Services().open() as services:
            return cycle(services, datetime.now(UTC), "tick")[1:]

    [gap] = [one for one in planned() if one.why == "generation is missing"]
    assert gap.assets == [asset.key for asset in GENERATION]
    assert (gap.days.first, gap.days.last) == (first, today - timedelta(days=2))
    assert run(gap.days.first, gap.days.last, GENERATION).success
    assert rows(
        "SELECT period_start::date, count(metered_wind_mw) FROM core.generation_mw "
        "WHERE period_start < %s GROUP BY 1 ORDER BY 1",
        yesterday,
    ) == [(first, 48), (gap.days.last, 48)]
    assert [one for one in planned() if one.why == "generation is missing"] == []

    rows("DELETE FROM core.generation_mw WHERE period_start::date = %s", first)
    rows("UPDATE ops.etl_runs SET started_at = started_at - interval '1 day'")
    fetching = [one for one in planned() if set(gap.assets) <= set(one.assets)]
    assert [one.days.first for one in fetching] == [first]
    rows(
        "UPDATE ops.etl_runs SET status = 'failed', error_type = 'x', started_at = now() "
        "WHERE asset = 'raw.elexon_generation' AND partition_end = %s",
        today,
    )
    assert [one for one in planned() if set(gap.assets) <= set(one.assets)] == []


def test_one_day_started_by_hand_is_fetched_whole_and_gets_pictures(
    run: Run, today: date, rows: Rows
) -> None:
    ran = run(today, today, OUTLOOK, trigger="manual")
    assert ran.success
    pictured = {
        event.asset_key.path[-1]
        for event in ran.get_asset_materialization_events()
        if event.asset_key is not None and "picture" in event.materialization.metadata
    }
    [(is_measured,)] = rows(
        "SELECT count(*) > 0 FROM core.generation_mw"
    )  # not just after midnight
    assert pictured == {"outlook", *(["generation_mw"] if is_measured else [])}
    assert {source for source, _, _ in rows(SOURCES)} >= {
        "elexon_ndf",
        "elexon_windfor",
        "neso_embedded",
    }

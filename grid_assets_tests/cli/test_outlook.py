"""The outlook in commands: `backfill`, `tick` and `status`, with a source that fails or is off."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import lock_relation
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import GridCommand, wait_until

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def both(recorded: GridCommand, replay: ReplayServer) -> GridCommand:
    """`grid` that also reads Elexon and the portal from the replay."""
    recorded.environment |= {
        f"GRID_{name.upper()}": url for name, url in source_urls(replay.url).items()
    }
    recorded.environment["GRID_BACKTEST_DAYS"] = "0"
    return recorded


def test_a_backfill_brings_the_outlook_and_goes_on_where_it_failed(
    both: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    days = ("backfill", "--from", str(days_ago(4)), "--to", str(days_ago(3)))
    off = both.run(*days, "--no-outlook", GRID_ELEXON_URL="")
    assert "outlook" not in off.out
    assert rows("SELECT count(*) FROM core.intensity") == [(96,)]

    replay.control.fault({"name": "500", "source": "neso_portal"})
    failed = both.run(*days, code=3)
    assert "raw.intensity" in failed.out
    assert "Intensity and mix are loaded, but not all of raw.embedded_generation" in failed.err
    assert "asks only for what is missing" in failed.err
    sources = "SELECT source, count(DISTINCT published_at) FROM raw.outlook_publications GROUP BY 1"
    held: dict[str, int] = dict(rows(sources))
    assert held.keys() == {"elexon_ndf", "elexon_windfor"}
    assert held["elexon_windfor"] == 16
    assert rows("SELECT count(*), count(gas_mw) FROM core.generation_mw") == [(96, 96)]

    replay.control.heal()
    asked = replay.control.status()["requests"]
    both.run(*days)
    now = replay.control.status()["requests"]
    assert {kind for kind in now if now[kind] != asked.get(kind, 0) and "elexon" in kind} == set()
    assert dict(rows(sources)).keys() == {
        "elexon_ndf",
        "elexon_windfor",
        "neso_day_ahead_demand",
        "neso_day_ahead_wind",
        "neso_embedded",
    }
    complete = (
        "SELECT count(*), count(recomputed_gco2_kwh), count(*) FILTER (WHERE embedded_known_by = "
        "'estimate') FROM core.generation_mw"
    )
    assert rows(complete) == [(96, 96, 96)]
    assert "are there already" in both.run(*days).out
    [status] = [
        line
        for line in both.run("status", code=None).out.splitlines()
        if line.startswith("outlook ")
    ]
    assert "embedded wind" in status


def test_a_tick_without_the_outlook_succeeds_with_a_warning(
    both: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    both.environment["GRID_HISTORY_START"] = str(days_ago(1))
    for source in ("elexon", "neso_portal"):
        replay.control.fault({"name": "500", "source": source})
    said = both.run("tick", "--telemetry-only").out
    assert "Warning: not all of the outlook was captured; the next cycle takes what is" in said
    assert rows("SELECT count(*) > 48 FROM core.intensity") == [(True,)]
    status = both.run("status", code=None).out
    assert "outlook       none" in status
    assert (
        "warning: the outlook is late: demand (none of Elexon NDF in the last 6 h), wind (none of "
        "Elexon WINDFOR in the last 6 h), embedded solar" in status
    )
    faults = [line for line in status.splitlines() if line.startswith("NOT HEALTHY")]
    assert not any("outlook" in line or "elexon" in line for line in faults)


def test_while_the_api_is_down_a_forecast_goes_on_from_elexon_and_nothing_is_published(
    both: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    """The API has been silent for six hours; then Elexon is too."""
    replay.control.withhold(12, replay.now())
    both.run("backfill", "--from", str(days_ago(8)), "--to", str(days_ago(1)))
    both.run("tick", "--telemetry-only")
    newest = rows("SELECT max(period_start) FROM core.intensity")
    published = "SELECT count(*), max(captured_at) FROM {}"
    before = [
        rows(published.format(name))
        for name in ("core.intensity", "core.generation_mix", "raw.intensity", "raw.generation")
    ]

    replay.control.fault({"name": "500"})
    failed = both.run("tick", code=1)
    assert "raw.intensity" in failed.text
    issues = rows(
        "SELECT DISTINCT issued_at, intensity_to - interval '30 minutes', context_recomputed > 5, "
        "refused_reason FROM forecast.issues WHERE model NOT IN ('neso')"
    )
    [(issued_at, published_to, is_labelled, refused)] = issues
    assert (published_to, is_labelled, refused) == (newest[0][0], True, None)
    assert "were recomputed from generation by fuel" in both.run("status", code=1).out
    assert rows(
        "SELECT count(*) FROM forecast.predictions WHERE model = 'gradient_boosting' "
        "AND issued_at = %s",
        issued_at,
    ) == [(960,)]
    after = [
        rows(published.format(name))
        for name in ("core.intensity", "core.generation_mix", "raw.intensity", "raw.generation")
    ]
    assert after == before

    made = "SELECT model, issued_at, created_at FROM forecast.issues WHERE refused_reason IS NULL"
    reached = "SELECT max(recomputed_to) FROM forecast.issues"
    earlier, known = rows(made), rows(reached)
    replay.control.fault({"name": "500", "source": "elexon"})
    assert "raw.elexon_generation" in both.run("tick", code=1).text
    # what was forecast stays, and nothing goes on from more than Elexon had said
    assert set(earlier) <= set(rows(made))
    assert rows(reached) == known

    replay.control.heal()
    replay.control.release(None, replay.now())
    assert "Forecast by" in both.run("tick").out.splitlines()[-1]
    assert rows(
        "SELECT DISTINCT context_recomputed, recomputed_to FROM forecast.issues WHERE intensity_to "
        "= (SELECT max(intensity_to) FROM forecast.issues)"
    ) == [(0, None)]


def test_a_rejected_record_of_elexon_is_loaded_and_published_once_it_passes(
    both: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    replay.control.fault(
        {"name": "string_value", "times": 1, "source": "elexon", "path": "/elexon"}
    )
    day = str(days_ago(3))
    both.run("backfill", "--from", day, "--to", day)
    [(number, asset, payload)] = rows("SELECT id, asset, payload FROM ops.quarantine")
    said = both.run("quarantine", "replay").out
    assert "0 accepted, 1 still rejected" in said
    assert f"  {number} stays: " in said
    assert "is not a number" in said

    record = json.loads(payload)
    [name] = {"generation", "demand"} & record.keys()
    record[name] = int(record[name])
    rows("UPDATE ops.quarantine SET payload = %s", json.dumps(record))
    held = rows("SELECT count(*) FROM raw.outlook") + rows(
        "SELECT count(*) FROM raw.elexon_generation"
    )
    replayed = both.run("quarantine", "replay").out
    assert "1 accepted, 0 still rejected" in replayed
    assert (
        asset.replace("raw.outlook", "core.outlook").replace(
            "raw.elexon_generation", "core.generation_mw"
        )
        in replayed
    )
    assert (
        rows("SELECT count(*) FROM raw.outlook")
        + rows("SELECT count(*) FROM raw.elexon_generation")
        != held
    )
    assert "Nothing is in quarantine." in both.run("quarantine", "list").out


def test_what_a_killed_process_left_in_raw_is_published_by_the_next_command(
    both: GridCommand, replay: ReplayServer, rows: Rows, warehouse: SecretStr
) -> None:
    """Nothing of it is fetched again, and neither is it lost."""
    both.environment["GRID_HISTORY_START"] = day = str(days_ago(3))
    backfill = ("backfill", "--from", day, "--to", day)
    published = (
        "SELECT (SELECT count(*) FROM core.outlook), (SELECT count(*) FROM core.generation_mw), "
        "(SELECT count(gas_mw) FROM core.generation_mw)"
    )
    both.run(*backfill)
    whole = rows(published)
    assert whole[0][0] > 100
    assert whole[0][1:] == (48, 48)

    rows("DELETE FROM core.outlook")
    rows("DELETE FROM raw.outlook_publications")
    with psycopg.connect(warehouse.get_secret_value()) as gate:
        lock_relation(gate, "core.outlook")
        killed = both.start(*backfill)
        wait_until(
            lambda: rows(
                "SELECT 1 FROM ops.etl_runs WHERE asset = 'core.outlook' AND status = 'running'"
            ),
            60,
            killed.output,
        )
        assert killed.ends(signal.SIGKILL) == -signal.SIGKILL
    assert rows(published) != whole

    def asked() -> dict[str, int]:
        counts: dict[str, int] = replay.control.status()["requests"]
        return {kind: n for kind, n in counts.items() if "elexon" in kind or "neso" in kind}

    for command in (backfill, ("quarantine", "replay")):
        before = asked()
        assert "Publishing" in both.run(*command).out
        assert rows(published) == whole
        assert asked() == before
        rows("DELETE FROM core.outlook WHERE series = 'wind_mw'")
        rows(
            "UPDATE core.generation_mw SET gas_mw = NULL, recomputed_gco2_kwh = NULL, captured_at "
            "= captured_at - interval '1 hour'"
        )
    assert "raw has newer rows of the outlook" in both.run("tick", "--telemetry-only").out
    [after] = rows(published)
    assert after[0] > whole[0][0]
    assert after[1] == after[2] > 48

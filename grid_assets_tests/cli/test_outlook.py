"""The outlook in commands: `backfill`, `tick` and `status`, with a source that fails or is off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import GridCommand

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
    assert "warning: no publication of the last 6 h: demand, wind, embedded solar" in status
    faults = [line for line in status.splitlines() if line.startswith("NOT HEALTHY")]
    assert not any("outlook" in line or "elexon" in line for line in faults)

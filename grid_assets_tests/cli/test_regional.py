"""The regions in commands: `backfill`, `tick`, `status` and `quarantine`, with and without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from grid_assets.replay.server import ReplayServer
from grid_assets_tests.reading import days_ago
from grid_assets_tests.running import GridCommand

Rows = Callable[..., list[tuple[Any, ...]]]

TABLES: Final = ("raw.regional", "core.regional_intensity", "core.regional_mix")
FAILED: Final = (
    "SELECT asset, error_type FROM ops.etl_runs WHERE status = 'failed' ORDER BY asset, started_at"
)


@pytest.fixture
def regional(recorded: GridCommand) -> GridCommand:
    """`grid` that also captures the regions; it reads yesterday and today."""
    recorded.environment |= {
        "GRID_REGIONS": "true",
        "GRID_HISTORY_START": str(days_ago(1)),
        "GRID_BACKTEST_DAYS": "0",
    }
    return recorded


def counts(rows: Rows) -> set[int]:
    return {rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def asked(replay: ReplayServer) -> int:
    requests = replay.control.status()["requests"]
    return sum(count for kind, count in requests.items() if "regional" in kind)


def test_a_backfill_brings_the_regions_unless_they_are_left_out(
    regional: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    before = asked(replay)
    days = ("backfill", "--from", str(days_ago(5)), "--to", str(days_ago(3)))
    assert "regions" not in regional.run(*days, "--no-regions").out
    assert "regions" not in regional.run(*days, GRID_REGIONS="false").out
    assert (asked(replay), counts(rows)) == (before, {0})
    assert rows("SELECT count(*) FROM core.intensity") == [(3 * 48,)]

    replay.control.fault({"name": "500", "path": f"/regional/intensity/{days_ago(3)}"})
    replay.control.fault({"name": "string_value", "region": 13, "path": "/regional"})
    failed = regional.run(*days, code=3)
    assert "not all of raw.regional." in failed.err
    two_days = 2 * 48 * 18  # of one request; the third day is in another
    assert counts(rows) == {two_days - 1}
    assert rows(FAILED) == [("raw.regional", "ApiServerError")]

    # as if the code had been mended, for which a number in quotes is no number
    rows(
        "UPDATE ops.quarantine SET payload = "
        """regexp_replace(payload, '"forecast": "([0-9]+)"', '"forecast": \\1', 'g')"""
    )
    assert "1 accepted, 0 still rejected" in regional.run("quarantine", "replay").out
    assert counts(rows) == {two_days}

    replay.control.heal()
    before = asked(replay)
    assert "core.regional_mix" in regional.run(*days).out
    assert asked(replay) - before == 2
    assert counts(rows) == {3 * 48 * 18}


def test_a_replay_fetches_its_days_again_because_an_accepted_record_is_as_old_as_its_capture(
    regional: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    day = days_ago(20)  # no cycle looks at it again
    load = ("backfill", "--from", str(day), "--to", str(day), "--no-outlook")
    noon = f"{day}T12:00Z"
    found = (
        "SELECT array_agg(r.forecast_gco2_kwh ORDER BY arrival), min(i.intensity_gco2_kwh) "
        "FROM raw.regional AS r JOIN core.regional_intensity AS i USING (region_id, period_start) "
        "WHERE region_id = 13 AND period_start = %s"
    )
    regional.run(*load)
    [(_, value)] = rows(found, noon)
    for name in ("revision", "string_value"):  # another value, which is rejected
        replay.control.fault({"name": name, "path": "/regional", "region": 13, "period": noon})
    regional.run(*load)
    replay.control.heal()
    regional.run(*load)  # the first value again, so that raw has no row for it
    rows("""UPDATE ops.quarantine SET payload = regexp_replace(payload, '"([0-9]+)"', '\\1')""")
    assert rows(found, noon) == [([value], value)]
    said = regional.run("quarantine", "replay").out
    assert "1 accepted, 0 still rejected" in said
    assert rows(found, noon) == [([value, value + 3, value], value)]


def test_a_tick_without_regions_succeeds_with_a_warning_and_a_row_that_names_cause_and_cure(
    regional: GridCommand, replay: ReplayServer, rows: Rows
) -> None:
    replay.control.fault({"name": "empty_object", "path": "/regional"})
    said = regional.run("tick", "--telemetry-only").out
    warnings = [line for line in said.splitlines() if line.startswith("Warning:")]
    assert ["regions" in line for line in warnings] == [True, True]
    assert rows(FAILED) == [("raw.regional", "ApiError"), ("raw.regional_forecast", "ApiError")]
    [(message,)] = rows(
        "SELECT DISTINCT substring(error_message FROM 'HTTP 200.*quarantine list') "
        "FROM ops.etl_runs WHERE status = 'failed'"
    )
    assert message
    last = (
        "SELECT max(started_at) FILTER (WHERE asset NOT LIKE '%.regional%') "
        "< min(started_at) FILTER (WHERE asset LIKE '%.regional%') FROM ops.etl_runs"
    )
    assert rows(last) == [(True,)]  # nothing waits for them
    assert rows("SELECT count(*) > 48 FROM core.intensity") == [(True,)]
    assert rows("SELECT count(*) FROM raw.neso_forecast") == [(96,)]
    assert counts(rows) == {0}

    replay.control.heal()
    assert "Warning" not in regional.run("tick", "--telemetry-only").out
    [count] = counts(rows)
    assert count > 48 * 18
    assert rows("SELECT count(*) FROM raw.regional_vintages") == [(1,)]
    assert rows("SELECT count(*) FROM reporting.regional_now WHERE simulated") == [(18,)]

"""Live and recorded data are never mixed in one warehouse."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.http_stub import Stub
from grid_assets_tests.reading import DATA, ask, counts, days_ago, one_sentence
from grid_assets_tests.running import (
    GridCommand,
)

NewDatabase = Callable[[str | None], SecretStr]


def test_an_api_of_another_program_is_live_and_the_recording_stays_out(
    grid: GridCommand, new_database: NewDatabase, other_api: Stub, replay: ReplayServer
) -> None:
    url, day = new_database(None), str(days_ago(3))
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": other_api.url,
        "GRID_HISTORY_START": str(days_ago(1)),
    }
    assert "LIVE data" in grid.run("migrate").out
    grid.run("backfill", "--from", day, "--to", day)
    assert counts(url)["core.intensity"] == 48
    assert "Warning: no forecast for " in grid.run("tick").out.splitlines()[-1]
    unhealthy = grid.run("status", code=1).out
    assert "LIVE data" in unhealthy
    # Three days are too few to forecast from; all else is well.
    faults = [line for line in unhealthy.splitlines() if line.startswith("NOT HEALTHY")]
    assert len(faults) == 1
    assert faults[0].startswith("NOT HEALTHY   forecast is missing")
    kept = counts(url)
    assert kept["core.intensity"] > 96

    refused = one_sentence(grid.run("tick", GRID_API_URL=replay.url, code=1).text)
    assert "are never mixed" in refused
    assert "GRID_API_URL" in refused
    assert counts(url) == kept
    refused = one_sentence(grid.run("migrate", GRID_API_URL=replay.url, code=1).text)
    assert "are never mixed" in refused
    assert ask(url, "SELECT kind FROM ops.warehouse") == [("live",)]


def test_live_data_stays_out_of_a_recorded_warehouse(
    recorded: GridCommand, warehouse: SecretStr, other_api: Stub
) -> None:
    refused = recorded.run("tick", GRID_API_URL=other_api.url, code=1)
    assert "are never mixed" in one_sentence(refused.text)
    assert counts(warehouse) == dict.fromkeys(DATA, 0)
    failed = ask(
        warehouse,
        "SELECT DISTINCT status, error_type FROM ops.etl_runs "
        "WHERE asset IN ('raw.intensity', 'raw.generation', 'raw.neso_forecast')",
    )
    assert failed == [("failed", "ApiWrongKind")]


def test_a_warehouse_of_another_shift_is_refused_with_the_command_that_fits(
    grid: GridCommand, new_database: NewDatabase, replay: ReplayServer
) -> None:
    url = new_database(None)
    migrate(url, Stamp("replay", replay.shift_weeks + 1))
    grid.environment |= {"GRID_DATABASE_URL": url.get_secret_value(), "GRID_API_URL": replay.url}
    refused = one_sentence(grid.run("migrate", code=1).err)
    assert f"grid replay --shift-weeks {replay.shift_weeks + 1}" in refused

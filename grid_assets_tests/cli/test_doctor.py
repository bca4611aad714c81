"""`grid doctor` as an operator runs it: its exit codes, and what it leaves alone."""

from __future__ import annotations

from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.reading import ask
from grid_assets_tests.running import GridCommand, free_port


def test_an_embedded_server_is_examined_before_and_after_its_first_migration(
    grid: GridCommand, replay: ReplayServer
) -> None:
    grid.environment["GRID_API_URL"] = replay.url
    fresh = grid.run("doctor").out  # exit code 0: nothing must be mended
    assert "note  roles        Incomplete. `grid migrate` completes them: CREATE ROLE" in fresh
    assert "note  schema       Not set up yet." in fresh
    assert fresh.splitlines()[-1].startswith("Nothing must be mended (")
    grid.run("migrate")
    migrated = grid.run("doctor").out
    assert "ok    roles        grid_owner, grid_writer and grid_reader are complete." in migrated
    assert "ok    schema       Current; it holds RECORDED data (replay), not live." in migrated


def test_a_server_that_is_down_is_one_line_and_ends_with_1(
    grid: GridCommand, server: SecretStr, replay: ReplayServer
) -> None:
    down = to_url(read(server) | {"port": str(free_port())})
    grid.environment |= {
        "GRID_API_URL": replay.url,
        "GRID_DATABASE_URL": down.get_secret_value(),
    }
    said = grid.run("doctor", code=1)
    assert [line[:18].split() for line in said.out.splitlines() if line.startswith("MEND")] == [
        ["MEND", "server"]
    ]
    assert said.out.splitlines()[-1].startswith("To mend: server.")
    assert said.err == ""


def test_a_home_that_cannot_be_made_is_a_finding(grid: GridCommand, replay: ReplayServer) -> None:
    said = grid.run("doctor", code=1, GRID_HOME="/proc/none", GRID_API_URL=replay.url)
    assert "MEND  server       The folder /proc/none cannot be created" in said.out
    assert "ok    settings" in said.out
    assert said.err == ""


def test_the_demos_database_is_not_made_by_examining_it(
    grid: GridCommand, server: SecretStr
) -> None:
    known = "SELECT datname FROM pg_database WHERE datname NOT LIKE 'grid_test_%'"
    before = ask(server, known)
    grid.environment["GRID_DATABASE_URL"] = server.get_secret_value()
    said = grid.run("doctor", "--demo", code=None).out
    assert "/grid_demo" in said
    assert "/demo/files" in said
    assert "note  source       The demo's API is not running." in said
    assert ask(server, known) == before

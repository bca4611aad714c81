"""`grid replay`: serving the recorded API, and controlling a running one."""

from __future__ import annotations

import signal

import requests

from grid_assets.cli.replay import FAULTS
from grid_assets_tests.reading import one_sentence
from grid_assets_tests.running import (
    GridCommand,
    free_port,
    taken_port,
)


def test_a_running_replay_is_controlled_by_commands(grid: GridCommand) -> None:
    port = free_port()
    grid.environment["GRID_API_URL"] = url = f"http://127.0.0.1:{port}"
    running = grid.start("replay", "--port", str(port), "--shift-weeks", "3", "--fault", "500")
    running.says("Shifted by 3 weeks")
    running.says(f"export GRID_API_URL={url}")
    running.says(f"export GRID_ELEXON_URL={url}/elexon/bmrs/api/v1")
    running.says(f"export GRID_NESO_PORTAL_URL={url}/neso-portal/api/3/action")
    assert "faults         500" in grid.run("replay", "status").out
    assert requests.get(f"{url}/intensity", timeout=5).status_code == 500
    assert "faults         none" in grid.run("replay", "heal").out
    assert "withheld from  20" in grid.run("replay", "withhold", "4").out
    assert "withheld from  20" in grid.run("replay", "release", "3", "--url", url).out
    assert "withheld from  nothing" in grid.run("replay", "release").out
    options = ("--times", "2", "--path", "/generation", "--option", 'fuels=["wind"]')
    assert "faults         drop_fuels" in grid.run("replay", "fault", "drop_fuels", *options).out
    [fault] = requests.get(f"{url}/replay/status", timeout=5).json()["faults"]
    assert fault == {"name": "drop_fuels", "times": 2, "path": "/generation", "fuels": ["wind"]}
    shown = grid.run("replay", "fault", "elexon:gigawatts").out
    assert "faults         drop_fuels, elexon:gigawatts" in shown
    refused = one_sentence(grid.run("replay", "fault", "html", "--option", "x=1", code=1).text)
    assert "'x' is unknown" in refused
    assert running.ends(signal.SIGTERM) == 130
    assert "No replay answers at" in one_sentence(grid.run("replay", "heal", code=1).text)


def test_a_replay_starts_with_a_fault_of_one_api(grid: GridCommand) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = grid.start("replay", "--port", str(port), "--fault", "neso_portal:success_false")
    running.says("export GRID_NESO_PORTAL_URL=")
    portal = f"{url}/neso-portal/api/3/action/package_show"
    answer = requests.get(portal, {"id": "daily-demand-update"}, timeout=5)
    assert (answer.status_code, answer.json()["success"]) == (200, False)
    assert requests.get(f"{url}/intensity", timeout=5).ok
    assert (
        "faults         neso_portal:success_false" in grid.run("replay", "status", "--url", url).out
    )
    assert running.ends(signal.SIGTERM) == 130


def test_an_unknown_fault_is_refused_with_the_names_of_all(grid: GridCommand) -> None:
    refused = grid.run("replay", "fault", "no_such_fault", code=2).err
    assert "no_such_fault" in refused
    assert all(name in refused for name in FAULTS)


def test_a_replay_on_a_taken_port_says_so(grid: GridCommand) -> None:
    with taken_port() as port:
        refused = one_sentence(grid.run("replay", "--port", str(port), code=1).err)
    assert f"cannot listen on port {port}" in refused
    assert "--port" in refused


def test_controlling_without_a_replay_says_what_to_start(grid: GridCommand) -> None:
    refused = one_sentence(grid.run("replay", "status", code=1).err)
    assert "Start `grid demo` or `grid replay`, or give --url" in refused

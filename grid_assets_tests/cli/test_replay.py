"""`grid replay`: serving the recorded API, and controlling a running one."""

from __future__ import annotations

import signal

import requests

from grid_assets.replay.faults import FAULTS
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
    refused = one_sentence(grid.run("replay", "fault", "html", "--option", "x=1", code=1).text)
    assert "'x' is unknown" in refused
    assert running.ends(signal.SIGTERM) == 130
    assert "No replay answers at" in one_sentence(grid.run("replay", "heal", code=1).text)


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

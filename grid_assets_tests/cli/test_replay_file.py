"""The file that names the demo's API: only the demo writes it, and only the demo removes it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from grid_assets.cli.serve import REPLAY_FILE, start_replay
from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings


@pytest.mark.parametrize("demo_starts", ["first", "second"])
def test_a_cycle_by_hand_beside_a_starting_demo_leaves_the_address_of_its_api(
    warehouse: SecretStr, tmp_path: Path, demo_starts: str
) -> None:
    environment = Environment(Settings.from_environment(), tmp_path, warehouse)
    file = tmp_path / REPLAY_FILE
    with ExitStack() as demo, ExitStack() as tick:
        if demo_starts == "second":
            tick.enter_context(start_replay(environment, print))
        running = demo.enter_context(start_replay(environment, print, announce=True))
        if demo_starts == "first":  # the tick looked for the file just before it was written
            tick.enter_context(start_replay(environment, print))
        assert file.read_text(encoding="ascii") == running.url
        tick.close()
        assert file.read_text(encoding="ascii") == running.url
        assert requests.get(f"{running.url}/replay/status", timeout=5).ok
        demo.close()
        assert not file.exists()

"""The variables that the processes of a command share, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.runtime.environment import Environment, demo_settings, open_environment
from grid_assets.settings import Settings, SettingsError

URL = SecretStr("postgresql://somebody@127.0.0.1/warehouse")
SOURCES = ("GRID_API_URL", "GRID_ELEXON_URL", "GRID_NESO_PORTAL_URL")
STARTERS = ("GRID_RUN_LAUNCHER", "GRID_EXECUTOR")


def environment(home: Path) -> Environment:
    return Environment(Settings(dagster_database_url=URL), home, URL)


def test_a_demo_reads_every_api_from_its_replay(tmp_path: Path) -> None:
    demo = environment(tmp_path)
    demo.use_replay("http://127.0.0.1:8765")
    assert demo.settings.api_url == "http://127.0.0.1:8765"
    variables = demo.variables()
    assert {name: variables[name] for name in SOURCES} == {
        "GRID_API_URL": "http://127.0.0.1:8765",
        "GRID_ELEXON_URL": "http://127.0.0.1:8765/elexon/bmrs/api/v1",
        "GRID_NESO_PORTAL_URL": "http://127.0.0.1:8765/neso-portal/api/3/action",
    }


def test_the_live_product_keeps_the_addresses_of_its_settings(tmp_path: Path) -> None:
    live = environment(tmp_path)
    assert live.variables()["GRID_API_URL"] == live.settings.api_url
    assert "replay" not in str(live.variables())
    assert SOURCES[1] not in live.variables()


def test_a_demo_leaves_the_workers_to_the_live_product(tmp_path: Path) -> None:
    broker = SecretStr("redis://127.0.0.1:1/0")
    live = Settings(
        dagster_database_url=URL, run_launcher="celery", executor="celery", celery_broker_url=broker
    )
    chosen = demo_settings(live).model_copy(update={"dagster_database_url": URL})
    demo = Environment(chosen, tmp_path, URL)
    found = {name: demo.variables()[name] for name in STARTERS}
    assert found == {"GRID_RUN_LAUNCHER": "local", "GRID_EXECUTOR": "in_process"}
    kept = Environment(live, tmp_path, URL).variables()
    assert {kept[name] for name in STARTERS} == {"celery"}


@pytest.mark.parametrize(
    "chosen", [{"run_launcher": "celery"}, {"executor": "celery"}, {"run_launcher": "k8s"}]
)
def test_work_for_other_machines_needs_a_database_that_they_reach(
    chosen: dict[str, Any], tmp_path: Path
) -> None:
    broker = SecretStr("redis://127.0.0.1:1/0")
    settings = Settings(home=tmp_path, celery_broker_url=broker, **chosen)
    with pytest.raises(SettingsError, match="GRID_DATABASE_URL"):
        open_environment(settings)
    assert not (tmp_path / "postgres").exists()

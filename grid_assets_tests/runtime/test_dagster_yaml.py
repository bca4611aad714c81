"""`dagster.yaml` as Dagster reads it, for each way to start runs."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.config import PoolGranularity
from dagster._core.launcher import DefaultRunLauncher
from pydantic import SecretStr

from grid_assets.defs.launching import Workers
from grid_assets.runtime import environment
from grid_assets.runtime.dagster_yaml import NOT_PAST, WRITTEN_BY, dagster_yaml
from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings, SettingsError


def _prepare(opened: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare Dagster; at the end of the test, this process has its variables of before."""
    for name in opened.variables():
        monkeypatch.setenv(name, os.environ.get(name, ""))
    opened.prepare_dagster()


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "kind"), [("local", DefaultRunLauncher), ("celery", Workers)])
def test_dagster_starts_runs_as_the_settings_say(
    launcher: str,
    kind: type,
    warehouse: SecretStr,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("GRID_RUN_LAUNCHER", launcher)
    _prepare(Environment(Settings(backfill_runs=3), tmp_path, warehouse), monkeypatch)
    with dg.DagsterInstance.get() as instance:
        assert type(instance.run_launcher) is kind
        concurrency = instance.get_concurrency_config()
        pools, queue = concurrency.pool_config, concurrency.run_queue_config
        assert pools.pool_granularity is PoolGranularity.RUN
        assert pools.default_pool_limit == 2 * 3 + NOT_PAST
        assert queue is not None
        assert queue.max_concurrent_runs == -1
        assert [*queue.tag_concurrency_limits] == [
            {"key": "grid/lane", "value": "past", "limit": 3},
            {"key": "dagster/backfill", "limit": 3},
        ]


def test_the_file_of_another_program_is_left_alone_on_kubernetes(
    warehouse: SecretStr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    charted = tmp_path / "chart"
    charted.mkdir()
    (charted / "dagster.yaml").write_text("# the chart's")
    monkeypatch.setenv("DAGSTER_HOME", str(charted))
    opened = Environment(Settings(run_launcher="k8s"), tmp_path / "home", warehouse)
    _prepare(opened, monkeypatch)
    assert opened.variables()["DAGSTER_HOME"] == str(charted)
    (file,) = tmp_path.rglob("dagster.yaml")
    assert file.read_text() == "# the chart's"


def test_outside_kubernetes_its_launcher_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    for home in ("", str(tmp_path)):  # Dagster would keep its runs in files there
        monkeypatch.setenv("DAGSTER_HOME", home)
        with pytest.raises(SettingsError, match="DAGSTER_HOME"):
            Environment(Settings(run_launcher="k8s"), tmp_path, url).prepare_dagster()


def test_our_file_says_who_wrote_it() -> None:
    assert dagster_yaml(Settings()).startswith(WRITTEN_BY)


@pytest.mark.parametrize("name", ["GRID_EXECUTOR", "GRID_RUN_LAUNCHER"])
@pytest.mark.parametrize("value", sorted(environment.LIBRARIES))
def test_a_missing_library_is_named_before_anything_starts(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda library: None)
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    url = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(SettingsError, match=rf"{name} is {value}.*grid-assets\[{value}\]"):
        Environment(Settings.from_environment(), tmp_path, url).prepare_dagster()

"""The values for Dagster's Helm chart: Dagster accepts what becomes of them, and works with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import PoolGranularity
from dagster_k8s import K8sRunLauncher
from pydantic import SecretStr

from grid_assets.defs.storage import Storage
from grid_assets.runtime.dagster_yaml import dagster_yaml
from grid_assets.settings import Settings
from grid_assets.warehouse.urls import read, sqlalchemy_url
from grid_assets_tests.deploy import chart

IN_A_POD = {
    "DAGSTER_HOME": "/opt/dagster/dagster_home",
    "DAGSTER_K8S_INSTANCE_CONFIG_MAP": "grid-dagster-instance",
    "DAGSTER_K8S_PG_PASSWORD_SECRET": "grid-dagster",
    "DAGSTER_K8S_PIPELINE_RUN_ENV_CONFIGMAP": "grid-dagster-pipeline-env",
}


def opened(document: dict[str, Any], folder: Path) -> dg.DagsterInstance:
    (folder / "dagster.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return dg.DagsterInstance.from_config(str(folder))


def test_dagster_accepts_the_run_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in IN_A_POD.items():
        monkeypatch.setenv(name, value)
    config = chart.dagster_yaml(chart.values())["run_launcher"]["config"]
    known = resolve_to_config_type(K8sRunLauncher.config_type())
    assert not process_config(known, config).errors
    assert process_config(known, {**config, "imagePullPolicy": "Always"}).errors


def test_an_instance_opens_the_schema_of_the_warehouse_that_grid_uses(
    rows: Callable[..., list[tuple[Any, ...]]],
    warehouse: SecretStr,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    migrated = rows("SELECT to_regnamespace('dagster') IS NOT NULL")
    assert migrated == [(True,)]
    parts = read(warehouse)
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", str(parts.get("password") or ""))
    values = chart.values()
    values["postgresql"] |= {
        "postgresqlHost": parts["host"],
        "postgresqlUsername": parts["user"],
        "postgresqlDatabase": parts["dbname"],
        "service": {"port": int(parts["port"])},
    }
    values["postgresql"]["postgresqlParams"].pop("sslmode")  # the server of the tests has no TLS
    document = chart.dagster_yaml(values)
    document.pop("run_launcher")  # it needs a cluster
    with opened(document, tmp_path) as instance:
        run_id = instance.create_run_for_job(_job).run_id
        assert instance.get_concurrency_config().pool_config.pool_granularity is PoolGranularity.RUN
    assert rows("SELECT run_id FROM dagster.runs") == [(run_id,)]
    ours = Storage(sqlalchemy_url(warehouse, "-c search_path=dagster").get_secret_value())
    assert ours.run_storage.has_run(run_id)


@dg.job
def _job() -> None:
    pass


def test_limits_are_those_of_our_own_dagster_yaml() -> None:
    ours = yaml.safe_load(dagster_yaml(Settings.from_environment()))
    theirs = chart.dagster_yaml(chart.values())
    assert theirs["concurrency"] == ours["concurrency"]
    queue = "dequeue_interval_seconds"
    assert theirs["run_coordinator"]["config"][queue] == ours["run_coordinator"]["config"][queue]
    for key in ("start_timeout_seconds", "poll_interval_seconds"):
        assert theirs["run_monitoring"][key] == ours["run_monitoring"][key]


def test_our_own_storage_cannot_be_added_to_what_the_chart_writes(tmp_path: Path) -> None:
    """If Dagster accepts it one day, values.yaml can name it, and events take less space."""
    ours = yaml.safe_load(dagster_yaml(Settings.from_environment()))
    document = chart.dagster_yaml(chart.values()) | {"storage": ours["storage"]}
    document.pop("run_launcher")
    with pytest.raises(DagsterInvalidConfigError, match="incompatible"):
        opened(document, tmp_path)


def test_every_pod_runs_without_root_and_with_the_image_of_the_values() -> None:
    values = chart.values()
    [code] = values["dagster-user-deployments"]["deployments"]
    image = f"{code['image']['repository']}:{code['image']['tag']}"
    pods = [
        document["spec"]["template"]["spec"]
        for file in ("migrate-job.yaml", "dashboard.yaml")
        for document in yaml.safe_load_all((chart.HELM / file).read_text(encoding="utf-8"))
        if document["kind"] in ("Job", "Deployment")
    ]
    assert len(pods) == 2
    for pod in pods:
        [container] = pod["containers"]
        assert container["image"] == image
        assert pod["securityContext"] == code["podSecurityContext"]
        assert container["securityContext"] == code["securityContext"]
    for part in ("dagsterDaemon", "dagsterWebserver"):
        assert values[part]["image"] == code["image"]
        assert values[part]["podSecurityContext"]["runAsNonRoot"] is True

"""The `dagster.yaml` that Dagster's Helm chart writes from our values, without Helm.

The same keys, by hand from the templates of the chart; CI renders the chart itself.
"""

from __future__ import annotations

from typing import Any

import yaml

from grid_assets.settings import PROJECT_DIR

HELM = PROJECT_DIR / "deploy" / "helm"


def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HELM / "values.yaml").read_text(encoding="utf-8"))
    return loaded


def dagster_yaml(values: dict[str, Any]) -> dict[str, Any]:
    """What the chart's ConfigMap holds for these values."""
    postgres = values["postgresql"]
    database = {
        "username": postgres["postgresqlUsername"],
        "password": {"env": "DAGSTER_PG_PASSWORD"},
        "hostname": postgres["postgresqlHost"],
        "db_name": postgres["postgresqlDatabase"],
        "port": postgres["service"]["port"],
        "params": postgres["postgresqlParams"],
    }

    def storage(module: str, name: str) -> dict[str, Any]:
        config = {"postgres_db": database}
        return {"module": f"dagster_postgres.{module}", "class": name, "config": config}

    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    queue = values["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    monitoring = values["dagsterDaemon"]["runMonitoring"]
    concurrency = values["concurrency"]
    return {
        "schedule_storage": storage("schedule_storage", "PostgresScheduleStorage"),
        "run_storage": storage("run_storage", "PostgresRunStorage"),
        "event_log_storage": storage("event_log", "PostgresEventLogStorage"),
        "run_launcher": {
            "module": "dagster_k8s",
            "class": "K8sRunLauncher",
            "config": {
                "load_incluster_config": launcher["loadInclusterConfig"],
                "job_namespace": "grid",
                "image_pull_policy": launcher["imagePullPolicy"],
                "service_account_name": "grid-dagster",
                "dagster_home": {"env": "DAGSTER_HOME"},
                "instance_config_map": {"env": "DAGSTER_K8S_INSTANCE_CONFIG_MAP"},
                "postgres_password_secret": {"env": "DAGSTER_K8S_PG_PASSWORD_SECRET"},
                "env_config_maps": [{"env": "DAGSTER_K8S_PIPELINE_RUN_ENV_CONFIGMAP"}],
                "run_k8s_config": _snake(launcher["runK8sConfig"]),
            },
        },
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"dequeue_interval_seconds": queue["dequeueIntervalSeconds"]},
        },
        "concurrency": {
            "pools": {
                "default_limit": concurrency["pools"]["defaultLimit"],
                "granularity": concurrency["pools"]["granularity"],
            },
            "runs": {
                "max_concurrent_runs": concurrency["runs"]["maxConcurrentRuns"],
                "tag_concurrency_limits": concurrency["runs"]["tagConcurrencyLimits"],
            },
        },
        "compute_logs": {
            "module": "dagster.core.storage.noop_compute_log_manager",
            "class": values["computeLogManager"]["type"],
        },
        "run_monitoring": {
            "enabled": monitoring["enabled"],
            "start_timeout_seconds": monitoring["startTimeoutSeconds"],
            "max_resume_run_attempts": monitoring["maxResumeRunAttempts"],
            "poll_interval_seconds": monitoring["pollIntervalSeconds"],
        },
        "telemetry": {"enabled": values["telemetry"]["enabled"]},
        **values["additionalInstanceConfig"],
    }


def _snake(config: dict[str, Any]) -> dict[str, Any]:
    """The chart's names of the parts of a Job, as Dagster spells them."""
    names = {
        "containerConfig": "container_config",
        "podSpecConfig": "pod_spec_config",
        "jobSpecConfig": "job_spec_config",
    }
    return {names[key]: value for key, value in config.items()}

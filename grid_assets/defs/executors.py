"""The executor of every job: where the steps of one run are executed (GRID_EXECUTOR)."""

from __future__ import annotations

import dagster as dg

from grid_assets.defs.celery_config import CELERY_CONFIG
from grid_assets.settings import Settings, SettingsError


def configured_executor() -> dg.ExecutorDefinition:
    """The executor of GRID_EXECUTOR. The default is one process for all steps: each other one takes
    seconds to start a step. A setting that is invalid must not break the import of definitions;
    `automation` logs it, and each run fails with it."""
    try:
        executor = Settings.from_environment().executor
    except SettingsError:
        return dg.in_process_executor
    if executor == "multiprocess":
        return dg.multiprocess_executor
    if executor == "celery":
        from dagster_celery import celery_executor  # an extra, and slow to import

        broker = {"env": "GRID_CELERY_BROKER_URL"}
        return celery_executor.configured(
            {"broker": broker, "backend": broker, "config_source": CELERY_CONFIG}, name="celery"
        )
    if executor == "k8s":
        from dagster_k8s import k8s_job_executor  # an extra, and slow to import

        return k8s_job_executor
    return dg.in_process_executor

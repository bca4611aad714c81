"""The run launcher of a cluster: runs over past days go to Celery workers, cycles stay here.

`dagster.yaml` names the class `Workers` when GRID_RUN_LAUNCHER is `celery`. Telemetry depends on as
little as possible: a cycle runs on the machine of the code server, and needs neither the broker nor
a worker. What the broker does not take runs there too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import (
    CheckRunHealthResult,
    DefaultRunLauncher,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._core.storage.tags import BACKFILL_ID_TAG
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from grid_assets.defs.celery_config import CELERY_CONFIG
from grid_assets.defs.partitions import LANE_TAG, PAST
from grid_assets.settings import Settings

AVOIDED_S: Final = 30.0
"""After a failure of the broker, runs start here for so long without asking it: the daemon starts
one run after the other, so each time-out of a broker that hangs would hold up a cycle."""

CONFIG: Final = {
    **CELERY_CONFIG,
    "broker_transport_options": {**CELERY_CONFIG["broker_transport_options"], "socket_timeout": 5},
    "redis_socket_timeout": 5,
}
"""A worker may wait long for the next run, but giving one out takes milliseconds."""


class Workers(CeleryRunLauncher):
    """Launches runs over past days as Celery tasks, and all others on the code server."""

    def __init__(
        self,
        inst_data: ConfigurableClassData | None = None,
        code_server: RunLauncher[Any] | None = None,
    ) -> None:
        broker = Settings.from_environment().celery_broker_url
        assert broker is not None  # the settings refuse `celery` without one
        super().__init__(
            default_queue=CELERY_CONFIG["task_default_queue"],
            broker=broker.get_secret_value(),
            backend=broker.get_secret_value(),
            config_source=CONFIG,
            inst_data=inst_data,
        )
        self._code_server = code_server or DefaultRunLauncher()
        self._avoided_until = 0.0

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}  # settings come from the environment: a URL here would be part of every run

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Workers:
        return cls(inst_data)

    def register_instance(self, instance: DagsterInstance) -> None:
        super().register_instance(instance)
        self._code_server.register_instance(instance)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run. If the broker cannot be reached, it starts on the code server."""
        run = context.dagster_run
        is_past = run.tags.get(LANE_TAG) == PAST or BACKFILL_ID_TAG in run.tags
        if not is_past or time.monotonic() < self._avoided_until:
            self._launch_here(context)
            return
        try:
            super().launch_run(context)
        except (OperationalError, RedisError, RuntimeError) as error:
            # Where Celery has lost the place of results, it raises RuntimeError, and its app must
            # be replaced. If the task was sent after all, Dagster refuses whichever begins second,
            # and if both begin at once, the work is done twice and changes nothing twice.
            self.celery = make_app(self.app_args())
            self._avoided_until = time.monotonic() + AVOIDED_S
            self._instance.report_engine_event(
                "The broker (GRID_CELERY_BROKER_URL) did not take the run, so it starts on the "
                f"code server: {type(error.__cause__ or error).__name__}.",
                run,
                cls=type(self),
            )
            self._launch_here(context)

    def _launch_here(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        if _is_task(run):  # it repeats one that a worker had, whose tags Dagster has copied
            self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: ""})
        self._code_server.launch_run(context)

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is not None and not _is_task(run):
            return self._code_server.terminate(run_id)
        return super().terminate(run_id)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        if not _is_task(run):  # Dagster's own launcher cannot tell; `fail_dead_runs` can
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        health = super().check_run_worker_health(run)
        if health.status is WorkerStatus.UNKNOWN:
            # A broker that has lost its data knows no task, and the run may go on. If its worker
            # is gone, `fail_dead_runs` finds it.
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return health

    def get_run_worker_debug_info(
        self, run: DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        if not _is_task(run):
            return self._code_server.get_run_worker_debug_info(run, include_container_logs)
        if run.status in (DagsterRunStatus.STARTING, DagsterRunStatus.NOT_STARTED):
            return "No worker has taken it. `grid doctor` says whether one answers."
        return super().get_run_worker_debug_info(run, include_container_logs)

    @property
    def supports_resume_run(self) -> bool:
        return False  # each asset is done whole or not at all; the next plan starts what is missing


def _is_task(run: DagsterRun) -> bool:
    return bool(run.tags.get(DAGSTER_CELERY_TASK_ID_TAG))

"""Which launcher starts a run of a cluster, and what is asked about it later."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import DefaultRunLauncher, LaunchRunContext, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from grid_assets.defs import launching
from grid_assets.defs.launching import Workers
from grid_assets.defs.partitions import LANE_TAG, PAST
from grid_assets.health.doctor.case import Case, Verdict
from grid_assets.health.doctor.workers import workers
from grid_assets.settings import Settings
from grid_assets_tests.broker import needs_redis
from grid_assets_tests.running import free_port


class CodeServer(DefaultRunLauncher):
    """Only notes what it is to start."""

    def __init__(self) -> None:
        super().__init__()
        self.launched: list[str] = []

    def launch_run(self, context: LaunchRunContext) -> None:
        self.launched.append(context.dagster_run.run_id)


@dg.job
def work() -> None:
    """Nothing."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a broker that knows no task."""
    port = free_port()
    monkeypatch.setenv("GRID_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", f"redis://127.0.0.1:{port}/0")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8")
    assert server.stdout is not None
    lines: list[str] = []
    while "Ready to accept connections" not in "".join(lines[-1:]):
        lines.append(server.stdout.readline())
        assert lines[-1], lines
    yield port
    server.kill()
    server.wait()
    server.stdout.close()


def _workers(instance: dg.DagsterInstance) -> tuple[Workers, CodeServer]:
    here = CodeServer()
    workers = Workers(code_server=here)
    workers.register_instance(instance)
    return workers, here


@needs_redis
@pytest.mark.slow
def test_a_run_whose_task_the_broker_has_forgotten_goes_on(
    broker: int, instance: dg.DagsterInstance
) -> None:
    run = instance.create_run_for_job(work, tags={DAGSTER_CELERY_TASK_ID_TAG: "forgotten"})
    launcher, _ = _workers(instance)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


@needs_redis
@pytest.mark.slow
def test_the_doctor_says_that_no_worker_answers(broker: int) -> None:
    case = Case(Settings.from_environment(), lambda: SecretStr(""), None)
    found = workers(case)
    assert found.verdict is Verdict.MEND
    assert "grid start worker" in found.text


def test_a_run_that_repeats_one_of_a_worker_here_is_not_taken_for_its_task(
    monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    """Dagster copies tags when a run is repeated in the UI."""
    monkeypatch.setenv("GRID_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")  # nobody
    launcher, here = _workers(instance)
    for tags in ({}, {LANE_TAG: PAST}):
        run = instance.create_run_for_job(
            work,
            tags={**tags, DAGSTER_CELERY_TASK_ID_TAG: "of another run"},
            status=dg.DagsterRunStatus.STARTING,
            job_code_origin=dg.reconstructable(work).get_python_origin(),
        )
        launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
        assert here.launched[-1] == run.run_id
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert launcher.check_run_worker_health(found).status is WorkerStatus.RUNNING
        assert launcher.get_run_worker_debug_info(found) is None


def test_after_a_failure_of_the_broker_runs_do_not_wait_for_it_again(
    monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("GRID_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")
    asked: list[str] = []

    def hang(_: Workers, context: LaunchRunContext) -> None:
        asked.append(context.dagster_run.run_id)
        raise OperationalError

    monkeypatch.setattr(CeleryRunLauncher, "launch_run", hang)
    launcher, here = _workers(instance)

    def launch() -> None:
        run = instance.create_run_for_job(
            work,
            tags={LANE_TAG: PAST},
            status=dg.DagsterRunStatus.STARTING,
            job_code_origin=dg.reconstructable(work).get_python_origin(),
        )
        launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))

    for _ in range(3):
        launch()
    assert (len(asked), len(here.launched)) == (1, 3)
    monkeypatch.setattr(launching, "AVOIDED_S", 0)
    launcher._avoided_until = 0
    for _ in range(2):
        launch()
    assert (len(asked), len(here.launched)) == (3, 5)


def test_a_task_that_no_worker_has_taken_says_so(
    monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    monkeypatch.setenv("GRID_RUN_LAUNCHER", "celery")
    monkeypatch.setenv("GRID_CELERY_BROKER_URL", f"redis://127.0.0.1:{free_port()}/0")
    launcher, _ = _workers(instance)
    run = instance.create_run_for_job(
        work, tags={DAGSTER_CELERY_TASK_ID_TAG: "1"}, status=dg.DagsterRunStatus.STARTING
    )
    assert "grid doctor" in str(launcher.get_run_worker_debug_info(run))

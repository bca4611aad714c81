"""The Celery app of a worker: `celery --app grid_assets.celery_worker worker`.

`grid start worker` starts it. It takes whole runs (GRID_RUN_LAUNCHER=celery), or single steps of
runs (GRID_EXECUTOR=celery), from the broker at GRID_CELERY_BROKER_URL.
"""

import logging
import time
from typing import Any, Final

import dagster as dg
import psycopg
from celery.signals import task_prerun, worker_init
from celery.utils.log import get_task_logger
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_task

from grid_assets import definitions  # imported once, before the worker's processes are forked
from grid_assets.defs.celery_config import CELERY_CONFIG, broker_url
from grid_assets.defs.dead_runs import fail_dead_runs
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.run_log import mark_crashed

WAIT_S: Final = 900
"""How long a worker that has taken a run waits for the database."""

AGAIN_S: Final = 3

_log = get_task_logger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)


@worker_init.connect
def close_dead_runs(**_: Any) -> None:
    """Close at once what an earlier worker on this machine has left; elsewhere, the heartbeat of a
    dead one must first have stopped for minutes."""
    warehouse = Settings.from_environment().database_url
    if warehouse is None:
        return
    try:
        with dg.DagsterInstance.get() as instance, connect(warehouse) as connection:
            mark_crashed(connection)
            fail_dead_runs(instance, connection)
    except Exception as error:  # whatever it was, the daemon does the same later
        _log.warning("Runs of an earlier worker could not be closed: %s", type(error).__name__)


@task_prerun.connect
def wait_for_database(**_: Any) -> None:
    """Wait until the database answers.

    A worker that is cut off would otherwise take one run after the other and fail each at once.
    """
    warehouse = Settings.from_environment().database_url
    deadline = time.monotonic() + WAIT_S
    while warehouse is not None and time.monotonic() < deadline:
        try:
            with connect(warehouse) as connection:
                connection.execute("SELECT 1")
            return
        except (WarehouseError, psycopg.Error) as error:
            _log.warning("The database does not answer; trying again: %s", type(error).__name__)
            time.sleep(AGAIN_S)


__all__ = ["app", "definitions"]

_broker: Final = broker_url(Settings.from_environment())
app: Final = make_app({"broker": _broker, "backend": _broker, "config_source": CELERY_CONFIG})
execute_plan: Final = create_task(app)
execute_job: Final = create_execute_job_task(app)

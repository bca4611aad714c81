"""The sensor that looks for alarms, sends them in the background, and pings the heartbeat."""

from typing import Final

import dagster as dg

from grid_assets.alarms.looking import Courier, is_set, look
from grid_assets.defs.dead_runs import why_failed
from grid_assets.defs.partitions import FIRST_IN_QUEUE
from grid_assets.defs.resources import Services
from grid_assets.warehouse.connection import Connection, LockBusy

INTERVAL_S: Final = 30

COURIER: Final = Courier()
"""One for the code server, which evaluates all sensors, one after another."""


def lost_run(instance: dg.DagsterInstance, connection: Connection) -> str | None:
    """Why the newest run over the newest days failed, if it has left no attempt that would show
    it: a worker or a pod that did not start, or a process that could not load the code."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    newest = instance.get_runs(dg.RunsFilter(tags=FIRST_IN_QUEUE, statuses=ended), limit=1)
    if not newest or newest[0].is_success:
        return None
    run_id = newest[0].run_id
    if connection.execute(
        "SELECT FROM ops.etl_runs WHERE run_id = %s LIMIT 1", [run_id]
    ).fetchone():
        return None
    return why_failed(instance, run_id)


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Every half a minute it judges the tables: failed attempts, stopped or stale data, "
        "quarantine, size. What is new, or over, is sent to GRID_ALARM_URLS, and the end of each "
        "cycle to GRID_HEARTBEAT_URL, in the background, so that no address delays the other "
        "sensor. Starts no run. docs/alarms.md"
    ),
)
def alarms(context: dg.SensorEvaluationContext, services: Services) -> dg.SkipReason:
    if not is_set(services.settings):
        return dg.SkipReason("Neither GRID_ALARM_URLS nor GRID_HEARTBEAT_URL is set.")
    try:
        lost = lost_run(context.instance, services.connection)
        due = look(services.connection, services.settings, command="run", failure=lost)
    except LockBusy:
        return dg.SkipReason("Another program is looking.")
    if not due:
        return dg.SkipReason("Nothing to send.")
    if COURIER.is_busy:
        return dg.SkipReason("Still sending.")
    COURIER.start(services.warehouse, services.settings, due)
    return dg.SkipReason("Sending.")

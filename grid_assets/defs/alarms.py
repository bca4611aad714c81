"""The sensor that looks for alarms, sends them in the background, and pings the heartbeat."""

from typing import Final

import dagster as dg

from grid_assets.alarms.looking import Courier, is_set, look
from grid_assets.defs.resources import Services
from grid_assets.warehouse.connection import LockBusy

INTERVAL_S: Final = 30

COURIER: Final = Courier()
"""One for the code server, which evaluates all sensors, one after another."""


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
        due = look(services.connection, services.settings)
    except LockBusy:
        return dg.SkipReason("Another program is looking.")
    if not due:
        return dg.SkipReason("Nothing to send.")
    if COURIER.is_busy:
        return dg.SkipReason("Still sending.")
    COURIER.start(services.warehouse, services.settings, due)
    return dg.SkipReason("Sending.")

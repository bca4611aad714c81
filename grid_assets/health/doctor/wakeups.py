"""What wakes an edge function: the webhook, and whether it is the one that the settings name."""

from __future__ import annotations

import json
from typing import Final

from grid_assets.health.doctor.case import Case, Finding, mend, note, ok
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.wakeups import HEADER

TRIGGERS: Final = 4
"""Two on each table of core note new telemetry for the webhook."""


def wakeups(case: Case) -> Finding:
    url, secret = case.settings.wake_url, case.settings.wake_secret
    if (url is None) != (secret is None):
        missing = "GRID_WAKE_SECRET" if secret is None else "GRID_WAKE_URL"
        return mend(f"{missing} is not set, so `grid migrate` installs no webhook. Set both.")
    with case.reading() as connection:
        installed = connection.execute(statement("health/webhook")).fetchone()
        jobs = _jobs(connection)
    if installed is None or installed[0] is None:
        if url is not None:
            return mend("GRID_WAKE_URL is set, but there is no webhook. Run `grid migrate`.")
        return ok("None. A daemon or `grid tick` forecasts.")
    arguments, triggers, is_disabled = installed
    address, _, headers, *_ = bytes(arguments).decode().split("\0")  # as PostgreSQL keeps them
    if triggers < TRIGGERS or is_disabled:
        return mend(
            "The triggers of the webhook are incomplete or disabled. Run `grid migrate` with "
            "GRID_WAKE_URL and GRID_WAKE_SECRET; enable a disabled one with ALTER TABLE."
        )
    if url is not None and address != f"{url}?source=webhook":
        return mend(
            "The webhook wakes another address than GRID_WAKE_URL. Run `grid migrate` to change it."
        )
    if secret is not None and json.loads(headers).get(HEADER) != secret.get_secret_value():
        return mend(
            "The webhook sends another secret than GRID_WAKE_SECRET. Run `grid migrate` to change "
            "it, and give the function the same one."
        )
    if jobs is None:
        return note("The webhook is complete. This user may not look at cron jobs.")
    if not jobs:
        return note(
            "The webhook is complete, but there is no cron job: a lost webhook delays the forecast "
            "to the next telemetry. Enable pg_cron and pg_net, then run `grid migrate`."
        )
    if not jobs[0]:
        return mend("The cron job grid-forecast is switched off. Run `grid migrate`.")
    return ok("A webhook and a cron job wake the edge function.")


def _jobs(connection: Connection) -> list[bool] | None:
    """Whether each job that wakes the function is active; None if this user may not know."""
    readable = connection.execute(statement("health/may_read_cron")).fetchone()
    if readable is None:
        return []
    if not readable[0]:
        return None
    query = "SELECT active FROM cron.job WHERE jobname = 'grid-forecast'"
    return [active for (active,) in connection.execute(query)]

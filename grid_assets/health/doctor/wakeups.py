"""What wakes an edge function: the webhook, and whether it is the one that the settings name."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from pydantic import SecretStr

from grid_assets.health.doctor.case import Case, Finding, mend, note, ok
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.wakeups import HEADER

TRIGGERS: Final = 4
"""Two on each table of core note new telemetry for the webhook."""


def wakeups(case: Case) -> Finding:
    url, secret = case.settings.wake_url, case.settings.wake_secret
    if missing := case.settings.missing_for_wakeups:
        return mend(f"{missing} is not set, so `grid migrate` installs no webhook. Set both.")
    with case.reading() as connection:
        installed = connection.execute(statement("health/webhook")).fetchone()
        jobs = _jobs(connection)
    if installed is not None and installed[0] is None:
        installed = None  # only triggers that feed a webhook
    if installed is None and not jobs:
        if url is None:
            return ok("None. A daemon or `grid tick` forecasts.")
        return mend(
            "GRID_WAKE_URL is set, but nothing wakes the function. Run `grid migrate`, which says "
            "what is missing."
        )
    if installed is not None and (fault := _webhook_fault(installed, url, secret)):
        return mend(fault)
    if jobs and not jobs[0].active:
        return mend("The cron job grid-forecast is switched off. Run `grid migrate`.")
    if jobs and url is not None and f"'{url}?source=cron'" not in jobs[0].command:
        return mend("The cron job wakes another address than GRID_WAKE_URL. Run `grid migrate`.")
    if installed is None:
        return note(
            "Only a cron job wakes the edge function, within a minute. For a webhook, enable "
            "Database Webhooks, then run `grid migrate`."
        )
    if jobs is None:
        return note("The webhook is complete. This user may not look at cron jobs.")
    if not jobs:
        return note(
            "The webhook is complete, but there is no cron job: a lost webhook delays the forecast "
            "to the next telemetry. Enable pg_cron and pg_net, then run `grid migrate`."
        )
    return ok("A webhook and a cron job wake the edge function.")


def _webhook_fault(
    installed: tuple[Any, ...], url: str | None, secret: SecretStr | None
) -> str | None:
    arguments, triggers, is_disabled = installed
    address, _, headers, *_ = bytes(arguments).decode().split("\0")  # as PostgreSQL keeps them
    if is_disabled:
        return (
            "A trigger of the webhook is disabled. Have the owner run: ALTER TABLE core.intensity "
            "ENABLE TRIGGER ALL; ALTER TABLE core.generation_mix ENABLE TRIGGER ALL; ALTER TABLE "
            "ops.telemetry_landed ENABLE TRIGGER ALL;"
        )
    if triggers < TRIGGERS:
        return "The triggers of the webhook are incomplete. Run `grid migrate` with GRID_WAKE_URL."
    if url is not None and address != f"{url}?source=webhook":
        return "The webhook wakes another address than GRID_WAKE_URL. Run `grid migrate`."
    if secret is not None and json.loads(headers).get(HEADER) != secret.get_secret_value():
        return (
            "The webhook sends another secret than GRID_WAKE_SECRET. Run `grid migrate`, and give "
            "the function the same one."
        )
    return None


class Job(NamedTuple):
    """A job of pg_cron."""

    active: bool
    command: str


def _jobs(connection: Connection) -> list[Job] | None:
    """The jobs that wake the function; None if this user may not know."""
    readable = connection.execute(statement("health/may_read_cron")).fetchone()
    if readable is None:
        return []
    if not readable[0]:
        return None
    query = "SELECT active, command FROM cron.job WHERE jobname = 'grid-forecast'"
    return [Job(*job) for job in connection.execute(query)]

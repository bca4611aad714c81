"""`grid quarantine`: list rejected records, and try them again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

import click

from grid_assets.cli.commands import CommandError, describe_failure, open_dagster, say_run
from grid_assets.cli.environment import demo_option, run_in_environment
from grid_assets.health import run_summary
from grid_assets.outlook import quarantined
from grid_assets.regional import due as regional_due
from grid_assets.regional import quarantined as regional
from grid_assets.runtime.environment import Environment, Say, set_up
from grid_assets.telemetry import quarantine as records
from grid_assets.telemetry.due import Range, to_ranges
from grid_assets.warehouse.connection import connect

SHOWN_CHARACTERS: Final = 160
NOT_AGAIN: Final = "Could not re-fetch these days, so newer revisions may exist."


@click.group()
def quarantine() -> None:
    """List or retry rejected records."""


@quarantine.command(name="list")
@demo_option
def list_command(demo: bool) -> None:
    """List rejected records with reasons, oldest first."""
    run_in_environment(demo, list_entries)


@quarantine.command(name="replay")
@demo_option
def replay_command(demo: bool) -> None:
    """Retry rejected records and load those that pass.

    For use after a fix. Fetches the days of accepted records again.
    """
    run_in_environment(demo, replay, needs_api=True)


def list_entries(environment: Environment, say: Say) -> None:
    with connect(environment.warehouse) as connection:
        entries = records.open_entries(connection)
    for entry in entries:
        at = entry.captured_at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
        payload = " ".join(entry.payload.split())
        say(f"{entry.id}  {at}  {entry.asset}  seen {entry.times_seen}x  {entry.endpoint}")
        say(f"    {entry.reason}")
        say(f"    {payload[:SHOWN_CHARACTERS]}{'…' if len(payload) > SHOWN_CHARACTERS else ''}")
    say(f"{len(entries)} open." if entries else "Nothing is in quarantine.")


def replay(environment: Environment, say: Say) -> None:
    """Try rejected records again; if any are accepted, fetch and publish their days."""
    stamp = set_up(environment, say)
    with connect(environment.warehouse) as connection:
        others = (*quarantined.ASSETS, *regional.ASSETS)
        replayed = records.replay(connection, leave_out=others)
        tried = quarantined.replay(connection)
        regions = regional.replay(connection, simulated=stamp.kind == "replay")
    say(
        f"{replayed.accepted + tried.accepted + regions.accepted} accepted, "
        f"{replayed.still_rejected + len(tried.left) + regions.still_rejected} still rejected"
    )
    for number, why in tried.left.items():
        say(f"  {number} stays: {why}")
    with open_dagster(environment) as instance:
        from grid_assets.cli.runs import (
            run_core,
            run_history,
            run_later_core,
            run_regional_history,
        )

        # the tables decide, so that days of a replay that was killed are published too
        for outcome in run_later_core(instance, say):
            with connect(environment.warehouse) as connection:
                say_run(connection, outcome.run_id, say)
                if not outcome.success:
                    raise CommandError(describe_failure(connection, [outcome]))

        for days in to_ranges(replayed.days):
            # An accepted record is as old as its first capture. Only the API knows whether the
            # value has changed since: the change log does not record repeated values.
            say(f"Fetching {days} again")
            outcome = run_history(instance, days)
            with connect(environment.warehouse) as connection:
                say_run(connection, outcome.run_id, say)
            if outcome.success:
                continue
            say(f"{NOT_AGAIN} Publishing the values on hand.")
            outcome = run_core(instance, days)
            with connect(environment.warehouse) as connection:
                say_run(connection, outcome.run_id, say)
                if not outcome.success:
                    raise CommandError(describe_failure(connection, [outcome]))

        for days in _published(regions.days) if environment.settings.regions else ():
            say(f"Fetching the regions of {days} again")
            outcome = run_regional_history(instance, days)
            with connect(environment.warehouse) as connection:
                say_run(connection, outcome.run_id, say)
                if not outcome.success:
                    raise CommandError(describe_failure(connection, [outcome]))
                if run_summary.failed_assets(connection, outcome.run_id):
                    say(f"{NOT_AGAIN} The values on hand are published.")


def _published(days: Iterable[date]) -> list[Range]:
    """Those of some days of which the API may have regions."""
    today = datetime.now(UTC).date()
    return to_ranges(day for day in days if regional_due.FIRST_DAY <= day <= today)

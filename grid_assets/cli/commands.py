"""The steps of the commands that load and forecast, and the messages that they print."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.retention import DayIsThinned, refuse_thinned
from grid_assets.halfhours import DAY, day_start
from grid_assets.health import run_summary
from grid_assets.health.report import NOT_CRITICAL
from grid_assets.outlook import archive, behind
from grid_assets.outlook.sources import NAMES, SOURCES, off_sources
from grid_assets.progress import doing
from grid_assets.regional.due import with_regions
from grid_assets.runtime.environment import Environment, Say, set_up
from grid_assets.sources.http.session import is_loopback
from grid_assets.sources.neso_portal.datasets import OUTTURN_SOURCE
from grid_assets.telemetry.due import Range, to_ranges
from grid_assets.warehouse.connection import Connection, connect, is_database_error
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.stamp import Stamp

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from grid_assets.cli.runs import Outcome

# Importing Dagster takes a second, so functions import `cli.runs`, which needs it, when called.

MANY_DAYS: Final = 100
DAGSTER_S_A_DAY: Final = 4 * 0.007
"""Seconds that Dagster itself takes to record one day of a backfill's four assets."""


class CommandError(Exception):
    """A command failed; the message says what happened and what to do."""

    exit_code = 1


class OutlookFailed(CommandError):
    """Telemetry is loaded, the outlook is not, or not all of it."""

    exit_code = 3


def tick(environment: Environment, say: Say, *, forecasts: bool = True) -> None:
    """One half-hourly cycle: telemetry, forecast and scores. Raises `CommandError` on failure.

    Too little telemetry for a forecast is a warning, and so is a failure of housekeeping. Without
    `forecasts`, something else forecasts, such as a workflow that the new telemetry starts.
    """
    set_up(environment, say)
    with open_dagster(environment) as instance:
        from grid_assets.cli.runs import run_cycle

        failed = _failed(environment, run_cycle(instance, say, forecasts=forecasts), say)
        run_housekeeping(instance, environment.warehouse, say)
    with connect(environment.warehouse) as connection:
        if failed:
            raise CommandError(describe_failure(connection, failed))
        if forecasts:
            say(run_summary.newest_forecast(connection))


def forecast(environment: Environment, say: Say) -> None:
    """One forecast from what the warehouse holds, with its scores, if one is due.

    Raises `CommandError` if it failed, or if a check has stopped the newest telemetry. Too little
    telemetry is a warning.
    """
    set_up(environment, say)
    with open_dagster(environment) as instance:
        from grid_assets.cli.runs import run_forecasts
        from grid_assets.forecasting.models.registry import configured_name

        failed = _failed(environment, run_forecasts(instance, say), say)
    settings, now = environment.settings, datetime.now(UTC)
    with connect(environment.warehouse) as connection:
        if failed:
            raise CommandError(describe_failure(connection, failed))
        state = due.state(connection, configured_name(settings.chronos_model), now, timedelta(0))
        if state == "blocked":
            raise CommandError(
                "Nothing was forecast, because a check has stopped the newest telemetry. The last "
                "attempts of `grid status` say which. It is forecast once a cycle has passed it."
            )
        say(run_summary.newest_forecast(connection))


def _failed(environment: Environment, outcomes: Iterable[Outcome], say: Say) -> list[Outcome]:
    """Print each run as it ends; return those in which something critical failed."""
    failed = []
    for outcome in outcomes:
        with connect(environment.warehouse) as connection:
            say_run(connection, outcome.run_id, say)
            lost = run_summary.failed_assets(connection, outcome.run_id)
        if not outcome.success and (not lost or not lost <= NOT_CRITICAL.keys()):
            failed.append(outcome)
            continue
        for asset in sorted(lost & NOT_CRITICAL.keys()):
            say(f"Warning: {NOT_CRITICAL[asset]}")
    return failed


def run_housekeeping(instance: DagsterInstance, warehouse: SecretStr, say: Say) -> None:
    """Daily clean-up. Failures are logged as warnings because no data depends on it."""
    from grid_assets.cli.runs import run_housekeeping_if_due

    try:
        run_id = run_housekeeping_if_due(instance, warehouse)
        if run_id:
            say("Daily clean-up")
            with connect(warehouse) as connection:
                say_run(connection, run_id, say)
    except Exception as error:
        if not is_database_error(error):
            raise
        say(f"Warning: the daily clean-up failed: {' '.join(str(error).split())[:300]}")


def backfill(
    environment: Environment,
    days: Range,
    say: Say,
    *,
    outlook: bool = True,
    regions: bool = True,
) -> None:
    """Load past days, telemetry first. Raises `CommandError` if anything failed.

    The outlook and the regions of these days, unless they are left out, are runs of their own: what
    fails in one does not keep the others from being loaded.
    """
    stamp = set_up(environment, say)
    count = (days.last - days.first).days + 1
    started = time.monotonic()
    say(f"Loading {days}: {count} days of intensity and mix, in one run")
    dagster_s = count * DAGSTER_S_A_DAY
    if count > MANY_DAYS:
        say(f"Dagster takes about {dagster_s:.0f} s to record the days")
    with open_dagster(environment) as instance:
        from grid_assets.cli.runs import run_history, run_outlook_history, run_regional_history

        with doing("Dagster is recording the days", dagster_s):
            outcome = run_history(instance, days)
        with connect(environment.warehouse) as connection:
            say_run(connection, outcome.run_id, say)
        lost: set[str] = set()
        if outlook and _say_outlook_plan(environment, stamp, days, say):
            with doing("Loading the outlook"):
                of_outlook = run_outlook_history(instance, days)
            with connect(environment.warehouse) as connection:
                say_run(connection, of_outlook.run_id, say)
                lost = run_summary.failed_assets(connection, of_outlook.run_id)
            if not (of_outlook.success or lost):
                lost = {"the outlook"}
        if regions and environment.settings.regions and (known := with_regions(days)):
            say(f"Loading the regions of {known}, two days in each request")
            with doing("Loading the regions"):
                of_regions = run_regional_history(instance, known)
            with connect(environment.warehouse) as connection:
                say_run(connection, of_regions.run_id, say)
                lost |= run_summary.failed_assets(connection, of_regions.run_id)
            if not (of_regions.success or lost):
                lost = {"the regions"}
    with connect(environment.warehouse) as connection:
        if not outcome.success:
            raise CommandError(describe_failure(connection, [outcome]))
    if lost:
        raise OutlookFailed(
            f"Intensity and mix are loaded, but not all of {', '.join(sorted(lost))}. The lines "
            "above say why. Run the same command again; of the outlook it asks only for what is "
            "missing."
        )
    say(f"Done in {time.monotonic() - started:.0f} s")


def _say_outlook_plan(environment: Environment, stamp: Stamp, days: Range, say: Say) -> bool:
    """Say what the outlook's part of a backfill will do; whether there is anything to do."""
    settings, now = environment.settings, datetime.now(UTC)
    off = off_sources(settings, stamp.kind)
    for source, reason in off.items():
        say(f"Without {NAMES[source]}. {reason}")
    used = [source for source in SOURCES if source not in off]
    if not used:
        return False
    with connect(environment.warehouse) as connection:
        missing = archive.missing(connection, days, used, now.date())
        lacking = archive.lacking_generation(connection, days)
        unpublished = behind.days_core_lacks(connection, days, now)
    if "neso_portal" in used:
        missing += [archive.Piece(OUTTURN_SOURCE, some) for some in to_ranges(lacking.embedded)]
    if not (missing or ("elexon" in used and lacking.elexon)):
        if unpublished:
            say(f"Publishing the outlook and generation of {days}: raw has newer rows")
            return True
        say("The outlook and generation of these days are there already")
        return False
    say(f"Loading the outlook and generation of {days}; what is there is not asked for again")
    url = settings.neso_portal_url
    if url is not None and not is_loopback(url):
        minutes = archive.longest_s(missing) / 60
        if minutes >= 1:
            say(
                f"The NESO Data Portal may be asked twice a minute: about {minutes:.0f} minutes. "
                "Ctrl-C keeps what is loaded; --no-outlook leaves this out."
            )
    return True


def backtest(environment: Environment, days: Range, say: Say) -> None:
    """Forecast past days from the telemetry known at each issue time, and score them."""
    set_up(environment, say)
    with connect(environment.warehouse) as connection:
        try:
            refuse_thinned(connection, day_start(days.first))
        except DayIsThinned as error:
            raise CommandError(str(error)) from None
    started = time.monotonic()
    hours = environment.settings.backtest_stride_hours
    say(f"Back-testing {days}: a forecast every {hours:g} hours, from the telemetry known then")
    with open_dagster(environment) as instance:
        from grid_assets.cli.runs import run_backtest

        outcome = run_backtest(instance, days)
    with connect(environment.warehouse) as connection:
        say_run(connection, outcome.run_id, say)
        if not outcome.success:
            raise CommandError(describe_failure(connection, [outcome]))
        refused = list(run_summary.refusals(connection, days))
        if refused and not run_summary.has_forecast(connection, days):
            raise CommandError(
                f"{days}: no forecast could be made. {refused[0]} Load the telemetry of these days "
                f"and of the seven before them: grid backfill --from {days.first - 7 * DAY} "
                f"--to {days.last}"
            )
        for line in refused:
            say(f"Warning: {line}")
        for line in run_summary.scores(connection, days):
            say(line)
        for line in run_summary.learned_from(connection, days):
            say(line)
    say(f"Done in {time.monotonic() - started:.0f} s")


@contextmanager
def open_dagster(environment: Environment) -> Iterator[DagsterInstance]:
    """Dagster's instance, once runs and attempts of dead processes have been marked."""
    environment.prepare_dagster()
    import dagster as dg

    from grid_assets.defs.dead_runs import fail_dead_runs

    with dg.DagsterInstance.get() as instance:
        with connect(environment.warehouse) as connection:
            mark_crashed(connection)
            fail_dead_runs(instance, connection)
        yield instance


def say_run(connection: Connection, run_id: str, say: Say) -> None:
    """Print a line for each attempt of a run."""
    lines = list(run_summary.run_lines(connection, run_id))
    for line in lines:
        say(line)
    if not lines:
        say("  No asset was started. See the run's log in the UI.")


def describe_failure(connection: Connection, failed: list[Outcome]) -> str:
    """The days that failed, and the first error."""
    row = connection.execute(
        "SELECT asset, error_message FROM ops.etl_runs "
        "WHERE status = 'failed' AND run_id = ANY(%s) ORDER BY started_at LIMIT 1",
        [[outcome.run_id for outcome in failed]],
    ).fetchone()
    cause = f"{row[0]}: {row[1]}" if row else "See ops.etl_runs and the run in the UI."
    subject = "The forecast" if row and row[0].startswith("forecast.") else "Telemetry"
    return f"{subject} failed for {', '.join(str(run.days) for run in failed)}. {cause}"

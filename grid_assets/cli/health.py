"""`grid status` and `grid doctor`: whether the warehouse is healthy, and what a database lacks."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime

import click
from pydantic import SecretStr

from grid_assets.cli.environment import demo_option, run_in_environment, running_replay, say
from grid_assets.health import report
from grid_assets.health.doctor.case import Case, Finding, Verdict
from grid_assets.health.doctor.examine import examine, format_finding, summary
from grid_assets.progress import doing
from grid_assets.replay.addresses import source_urls
from grid_assets.runtime.environment import (
    DEMO_DATABASE,
    Environment,
    Say,
    demo_settings,
    open_environment,
)
from grid_assets.runtime.postgres import EmbeddedPostgresError
from grid_assets.runtime.signals import stop_on_signals
from grid_assets.settings import Settings, SettingsError
from grid_assets.warehouse.connection import WarehouseError, connect
from grid_assets.warehouse.urls import location, with_database


@click.command()
@demo_option
def status(demo: bool) -> None:
    """Show whether the warehouse is fresh and healthy.

    Exits with 1 if it is not.
    """

    def run(environment: Environment, out: Say) -> None:
        where, now = location(environment.warehouse), datetime.now(UTC)
        if demo and (replay := running_replay(environment.home)) is not None:
            environment.use_replay(replay)  # otherwise the outlook is not judged
        with connect(environment.warehouse) as connection:
            state = report.status(connection, where, environment.settings, now)
        for line in state.lines:
            out(line)
        for fault in state.faults:
            out(f"NOT HEALTHY   {fault}")
        if state.faults:
            sys.exit(1)
        out("healthy")

    run_in_environment(demo, run)


@click.command()
@demo_option
def doctor(demo: bool) -> None:
    """Check what the database and its surroundings lack.

    One line for each check: `ok`, `note` for what is worth knowing, and `MEND` with the cure. Works
    before the first `grid migrate`, and changes nothing. Exits with 1 if something must be mended.
    """
    settings = Settings.from_environment()
    with stop_on_signals(), doing("grid doctor"):
        if _examine(settings, demo):
            sys.exit(1)


def _examine(settings: Settings, demo: bool) -> bool:
    """Print a line for each check; whether something must be mended."""
    api_url: str | None = settings.api_url
    examined = settings
    if demo:
        examined = demo_settings(settings).model_copy(update={"home": settings.demo_home})
        if (api_url := running_replay(settings.demo_home)) is not None:
            examined = examined.model_copy(update=source_urls(api_url))
    findings: dict[str, Finding] = {}
    with closing(Case(examined, lambda: _warehouse(settings, demo), api_url)) as case:
        for name, finding in examine(case):
            findings[name] = finding
            say(format_finding(name, finding))
    say(summary(findings))
    return any(finding.verdict is Verdict.MEND for finding in findings.values())


def _warehouse(settings: Settings, demo: bool) -> SecretStr:
    """The warehouse's URL; starts the embedded server, but makes no database on another one."""
    if settings.database_url is not None:
        return (
            with_database(settings.database_url, DEMO_DATABASE) if demo else settings.database_url
        )
    try:
        return open_environment(settings, demo=demo, say=say).warehouse
    except (EmbeddedPostgresError, SettingsError) as error:
        raise WarehouseError(str(error)) from None

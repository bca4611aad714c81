"""The `grid backfill` and `grid backtest` commands: past days, here or spread over workers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from grid_assets.cli import commands
from grid_assets.cli.days import Day
from grid_assets.cli.environment import demo_option, run_in_environment
from grid_assets.runtime.environment import Environment, Say
from grid_assets.telemetry.due import FIRST_DAY, Range

from_option = click.option("--from", "first", type=Day(), required=True, help="First UTC day.")
to_option = click.option("--to", "last", type=Day(), required=True, help="Last UTC day, inclusive.")


@click.command()
@from_option
@to_option
@click.option("--no-outlook", is_flag=True, help="Leave out the outlook.")
@click.option("--no-regions", is_flag=True, help="Leave out the regions.")
@click.option("--backtest", "backtests", is_flag=True, help="Back-test the days, once loaded.")
@demo_option
def backfill(
    first: date, last: date, no_outlook: bool, no_regions: bool, backtests: bool, demo: bool
) -> None:
    """Load past days of intensity and mix, their outlook and generation by fuel, and the regions.

    Intensity, mix and regions are fetched again, and only changed values are added. Of the outlook,
    only what is missing is fetched. Exits with 3 if only the outlook or the regions failed. With
    GRID_RUN_LAUNCHER, the work is spread over the workers (docs/cluster.md).
    """
    days = _check_days(first, last)

    def run(environment: Environment, out: Say) -> None:
        parts = {"outlook": not no_outlook, "regions": not no_regions}
        if environment.settings.run_launcher != "local":
            from grid_assets.cli import spread  # imports Dagster

            spread.backfill(environment, days, out, **parts, backtests=backtests)
            return
        commands.backfill(environment, days, out, **parts)
        if backtests:
            commands.backtest(environment, days, out)

    run_in_environment(demo, run, needs_api=True)


@click.command()
@from_option
@to_option
@demo_option
def backtest(first: date, last: date, demo: bool) -> None:
    """Forecast past days from what was known at the time, and score them.

    Issues a forecast every GRID_BACKTEST_STRIDE_HOURS hours of these days, using only telemetry
    known at its issue time. Replaces existing forecasts with the same issue time.
    """
    days = _check_days(first, last)

    def run(environment: Environment, out: Say) -> None:
        if environment.settings.run_launcher != "local":
            from grid_assets.cli import spread  # imports Dagster

            spread.backtest(environment, days, out)
        else:
            commands.backtest(environment, days, out)

    run_in_environment(demo, run, needs_api=True)


def _check_days(first: date, last: date) -> Range:
    today = datetime.now(UTC).date()
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.")
    if first < FIRST_DAY:
        raise click.UsageError(f"--from {first} is before {FIRST_DAY}, the first day with data.")
    if last > today:
        raise click.UsageError(f"--to {last} is in the future. The last possible day is {today}.")
    return Range(first, last)

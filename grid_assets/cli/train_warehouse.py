"""`grid train --warehouse`: new trees from what the warehouse has seen, and their trial."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import click
from click.core import ParameterSource

from grid_assets.cli.commands import CommandError
from grid_assets.cli.environment import run_in_environment
from grid_assets.cli.train_trees import echo_progress
from grid_assets.progress import doing
from grid_assets.runtime.environment import Environment, Say, set_up

if TYPE_CHECKING:
    from grid_assets.forecasting.learning.decisions import Decision

OF_FOLDERS: Final = ("output", "name", "steps", "until")
"""Options that make sense only where a folder is written."""

LINE: Final = "{:<8}{:>8}{:>10}{:>12}{:>22}"


class TrialRefused(CommandError):
    """No trial could be held; the row says why."""

    exit_code = 3


def learn_on(
    context: click.Context, *, revert: bool, demo: bool, seed: int | None, threads: int | None
) -> None:
    """Hold a trial on the warehouse, or return to the bundled trees."""
    given = [
        name
        for name in OF_FOLDERS
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if given:
        raise click.UsageError(
            f"--{given[0]} is for trees written to a folder. Leave out --{given[0]} or --warehouse."
        )
    if context.params["kind"] == "chronos" and (
        context.get_parameter_source("kind") is not ParameterSource.DEFAULT
    ):
        raise click.UsageError("--warehouse trains trees: leave --kind out, or name trees.")
    if revert and (seed is not None or threads is not None):
        raise click.UsageError("--revert trains nothing: leave --seed and --threads out.")

    def run(environment: Environment, say: Say) -> None:
        set_up(environment, say)
        if revert:
            _revert(environment, say)
        else:
            _hold(environment, say, seed, threads)

    try:
        run_in_environment(demo, run, needs_api=True)
    except KeyboardInterrupt:
        click.echo("Interrupted. Nothing was promoted; start again.", err=True)
        sys.exit(130)


def _revert(environment: Environment, say: Say) -> None:
    from grid_assets.forecasting.learning import trial

    reverted = trial.revert(environment.warehouse)
    if reverted is None:
        say("The bundled trees are in use already. Nothing was changed.")
    else:
        say(f"The next forecast uses the bundled trees again, instead of {reverted}.")


def _hold(environment: Environment, say: Say, seed: int | None, threads: int | None) -> None:
    from grid_assets.forecasting.boosting.libraries import LibrariesMissing, require_libraries

    method = None
    with doing("Loading LightGBM"):
        from grid_assets.forecasting.learning import trial
        from grid_assets.forecasting.models.forecaster import ModelUnusable

        try:
            require_libraries()
        except LibrariesMissing:
            pass  # the attempt fails with it, so that it has a row
        else:
            from grid_assets.forecasting.learning.challenger import Method

            method = Method()
            if seed is not None:
                method = replace(method, recipe=replace(method.recipe, seed=seed))
    echo_progress()
    order = trial.Order(
        str(uuid4()),
        "manual",
        environment.home,
        datetime.now(UTC),
        threads or os.cpu_count() or 1,
        method,
    )
    try:
        with doing("Training"):
            decision = trial.hold(environment.warehouse, order, say)
    except (LibrariesMissing, ModelUnusable) as error:
        raise CommandError(str(error)) from None
    if decision.outcome == "refused":
        raise TrialRefused(f"No trial was held. {decision.reason}")
    _tell(decision, say)


def _tell(decision: Decision, say: Say) -> None:
    found = decision.comparison
    assert found is not None
    say(
        f"{found.issues} issues from {found.first_issue_at:%Y-%m-%d %H:%M} to "
        f"{found.last_issue_at:%Y-%m-%d %H:%M} UTC; MAE of carbon intensity, gCO2/kWh"
    )
    say(LINE.format("lead", "n", "in use", "new", "new less in use"))
    for each in found.errors:
        error = "-" if each.standard_error is None else f"{each.standard_error:.2f}"
        say(
            LINE.format(
                each.lead_bucket,
                f"{each.n:,}",
                f"{each.champion_mae:.2f}",
                f"{each.challenger_mae:.2f}",
                f"{each.difference:+.2f} ± {error}",
            )
        )
    say(decision.reason)
    if decision.outcome == "promoted":
        say(f"The next forecast uses the new trees, {decision.challenger}.")
    else:
        say(f"The trees in use, {decision.champion}, stay.")

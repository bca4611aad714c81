"""`grid evaluate`: its options, and what they may not be together."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from grid_assets.cli.days import Day
from grid_assets.cli.measuring import Options, run
from grid_assets.cli.train import CARD
from grid_assets.progress import doing
from grid_assets.runtime.signals import stop_on_signals

FILE: Final = click.Path(dir_okay=False, path_type=Path)

YEARS: Final = (2000, 2099)
"""Those that times in files may have."""


@click.command()
@click.option("--history", type=FILE, help="Measure on the half-hours of this CSV file.")
@click.option("--from", "first", type=Day(), help="First UTC day of issue, with --history.")
@click.option("--to", "last", type=Day(), help="Last UTC day of issue, inclusive, with --history.")
@click.option("--outlook", type=FILE, help="CSV file of what others had published in advance.")
@click.option(
    "--stride-hours",
    "--stride",
    "stride_hours",
    type=click.IntRange(1, 8784),
    metavar="HOURS",
    help="Hours between forecasts; a longer stride is faster  [default: 3 with --history, else 1]",
)
@click.option(
    "--late-half-hours",
    type=click.IntRange(0, 48),
    default=0,
    show_default=True,
    metavar="N",
    help="The newest N half-hours are not known yet at the issue time.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="shipped, blend, gradient_boosting, seasonal_naive, persistence, neso, a checkpoint's "
    "folder, or a Hugging Face id such as amazon/chronos-2. May be repeated  "
    "[default: with --history all but persistence; else shipped, persistence, seasonal_naive]",
)
@click.option(
    "--predictions", type=FILE, help="Also write every forecast to this CSV file (.gz: gzipped)."
)
@click.option(
    "--span",
    type=click.Choice(["choose", "report"]),
    help="Measure on recorded half-hours. choose: November to 15 December 2025, to compare "
    "candidates. report: the month after it, for a model that you have already chosen.  [default: "
    "choose, without --history]",
)
@click.option("--json", type=FILE, help="Also write the scores of every series by lead to a file.")
@click.option(
    "--write",
    is_flag=True,
    help=f"Record the scores in the checkpoint's {CARD}; needs --span report and stride 1.",
)
def evaluate(**options: Any) -> None:
    """Measure models on past half-hours, from files of any origin or from the recording.

    Prints their errors by lead beside each other. Each forecast uses only what was known at its
    issue time. Without --history, it measures on a recorded span that is later than the bundled
    model's training data, beside persistence, which repeats the last value, and seasonal naive,
    which repeats the last day. The formats of the files are in docs/forecasting.md.
    """
    chosen = Options(**options)
    _check(chosen)
    from grid_assets.forecasting.csv_files import FileRefused
    from grid_assets.forecasting.models.forecaster import ModelUnusable

    try:
        with stop_on_signals(), doing("Measuring"):
            run(chosen)
    except (FileRefused, ModelUnusable) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted. Unfinished files were removed; start again.", err=True)
        sys.exit(130)


def _check(options: Options) -> None:
    """Raise `UsageError` if options do not go together."""
    if options.history is None:
        if options.first or options.last:
            raise click.UsageError("--from and --to need --history. A --span has its own days.")
    elif options.span or options.write:
        raise click.UsageError("--span and --write are for the recording: leave --history out.")
    elif options.first is None or options.last is None:
        raise click.UsageError("--history needs --from and --to.")
    elif options.first > options.last:
        raise click.UsageError(f"--from {options.first} is after --to {options.last}.")
    elif not (YEARS[0] <= options.first.year and options.last.year <= YEARS[1]):
        raise click.UsageError(f"--from and --to must be between {YEARS[0]} and {YEARS[1]}.")
    comparable = options.span == "report" and options.stride == timedelta(hours=1)
    if options.write and not (comparable and not options.outlook and not options.late_half_hours):
        raise click.UsageError(
            "--write needs --span report and no --stride, --outlook or --late-half-hours, so that "
            "recorded scores can be compared."
        )
    if options.write and len(options.models) > 1:
        raise click.UsageError("--write needs a single --model.")
    for name, file in (("--predictions", options.predictions), ("--json", options.json)):
        for source in (options.history, options.outlook):
            if file and source and file.resolve() == source.resolve():
                raise click.UsageError(f"{name} {file} would overwrite what is read from it.")

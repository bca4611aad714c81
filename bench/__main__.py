"""`python -m bench`: measures, prints a table and writes bench/results.json.

A missed target is reported but is not an error: the exit code is 0 if everything was measured. What
could not be measured is named after the table, and then no file is written.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

import click

from bench import (
    arriving,
    calibration,
    chaos,
    cluster,
    commands,
    forecasting,
    idle,
    loading,
    reference,
    regions,
    serving,
    yearly,
)
from bench.results import (
    BenchError,
    Result,
    calibrated,
    calibration_of,
    checked_out_commit,
    document,
    result,
    table,
)
from bench.sizes import QUICK, Sizes
from grid_assets.runtime.postgres_programs import find_programs
from grid_assets.settings import PROJECT_DIR

QUESTIONS: Final = (
    (calibration.FIGURES, calibration.measure),
    (loading.FIGURES, loading.measure),
    (commands.HISTORY, commands.history),
    (commands.TICK, commands.tick),
    (forecasting.FIGURES, forecasting.measure),
    (arriving.FIGURES, arriving.measure),
    (idle.FIGURES, idle.measure),
    (serving.FIGURES, serving.measure),
    (yearly.FIGURES, yearly.measure),
    (regions.FIGURES, regions.measure),
    (cluster.FIGURES, cluster.measure),
    (commands.IMPORT, commands.definitions_import),
    (reference.FIGURES, reference.measure),
    (chaos.FIGURES, chaos.measure),
)
"""Figures that are measured together, each group with the function that measures it."""

NAMES: Final = tuple(name for figures, _ in QUESTIONS for name in figures)

LOG = logging.getLogger("bench")


def measure(sizes: Sizes, wanted: Collection[str] = NAMES) -> tuple[list[Result], list[str]]:
    """The wanted results with their calibrations, without measuring anything that none needs, and
    a line about each group that could not be measured."""
    every = {name: figure for figures, _ in QUESTIONS for name, figure in figures.items()}
    needed = {*wanted, *(calibration_of(name, every[name]) for name in every.keys() & wanted)}
    results, failed = list[Result](), list[str]()
    for figures, work in QUESTIONS:
        if names := [name for name in figures if name in needed]:
            try:
                measured = work(sizes)
            except BenchError as error:
                failed.append(f"NOT MEASURED: {', '.join(names)}. {error}")
                LOG.error("%s", error)
                continue
            results += [result(name, figures[name], measured[name]) for name in names]
    return calibrated(results), failed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Smaller data and fewer rounds: several minutes.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    type=click.Choice(NAMES),
    help=f"Measure only this, repeatable: {', '.join(NAMES)}.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for the results. Without it, a full run writes bench/results.json.",
)
def main(quick: bool, only: tuple[str, ...], output: Path | None) -> None:
    """Measure, print a table, and write bench/results.json."""
    logging.basicConfig(format="[%(asctime)s] %(message)s", datefmt="%H:%M:%S")
    LOG.setLevel(logging.INFO)
    commit = checked_out_commit()
    try:
        results, failed = measure(QUICK if quick else Sizes(), only or NAMES)
    except KeyboardInterrupt:
        click.echo("Interrupted. Temporary servers and folders are removed.", err=True)
        sys.exit(130)
    for line in table(results) if results else ():
        click.echo(line)
    if failed:
        click.echo("\n".join(failed), err=True)
        raise click.ClickException("Not everything was measured, so no file is written.")
    if output is None and not (quick or only):
        output = PROJECT_DIR / "bench" / "results.json"
    if output is not None:
        content = document(results, commit, postgres=find_programs(PROJECT_DIR, None)[1])
        text = json.dumps(content, indent=2, ensure_ascii=False)
        output.write_text(text + "\n", encoding="utf-8")
        click.echo(f"Written to {output}")


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):  # end as Ctrl-C does, leaving nothing
        signal.signal(number, signal.default_int_handler)
    main()

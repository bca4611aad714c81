"""`python -m bench`: the command line of the benchmarks.

A missed target is printed, not an error: the exit code is 0 where everything could be measured.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from bench.place import ending_on_signals
from bench.results import PROJECT, BenchError, commit, document, table, write
from bench.suite import NAMES, QUICK, Sizes, measured


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
    started, measured_commit = time.monotonic(), commit()

    def say(line: str) -> None:
        click.echo(f"[{time.monotonic() - started:4.0f} s] {line}", err=True)

    try:
        with ending_on_signals():
            results, postgres = measured(QUICK if quick else Sizes(), set(only), say)
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted; temporary servers and folders are removed.", err=True)
        sys.exit(130)
    for line in table(results):
        click.echo(line)
    if output is None and not (quick or only):
        output = PROJECT / "bench" / "results.json"
    if output is not None:
        write(output, document(results, postgres, measured_commit))
        click.echo(f"Written to {output}")


if __name__ == "__main__":
    main()

"""`grid export`: a view of `reporting` as a CSV or Parquet file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

import click

from grid_assets.cli.commands import CommandError
from grid_assets.cli.days import Day
from grid_assets.cli.environment import demo_option, run_in_environment, say_aside
from grid_assets.output import open_whole
from grid_assets.runtime.environment import Environment, Say
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.exports import SCHEMA, NotExportable, copied, find_view

FORMATS: Final = ("csv", "parquet")

STDOUT: Final = Path("-")
"""As most commands have it; without this, a file of that name would be written."""


@click.command()
@click.argument("name")
@click.option("--from", "first", type=Day(), help="First day  [default: the first there is]")
@click.option("--to", "last", type=Day(), help="Last day, inclusive  [default: the last there is]")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="[default: parquet if the file's name ends in .parquet, else csv]",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="File to write; .csv.gz is gzipped  [default, and -: CSV to the standard output]",
)
@demo_option
def export(
    name: str,
    first: date | None,
    last: date | None,
    kind: str | None,
    output: Path | None,
    demo: bool,
) -> None:
    """Export a view of reporting, such as telemetry, as CSV or Parquet.

    NAME is the view, with or without "reporting.". Days are chosen by the first of these columns
    that the view has, and rows are sorted by it: period_start, settlement_date, month, target_date,
    started_at. The days are UTC days, of settlement_date London days; of month, every month that
    one of the days is in. Without --from or --to, everything is exported.

    Times are UTC in ISO 8601, null is an empty field. The file is complete or not there.
    """
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.")
    if output == STDOUT:
        output = None
    ending = output.suffix.lower() if output else ""
    kind = kind or ("parquet" if ending == ".parquet" else "csv")
    if kind == "parquet" and output is None:
        raise click.UsageError("Parquet is not a text. Name a file with --output.")
    if kind == "parquet" and ending == ".gz":
        raise click.UsageError("Parquet is compressed already. Leave .gz out of the name.")
    if kind == "parquet":
        _need_pyarrow()

    def run(environment: Environment, say: Say) -> None:
        with connect(environment.warehouse) as connection:
            view = find_view(connection, name)
            with copied(connection, view, first, last) as rows, _opened(output) as file:
                if kind == "parquet":
                    from grid_assets.warehouse.parquet_file import write_parquet

                    next(rows)  # the header: the file has a schema
                    count = write_parquet(view, rows, file)
                else:
                    count = sum(1 for row in rows if file.write(row)) - 1
        say(
            f"{count:,} {'row' if count == 1 else 'rows'} of {SCHEMA}.{view.name}"
            + (f" from {first}" if first else "")
            + (f" to {last}" if last else "")
            + (f", written to {output}" if output else "")
        )

    try:
        run_in_environment(demo, run, say=say_aside)
    except NotExportable as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted. No file was written; run it again.", err=True)
        sys.exit(130)


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """The standard output, or a file that appears under its name once the block has ended."""
    try:
        if output is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with open_whole(output) as text:
                yield text.buffer
    except BrokenPipeError:  # the reader, such as `head`, has enough: click ends without a word
        raise
    except OSError as error:
        raise CommandError(
            f"{output or 'The standard output'} cannot be written: {error.strerror or error}. Name "
            "a file in a folder that exists, that you may write to and that has room."
        ) from None


def _need_pyarrow() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise CommandError(
            "Parquet needs pyarrow, which is not installed. Install it with "
            "`pip install pyarrow`, or use --format csv."
        )

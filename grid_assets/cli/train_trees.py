"""`grid train --kind trees`: grows the trees of gradient boosting."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from grid_assets.forecasting.boosting.libraries import LibrariesMissing, require_libraries
from grid_assets.progress import doing


def grow_trees(
    output: Path,
    until: datetime | None,
    seed: int | None,
    threads: int | None,
    minutes: Callable[[float], str],
) -> None:
    """Train on the data that ship, up to `until`, and write a folder. Raises `ClickException`."""
    try:
        require_libraries()
    except LibrariesMissing as error:
        raise click.ClickException(str(error)) from None
    with doing("Loading LightGBM"):
        from dataclasses import replace

        from grid_assets.forecasting.boosting import building, training
        from grid_assets.forecasting.training_record import TRAINED_TO, load_record, spans_until

    end = until or TRAINED_TO
    recipe = training.Recipe()
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    with doing("Reading the record"):
        record = load_record()
    click.echo(
        f"Growing trees for {len(building.GROWN)} series from half-hours before "
        f"{end:%Y-%m-%d}, seed {recipe.seed}. Ctrl-C stops it and leaves nothing behind."
    )
    echo_progress()
    output.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (
        doing("Growing trees"),
        tempfile.TemporaryDirectory(prefix=".training-", dir=output.parent) as folder,
    ):
        built = Path(folder) / "trees"
        building.build(
            [training.Lesson(record, spans_until(end))],
            recipe,
            built,
            threads or os.cpu_count() or 1,
            {
                "name": "gradient_boosting",
                "trained_to": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        built.rename(output)
    size = sum(file.stat().st_size for file in output.iterdir()) / 1e6
    click.echo(f"Trained in {minutes(time.monotonic() - started)}.")
    click.echo(f"Written to {output} ({size:.1f} MB).")
    click.echo(f"Measure it with: grid evaluate --model {output} --history FILE --outlook FILE …")


def echo_progress() -> None:
    """Print what the growing of trees logs."""
    log = logging.getLogger("grid_assets.forecasting.boosting")
    log.addHandler(_Echo())
    log.setLevel(logging.INFO)


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"  {record.getMessage()}")

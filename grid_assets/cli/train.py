"""`grid train`: its options, progress and output files.

Importing torch takes seconds, so nothing from `forecasting` is imported before they run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from grid_assets.cli.days import Day
from grid_assets.cli.environment import demo_option
from grid_assets.cli.train_trees import grow_trees
from grid_assets.cli.train_warehouse import learn_on
from grid_assets.halfhours import day_start
from grid_assets.output import write_json
from grid_assets.progress import doing, spoken

if TYPE_CHECKING:
    from transformers.trainer_callback import TrainerCallback


CARD: Final = "grid.json"
"""File beside a checkpoint's weights with its name, the end of its training data and its scores."""

REPORT_EVERY_S: Final = 7


@click.command()
@click.option(
    "--kind",
    type=click.Choice(["chronos", "trees"]),
    default="chronos",
    show_default=True,
    help="chronos: the small Chronos-2 model. trees: gradient boosting.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("checkpoint"),
    show_default=True,
    help="New folder for the checkpoint.",
)
@click.option("--name", help="Name of the model  [default: gb-outlook- and the last month]")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="Maximum number of batches in each phase, for a trial  [default: the recipe's]",
)
@click.option("--until", type=Day(), help="First UTC day that is not read  [default: 2025-11-01]")
@click.option("--seed", type=int, help="Random seed  [default: the recipe's]")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads  [default: one per core]")
@click.option(
    "--warehouse",
    is_flag=True,
    help="Grow trees from this warehouse's data too, and put them in use if they are better.",
)
@click.option("--revert", is_flag=True, help="With --warehouse: use the bundled trees again.")
@demo_option
@click.pass_context
def train(
    context: click.Context,
    kind: str,
    output: Path,
    name: str | None,
    steps: int | None,
    until: date | None,
    seed: int | None,
    threads: int | None,
    warehouse: bool,
    revert: bool,
    demo: bool,
) -> None:
    """Retrain a bundled model from the data that ship with the project; needs no network.

    Both learn from carbon intensity, generation and day-ahead forecasts since 2017, except a span
    that is set aside for the comparison with NESO.

    Trees (gradient boosting) took 17 minutes on two cores shared with other work. They need
    LightGBM: `.venv/bin/pip install -e '.[trees]'` in a clone, otherwise `pip install
    'grid-assets[trees]'`.

    The small Chronos-2 model takes some hours on two CPU cores, minutes on a GPU; use fewer steps
    for a trial. The same recipe on the same machine gives the same weights. The result is a
    checkpoint folder, which `grid evaluate --model` can measure. It also holds the network for ONNX
    Runtime, so that it forecasts without torch.

    Needs torch: `make chronos` installs it, or `pip install 'grid-assets[chronos]'`.

    With --warehouse, trees learn from this warehouse too, except from its last 30 days. On those
    they are measured beside the trees in use, and take their place if they are better at every
    lead. Exits with 3 if there is too little data for that. The decision is a row of
    forecast.model_trials.
    """
    if warehouse:
        learn_on(context, revert=revert, demo=demo, seed=seed, threads=threads)
        return
    if revert or demo:
        raise click.UsageError("--revert and --demo need --warehouse.")
    if output.exists():
        raise click.UsageError(
            f"--output {output} exists already and is not overwritten. Name a new folder."
        )
    if kind == "trees":
        if name or steps:
            raise click.UsageError("--name and --steps belong to --kind chronos.")
        try:
            grow_trees(output, day_start(until) if until else None, seed, threads, _minutes)
        except KeyboardInterrupt:
            click.echo("Interrupted. Nothing was written; start again.", err=True)
            sys.exit(130)
        return
    from grid_assets.forecasting.models import registry
    from grid_assets.forecasting.models.forecaster import ModelUnusable

    try:
        registry.require_torch()
    except ModelUnusable as error:
        raise click.ClickException(f"Nothing can be trained: {error}.") from None
    with doing("Loading torch"):
        from transformers.utils import logging as transformers_logging

        from grid_assets.forecasting import exporting, training
        from grid_assets.forecasting.models.folder import EXPORT
        from grid_assets.forecasting.training_record import TRAINED_TO
        from grid_assets.halfhours import HALF_HOUR, api_time

    transformers_logging.disable_progress_bar()

    recipe = training.Recipe()
    recipe = replace(
        recipe,
        phases=tuple(
            replace(phase, steps=min(phase.steps, steps or phase.steps)) for phase in recipe.phases
        ),
        seed=recipe.seed if seed is None else seed,
    )
    end = day_start(until) if until else TRAINED_TO
    known, expected = _count_half_hours(end)
    click.echo(
        f"Reading {known:,} half-hours of carbon intensity and the mix, {expected:,} of them with "
        f"an outlook, all before {api_time(end)}."
    )
    click.echo(
        f"Training {' and '.join(f'{phase.steps:,} {phase.examples}' for phase in recipe.phases)} "
        f"steps, seed {recipe.seed}. Ctrl-C stops it and leaves nothing behind."
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        with (
            doing("Training"),
            tempfile.TemporaryDirectory(prefix=".training-", dir=output.parent) as folder,
        ):
            checkpoint = training.train(recipe, Path(folder), threads, [_progress()], end)
            click.echo(f"Writing {EXPORT}, the network for ONNX Runtime (20 s or so).")
            exporting.export(checkpoint)
            write_json(
                checkpoint / CARD,
                {
                    "name": name or f"gb-outlook-{end - HALF_HOUR:%Y-%m}",
                    "trained_to": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                    "recipe": asdict(recipe),
                },
            )
            checkpoint.rename(output)
    except KeyboardInterrupt:
        click.echo("Interrupted. No checkpoint was written; start again.", err=True)
        sys.exit(130)
    size = sum(file.stat().st_size for file in output.iterdir()) / 1e6
    click.echo(f"Trained in {_minutes(time.monotonic() - started)}.")
    click.echo(f"Written to {output} ({size:.1f} MB).")
    click.echo(f"Measure it with: grid evaluate --model {output} --span choose")


def _count_half_hours(end: datetime) -> tuple[int, int]:
    """The numbers of half-hours with an actual and with an outlook that training reads."""
    import numpy as np

    from grid_assets.forecasting.training_record import load_record, spans_until

    record = load_record()
    parts = [slice(record.place(span.start), record.place(span.end)) for span in spans_until(end)]
    actual, outlook = ~np.isnan(record.history[0]), np.isfinite(record.issued)
    return sum(int(actual[part].sum()) for part in parts), sum(
        int(outlook[part].sum()) for part in parts
    )


def _progress() -> TrainerCallback:
    """A callback that regularly prints the progress of training and the time left in its stage."""
    from transformers.trainer_callback import TrainerCallback

    class Progress(TrainerCallback):
        stage = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.stage += 1
            self.started = self.printed = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            now, done, steps = time.monotonic(), state.global_step, state.max_steps
            if now - self.printed < REPORT_EVERY_S and done < steps:
                return
            self.printed = now
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            left = (now - self.started) / done * (steps - done)
            spoken()
            click.echo(
                f"  stage {self.stage}, step {done:,} of {steps:,}"
                + (f", loss {float(losses[-1]):.3f}" if losses else "")
                + (f", {_minutes(left)} to go" if done < steps else "")
            )

    return Progress()


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

"""`grid train` and `grid evaluate`: their options, progress and output files.

Importing torch takes seconds, so nothing from `forecasting` is imported before they run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from grid_assets.dashboard.output import write_whole
from grid_assets.progress import doing, spoken
from grid_assets.series import INTENSITY

if TYPE_CHECKING:
    from transformers.trainer_callback import TrainerCallback

    from grid_assets.forecasting.evaluation import Evaluation

CARD: Final = "grid.json"
"""File beside a checkpoint's weights with its name, the end of its training data and its scores."""

REPORT_EVERY_S: Final = 7

HUB_TIMEOUT_S: Final = 60


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("checkpoint"),
    show_default=True,
    help="New folder for the checkpoint.",
)
@click.option("--name", help="Name of the model  [default: gb-small- and the last month read]")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    help="Maximum number of batches in each phase, for a trial  [default: the recipe's]",
)
@click.option("--seed", type=int, help="Random seed  [default: the recipe's]")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads  [default: one per core]")
def train(
    output: Path,
    name: str | None,
    steps: int | None,
    seed: int | None,
    threads: int | None,
) -> None:
    """Retrain the small Chronos-2 model.

    It learns only from the recorded telemetry up to the end of October 2025, and needs no network.
    The whole recipe takes about half an hour on two CPU cores, less on a GPU; use fewer steps for a
    trial. The same recipe on the same machine gives the same weights. The result is a checkpoint
    folder, which `grid evaluate --model` can measure. It also holds the network for ONNX Runtime,
    so that it forecasts without torch.

    Needs torch: `make chronos` installs it, or `pip install 'grid-assets[chronos]'`.
    """
    if output.exists():
        raise click.UsageError(
            f"--output {output} exists already and is not overwritten. Name a new folder."
        )
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
    intensity, mix = _count_half_hours()
    click.echo(
        f"Reading {intensity:,} recorded half-hours of carbon intensity, {mix:,} with the mix, "
        f"all before {api_time(training.TRAINED_TO)}."
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
            checkpoint = training.train(recipe, Path(folder), threads, [_progress()])
            click.echo(f"Writing {EXPORT}, the network for ONNX Runtime (20 s or so).")
            exporting.export(checkpoint)
            _write_json(
                checkpoint / CARD,
                {
                    "name": name or f"gb-small-{training.TRAINED_TO - HALF_HOUR:%Y-%m}",
                    "trained_to": f"{training.TRAINED_TO:%Y-%m-%dT%H:%M:%SZ}",
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


@click.command()
@click.option(
    "--model",
    "source",
    default="shipped",
    show_default=True,
    metavar="DIR",
    help="A checkpoint's folder, or a Hugging Face id such as amazon/chronos-2.",
)
@click.option(
    "--span",
    "span_name",
    type=click.Choice(["choose", "report"]),
    default="choose",
    show_default=True,
    help="choose: November to 15 December 2025, to compare candidates. report: the month after it, "
    "for a model that you have already chosen.",
)
@click.option(
    "--stride",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="HOURS",
    help="Hours between forecasts; a longer stride is faster.",
)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the scores of every series by lead to this file.",
)
@click.option(
    "--write",
    is_flag=True,
    help=f"Record the scores in the checkpoint's {CARD}; needs --span report and stride 1.",
)
def evaluate(source: str, span_name: str, stride: int, file: Path | None, write: bool) -> None:
    """Measure a model on recorded half-hours.

    Prints its errors beside those of two simple references: persistence, which repeats the last
    value, and seasonal naive, which repeats the last day. Each forecast uses only values from
    before its issue time, and both spans are later than the bundled model's training data. The
    same checkpoint gives the same figures.
    """
    if write and (span_name != "report" or stride != 1):
        raise click.UsageError(
            "--write needs --span report and no --stride, so that recorded scores can be compared."
        )
    from grid_assets.forecasting import evaluation
    from grid_assets.forecasting.models import registry
    from grid_assets.forecasting.models.forecaster import ModelUnusable
    from grid_assets.forecasting.models.naive import SeasonalNaive

    card = (registry.SHIPPED if source == registry.SHIPPED_SOURCE else Path(source)) / CARD
    if write and not card.is_file():
        raise click.UsageError(
            f"--write needs a folder made by `grid train`, and {card} does not exist."
        )

    span = {"choose": evaluation.CHOOSE, "report": evaluation.REPORT}[span_name]
    try:
        with doing(f"Loading {source}"):
            model = registry.load_exactly(source, HUB_TIMEOUT_S).forecaster
        problem_set = evaluation.problem_set(span, timedelta(hours=stride))
        click.echo(f"Making {len(problem_set.problems):,} forecasts with {model.name}.", err=True)
        with doing(f"Forecasting with {model.name}"):
            evaluations = [
                evaluation.evaluate(forecaster, problem_set)
                for forecaster in (model, evaluation.Persistence(), SeasonalNaive())
            ]
    except ModelUnusable as error:
        raise click.ClickException(f"--model {source} cannot be measured: {error}.") from None
    for line in evaluation.format_table(evaluations):
        click.echo(line)
    if file:
        _write_json(file, {"evaluations": [each.document() for each in evaluations]})
        click.echo(f"Written to {file}")
    if write:
        content = json.loads(card.read_text(encoding="utf-8"))
        _write_json(card, {**content, "scores": _card_scores(evaluations[0])})
        click.echo(f"Scores recorded in {card}")


def _card_scores(evaluation: Evaluation) -> dict[str, Any]:
    """The scores that the table prints: carbon intensity by lead, the fuels over all leads."""
    from grid_assets.forecasting.evaluation import ALL_LEADS

    document = evaluation.document()
    document["scores"] = [
        score
        for score in document["scores"]
        if score["series"] == INTENSITY or score["lead_bucket"] == ALL_LEADS
    ]
    return document


def _count_half_hours() -> tuple[int, int]:
    """The numbers of half-hours with carbon intensity and with the mix that training reads."""
    import numpy as np

    from grid_assets.forecasting.recorded_series import read_recorded
    from grid_assets.forecasting.training import INTENSITY_SPANS

    known = [~np.isnan(read_recorded(span.start, span.end)) for span in INTENSITY_SPANS]
    return sum(int(span[0].sum()) for span in known), int(known[-1][1].sum())


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


def _write_json(file: Path, content: dict[str, Any]) -> None:
    write_whole(file, json.dumps(content, indent=2) + "\n")

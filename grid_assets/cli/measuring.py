"""Measures models for `grid evaluate`: reads the files, prints the table and writes the results.

Importing numpy and the models takes a second, so nothing from `forecasting` is imported before it
is needed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from grid_assets.cli.environment import say
from grid_assets.cli.train import CARD
from grid_assets.halfhours import Window, days_window
from grid_assets.output import open_whole, write_json
from grid_assets.progress import Progress, doing
from grid_assets.series import INTENSITY
from grid_assets.settings import Settings

if TYPE_CHECKING:
    from grid_assets.forecasting.evaluation import Evaluation
    from grid_assets.forecasting.history_files import Outlook
    from grid_assets.forecasting.models.forecaster import Forecaster, Values
    from grid_assets.forecasting.predictions_file import PredictionsFile
    from grid_assets.forecasting.questions import Question, Read

STRIDE_OF_FILES_H: Final = 3
STRIDE_OF_SPANS_H: Final = 1


@dataclass(frozen=True)
class Options:
    """The options of one call."""

    history: Path | None
    first: date | None
    last: date | None
    outlook: Path | None
    stride_hours: int | None
    late_half_hours: int
    models: tuple[str, ...]
    predictions: Path | None
    span: str | None
    json: Path | None
    write: bool

    @property
    def stride(self) -> timedelta:
        """Time between issues."""
        usual = STRIDE_OF_FILES_H if self.history else STRIDE_OF_SPANS_H
        return timedelta(hours=self.stride_hours or usual)


def run(options: Options) -> None:
    """Raises `ClickException`, `FileRefused` and `ModelUnusable`."""
    from grid_assets.forecasting import evaluation
    from grid_assets.forecasting.decisions import Decisions, format_decisions
    from grid_assets.forecasting.evaluation_table import format_table
    from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING
    from grid_assets.forecasting.questions import Questions

    card = _card(options)
    named = [_load(name) for name in options.models]  # before files are read, which takes seconds
    span, times, read, outlook = _data(options)
    forecasters = _forecasters(options, named, outlook)
    if not times:
        raise click.ClickException(f"No issue time is in {span}. Use a shorter --stride-hours.")
    questions = Questions(times, read, outlook, options.late_half_hours)
    possible, skipped = questions.possible(), len(times) - questions.possible()
    if not possible:
        raise click.ClickException(
            f"No forecast can be made from {span}: at each of the {len(times):,} issue times more "
            f"than {MAX_MISSING} of the {CONTEXT} half-hours of carbon intensity before it are "
            "missing. Choose other days with --from and --to, or a history that begins a week "
            "before them."
        )
    names = [forecaster.name for forecaster in forecasters]
    click.echo(f"Making {possible:,} forecasts with {', '.join(names)}.", err=True)
    decisions = Decisions(names)
    progress = Progress("Forecasting", possible, "issues", time.monotonic, lambda line: None)
    with _open_predictions(options.predictions) as predictions:

        def batch_done(batch: Sequence[Question], predicted: Sequence[Values]) -> None:
            if predictions:
                predictions.add(names, batch, predicted)
            decisions.add(batch, predicted)
            progress.step(f"to {batch[-1].issued_at:%Y-%m-%d}", len(batch))

        measured = evaluation.measure(forecasters, questions, span, options.stride, batch_done)
    for line in (*format_table(measured), "", *format_decisions(decisions)):
        say(line)
    if skipped:
        say(
            f"{skipped:,} of {len(times):,} issue times were skipped: more than {MAX_MISSING} of "
            f"the {CONTEXT} half-hours of carbon intensity before them are missing."
        )
    if options.predictions:
        say(f"Written to {options.predictions}")
    if options.json:
        documents = [each.document() for each in measured]
        content = {
            "evaluations": documents,
            "skipped_issues": skipped,
            "decisions": [value.document() for value in decisions.whole()],
            "common_decisions": [value.document() for value in decisions.common()],
        }
        with _writing("--json", options.json):
            write_json(options.json, content)
        say(f"Written to {options.json}")
    if card:
        content = json.loads(card.read_text(encoding="utf-8"))
        write_json(card, {**content, "scores": _card_scores(measured[0])})
        say(f"Scores recorded in {card}")


def _card(options: Options) -> Path | None:
    """The file to record scores in, if that is wanted."""
    from grid_assets.forecasting.models import registry

    if not options.write:
        return None
    source = options.models[0] if options.models else registry.SHIPPED_SOURCE
    card = (registry.SHIPPED if source == registry.SHIPPED_SOURCE else Path(source)) / CARD
    if not card.is_file():
        raise click.UsageError(
            f"--write needs a folder made by `grid train`, and {card} does not exist."
        )
    return card


def _load(name: str) -> Forecaster:
    from grid_assets.forecasting.models import candidates
    from grid_assets.forecasting.models.forecaster import ModelUnusable

    try:
        with doing(f"Loading {name}"):
            return candidates.make(name, Settings.from_environment().use_neso_forecast)
    except ModelUnusable as error:
        raise click.ClickException(f"--model {name} cannot be measured: {error}.") from None


def _forecasters(
    options: Options, named: list[Forecaster], outlook: Outlook | None
) -> list[Forecaster]:
    """The models to compare, the first one first."""
    from grid_assets.forecasting.history_files import NESO_SERIES
    from grid_assets.forecasting.models import candidates

    has_neso = outlook is not None and NESO_SERIES in outlook.series
    if not has_neso and any(each.name == candidates.NESO for each in named):
        raise click.UsageError(
            f"--model {candidates.NESO} needs an --outlook file with values of {NESO_SERIES}."
        )
    defaults: tuple[str, ...] = ()
    if options.history is None:
        defaults = candidates.REFERENCES if named else candidates.OF_SPANS
    elif not named:
        defaults = candidates.OF_FILES
    found = {each.name: each for each in named}
    if len(found) < len(named):
        raise click.UsageError(
            f"Two --model have the same name, of {', '.join(each.name for each in named)}: their "
            "errors could not be told apart. Leave one out, or rename its checkpoint."
        )
    for name in defaults:
        if name == candidates.NESO and not has_neso:
            continue
        try:
            forecaster = _load(name)
        except click.ClickException as error:
            if options.history is None:
                raise
            click.echo(f"Left out: {error.message}", err=True)
            continue
        found.setdefault(forecaster.name, forecaster)
    return candidates.share_members(list(found.values()))


def _data(options: Options) -> tuple[Window, list[datetime], Read, Outlook | None]:
    """The span, its issue times, what reads the history, and the outlook."""
    from grid_assets.forecasting import evaluation
    from grid_assets.forecasting.history_files import read_history, read_outlook
    from grid_assets.forecasting.recorded_series import read_recorded

    outlook = None
    if options.outlook:
        with doing(f"Reading {options.outlook}"):
            outlook = read_outlook(options.outlook)
            _tell(outlook.notes)
    if not (options.history and options.first and options.last):
        span = evaluation.REPORT if options.span == "report" else evaluation.CHOOSE
        return span, evaluation.issue_times(span, options.stride), read_recorded, outlook
    with doing(f"Reading {options.history}"):
        history = read_history(options.history)
        _tell(history.notes)
    click.echo(f"{options.history} runs from {history}.", err=True)
    span = days_window(options.first, options.last)
    return span, evaluation.issue_times_of_days(span, options.stride), history.read, outlook


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(f"Note: {note}", err=True)


@contextmanager
def _open_predictions(file: Path | None) -> Iterator[PredictionsFile | None]:
    from grid_assets.forecasting.predictions_file import PredictionsFile

    if file is None:
        yield None
        return
    with _writing("--predictions", file), open_whole(file) as text:
        yield PredictionsFile(text)


@contextmanager
def _writing(option: str, file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"{option} {file} cannot be written: {error.strerror or error}. Name a file in a "
            "folder that exists, that you may write to and that has room."
        ) from None


def _card_scores(evaluation: Evaluation) -> dict[str, Any]:
    """The scores that the table prints: carbon intensity by lead, the fuels over all leads."""
    from grid_assets.forecasting.tally import ALL_LEADS

    document = evaluation.document()
    document["scores"] = [
        score
        for score in document["scores"]
        if score["series"] == INTENSITY or score["lead_bucket"] == ALL_LEADS
    ]
    return document

"""Are our models better than NESO's own forecast, on the same half-hours and issue times?

    python -m bench.against_neso                   # on the data that ship
    python -m bench.against_neso --folder FOLDER   # keeps the files that it measured on

At each issue of the forecasts in `vintages/`, our models forecast from what was known then. Every
half-hour that NESO forecast is scored by the code of `grid evaluate`. `neso_vintages` says what
makes the comparison fair. `make bench` does not run this: nothing may be chosen by it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import numpy as np

from bench.neso_vintages import (
    BOGUS,
    RECORDED,
    SHIPPED,
    Asked,
    Forecast,
    ask,
    read_vintages,
    write_files,
)
from grid_assets.forecasting import evaluation
from grid_assets.forecasting.csv_files import FileRefused
from grid_assets.forecasting.evaluation import Evaluation
from grid_assets.forecasting.evaluation_table import format_table
from grid_assets.forecasting.models import candidates
from grid_assets.forecasting.models.forecaster import Forecaster, ModelUnusable, Problem, Values
from grid_assets.forecasting.predictions_file import PredictionsFile
from grid_assets.forecasting.questions import Question
from grid_assets.halfhours import DAY, HALF_HOUR, Window, utc_text
from grid_assets.output import open_whole
from grid_assets.series import INTENSITY

MODELS: Final = tuple(name for name in candidates.OF_FILES if name != candidates.NESO)
"""What is compared with NESO if no model is named."""

APART: Final = 2 * DAY
"""Between two issues; more begins another spell."""


class Once:
    """A model that forecasts carbon intensity, and each problem only once: it may learn from the
    problems as they come, so the same ones in another selection could be answered otherwise."""

    def __init__(self, forecaster: Forecaster) -> None:
        self.name = forecaster.name
        self._forecaster = forecaster
        self._found: dict[int, tuple[Problem, Values]] = {}  # which keeps the problem's id in use

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        new = [problem for problem in problems if id(problem) not in self._found]
        if new:
            for problem, values in zip(new, self._forecaster.predict(new, steps), strict=True):
                kept = np.full_like(values, np.nan)
                kept[0] = values[0]
                self._found[id(problem)] = problem, kept
        return np.stack([self._found[id(problem)][1] for problem in problems])


@dataclass(frozen=True)
class Comparison:
    """NESO and then our models, at some issues."""

    forecasters: Sequence[Forecaster]
    questions: Sequence[Question]

    def measure(
        self, questions: Sequence[Question], predictions: PredictionsFile | None = None
    ) -> list[Evaluation]:
        """The errors over some of the issues, in order; also written, if there is a file."""
        names = [forecaster.name for forecaster in self.forecasters]
        span = Window(questions[0].issued_at, questions[-1].issued_at + HALF_HOUR)

        def write(batch: Sequence[Question], predicted: Sequence[Values]) -> None:
            if predictions:
                predictions.add(names, batch, predicted)

        return evaluation.measure(self.forecasters, Asked(questions), span, timedelta(0), write)

    def report(self) -> Iterator[str]:
        """The whole output: all issues but the bogus, then by spell, then all."""
        sound = [question for question in self.questions if question.issued_at not in BOGUS]
        measured, spells = self.measure(sound), list(_spells(sound))
        days = {question.issued_at.date() for question in sound}
        targets = {at for question in sound for at in _targets(question)}
        yield (
            f"NESO's forecasts as issued: {len(sound)} issues on {len(days)} days in {len(spells)} "
            f"spells, of {len(targets)} half-hours on {len({at.date() for at in targets})} days."
        )
        yield "Days are few, and issues of one spell share half-hours and weather. The standard"
        yield "errors take days of issue as independent, so they are too small: compare the spells."
        groups = [("all of the table", sound)]
        groups += [(f"{_day(part[0])} to {_day(part[-1])}", part) for part in spells]
        if left_out := len(self.questions) - len(sound):
            yield f"Left out are {left_out} issues from {BOGUS}, which NESO published with a fault."
            groups.append(("all and what was left out", [*self.questions]))
        table = format_table(measured)
        next(table)  # it counts whole forecasts of 48 hours
        yield from table
        for reached in (False, True):
            yield ""
            yield "MAE less NESO's by days of issue, all leads, " + (
                "where the outlook reaches" if reached else "all half-hours"
            )
            yield from self._by_group(groups, reached)

    def _by_group(
        self, groups: Sequence[tuple[str, Sequence[Question]]], reached: bool
    ) -> Iterator[str]:
        names = [forecaster.name for forecaster in self.forecasters]
        yield f"{'issued':<26}{'n':>7}{'neso':>8}" + "".join(f"{name:>28}" for name in names[1:])
        for title, questions in groups:
            blocks = [each.common if reached else each.whole for each in self.measure(questions)]
            scores = [block.score(INTENSITY) for block in blocks if block is not None]
            found = [score.mae for score in scores if score and score.mae is not None]
            if scores[0] is None or not found:
                yield f"{title:<26}{0:>7}{'-':>8}"
                continue
            away = "".join(f"{mae - found[0]:>+28.2f}" for mae in found[1:])
            yield f"{title:<26}{scores[0].n:>7,}{found[0]:>8.2f}{away}"


def _targets(question: Question) -> list[datetime]:
    steps = np.flatnonzero(~np.isnan(question.actual[0]))
    return [question.issued_at + int(step) * HALF_HOUR for step in steps]


def _day(question: Question) -> str:
    return utc_text(question.issued_at.date())


def _spells(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Runs of issues, in order, without a pause that is longer than `APART`."""
    spell = [*questions[:1]]
    for before, question in pairwise(questions):
        if question.issued_at - before.issued_at > APART:
            yield spell
            spell = []
        spell.append(question)
    yield spell


def compare(forecasts: Sequence[Forecast], models: Sequence[str], folder: Path) -> Comparison:
    """Make the files, and from them every forecast, in the order of issue.

    Raises `ModelUnusable`, and `FileRefused` if there is nothing to compare.
    """
    ours = [Once(candidates.make(name, False)) for name in models]
    usable = [each for each in forecasts if each.recorded]
    times = sorted({each.our_issue for each in usable})
    asked = ask(times, *write_files(usable, folder)) if usable else []
    if not asked:
        raise FileRefused(
            "None of NESO's forecasts can be compared: each needs a week of recorded half-hours "
            f"before it, and {RECORDED} is recorded. Give others."
        )
    compared = Comparison([candidates.make(candidates.NESO, False), *ours], asked)
    with open_whole(folder / "predictions.csv.gz") as text:
        compared.measure(asked, PredictionsFile(text))
    return compared


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    default=MODELS,
    show_default=True,
    help="As in `grid evaluate`; may be repeated.",
)
@click.option(
    "--vintages",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Other forecasts by NESO: CSV with issued_at_utc, period_start_utc and forecast.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the history, the outlook and the predictions in this folder.",
)
def main(models: tuple[str, ...], vintages: tuple[Path, ...], folder: Path | None) -> None:
    """Compare models with NESO's own forecasts of carbon intensity."""
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        try:
            compared = compare(read_vintages(vintages or SHIPPED), models, place)
        except (FileRefused, ModelUnusable) as error:
            raise click.ClickException(str(error)) from None
        for line in compared.report():
            click.echo(line)
    if folder:
        click.echo(f"Written to {folder}: history, outlook and predictions.")


if __name__ == "__main__":
    main()

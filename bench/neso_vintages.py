"""NESO's own forecasts as issued, and the issues at which models can be compared with them.

Ours is never the later one:

- We issue at the start of the half-hour in which NESO's forecast was captured, a minute before most
  of them, and our newest actual is one half-hour late.
- Only NESO's forecast of that very issue counts, never an older one. A model that uses NESO's
  forecast sees this one, so at most a minute early where the minute is known.
- Intensity is labelled as it was published, and so is NESO's forecast of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from bench.record import write_history, write_outlook
from grid_assets.forecasting.csv_files import HALF_HOUR_S, open_table
from grid_assets.forecasting.history_files import (
    ISSUED,
    ISSUED_BITS,
    NESO_SERIES,
    PERIOD,
    Outlook,
    read_history,
    read_outlook,
)
from grid_assets.forecasting.models.forecaster import Line, Values
from grid_assets.forecasting.questions import Question, Questions
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.forecasting.training_record import END, START, Record, load_record
from grid_assets.halfhours import DAY, HALF_HOUR, Window, floor, parse_api_time
from grid_assets.series import CARBON_INTENSITY

VINTAGES: Final = Path(__file__).parent / "vintages"
SHIPPED: Final = (VINTAGES / "neso_fw48h_2023-03.csv.gz", VINTAGES / "neso_by_target_2023.csv")

BOGUS: Final = Window(parse_api_time("2023-04-14T11:00Z"), parse_api_time("2023-04-14T12:00Z"))
"""NESO's forecasts that were issued here say 120 for an evening for which those before and after
say 240. They are left out: a fault of publishing says nothing about the skill of forecasting, and
leaving them out favours NESO."""

LATE_HALF_HOURS: Final = 1
BEFORE: Final = 9 * DAY
"""History before the first issue: a week, and room for missing half-hours."""

RECORDED: Final = Window(START, END)


@dataclass(frozen=True)
class Forecast:
    """One half-hour of one of NESO's forecasts."""

    issued_at: datetime
    period_start: datetime
    value: float

    @property
    def our_issue(self) -> datetime:
        """When our models forecast beside it: not later than NESO's capture."""
        return floor(self.issued_at)

    @property
    def recorded(self) -> bool:
        """Whether the record has the half-hour, and enough before the issue."""
        return self.our_issue - BEFORE in RECORDED and self.period_start in RECORDED


def read_vintages(files: Sequence[Path] = SHIPPED) -> list[Forecast]:
    """NESO's forecasts as captured. Raises `FileRefused`."""
    found = []
    for file in files:
        with open_table(file) as table:
            header = table.read_header((ISSUED, PERIOD, "forecast"), ("lead_h",))
            for row in table.rows():
                cells = dict(zip(header, row, strict=True))
                issued, start = table.instant(cells[ISSUED], ISSUED), cells[PERIOD]
                period = table.half_hour(start, PERIOD) * HALF_HOUR_S
                value = table.number(cells["forecast"], "forecast", CARBON_INTENSITY.ceiling)
                if value == value:
                    found.append(Forecast(_time(issued), _time(period), value))
    return found


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def write_files(forecasts: Sequence[Forecast], folder: Path) -> tuple[Path, Path]:
    """The history and the outlook around the forecasts, in the formats of `grid evaluate`.

    NESO's forecasts are issued, in the file, at the start of the half-hour of their capture.
    """
    record = load_record()
    first = min(each.our_issue for each in forecasts) - BEFORE
    end = max(each.period_start for each in forecasts) + HALF_HOUR
    part = slice(record.place(first), record.place(end))
    history = record.history[:, part].copy()
    published = read_recorded(first, end)[0]  # where there is none, it stays recomputed
    history[0] = np.where(np.isnan(published), history[0], published)
    written = Record(first, history, record.outlook[:, part], record.issued[part] - part.start)
    files = folder / "history.csv.gz", folder / "outlook.csv.gz"
    write_history(written, files[0])
    neso = [(each.our_issue, each.period_start, each.value) for each in forecasts]
    write_outlook(written, files[1], neso)
    return files


class OfThisIssue(Outlook):
    """An outlook that has of NESO's forecasts only the one that was issued at the time."""

    def neso_at(self, at: datetime, start: datetime, steps: int) -> Values:
        published = self.series[NESO_SERIES]
        first = int(start.timestamp()) // HALF_HOUR_S
        keys = ((first + np.arange(steps)) << ISSUED_BITS) + int(at.timestamp())
        place = np.searchsorted(published.keys, keys, side="right") - 1  # -1 has another key
        known = published.keys[place] == keys
        return np.where(known, published.values[place], np.nan).astype(np.float32)

    def neso_lines(self, at: datetime) -> list[Line]:
        """None unless the newest is of this issue; those before it are what it is compared with."""
        lines = super().neso_lines(at)
        return lines if lines and lines[-1][0] == at else []


def ask(times: Sequence[datetime], history: Path, outlook: Path) -> list[Question]:
    """The issues at some times. Actuals are those of carbon intensity for which NESO has a forecast
    of the same issue; others do not count."""
    known = OfThisIssue(read_outlook(outlook).series)
    asked = Questions(times, read_history(history).read, known, LATE_HALF_HOURS)
    return [_of_neso(question) for batch in asked.batches() for question in batch]


def _of_neso(question: Question) -> Question:
    actual = np.full_like(question.actual, np.nan)
    if question.problem.neso is not None:
        neso = question.problem.neso[question.late_steps :]
        actual[0] = np.where(np.isnan(neso), np.nan, question.actual[0])
    return replace(question, actual=actual)


class Asked(Questions):
    """Issues that were asked before."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.times = [question.issued_at for question in questions]
        self._asked = {question.issued_at: question for question in questions}

    @property
    def has_outlook(self) -> bool:
        return True

    def ask(self, at: datetime) -> Question | None:
        return self._asked.get(at)

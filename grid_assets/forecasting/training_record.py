"""The history and the outlook that models are trained on: what ships with the project.

Carbon intensity and the mix are those of the recorded API where it has them. Where it does not,
shares come from Elexon's generation by fuel and NESO's estimates of embedded plants, and from 2021
on intensity is recomputed from them. `data/SOURCE.md` names the publishers.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import HALF_HOUR, Window, days_window
from grid_assets.series import OUTLOOK, SERIES

Places = npt.NDArray[np.int64]

DATA: Final = Path(__file__).parent / "data"

START: Final = datetime(2017, 9, 1, tzinfo=UTC)
END: Final = datetime(2026, 1, 16, tzinfo=UTC)

SET_ASIDE: Final = days_window(date(2023, 3, 14), date(2023, 7, 14))
"""No model is trained, tuned or chosen on it: the only true multi-hour forecasts of NESO that are
known fall into it, so it alone can compare a model with NESO's."""

SPANS: Final = (
    Window(datetime(2017, 9, 12, tzinfo=UTC), datetime(2020, 6, 20, tzinfo=UTC)),
    Window(datetime(2021, 1, 1, tzinfo=UTC), SET_ASIDE.start),
    Window(SET_ASIDE.end, datetime(2024, 7, 1, tzinfo=UTC)),
    Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 15, tzinfo=UTC)),
    Window(datetime(2025, 4, 16, tzinfo=UTC), END),
)
"""Spans with carbon intensity and shares. The last has the API's own mix; the others have shares by
Elexon, which counts otherwise, so no example may reach from one to the other."""

TRAINED_TO: Final = datetime(2025, 11, 1, tzinfo=UTC)
"""Where the training of what ships ends: what follows measures it, and is what the demo shows."""

RECOMPUTED_FROM: Final = datetime(2021, 1, 1, tzinfo=UTC)
"""Before, recomputed intensity is 15 to 33 g from the published, from 2021 on 4 to 6 g."""

_REACHED_LATER: Final = (
    (START, datetime(2018, 11, 1, tzinfo=UTC)),
    (datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 7, 1, tzinfo=UTC)),
    (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC)),
)
"""Where the published value of a half-hour fits the generation of the same one. Everywhere else it
fits that of the next, as it does today, so these are moved by a half-hour."""

_OFFSET_SPAN: Final = 60 * 48
"""Half-hours over which the offset of recomputed intensity is measured: two months."""


@dataclass(frozen=True, eq=False)
class Record:
    """Half-hours to learn from: what happened, and what was expected of it before.

    `history` (10, n) has the rows of `SERIES` and `outlook` (4, n) those of `OUTLOOK`; `issued` (n)
    is the half-hour, counted from `start`, from which a half-hour's outlook was known, infinite
    where there is none. Unknown values are NaN.
    """

    start: datetime
    history: Values
    outlook: Values
    issued: npt.NDArray[np.float64]

    def place(self, at: datetime) -> int:
        """The number of the half-hour that starts at an instant."""
        return round((at - self.start) / HALF_HOUR)

    def has_outlook(self, places: Places) -> npt.NDArray[np.bool_]:
        """At which half-hours, each the first after an issue time, something is expected."""
        return np.asarray(np.isfinite(self.outlook[:, places]).any(axis=0))

    def outlook_at(self, issues: Places, places: Places) -> npt.NDArray[np.float64]:
        """The outlook (n, 4, m) of half-hours (n, m) as known at issue times (n)."""
        outlook = self.outlook[:, places].swapaxes(0, 1).astype(float)
        unknown = self.issued[places] > np.minimum(issues[:, None], places)
        outlook[np.broadcast_to(unknown[:, None], outlook.shape)] = np.nan
        return outlook


@lru_cache(maxsize=1)
def load_record() -> Record:
    """The record that ships with the project; takes some seconds."""
    size = round((END - START) / HALF_HOUR)
    history = read_recorded(START, END)
    _align(history[0])
    power = np.full((len(SERIES), size), np.nan)  # nine fuels, then recomputed intensity
    for line in _lines("generation_mw.csv.gz"):
        place = _place(line[0])
        if 0 <= place < size:
            power[:, place] = [float(value) if value else np.nan for value in line[1:]]
    fuels, recomputed = power[:-1], np.roll(power[-1], -1)
    recomputed[-1] = np.nan
    recomputed[: round((RECOMPUTED_FROM - START) / HALF_HOUR)] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = 100 * fuels / fuels.sum(axis=0)
    missing = np.isnan(history[0])
    history[0, missing] = (recomputed + _offset(history[0] - recomputed))[missing]
    # moved by a half-hour, this one would say what was published of the first that is set aside
    history[0, _halves(SET_ASIDE.start) - 1] = np.nan
    unmixed = np.isnan(history[1:]).all(axis=0)
    history[1:, unmixed] = shares[:, unmixed]
    outlook = np.full((len(OUTLOOK), size), np.nan, np.float32)
    issued = np.full(size, np.inf)
    for line in _lines("day_ahead.csv.gz"):
        place = _place(line[1])
        outlook[:, place] = [float(value) if value else np.nan for value in line[2:]]
        issued[place] = _place(line[0])
    return Record(START, history, outlook, issued)


def spans_until(end: datetime) -> tuple[Window, ...]:
    """`SPANS`, cut off at an instant."""
    return tuple(Window(span.start, min(span.end, end)) for span in SPANS if span.start < end)


def without(span: Window, gap: Window) -> list[Window]:
    """What is left of a span when a gap is cut out of it: at most two pieces."""
    pieces = (span.start, min(span.end, gap.start)), (max(span.start, gap.end), span.end)
    return [Window(start, end) for start, end in pieces if start < end]


def _align(intensity: Values) -> None:
    """Move published values so that all fit the generation of the next half-hour."""
    for start, end in _REACHED_LATER:
        first, last = _halves(start), _halves(end)
        intensity[first : last - 1] = intensity[first + 1 : last]
        intensity[last - 1] = np.nan


def _offset(difference: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The median difference around each half-hour; the nearest one where none is known."""
    size = len(difference)
    places = np.arange(0, size, 48)
    medians = np.full(len(places), np.nan)
    for number, place in enumerate(places):
        part = difference[max(0, place - _OFFSET_SPAN // 2) : place + _OFFSET_SPAN // 2]
        known = part[~np.isnan(part)]
        if known.size >= 48:
            medians[number] = np.median(known)
    known_at = np.flatnonzero(~np.isnan(medians))
    return np.asarray(np.interp(np.arange(size), places[known_at], medians[known_at]))


def _halves(at: datetime) -> int:
    return round((at - START) / HALF_HOUR)


def _place(text: str) -> int:
    return int((datetime.fromisoformat(text) - START) / timedelta(minutes=30))


def _lines(name: str) -> Iterator[list[str]]:
    with gzip.open(DATA / name, "rt", encoding="ascii", newline="") as text:
        lines = csv.reader(text)
        next(lines)
        yield from lines

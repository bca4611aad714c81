"""History and outlook from the files of `grid evaluate`: what happened, and what others had
published about it in advance. The formats are in docs/forecasting.md.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.csv_files import (
    HALF_HOUR_S,
    FileRefused,
    Table,
    check_series,
    open_table,
)
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.model_values import accepted_mixes
from grid_assets.forecasting.models.forecaster import NESO_SPAN, Line, Values
from grid_assets.halfhours import api_time
from grid_assets.series import CARBON_INTENSITY, INTENSITY, MIX, OUTLOOK, SERIES

Numbers = npt.NDArray[np.int64]

PERIOD: Final = "period_start_utc"
ISSUED: Final = "issued_at_utc"
NESO_SERIES: Final = "neso_carbon_intensity"

MOST_MW: Final = 100_000
"""Megawatts above which a value is a mistake: Great Britain never used two thirds of it."""

HIGHEST: Final = {one.name: one.ceiling for one in (CARBON_INTENSITY, *MIX)}
HIGHEST_OUTLOOK: Final = {**dict.fromkeys(OUTLOOK, MOST_MW), NESO_SERIES: CARBON_INTENSITY.ceiling}

ISSUED_BITS: Final = 32
"""Bits of a publication's time in seconds, which go below its half-hour in one sortable number."""


@dataclass(frozen=True, eq=False)
class History:
    """Half-hours of a file in ascending order, as numbers since 1970, with their values, which have
    shape (half-hours, 10). `notes` are sentences about what was not used as it is written."""

    periods: Numbers
    values: Values
    notes: tuple[str, ...] = ()

    def read(self, start: datetime, end: datetime) -> Values:
        """The values from `start` to `end`, shape (10, half-hours); a missing value is NaN."""
        first, last = _half_hour(start), _half_hour(end)
        values = np.full((len(SERIES), last - first), np.nan, np.float32)
        rows = slice(*np.searchsorted(self.periods, [first, last]))
        values[:, self.periods[rows] - first] = self.values[rows].T
        return values

    def __str__(self) -> str:
        """From where to where it runs, for people."""
        if not self.periods.size:
            return "no half-hour"
        return f"{_text(int(self.periods[0]))} to {_text(int(self.periods[-1]) + 1)}"


@dataclass(frozen=True, eq=False)
class Published:
    """All values of one series, ordered by half-hour and then by time of publication."""

    keys: Numbers
    values: Values

    def known_at(self, at: datetime, start: datetime, steps: int) -> Values:
        """The newest value of each half-hour from `start` that was published by `at` and by the
        half-hour's own start. NaN where there is none."""
        periods = _half_hour(start) + np.arange(steps)
        latest = np.minimum(int(at.timestamp()), periods * HALF_HOUR_S)
        place = np.searchsorted(self.keys, (periods << ISSUED_BITS) + latest, side="right") - 1
        found = (place >= 0) & (self.keys[place] >> ISSUED_BITS == periods)
        return np.where(found, self.values[place], np.nan).astype(np.float32)

    def lines(self, after: datetime, to: datetime, steps: int) -> list[Line]:
        """What each publication after one instant and by another says of the half-hours from `to`
        on, the newest last; NaN where it has no value. One that says nothing of them is left out.
        """
        periods = (_half_hour(to) + np.arange(steps)) << ISSUED_BITS
        first, end = (
            np.searchsorted(self.keys, periods + int(at.timestamp()), side="right")
            for at in (after, to)
        )
        places = np.concatenate([np.arange(*part) for part in zip(first, end, strict=True)])
        if not places.size:
            return []
        keys = self.keys[places]
        last = np.append(keys[1:] != keys[:-1], True)  # of two values with the same publication
        keys, values = keys[last], self.values[places[last]]
        issued, row = np.unique(keys & ((1 << ISSUED_BITS) - 1), return_inverse=True)
        found = np.full((len(issued), steps), np.nan, np.float32)
        found[row, (keys >> ISSUED_BITS) - _half_hour(to)] = values
        times = [datetime.fromtimestamp(int(at), UTC) for at in issued]
        return list(zip(times, found, strict=True))


@dataclass(frozen=True, eq=False)
class Outlook:
    """The publications of a file by series; only series with a value are in it."""

    series: dict[str, Published]
    notes: tuple[str, ...] = ()

    def known_at(self, at: datetime, start: datetime, steps: int) -> Values:
        """The rows of `Problem.outlook` as known at `at`, for `steps` half-hours from `start`."""
        values = np.full((len(OUTLOOK), steps), np.nan, np.float32)
        for row, name in enumerate(OUTLOOK):
            if name in self.series:
                values[row] = self.series[name].known_at(at, start, steps)
        return values

    def neso_at(self, at: datetime, start: datetime, steps: int) -> Values | None:
        """NESO's forecast of carbon intensity as known at `at`; None if it has no value."""
        published = self.series.get(NESO_SERIES)
        neso = published.known_at(at, start, steps) if published else None
        return None if neso is None or np.isnan(neso).all() else neso

    def neso_lines(self, at: datetime) -> list[Line]:
        """NESO's forecasts of carbon intensity that a problem of this issue time has."""
        published = self.series.get(NESO_SERIES)
        return published.lines(at - NESO_SPAN, at, HORIZON) if published else []


def read_history(file: Path) -> History:
    """Read a history file. Raises `FileRefused`.

    An intensity of 0 and a mix that the product would refuse count as missing; a note counts them.
    """
    periods, cells = array("q"), array("f")
    with open_table(file) as table:
        header = table.read_header((PERIOD, INTENSITY), SERIES[1:])
        time = header.index(PERIOD)
        columns = [
            (header.index(name), name, HIGHEST[name]) if name in header else None for name in SERIES
        ]
        nothing = float("nan")
        for row in table.rows():
            period = table.half_hour(row[time], PERIOD)
            values = array(
                "f",
                [
                    table.number(row[column[0]], column[1], column[2]) if column else nothing
                    for column in columns
                ],
            )
            if periods and period <= periods[-1]:
                _check_order(table, row[time], period, periods[-1], values, cells[-len(SERIES) :])
                continue
            periods.append(period)
            cells.extend(values)
    if not periods:
        raise FileRefused(f"{file} has no half-hour below its header. Make it again.")
    known = np.array(periods, np.int64)
    found = np.array(cells, np.float32).reshape(-1, len(SERIES))
    return History(known, found, tuple(_clean(file, header, known, found)))


def read_outlook(file: Path) -> Outlook:
    """Read an outlook file, its lines in any order. Raises `FileRefused`.

    A line without a value is left out. Of two values with the same half-hour and publication, the
    later line counts.
    """
    keys = {name: array("q") for name in HIGHEST_OUTLOOK}
    cells = {name: array("f") for name in HIGHEST_OUTLOOK}
    unused = 0
    with open_table(file) as table:
        header = table.read_header((ISSUED, PERIOD, "series", "value"))
        issue, time, which, what = (
            header.index(name) for name in (ISSUED, PERIOD, "series", "value")
        )
        for row in table.rows():
            issued, period = table.instant(row[issue], ISSUED), table.half_hour(row[time], PERIOD)
            name = row[which].strip()
            check_series(table, name, "series", HIGHEST_OUTLOOK)
            value = table.number(row[what], "value", HIGHEST_OUTLOOK[name])
            if value != value:
                continue
            if issued > period * HALF_HOUR_S:
                unused += 1
            keys[name].append((period << ISSUED_BITS) + issued)
            cells[name].append(value)
    series = {}
    for name in HIGHEST_OUTLOOK:
        if keys[name]:
            order = np.argsort(found := np.array(keys[name], np.int64), kind="stable")
            series[name] = Published(found[order], np.array(cells[name], np.float32)[order])
    if not series:
        raise FileRefused(
            f"{file} has no value below its header. Make it again, or leave --outlook out."
        )
    notes = [
        f"{unused:,} values of {file} were published after their half-hour had begun and are never "
        "used."
    ]
    return Outlook(series, tuple(notes if unused else []))


def _check_order(
    table: Table, text: str, period: int, last: int, values: array[float], before: array[float]
) -> None:
    """Refuse a half-hour that does not follow the last one, unless it repeats all of its values."""
    if period < last:
        table.refuse(
            PERIOD, f"{text} comes after {_text(last)}", "Sort the lines by the start of half-hours"
        )
    for name, value, earlier in zip(SERIES, values, before, strict=True):
        if value != earlier and not (value != value and earlier != earlier):
            table.refuse(
                name, f"{text} appears twice, with different values", "Keep the line that is right"
            )


def _clean(file: Path, header: list[str], periods: Numbers, values: Values) -> list[str]:
    """Set to missing what the product would not use either; the sentences that say so."""
    notes = []
    zero = values[:, 0] == 0
    if zero.any():
        values[zero, 0] = np.nan
        notes.append(
            f"{zero.sum():,} values of carbon_intensity in {file} are 0 and count as missing: a "
            "published 0 has never been correct."
        )
    named = ~np.isnan(values[:, 1:]).all(axis=1)
    refused = named & ~accepted_mixes(values[:, 1:], all(name in header for name in SERIES))
    if refused.any():
        values[refused, 1:] = np.nan
        notes.append(
            f"{refused.sum():,} mixes in {file} are too far from 100 % for rounding and count as "
            f"missing, the first at {_text(int(periods[refused][0]))}."
        )
    return notes


def _half_hour(at: datetime) -> int:
    return int(at.timestamp()) // HALF_HOUR_S


def _text(half_hour: int) -> str:
    return api_time(datetime.fromtimestamp(half_hour * HALF_HOUR_S, UTC))

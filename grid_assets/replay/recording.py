"""The recording, moved by whole weeks, and the part of it that is published at an instant."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from grid_assets.halfhours import HALF_HOUR, Window, api_time, floor
from grid_assets.replay import simulated
from grid_assets.series import FUELS

WEEK: Final = timedelta(weeks=1)

RECORDED_UNTIL: Final = datetime(2026, 1, 16, tzinfo=UTC)
"""End of the last recorded half-hour: a constant, so that the shift is known without reading the
data. A test compares the two."""

WHOLE_UNTIL: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""End of the last half-hour that all three APIs recorded: Elexon's outturn ends first."""

AHEAD: Final = timedelta(days=14)
"""How much of the recording lies ahead of now: a demo keeps receiving data for two weeks, and
forecasts that reach two weeks ahead are whole."""

HORIZON: Final = timedelta(hours=48)
"""How far ahead of the current half-hour the API publishes forecasts."""

ACTUAL_LAG: Final = timedelta(minutes=10)
"""For this long after a half-hour has ended, the API repeats the previous `actual` (measured)."""

FACTORS: Final[Mapping[str, int]] = {
    "Biomass": 120,
    "Coal": 937,
    "Dutch Imports": 474,
    "French Imports": 53,
    "Gas (Combined Cycle)": 394,
    "Gas (Open Cycle)": 651,
    "Hydro": 0,
    "Irish Imports": 458,
    "Nuclear": 0,
    "Oil": 935,
    "Other": 300,
    "Pumped Storage": 0,
    "Solar": 0,
    "Wind": 0,
}
"""gCO2/kWh of each kind of generation, as published in 2021 and still in 2026."""

Record = dict[str, Any]


class Intensity(NamedTuple):
    """One recorded half-hour, gCO2/kWh; `band` is the API's `index`."""

    forecast: int | None
    actual: int | None
    band: str | None


@dataclass(frozen=True)
class Recording:
    """Every recorded half-hour by its recorded start, oldest first; gaps are absent.

    `mix` holds shares in percent, in the order of `FUELS`.
    """

    intensity: Mapping[datetime, Intensity]
    mix: Mapping[datetime, tuple[float, ...]]


@lru_cache(maxsize=1)
def load_recording() -> Recording:
    """The packaged recording, read once per process (a third of a second, about 25 MB)."""
    # There are few distinct rows, so equal ones share one tuple.
    seen: dict[Intensity, Intensity] = {}
    intensity = {}
    for row in packaged_rows("national_intensity.csv.gz"):
        values = Intensity(_number(row[1]), _number(row[2]), row[3] or None)
        intensity[datetime.fromisoformat(row[0])] = seen.setdefault(values, values)
    mix = {
        datetime.fromisoformat(row[0]): tuple(float(share) for share in row[1:])
        for row in packaged_rows("national_generation_mix.csv.gz")
    }
    return Recording(intensity, mix)


def packaged_rows(name: str) -> Iterator[list[str]]:
    """The rows of a packaged gzipped CSV file, without its header."""
    packed = files(__package__).joinpath("data", name)
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="ascii", newline="") as text:
        rows = csv.reader(text)
        next(rows)
        yield from rows


def _number(text: str) -> int | None:
    return int(text) if text else None


def shift_weeks(now: datetime) -> int:
    """The fewest whole weeks (0 or more) that leave `AHEAD` of every recording ahead of `now`.

    Whole weeks preserve the weekday and the time of day.
    """
    return max(0, -((WHOLE_UNTIL - now - AHEAD) // WEEK))


@dataclass(frozen=True)
class View:
    """The recording moved by `weeks`, as far as it is published at an instant.

    Arguments and results are in moved time. `withheld_from` is the first half-hour that is
    withheld, or None. Records have the API's shape.
    """

    recording: Recording
    weeks: int

    @property
    def recorded(self) -> Window:
        """From the first recorded half-hour to the end of the last one, gaps included."""
        return Window(
            next(iter(self.recording.intensity)) + self.shift, RECORDED_UNTIL + self.shift
        )

    @property
    def shift(self) -> timedelta:
        """How far the recording is moved."""
        return self.weeks * WEEK

    def intensity(
        self, start: datetime, end: datetime, now: datetime, withheld_from: datetime | None = None
    ) -> list[Record]:
        """Half-hours that end in [`start`, `end`]; those ahead, up to `HORIZON`, are forecasts."""
        return [
            _intensity_record(period, row)
            for period in ending_in(start, end)
            if not is_withheld(period, withheld_from)
            and (row := self.intensity_at(period, now)) is not None
        ]

    def forecast(self, start: datetime, now: datetime) -> list[Record]:
        """The 48 hours from `start`, every `actual` null; past ones keep their own forecast."""
        return [
            _intensity_record(period, row._replace(actual=None))
            for period in ending_in(start, start + HORIZON)
            if (row := self.intensity_at(period, now)) is not None
        ]

    def generation(
        self, start: datetime, end: datetime, now: datetime, withheld_from: datetime | None = None
    ) -> list[Record]:
        """The mix of the half-hours that end in [`start`, `end`] and have ended."""
        return [
            _mix_record(period, shares)
            for period in ending_in(start, min(end, now))
            if not is_withheld(period, withheld_from)
            and (shares := self.recording.mix.get(period - self.shift)) is not None
        ]

    def intensity_at(self, period: datetime, now: datetime) -> Intensity | None:
        """The half-hour as it is published at `now`, ahead of now a simulated forecast."""
        current = floor(now)
        if period > current:
            return self._simulated(period, current) if period <= current + HORIZON else None
        row = self.recording.intensity.get(period - self.shift)
        if row is None:
            return None
        ended_ago = now - (period + HALF_HOUR)
        if ended_ago < timedelta(0):
            return row._replace(actual=None)
        if ended_ago < ACTUAL_LAG:
            previous = self.recording.intensity.get(period - HALF_HOUR - self.shift)
            return row._replace(actual=previous.actual if previous else None)
        return row

    def _simulated(self, period: datetime, issue: datetime) -> Intensity | None:
        recorded = period - self.shift
        row = self.recording.intensity.get(recorded)
        if row is None:
            return None
        truth = row.forecast if row.actual is None else row.actual
        if truth is None:
            return Intensity(None, None, None)
        forecast = simulated.forecast(truth, issue - self.shift, recorded)
        # The recorded index follows the actual, which is not known yet.
        return Intensity(forecast, None, simulated.index(forecast, recorded.year))


def ending_in(start: datetime, end: datetime) -> Iterator[datetime]:
    """Starts of the half-hours that end in [`start`, `end`], both included.

    This is the API's rule: N days give 48 N + 1 half-hours, 48 hours from one minute past give 96.
    """
    last = floor(end) - HALF_HOUR
    period = floor(start)
    if period == start:
        period -= HALF_HOUR
    while period <= last:
        yield period
        period += HALF_HOUR


def is_withheld(period: datetime, withheld_from: datetime | None) -> bool:
    """Whether a half-hour is withheld from `withheld_from` on."""
    return withheld_from is not None and period >= withheld_from


def _intensity_record(period: datetime, row: Intensity) -> Record:
    return {
        **times_of(period),
        "intensity": {"forecast": row.forecast, "actual": row.actual, "index": row.band},
    }


def _mix_record(period: datetime, shares: tuple[float, ...]) -> Record:
    return {
        **times_of(period),
        # The API writes whole shares without a decimal point.
        "generationmix": [
            {"fuel": fuel, "perc": int(share) if share.is_integer() else share}
            for fuel, share in zip(FUELS, shares, strict=True)
        ],
    }


def times_of(period: datetime) -> Record:
    """The fields `from` and `to` of a half-hour."""
    return {"from": api_time(period), "to": api_time(period + HALF_HOUR)}

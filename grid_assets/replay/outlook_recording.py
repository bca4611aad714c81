"""The recorded generation, demand and wind forecasts, moved by whole weeks like the intensities.

Values are what Elexon and NESO published, in MW. Forecasts that were not recorded are simulated in
`simulated_outlook`. When something is published is up to the APIs, `elexon` and `neso_portal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.replay import simulated_outlook as simulated
from grid_assets.replay.recording import WEEK, packaged_rows

FUEL_TYPES: Final = (
    "BIOMASS",
    "CCGT",
    "COAL",
    "INTELEC",
    "INTEW",
    "INTFR",
    "INTGRNL",
    "INTIFA2",
    "INTIRL",
    "INTNED",
    "INTNEM",
    "INTNSL",
    "INTVKL",
    "NPSHYD",
    "NUCLEAR",
    "OCGT",
    "OIL",
    "OTHER",
    "PS",
    "WIND",
)
"""Elexon's fuel types, in the order of its answers and of the recording. INT… are imports."""

WIND: Final = FUEL_TYPES.index("WIND")


class Outturn(NamedTuple):
    """One half-hour as Elexon published it, MW; `generation` is in the order of `FUEL_TYPES`."""

    generation: tuple[int, ...]
    demand: int
    transmission_demand: int


class Embedded(NamedTuple):
    """Embedded wind and solar of one half-hour as NESO estimated them, MW."""

    wind: int
    solar: int
    wind_capacity: int
    solar_capacity: int


@dataclass(frozen=True)
class OutlookRecording:
    """Outturns by the start of the half-hour, wind forecasts by publication and end of the hour."""

    outturn: Mapping[datetime, Outturn]
    embedded: Mapping[datetime, Embedded]
    wind_forecasts: Mapping[datetime, Mapping[datetime, int]]


@lru_cache(maxsize=1)
def load_outlook_recording() -> OutlookRecording:
    """The packaged recording, read once per process."""
    outturn = {}
    for start, *values in packaged_rows("elexon_outturn.csv.gz"):
        *generation, demand, transmission_demand = map(int, values)
        outturn[datetime.fromisoformat(start)] = Outturn(
            tuple(generation), demand, transmission_demand
        )
    embedded = {
        datetime.fromisoformat(start): Embedded(*map(int, values))
        for start, *values in packaged_rows("neso_embedded.csv.gz")
    }
    wind: dict[datetime, dict[datetime, int]] = {}
    for published, hour_end, value in packaged_rows("elexon_windfor.csv.gz"):
        hours = wind.setdefault(datetime.fromisoformat(published), {})
        hours[datetime.fromisoformat(hour_end)] = int(value)
    return OutlookRecording(outturn, embedded, wind)


@dataclass(frozen=True)
class OutlookView:
    """The recording moved by `weeks`. Arguments and results are in moved time."""

    recording: OutlookRecording
    weeks: int

    @property
    def _shift(self) -> timedelta:
        return self.weeks * WEEK

    @property
    def recorded(self) -> Window:
        """The half-hours that have an outturn."""
        starts = self.recording.outturn
        return Window(min(starts) + self._shift, max(starts) + HALF_HOUR + self._shift)

    def outturn(self, start: datetime) -> Outturn | None:
        return self.recording.outturn.get(start - self._shift)

    def embedded(self, start: datetime) -> Embedded | None:
        return self.recording.embedded.get(start - self._shift)

    def wind_publications(
        self, first: datetime, last: datetime
    ) -> list[tuple[datetime, dict[datetime, int]]]:
        """Wind forecasts published in [`first`, `last`], newest first; the hours in order."""
        shift = self._shift
        return [
            (published + shift, {end + shift: mw for end, mw in sorted(hours.items())})
            for published, hours in sorted(self.recording.wind_forecasts.items(), reverse=True)
            if first <= published + shift <= last
        ]

    def demand_forecast(self, issue: datetime, start: datetime) -> int | None:
        """Simulated national demand, None where the truth is not recorded; so are those below."""
        truth = self.outturn(start)
        if truth is None:
            return None
        return simulated.demand(truth.demand, issue - self._shift, start - self._shift)

    def wind_forecast(self, issue: datetime, start: datetime) -> int | None:
        """Simulated generation of metered wind farms."""
        truth = self.outturn(start)
        if truth is None:
            return None
        wind = truth.generation[WIND]
        return simulated.metered_wind(wind, issue - self._shift, start - self._shift)

    def embedded_forecast(self, issue: datetime, start: datetime) -> Embedded | None:
        """Simulated embedded wind and solar, with the recorded capacities."""
        truth = self.embedded(start)
        if truth is None:
            return None
        at = (issue - self._shift, start - self._shift)
        return truth._replace(
            wind=simulated.embedded_wind(truth.wind, truth.wind_capacity, *at),
            solar=simulated.embedded_solar(truth.solar, *at),
        )

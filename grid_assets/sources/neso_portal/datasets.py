"""What the portal publishes that we use: resource ids, what each holds, and which one is due. Pure.

Resource ids have been stable for years while names of files and columns changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

ATTRIBUTION: Final = "Supported by National Energy SO Open Data"
"""Verbatim, as the licence asks, with a link to `LICENCE_URL` wherever values are shown."""

LICENCE_URL: Final = "https://www.neso.energy/data-portal/neso-open-licence"


@dataclass(frozen=True, slots=True)
class Forecast:
    """A resource that holds the newest publication only, and the source it becomes."""

    source: str
    series: str
    resource: str


EMBEDDED: Final = Forecast(
    "neso_embedded", "embedded_wind_mw, embedded_solar_mw", "db6c038f-98af-4570-ab60-24d71ebd0ae5"
)
"""Embedded Wind and Solar Forecasts: hourly, half-hours of 14 days."""

DAY_AHEAD_WIND: Final = Forecast(
    "neso_day_ahead_wind", "wind_mw", "b2f03146-f05d-4824-a663-3a4f36090c71"
)
"""Day Ahead Wind Forecast: metered wind farms, each morning, the half-hours of tomorrow."""

DEMAND_2_14_DAYS: Final = Forecast(
    "neso_demand_2_14_days", "demand_mw", "7c0411cd-2714-4bb5-a408-adb065edf34d"
)
"""2-14 days ahead national demand, half-hourly: twice a day."""

DAY_AHEAD_DEMAND: Final = Forecast(
    "neso_day_ahead_demand", "demand_mw", "08e41551-80f8-4e28-a416-ea473a695db9"
)
"""Day-ahead half-hourly demand, forecast and outturn, from 2021-04 on: a history, added after the
day. Nothing of it is known before."""

DEMAND_UPDATE: Final = "177f6fa4-ae49-4182-81ea-0c6b35f26ca6"
"""Demand Data Update: about 38 days back and 7 ahead, several times a day."""

OUTTURN_SOURCE: Final = "neso_demand_update"

DAY_AHEAD_WIND_ARCHIVE: Final = "7524ec65-f782-4258-aaf8-5b926c17b966"
"""Day Ahead Wind Forecast as issued, from 2018-04-17 on."""


@dataclass(frozen=True, slots=True)
class YearFile:
    """One file of an archive that has one or more a year; `first` to `last` are what it holds."""

    first: date
    last: date
    resource: str


@dataclass(frozen=True, slots=True)
class Named:
    """A resource whose id is not known: it is found in its package, by exactly this name."""

    package: str
    name: str


Id = str | Named


@dataclass(frozen=True, slots=True)
class Archive:
    """Files by year; `name` is that of a file in its package, with `{year}`."""

    package: str
    name: str
    files: tuple[YearFile, ...]

    def files_of(self, day: date) -> list[Id]:
        """The resources that may hold a day; more than one where files meet."""
        listed: list[Id] = [file.resource for file in self.files if file.first <= day <= file.last]
        return listed or [Named(self.package, self.name.format(year=day.year))]


def _years(**resources: str) -> tuple[YearFile, ...]:
    return tuple(
        YearFile(date(int(year[1:]), 1, 1), date(int(year[1:]), 12, 31), resource)
        for year, resource in resources.items()
    )


EMBEDDED_ARCHIVE: Final = Archive(
    "embedded-wind-and-solar-forecasts",
    "embedded_archive_{year}",
    (
        *_years(
            y2019="bc4d1093-ecf2-46d8-b207-7a0e3e8fb957",
            y2020="8a7249d4-ee67-45aa-9641-a3e063f54dba",
            y2021="794107f5-8567-4b32-ae3a-6817fec73e5c",
            y2022="07b0b42c-5152-4fc5-bcd1-e10ec8ec07de",
            y2023="26c9ef64-ce43-4e22-b984-ef013636aacb",
            y2024="06abd00a-ef6b-488b-9b6d-5e08fdc0c890",
            y2025="fc13df13-2dad-4a1c-b9e3-4569efba4955",
        ),
        # The day in June on which the second file begins is not documented.
        YearFile(date(2026, 1, 1), date(2026, 6, 30), "d6375700-69c2-4c25-8bde-883a205d742e"),
        YearFile(date(2026, 6, 1), date(2026, 12, 31), "31861619-0b86-47ba-bac2-d008a760af54"),
    ),
)
"""Every hourly issue of Embedded Wind and Solar Forecasts; there are holes since 2026."""

HISTORIC_DEMAND: Final = Archive(
    "historic-demand-data",
    "historic_demand_data_{year}",
    _years(
        y2022="bb44a1b5-75b1-4db2-8491-257f23385006",
        y2023="bf5ab335-9b40-4ea4-b93a-ab4af7bce003",
        y2024="f6d02c0f-957b-48cb-82ee-09003f2ba759",
        y2025="b2bde559-3455-4021-b179-dfe60c0337b0",
        y2026="8a4a771c-3929-4e56-93ad-cdf13219dea5",
    ),
)
"""Half-hourly demand with the estimated embedded wind and solar, 2009 on."""


Turn = Literal["day_ahead_wind", "demand_2_14_days", "embedded_outturn"]

SOURCES: Final[Mapping[Turn, str]] = {
    "day_ahead_wind": DAY_AHEAD_WIND.source,
    "demand_2_14_days": DEMAND_2_14_DAYS.source,
    "embedded_outturn": OUTTURN_SOURCE,
}
"""What each turn is called where its rows are kept."""

EVERY: Final[Mapping[Turn, timedelta]] = {
    "day_ahead_wind": timedelta(hours=3),
    "demand_2_14_days": timedelta(hours=3),
    "embedded_outturn": timedelta(hours=3),
}
"""How often to look. The first two come once and twice a day at no exact time, so that a look every
three hours finds them within three; the outturn of the day is enough that often as well."""


MOST_OVERDUE: Final = 2.0
"""Intervals after which more delay makes no difference: a dataset that fails for a week must not
keep the others from their turn."""


def due(captured: Mapping[Turn, datetime | None], now: datetime) -> Turn | None:
    """The dataset to ask for in this cycle: the most overdue one; None if none is due.

    `captured` has the time of each one's last successful capture; one later than `now` comes from
    a clock that was wrong and counts as none. Those that are equally overdue take turns by the
    half-hour.
    """

    def overdue(turn: Turn) -> float:
        at = captured.get(turn)
        if at is None or at > now:
            return MOST_OVERDUE
        return min((now - at) / EVERY[turn], MOST_OVERDUE)

    most = max(map(overdue, EVERY))
    equal = [turn for turn in EVERY if overdue(turn) == most]
    return equal[int(now.timestamp() // 1800) % len(equal)] if most >= 1 else None

"""Parses the portal's tables about now and the next days, and says why a record cannot be used.

Pure: no I/O and no clock. Values are labelled by the start of their half-hour in UTC, worked out
from what each dataset's columns mean, and checked against a second column that says the same in
other words. A record in which the two contradict each other, or with a value that cannot be, is
rejected alone; a table without a column that is needed, or in another unit, as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.collecting import (
    Collected,
    Parsed,
    collect,
    table_json,
)
from grid_assets.sources.neso_portal.labels import (
    clock,
    half_hour,
    london_instants,
    settlement_start,
    utc,
    wall_time,
)
from grid_assets.sources.neso_portal.tables import Cells, Table
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import Rejected, Unusable, shown

MOST_EMBEDDED_WIND_MW: Final = 30_000
MOST_EMBEDDED_SOLAR_MW: Final = 60_000
MOST_WIND_MW: Final = 100_000
MOST_DEMAND_MW: Final = 100_000
"""Two to four times what Great Britain has or uses in 2026: anything above is not megawatts."""

LEAST_SHARE_OF_CAPACITY: Final = 0.002
"""A day's highest value below this share of the capacity is in another unit. From 2016 to 2025 the
highest of any 24 hours was never below 0.015 (solar) or 0.05 (wind); GW give a thousandth."""

MOST_OF_CAPACITY: Final = 1.5
"""The highest share from 2016 to 2025 was 0.9; the rest is for a capacity that lags behind."""

LEAST_CAPACITY_MW: Final = 500
"""The smallest capacity here was 4,013 MW in 2016; in GW, the largest is below 100."""

LEAST_DEMAND_MW: Final = 1_000
"""The highest demand of a day; the lowest demand ever was above 10,000 MW."""

A_DAY: Final = 48
"""Half-hours that it takes to judge a unit: a night without sun says nothing."""


@dataclass(frozen=True, slots=True)
class EmbeddedOutturn:
    """NESO's estimate of what wind and solar on the distribution networks made in a half-hour."""

    period_start: datetime
    embedded_wind_mw: float | None
    embedded_solar_mw: float | None
    embedded_wind_capacity_mw: float | None
    embedded_solar_capacity_mw: float | None


def parse_embedded(table: Table, published_at: datetime) -> Parsed[Publication]:
    """The two publications of Embedded Wind and Solar Forecasts, as they are now."""
    found = collect(table, EMBEDDED, embedded_record, OPTIONAL_CAPACITIES)
    rows, faults = embedded_publications(found.values, published_at)
    rejected = [Rejected(fault, table_json(table)) for fault in faults]
    return Parsed(rows, [*found.rejected, *rejected])


def parse_day_ahead_wind(table: Table, received_at: datetime) -> Parsed[Publication]:
    """The publication of Day Ahead Wind Forecast; its rows do not say when they were issued."""
    found = collect(table, DAY_AHEAD_WIND, day_ahead_wind_record, ("Capacity",))
    values = {start: value for start, (value, _) in found.values.items()}
    fault = unit_fault(found.values.values())
    return one_publication(datasets.DAY_AHEAD_WIND, values, received_at, table, found, fault)


def parse_demand_2_14_days(table: Table, received_at: datetime) -> Parsed[Publication]:
    """The publication of 2-14 days ahead national demand; its rows do not say when it was issued.

    `GDATETIME` (UTC) is the end of the half-hour, `CTIME` the same in London: 30 is the first
    half-hour of the day, 2400 the last.
    """

    def record(cells: Cells) -> tuple[datetime, float | None]:
        end = half_hour("GDATETIME", utc(wall_time("GDATETIME", cells.get("GDATETIME"))))
        hours, minutes = divmod(cells.whole("CTIME", 2400), 100)
        midnight = datetime.combine(wall_time("DATE", cells.get("DATE")).date(), time())
        if end not in london_instants(midnight + timedelta(hours=hours, minutes=minutes)):
            raise Unusable(
                f"time: GDATETIME {end:%Y-%m-%d %H:%M} UTC is not CTIME {hours:02}:{minutes:02} "
                f"of {midnight:%Y-%m-%d} in London"
            )
        return end - HALF_HOUR, demand(cells, "NATIONALDEMAND")

    found = collect(table, ("DATE", "CTIME", "GDATETIME", "NATIONALDEMAND"), record)
    fault = demand_unit_fault(found.values.values())
    return one_publication(
        datasets.DEMAND_2_14_DAYS, found.values, received_at, table, found, fault
    )


def parse_embedded_outturn(table: Table) -> Parsed[EmbeddedOutturn]:
    """Embedded wind and solar of Demand Data Update, and of Historic Demand Data by year.

    Only rows marked A have happened; files without the mark hold nothing else. The first of them
    after the last good one have no demand (`ND` 0, `TSD` only the flat station load of 500 or 600
    MW): placeholders, which are skipped like the forecasts.
    """

    def record(cells: Cells) -> tuple[datetime, EmbeddedOutturn] | None:
        if MARK in cells.names:
            if cells.get(MARK) not in ("A", "F"):
                raise Unusable(f"{MARK}: {shown(cells.get(MARK))} is neither A nor F")
            if cells.get(MARK) == "F":
                return None
        start = settlement(cells, "SETTLEMENT_DATE", "SETTLEMENT_PERIOD")
        if not cells.number("ND", MOST_DEMAND_MW):
            return None
        return start, EmbeddedOutturn(
            start,
            cells.number("EMBEDDED_WIND_GENERATION", MOST_EMBEDDED_WIND_MW),
            cells.number("EMBEDDED_SOLAR_GENERATION", MOST_EMBEDDED_SOLAR_MW),
            cells.number("EMBEDDED_WIND_CAPACITY", MOST_EMBEDDED_WIND_MW * 4),
            cells.number("EMBEDDED_SOLAR_CAPACITY", MOST_EMBEDDED_SOLAR_MW * 4),
        )

    found = collect(table, OUTTURN, record, (MARK, *OPTIONAL_CAPACITIES))
    rows = list(found.values.values())
    fault = unit_fault(
        (row.embedded_wind_mw, row.embedded_wind_capacity_mw) for row in rows
    ) or unit_fault((row.embedded_solar_mw, row.embedded_solar_capacity_mw) for row in rows)
    if fault:
        return Parsed([], [*found.rejected, Rejected(fault, table_json(table))], found.skipped)
    return Parsed(rows, found.rejected, found.skipped)


MARK: Final = "FORECAST_ACTUAL_INDICATOR"

OPTIONAL_CAPACITIES: Final = ("EMBEDDED_WIND_CAPACITY", "EMBEDDED_SOLAR_CAPACITY")

OUTTURN: Final = (
    "SETTLEMENT_DATE",
    "SETTLEMENT_PERIOD",
    "ND",
    "EMBEDDED_WIND_GENERATION",
    "EMBEDDED_SOLAR_GENERATION",
)

EMBEDDED: Final = (
    "DATE_GMT",
    "TIME_GMT",
    "SETTLEMENT_DATE",
    "SETTLEMENT_PERIOD",
    "EMBEDDED_WIND_FORECAST",
    "EMBEDDED_SOLAR_FORECAST",
)

DAY_AHEAD_WIND: Final = ("Datetime_GMT", "Date", "Settlement_period", "Incentive_forecast")

Measured = tuple[float | None, float | None]
"""MW and the capacity in MW."""

Embedded = tuple[Measured, Measured]
"""Wind, then solar."""


def settlement(cells: Cells, day: str, period: str) -> datetime:
    return settlement_start(wall_time(day, cells.get(day)).date(), cells.whole(period, 50))


def embedded_record(cells: Cells) -> tuple[datetime, Embedded]:
    """The half-hour of its settlement period, with wind and solar.

    `DATE_GMT` and `TIME_GMT` are its end in UTC. On 2026-06-12 both dates carried a time as well:
    that of `TIME_GMT`, and the start in London.
    """
    start = settlement(cells, "SETTLEMENT_DATE", "SETTLEMENT_PERIOD")
    said = wall_time("DATE_GMT", cells.get("DATE_GMT"))
    end_time = clock("TIME_GMT", cells.get("TIME_GMT"))
    end = utc(datetime.combine(said.date(), end_time))
    london = wall_time("SETTLEMENT_DATE", cells.get("SETTLEMENT_DATE"))
    if (
        end != start + HALF_HOUR
        or said.time() not in (time(), end_time)
        or not (london.time() == time() or start in london_instants(london))
    ):
        raise Unusable(
            f"time: the end {said} {end_time:%H:%M} UTC is not that of settlement period "
            f"{cells.get('SETTLEMENT_PERIOD')} of {london}"
        )
    wind = cells.number("EMBEDDED_WIND_FORECAST", MOST_EMBEDDED_WIND_MW)
    solar = cells.number("EMBEDDED_SOLAR_FORECAST", MOST_EMBEDDED_SOLAR_MW)
    return start, (
        (wind, cells.number("EMBEDDED_WIND_CAPACITY", MOST_EMBEDDED_WIND_MW * 4)),
        (solar, cells.number("EMBEDDED_SOLAR_CAPACITY", MOST_EMBEDDED_SOLAR_MW * 4)),
    )


def day_ahead_wind_record(cells: Cells) -> tuple[datetime, Measured]:
    """`Datetime_GMT` is the start in UTC, and so is the settlement period's."""
    start = half_hour("Datetime_GMT", utc(wall_time("Datetime_GMT", cells.get("Datetime_GMT"))))
    if start != settlement(cells, "Date", "Settlement_period"):
        raise Unusable(
            f"time: {start:%Y-%m-%d %H:%M} UTC is not the start of settlement period "
            f"{cells.get('Settlement_period')} of {shown(cells.get('Date'))}"
        )
    wind = cells.number("Incentive_forecast", MOST_WIND_MW)
    return start, (wind, cells.number("Capacity", MOST_WIND_MW))


def demand(cells: Cells, name: str) -> float | None:
    value = cells.number(name, MOST_DEMAND_MW)
    if value == 0:
        raise Unusable(f"{name}: 0 MW is not a demand of Great Britain")
    return value


def embedded_publications(
    values: Mapping[datetime, Embedded], published_at: datetime
) -> tuple[list[Publication], list[str]]:
    """The publications of wind and of solar; a fault for one whose unit must have changed."""
    made: list[Publication] = []
    faults: list[str] = []
    for place, series in enumerate(("embedded_wind_mw", "embedded_solar_mw")):
        measured = {start: both[place] for start, both in values.items()}
        if fault := unit_fault(measured.values()):
            faults.append(f"{fault} ({series})")
        elif measured:
            by_start = {start: value for start, (value, _) in measured.items()}
            made.append(Publication(datasets.EMBEDDED.source, series, published_at, 30, by_start))
    return made, faults


def one_publication(
    dataset: datasets.Forecast,
    values: Mapping[datetime, float | None],
    published_at: datetime,
    table: Table,
    found: Collected[Any, Any],
    fault: str | None,
) -> Parsed[Publication]:
    if fault:
        return Parsed([], [*found.rejected, Rejected(fault, table_json(table))], found.skipped)
    made = [Publication(dataset.source, dataset.series, published_at, 30, values)] if values else []
    return Parsed(made, found.rejected, found.skipped)


def unit_fault(measured: Iterable[Measured]) -> str | None:
    """Why MW beside their capacity cannot be MW; None if they can, or if too few say anything."""
    known = [(value, most) for value, most in measured if value is not None and most]
    if len(known) < A_DAY:
        return None
    highest, capacity = max(value for value, _ in known), max(most for _, most in known)
    if capacity < LEAST_CAPACITY_MW:
        return f"body: the capacity of {capacity:g} MW is too small: its unit must have changed"
    if not LEAST_SHARE_OF_CAPACITY <= highest / capacity <= MOST_OF_CAPACITY:
        return (
            f"body: the highest of {len(known)} values is {highest:g} MW with {capacity:,.0f} MW "
            "installed: the unit must have changed"
        )
    return None


def demand_unit_fault(values: Iterable[float | None]) -> str | None:
    known = [value for value in values if value is not None]
    if len(known) < A_DAY or max(known) >= LEAST_DEMAND_MW:
        return None
    return f"body: a demand of at most {max(known):g} MW: the unit must have changed"

"""The rows of the recorded portal's resources, with the labels that the portal gives them.

Embedded generation and demand up to now are recorded. Every forecast here is simulated, and so is a
row of the demand update that lies ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from grid_assets.halfhours import DAY, HALF_HOUR, LONDON, floor, settlement
from grid_assets.replay.outlook_recording import FUEL_TYPES, Embedded, OutlookView
from grid_assets.replay.settlement import later_day, starts_between
from grid_assets.replay.simulated_outlook import METERED_WIND_CAPACITY

EMBEDDED_ROWS: Final = 602
"""Half-hours of an embedded forecast: the `total` of two recorded answers, 12.5 days."""

UPDATE_BACK: Final = 37 * DAY
UPDATE_AHEAD: Final = 7
"""Days that a demand update covers (2026-09-01 to 10-15 on 2026-10-08)."""

SETTLES: Final = timedelta(hours=1)
"""Half-hours that ended later than this before an issue have no demand yet in it."""

FLOWS: Final = {
    "IFA_FLOW": "INTFR",
    "IFA2_FLOW": "INTIFA2",
    "BRITNED_FLOW": "INTNED",
    "MOYLE_FLOW": "INTIRL",
    "EAST_WEST_FLOW": "INTEW",
    "NEMO_FLOW": "INTNEM",
    "NSL_FLOW": "INTNSL",
    "ELECLINK_FLOW": "INTELEC",
    "VIKING_FLOW": "INTVKL",
    "GREENLINK_FLOW": "INTGRNL",
}

Row = dict[str, Any]
Rows = Callable[[OutlookView, datetime], Iterator[Row]]
"""The rows of the issue of an instant."""


def embedded_rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
    """TIME_GMT is the end of the half-hour in UTC, and DATE_GMT the day of that end."""
    first = floor(issue) + HALF_HOUR
    for start in starts_between(first, first + EMBEDDED_ROWS * HALF_HOUR):
        values = view.embedded_forecast(issue, start)
        if values is None:
            return
        yield {
            **_embedded_labels(start),
            "EMBEDDED_WIND_FORECAST": values.wind,
            "EMBEDDED_WIND_CAPACITY": values.wind_capacity,
            "EMBEDDED_SOLAR_FORECAST": values.solar,
            "EMBEDDED_SOLAR_CAPACITY": values.solar_capacity,
        }


@lru_cache(maxsize=4096)  # each half-hour is in hundreds of issues
def _embedded_labels(start: datetime) -> Row:
    end, (day, period) = start + HALF_HOUR, settlement(start)
    return {
        "DATE_GMT": _midnight(end.date()),
        "TIME_GMT": f"{end:%H:%M}",
        "SETTLEMENT_DATE": _midnight(day),
        "SETTLEMENT_PERIOD": period,
    }


def stamped(rows: Rows, column: str) -> Rows:
    """The rows of an archive, which names the issue in a column."""

    def with_stamp(view: OutlookView, issue: datetime) -> Iterator[Row]:
        stamp = _second(issue)
        return ({**row, column: stamp} for row in rows(view, issue))

    return with_stamp


def day_ahead_wind_rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
    """The next London day; Datetime_GMT is the start of the half-hour in UTC."""
    for start in starts_between(later_day(issue, 1), later_day(issue, 2)):
        forecast = view.wind_forecast(issue, start)
        if forecast is None:
            return
        day, period = settlement(start)
        yield {
            "Datetime_GMT": _second(start),
            "Date": day.isoformat(),
            "Settlement_period": period,
            "Capacity": METERED_WIND_CAPACITY,
            "Incentive_forecast": forecast,
        }


def two_weeks_demand_rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
    """London days 2 to 14 ahead; CTIME is the end in London time, 2400 at midnight, and GDATETIME
    the same end in UTC."""
    for start in starts_between(later_day(issue, 2), later_day(issue, 15)):
        forecast = view.demand_forecast(issue, start)
        if forecast is None:
            return
        end, (day, _) = start + HALF_HOUR, settlement(start)
        clock = end.astimezone(LONDON)
        yield {
            "DATE": day.isoformat(),
            "CTIME": 100 * clock.hour + clock.minute or 2400,
            "GDATETIME": _second(end),
            "NATIONALDEMAND": forecast,
        }


def demand_update_rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
    """Settlement days and periods. Rows that are not settled yet have ND 0; rows ahead have only
    the embedded forecast. Columns that were not recorded are null."""
    for start in starts_between(later_day(issue - UPDATE_BACK, 0), later_day(issue, UPDATE_AHEAD)):
        ended = start + HALF_HOUR <= issue
        embedded = view.embedded(start) if ended else view.embedded_forecast(issue, start)
        row = _demand_row(view, start, start + HALF_HOUR + SETTLES <= issue, embedded)
        if row is None:
            continue
        if row["TSD"] == 0 and ended:
            row["TSD"] = 500 if start.astimezone(LONDON).dst() else 600  # the station load
        indicator = {"FORECAST_ACTUAL_INDICATOR": "A" if ended else "F"}
        yield {**dict(list(row.items())[:3]), **indicator, **dict(list(row.items())[3:])}


def historic_demand_rows(year: int) -> Rows:
    """As the demand update, the settled half-hours of the London days of a year."""

    def rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
        for start in starts_between(view.recorded.start, min(view.recorded.end, issue - SETTLES)):
            if settlement(start)[0].year == year:
                row = _demand_row(view, start, True, view.embedded(start))
                if row is not None:
                    yield row

    return rows


def _demand_row(
    view: OutlookView, start: datetime, settled: bool, embedded: Embedded | None
) -> Row | None:
    outturn = view.outturn(start)
    if outturn is None or embedded is None:
        return None
    mw = dict(zip(FUEL_TYPES, outturn.generation, strict=True)) if settled else {}
    day, period = settlement(start)
    return {
        "SETTLEMENT_DATE": day.isoformat(),
        "SETTLEMENT_PERIOD": period,
        "ND": outturn.demand if settled else 0,
        "TSD": outturn.transmission_demand if settled else 0,
        "ENGLAND_WALES_DEMAND": None if settled else 0,
        "EMBEDDED_WIND_GENERATION": embedded.wind,
        "EMBEDDED_WIND_CAPACITY": embedded.wind_capacity,
        "EMBEDDED_SOLAR_GENERATION": embedded.solar,
        "EMBEDDED_SOLAR_CAPACITY": embedded.solar_capacity,
        "NON_BM_STOR": None if settled else 0,
        "PUMP_STORAGE_PUMPING": max(0, -mw.get("PS", 0)),
        "SCOTTISH_TRANSFER": None if settled else 0,
        **{column: mw.get(fuel, 0) for column, fuel in FLOWS.items()},
    }


def day_ahead_demand_rows(view: OutlookView, issue: datetime) -> Iterator[Row]:
    """The next London day, once it is over: the forecast beside the outturn. Datetime is the end of
    the half-hour by London's clocks, and Publish_Datetime follows them too."""
    for start in starts_between(later_day(issue, 1), later_day(issue, 2)):
        outturn, forecast = view.outturn(start), view.demand_forecast(issue, start)
        if outturn is None or forecast is None:
            return
        day, period = settlement(start)
        error = abs(forecast - outturn.demand)
        yield {
            "Month": f"{day:%b}",
            "Date": day.isoformat(),
            "Datetime": _second((start + HALF_HOUR).astimezone(LONDON)),
            "Settlement_Period": period,
            "Demand_Forecast": forecast,
            "Demand_Outturn": outturn.demand,
            "TRIAD_Avoidance_Estimate": 0,
            "TRIAD_Avoidance_Corrected_Demand_Outturn": outturn.demand,
            "APE": round(100 * error / outturn.demand, 1),
            "Absolute_Error": error,
            "Publish_Datetime": _second(issue.astimezone(LONDON)),
        }


def _second(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}"


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"

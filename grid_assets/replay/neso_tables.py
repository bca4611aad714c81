"""The recorded NESO Data Portal's resources: ids, files, columns and publication times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from grid_assets.halfhours import DAY
from grid_assets.replay import neso_rows as rows
from grid_assets.replay.neso_rows import Row, Rows
from grid_assets.replay.outlook_recording import OutlookView

UPLOAD: Final = timedelta(minutes=32, seconds=37)
"""From the issue of an embedded forecast (:52:26) to the file (:25:03), as seen in 2026."""

HOURLY: Final = tuple(timedelta(hours=hour, minutes=52, seconds=26) for hour in range(24))
MORNING: Final = (timedelta(hours=8, minutes=45),)
TWICE_DAILY: Final = (timedelta(hours=8, minutes=46), timedelta(hours=15, minutes=15))
UPDATES: Final = tuple(timedelta(hours=hour, minutes=35) for hour in range(1, 24, 3))
"""Times of day, UTC, at which a resource is issued. That of the second demand forecast, and those
of the demand update ("several times a day"), are assumed."""

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Resource:
    """`archive` keeps every issue; other resources hold the newest one only. `stamp` is the column
    with the issue time in UTC. `months` limits a file to the issues from one month to another."""

    id: str
    package: str
    name: str
    file_name: str
    columns: Columns
    times: tuple[timedelta, ...]
    rows: Rows
    upload: timedelta = timedelta(0)
    archive: bool = False
    stamp: str | None = None
    months: tuple[tuple[int, int], tuple[int, int]] | None = None
    simulated: Callable[[Row], bool] = lambda row: True

    def issues(self, view: OutlookView, now: datetime) -> list[datetime]:
        """The issues that are published at `now`, oldest first, as far as the recording reaches."""
        first, last = view.recorded.start - DAY, min(now - self.upload, view.recorded.end)
        days = (first + n * DAY for n in range((last - first).days + 2))
        midnights = (day.replace(hour=0, minute=0) for day in days)
        issues = (midnight + time for midnight in midnights for time in self.times)
        return [issue for issue in issues if first <= issue <= last and self._holds(issue)]

    def _holds(self, issue: datetime) -> bool:
        if self.months is None:
            return True
        return self.months[0] <= (issue.year, issue.month) <= self.months[1]

    def file_of(self, issue: datetime) -> str:
        return self.file_name.format(issue=issue)


def _columns(kind: str, *names: str) -> Columns:
    return tuple((name, kind) for name in names)


EMBEDDED_COLUMNS: Final = (
    ("DATE_GMT", "timestamp"),
    ("TIME_GMT", "text"),
    ("SETTLEMENT_DATE", "timestamp"),
    ("SETTLEMENT_PERIOD", "int4"),
    *_columns("int4", "EMBEDDED_WIND_FORECAST", "EMBEDDED_WIND_CAPACITY"),
    *_columns("int4", "EMBEDDED_SOLAR_FORECAST", "EMBEDDED_SOLAR_CAPACITY"),
)
WIND_COLUMNS: Final = (
    ("Datetime_GMT", "timestamp"),
    ("Date", "date"),
    *_columns("int4", "Settlement_period", "Capacity", "Incentive_forecast"),
)
DEMAND_COLUMNS: Final = (
    ("SETTLEMENT_DATE", "date"),
    *_columns("int4", "SETTLEMENT_PERIOD", "ND", "TSD", "ENGLAND_WALES_DEMAND"),
    *_columns("int4", "EMBEDDED_WIND_GENERATION", "EMBEDDED_WIND_CAPACITY"),
    *_columns("int4", "EMBEDDED_SOLAR_GENERATION", "EMBEDDED_SOLAR_CAPACITY"),
    *_columns("int4", "NON_BM_STOR", "PUMP_STORAGE_PUMPING", "SCOTTISH_TRANSFER"),
    *_columns("int4", *rows.FLOWS),
)
UPDATE_COLUMNS: Final = (
    *DEMAND_COLUMNS[:3],
    ("FORECAST_ACTUAL_INDICATOR", "text"),
    *DEMAND_COLUMNS[3:],
)
TWO_WEEKS_COLUMNS: Final = (
    ("DATE", "date"),
    ("CTIME", "int4"),
    ("GDATETIME", "timestamp"),
    ("NATIONALDEMAND", "int4"),
)
PERFORMANCE_COLUMNS: Final = (
    ("Month", "text"),
    ("Date", "date"),
    ("Datetime", "timestamp"),
    *_columns("int4", "Settlement_Period", "Demand_Forecast", "Demand_Outturn"),
    *_columns("int4", "TRIAD_Avoidance_Estimate", "TRIAD_Avoidance_Corrected_Demand_Outturn"),
    ("APE", "numeric"),
    ("Absolute_Error", "int4"),
    ("Publish_Datetime", "timestamp"),
)

EMBEDDED_PACKAGE: Final = "embedded-wind-and-solar-forecasts"
WIND_PACKAGE: Final = "day-ahead-wind-forecast"

EMBEDDED_ARCHIVE_IDS: Final = {
    (2025, 1): "fc13df13-2dad-4a1c-b9e3-4569efba4955",
    (2026, 1): "d6375700-69c2-4c25-8bde-883a205d742e",
    (2026, 7): "31861619-0b86-47ba-bac2-d008a760af54",
}
"""The portal's ids by the first month of a file. Archives of later years have ids of this replay;
as on the portal, `package_show` lists all by name."""

HISTORIC_DEMAND_IDS: Final = {
    2025: "b2bde559-3455-4021-b179-dfe60c0337b0",
    2026: "8a4a771c-3929-4e56-93ad-cdf13219dea5",
}


def resources(view: OutlookView) -> dict[str, Resource]:
    """Every resource by its id."""
    last_year = view.recorded.end.year
    firsts = {*EMBEDDED_ARCHIVE_IDS, *((year, 1) for year in range(2027, last_year + 1))}
    found = (
        Resource(
            "db6c038f-98af-4570-ab60-24d71ebd0ae5",
            EMBEDDED_PACKAGE,
            "embedded_solar_and_wind_forecast",
            "{issue:%Y%m%d%H%M}_embedded_forecast.csv",
            EMBEDDED_COLUMNS,
            HOURLY,
            rows.embedded_rows,
            upload=UPLOAD,
        ),
        *(_embedded_archive(first, firsts) for first in sorted(firsts)),
        Resource(
            "b2f03146-f05d-4824-a663-3a4f36090c71",
            WIND_PACKAGE,
            "day_ahead_wind_forecast",
            "day_ahead_wind_forecast.csv",
            WIND_COLUMNS,
            MORNING,
            rows.day_ahead_wind_rows,
        ),
        Resource(
            "7524ec65-f782-4258-aaf8-5b926c17b966",
            WIND_PACKAGE,
            "historic_day_ahead_wind_forecasts",
            "historic_day_ahead_wind_forecasts.csv",
            (*WIND_COLUMNS, ("Forecast_Timestamp", "timestamp")),
            MORNING,
            rows.stamped(rows.day_ahead_wind_rows, "Forecast_Timestamp"),
            archive=True,
            stamp="Forecast_Timestamp",
        ),
        Resource(
            "7c0411cd-2714-4bb5-a408-adb065edf34d",
            "2-14-days-ahead-national-demand-forecast",
            "2_14_days_ahead_national_demand_forecast",
            "ng_demand_14da_hh_{issue:%Y%m%d}.csv",
            TWO_WEEKS_COLUMNS,
            TWICE_DAILY,
            rows.two_weeks_demand_rows,
        ),
        Resource(
            "08e41551-80f8-4e28-a416-ea473a695db9",
            "day-ahead-half-hourly-demand-forecast-performance",
            "day_ahead_half_hourly_demand_forecast_performance",
            "demand_forecast_performance.csv",
            PERFORMANCE_COLUMNS,
            MORNING,
            rows.day_ahead_demand_rows,
            upload=2 * DAY,
            archive=True,
        ),
        Resource(
            "177f6fa4-ae49-4182-81ea-0c6b35f26ca6",
            "daily-demand-update",
            "demand_data_update",
            "demanddataupdate.csv",
            UPDATE_COLUMNS,
            UPDATES,
            rows.demand_update_rows,
            simulated=lambda row: row["FORECAST_ACTUAL_INDICATOR"] == "F",
        ),
        *map(_historic_demand, range(min(HISTORIC_DEMAND_IDS), last_year + 1)),
    )
    return {resource.id: resource for resource in found}


def _embedded_archive(first: tuple[int, int], firsts: set[tuple[int, int]]) -> Resource:
    year, month = first
    halves = (year, 7) in firsts
    name = f"embedded_archive_{year}" + (f"_{1 + month // 7}" if halves else "")
    return Resource(
        EMBEDDED_ARCHIVE_IDS.get(first) or str(uuid5(NAMESPACE_URL, name)),
        EMBEDDED_PACKAGE,
        name,
        f"{name}.csv",
        (*EMBEDDED_COLUMNS, ("Forecast_Datetime", "timestamp")),
        HOURLY,
        rows.stamped(rows.embedded_rows, "Forecast_Datetime"),
        upload=UPLOAD,
        archive=True,
        stamp="Forecast_Datetime",
        months=(first, (year, 6 if halves and month == 1 else 12)),
    )


def _historic_demand(year: int) -> Resource:
    name = f"historic_demand_data_{year}"
    return Resource(
        HISTORIC_DEMAND_IDS.get(year) or str(uuid5(NAMESPACE_URL, name)),
        "historic-demand-data",
        name,
        f"demanddata_{year}.csv",
        (("SETTLEMENT_DATE", "text"), *DEMAND_COLUMNS[1:]),
        UPDATES,
        rows.historic_demand_rows(year),
        simulated=lambda row: False,
    )

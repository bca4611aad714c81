"""Which requests fetch a window of a dataset, and between which instants their records must lie.

Pure. The API ignores a parameter whose name it does not know, and answers for now instead. So each
query says what its records must look like, and the parser checks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import DAY, HALF_HOUR, LONDON, Window, api_time, london_midnight

LONGEST_NDF: Final = DAY
"""The API refuses a longer window of publication times."""

LONGEST: Final = timedelta(days=7)
"""No limit is documented for WINDFOR and INDO, but undocumented ones do appear in this API. A week
of wind forecasts is half a megabyte."""

LONGEST_SETTLED: Final = timedelta(days=6)
"""Six UTC days lie in at most seven London days, the most that the API gives by settlement date."""

LATE: Final = timedelta(hours=12)
"""How long after its half-hour a demand may be published and still be found."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request.

    The API includes both ends of a range, so neighbouring requests share records. A parser takes
    those within `wanted`, whose end is not included, and skips the others. A record that is not
    between `first` and `last`, both included, was not asked for.
    """

    path: str
    params: Mapping[str, str]
    first: datetime
    last: datetime
    wanted: Window


def wind_forecasts(published: Window) -> Iterator[Query]:
    """Requests for every wind forecast that was published in the window."""
    return (_published("/datasets/WINDFOR", piece) for piece in published.split(LONGEST))


def demand_forecasts(published: Window) -> Iterator[Query]:
    """Requests for every national demand forecast that was published in the window."""
    return (_published("/datasets/NDF", piece) for piece in published.split(LONGEST_NDF))


def generation(window: Window) -> Iterator[Query]:
    """Requests for the half-hours of the window, by London day.

    By settlement date and not by time of publication: so a half-hour that was published late, or
    again, is found whenever its day is asked for.
    """
    for piece in window.split(LONGEST_SETTLED):
        first_day = piece.start.astimezone(LONDON).date()
        last_day = (piece.end - HALF_HOUR).astimezone(LONDON).date()
        days = {"settlementDateFrom": str(first_day), "settlementDateTo": str(last_day)}
        first, end = london_midnight(first_day), london_midnight(last_day + DAY)
        yield Query("/datasets/FUELHH", days, first, end - HALF_HOUR, piece)


def demand_outturn(window: Window) -> Iterator[Query]:
    """Requests for the half-hours of the window; INDO can be asked for by publication only."""
    for piece in window.split(LONGEST):
        # A half-hour is published when it ends.
        yield _query("/datasets/INDO", piece.start + HALF_HOUR, piece.end + LATE, piece)


def _published(path: str, piece: Window) -> Query:
    return _query(path, piece.start, piece.end, piece)


def _query(path: str, first: datetime, last: datetime, wanted: Window) -> Query:
    times = {"publishDateTimeFrom": api_time(first), "publishDateTimeTo": api_time(last)}
    return Query(path, times, first, last, wanted)

"""What `grid backfill` takes from the portal's archives: forecasts as issued, and outturn.

Each function yields a piece of the window with its rows or its error, in time order, so that a
failing piece does not stop the others. Publications are whole: the first and the last may hold
half-hours beyond the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from grid_assets.halfhours import DAY, LONDON, Window, day_start
from grid_assets.sources.http.errors import ApiError, ApiWrongKind
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.archives import (
    EMBEDDED_AFTER,
    parse_day_ahead_demand,
    parse_day_ahead_wind_archive,
    parse_embedded_archive,
)
from grid_assets.sources.neso_portal.captures import Captured
from grid_assets.sources.neso_portal.client import NesoPortal, Received, identifier
from grid_assets.sources.neso_portal.collecting import Parsed, Row
from grid_assets.sources.neso_portal.labels import date_forms
from grid_assets.sources.neso_portal.payloads import (
    DAY_AHEAD_WIND,
    EMBEDDED,
    MARK,
    OPTIONAL_CAPACITIES,
    OUTTURN,
    EmbeddedOutturn,
    parse_embedded_outturn,
)
from grid_assets.sources.neso_portal.tables import Table
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import Unusable

FAILURES: Final = 3
"""Failed pieces in a row before the rest are abandoned; one or two may be bad luck."""

LONGEST_DAYS: Final = 300
"""Days of half-hours in one request: 14,400 rows, less than half of what an answer may hold."""

LONGEST_LIST_DAYS: Final = 31
"""Days in one request that names each day: its address stays below 5,000 characters."""

STAMP: Final = "%Y-%m-%dT%H:%M:%S"

DEMAND_COLUMNS: Final = (
    "Date",
    "Datetime",
    "Settlement_Period",
    "Demand_Forecast",
    "Publish_Datetime",
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One request: the rows of a resource for a window.

    `where` is the condition in SQL, with `{name}` for each of our columns: the portal's own name
    may differ in case.
    """

    window: Window
    resource: datasets.Id
    where: str


def embedded(
    portal: NesoPortal, window: Window
) -> Iterator[tuple[Window, Captured[Publication] | ApiError]]:
    """Each hourly issue that was published in the window, a day at a time: 15,000 rows."""

    def pieces() -> Iterator[_Piece]:
        for piece in window.split(DAY):
            # By London's clocks, which some stamps follow, an hour more. A year's first publication
            # is in the file of the year before, and is left out.
            first, last = piece.start - EMBEDDED_AFTER, piece.end + timedelta(hours=1)
            where = _between("Forecast_Datetime", f"{first:{STAMP}}", f"{last:{STAMP}}")
            for resource in datasets.EMBEDDED_ARCHIVE.files_of(piece.start.date()):
                yield _Piece(piece, resource, where)

    needed = (*EMBEDDED, "Forecast_Datetime")
    source = datasets.EMBEDDED.source
    for piece, outcome in _fetch(
        portal, source, pieces(), needed, OPTIONAL_CAPACITIES, parse_embedded_archive
    ):
        if not isinstance(outcome, ApiError):
            rows = [
                row for row in outcome.parsed.rows if piece.start <= row.published_at < piece.end
            ]
            outcome = replace(outcome, parsed=replace(outcome.parsed, rows=rows))
        yield piece, outcome


def day_ahead_wind(
    portal: NesoPortal, window: Window
) -> Iterator[tuple[Window, Captured[Publication] | ApiError]]:
    """The day-ahead wind forecasts for the London days of the window, by their earliest stamp."""
    needed = (*DAY_AHEAD_WIND, "Forecast_Timestamp")
    pieces = _by_date(window, datasets.DAY_AHEAD_WIND_ARCHIVE)
    source = datasets.DAY_AHEAD_WIND.source
    return _fetch(portal, source, pieces, needed, ("Capacity",), parse_day_ahead_wind_archive)


def day_ahead_demand(
    portal: NesoPortal, window: Window
) -> Iterator[tuple[Window, Captured[Publication] | ApiError]]:
    """The day-ahead demand forecasts for the London days of the window."""
    pieces = _by_date(window, datasets.DAY_AHEAD_DEMAND.resource)
    source = datasets.DAY_AHEAD_DEMAND.source
    return _fetch(portal, source, pieces, DEMAND_COLUMNS, (), parse_day_ahead_demand)


def embedded_outturn(
    portal: NesoPortal, window: Window
) -> Iterator[tuple[Window, Captured[EmbeddedOutturn] | ApiError]]:
    """Embedded wind and solar of the half-hours of the window, a month at a time."""

    def pieces() -> Iterator[_Piece]:
        for _, year in groupby(_london_days(window), key=lambda day: day.year):
            days = list(year)
            for at in range(0, len(days), LONGEST_LIST_DAYS):
                some = days[at : at + LONGEST_LIST_DAYS]
                for resource in datasets.HISTORIC_DEMAND.files_of(some[0]):
                    yield _Piece(_utc_days(some), resource, _one_of("SETTLEMENT_DATE", some))

    optional = (MARK, *OPTIONAL_CAPACITIES)
    source = datasets.OUTTURN_SOURCE
    for piece, outcome in _fetch(
        portal, source, pieces(), OUTTURN, optional, parse_embedded_outturn
    ):
        if not isinstance(outcome, ApiError):
            rows = [row for row in outcome.parsed.rows if row.period_start in window]
            outcome = replace(outcome, parsed=replace(outcome.parsed, rows=rows))
        yield piece, outcome


def _fetch(
    portal: NesoPortal,
    source: str,
    pieces: Iterable[_Piece],
    needed: Sequence[str],
    optional: Sequence[str],
    parse: Callable[[Table], Parsed[Row]],
) -> Iterator[tuple[Window, Captured[Row] | ApiError]]:
    """Raises the error of the third piece in a row that failed, and `ApiWrongKind` at once."""

    def captured(received: Received) -> Captured[Row]:
        parsed = parse(received.table)
        return Captured(source, received.received_at, parsed, received.simulated)

    failed = 0
    found: dict[datasets.Id, str] = {}
    for piece in pieces:
        try:
            if piece.resource not in found:
                found[piece.resource] = _id(portal, piece.resource)
            resource = found[piece.resource]
            known = portal.columns(resource)
            try:
                names = known.table.names(needed, optional)
            except Unusable:
                yield piece.window, captured(known)  # which says what is missing
                continue
            where = piece.where.format_map({name: identifier(own) for name, own in names.items()})
            received = portal.select(resource, [*names.values()], where)
        except ApiWrongKind:
            raise
        except ApiError as error:
            failed += 1
            if failed >= FAILURES:
                raise
            yield piece.window, error
        else:
            failed = 0
            yield piece.window, captured(received)


def _id(portal: NesoPortal, resource: datasets.Id) -> str:
    if isinstance(resource, str):
        return resource
    return portal.resource_named(resource.package, resource.name).resource_id


def _by_date(window: Window, resource: str) -> Iterator[_Piece]:
    """Pieces by the London date of the half-hours, so that no publication is cut in two."""
    days = _london_days(window)
    for at in range(0, len(days), LONGEST_DAYS):
        some = days[at : at + LONGEST_DAYS]
        where = _between("Date", some[0], f"{some[-1] + DAY}")
        yield _Piece(_utc_days(some), resource, where)


def _london_days(window: Window) -> list[date]:
    if window.start == window.end:
        return []
    first = window.start.astimezone(LONDON).date()
    last = (window.end - timedelta(seconds=1)).astimezone(LONDON).date()
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def _utc_days(days: Sequence[date]) -> Window:
    return Window(day_start(days[0]), day_start(days[-1]) + DAY)


def _between(column: str, first: date | str, end: str) -> str:
    """The condition that a column is from `first` to before `end`.

    In ISO 8601, dates sort like text: the portal changes the type of its columns.
    """
    return f"{{{column}}} >= '{first}' AND {{{column}}} < '{end}'"


def _one_of(column: str, days: Sequence[date]) -> str:
    """The condition that a column is one of the days, in every form that the years use."""
    dates = [f"'{form}'" for day in days for form in date_forms(day)]
    return f"{{{column}}} IN ({', '.join(dates)})"

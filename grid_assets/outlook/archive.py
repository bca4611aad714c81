"""What is taken for past days, and which of it the warehouse lacks.

The portal asks for at most two requests of its datastore a minute, so what is held is not asked for
again: an interrupted backfill goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, days_window, floor
from grid_assets.outlook.sources import Answer, Source, Taken, of_elexon, of_portal, publisher
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.http.errors import ApiError
from grid_assets.sources.neso_portal import datasets, history
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.sources.neso_portal.limits import DATASTORE_REQUESTS, DATASTORE_WINDOW_S
from grid_assets.telemetry.due import Range, last_failed, to_ranges
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

A_DAY: Final = {
    WINDFOR: 7,
    NDF: 40,
    datasets.EMBEDDED.source: 20,
    datasets.DAY_AHEAD_WIND.source: 1,
    datasets.DAY_AHEAD_DEMAND.source: 1,
}
"""Publications with which a past day counts as whole. WINDFOR has eight, NDF about 48, embedded 24;
a few are missing at the source."""

LONGEST_SILENCE: Final = {WINDFOR: timedelta(hours=5), NDF: timedelta(hours=2)}
"""A day with more than the usual interval of a longer silence is not whole, however many
publications it has. WINDFOR is published at most five hours apart (when the clocks change)."""

INTERVAL: Final = {WINDFOR: timedelta(hours=4), NDF: timedelta(minutes=35)}
"""The usual interval: where less of a silence lies in a day, that day lacks nothing."""

ABSENT: Final = 2
FAILED: Final = 10
"""A day is asked for again once a half of its age has passed since it was, a tenth after a failure.
Elexon keeps what it published: what it lacks when the day is over, it rarely has later."""

DAY_AHEAD: Final = (datasets.DAY_AHEAD_WIND.source, datasets.DAY_AHEAD_DEMAND.source)
"""Archives by the day that is forecast, which is the one after the publication."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A dataset and UTC days of it that are asked for together."""

    dataset: str
    days: Range

    @property
    def source(self) -> Source:
        return publisher(self.dataset)

    @property
    def datastore_requests(self) -> int:
        """Requests that count for the portal's limit; one more names the columns."""
        if self.source == "elexon":
            return 0
        longest = {
            datasets.EMBEDDED.source: 1,
            datasets.OUTTURN_SOURCE: history.LONGEST_LIST_DAYS,
        }.get(self.dataset, history.LONGEST_DAYS)
        return 1 - -((self.days.last - self.days.first).days + 1) // longest


def longest_s(pieces: Iterable[Piece]) -> float:
    """Seconds that the portal's limit makes the pieces take."""
    requests = sum(piece.datastore_requests for piece in pieces)
    return max(requests - DATASTORE_REQUESTS, 0) / DATASTORE_REQUESTS * DATASTORE_WINDOW_S


def missing(
    connection: Connection, days: Range, sources: Sequence[Source], today: date
) -> list[Piece]:
    """The pieces of the outlook that the warehouse lacks; today is never whole."""
    used = [dataset for dataset in A_DAY if publisher(dataset) in sources]
    lacking = {(dataset, day) for dataset, day, _, _ in _lacking(connection, days, used)}
    return [
        Piece(dataset, some)
        for dataset in used
        for some in to_ranges(
            day for day in _days(days) if day >= today or (dataset, day) in lacking
        )
    ]


def _lacking(
    connection: Connection, days: Range, used: Sequence[str]
) -> list[tuple[str, date, datetime | None, str | None]]:
    """Datasets and days that are not whole, with the last attempt at the day and its status."""
    window = days_window(days.first, days.last)
    return connection.execute(
        statement("raw/find_outlook_days"),
        {
            "start": window.start,
            "end": window.end,
            "sources": list(used),
            "whole": [A_DAY[dataset] for dataset in used],
            "longest": [LONGEST_SILENCE.get(dataset) for dataset in used],
            "usual": [INTERVAL.get(dataset) for dataset in used],
        },
    ).fetchall()


def everything(days: Range, sources: Sequence[Source]) -> list[Piece]:
    """All pieces of the outlook, whatever is held."""
    return [piece for name in A_DAY if (piece := Piece(name, days)).source in sources]


@dataclass(frozen=True, slots=True)
class LackingGeneration:
    """Past UTC days without generation, and when Elexon's was last loaded for each of them."""

    elexon: dict[date, datetime | None]
    embedded: list[date]


def lacking_generation(connection: Connection, days: Range) -> LackingGeneration:
    window = days_window(days.first, days.last)
    rows = connection.execute(
        statement("raw/find_generation_days"), {"start": window.start, "end": window.end}
    ).fetchall()
    return LackingGeneration(
        {day: tried for day, lacks, _, tried in rows if lacks},
        [day for day, _, lacks, _ in rows if lacks],
    )


def take(
    elexon: ElexonApi | None, portal: NesoPortal | None, piece: Piece, now: datetime
) -> Iterator[Taken]:
    """What a piece of the outlook brings, request by request; an error ends only its piece."""
    window = _begun(days_window(piece.days.first, piece.days.last), now)
    name = piece.dataset
    try:
        if name == WINDFOR and elexon:
            yield from (of_elexon(name, found) for _, found in elexon.wind_forecast(window))
        elif name == NDF and elexon:
            yield from (of_elexon(name, found) for _, found in elexon.demand_forecast(window))
        elif name == datasets.EMBEDDED.source and portal:
            yield from (of_portal(name, found) for _, found in history.embedded(portal, window))
        elif name in DAY_AHEAD and portal:
            fetch = (
                history.day_ahead_wind
                if name == datasets.DAY_AHEAD_WIND.source
                else history.day_ahead_demand
            )
            ahead = Window(window.start + DAY, window.end + DAY)
            for _, captured in fetch(portal, ahead):
                yield _published_in(window, of_portal(name, captured))
    except ApiError as error:
        yield Taken(name, error)


def take_embedded(portal: NesoPortal, days: Range, now: datetime) -> Iterator[Taken]:
    """Embedded generation of past days, from the history of demand."""
    window = _begun(days_window(days.first, days.last), now)
    try:
        for _, captured in history.embedded_outturn(portal, window):
            yield of_portal(datasets.OUTTURN_SOURCE, captured)
    except ApiError as error:
        yield Taken(datasets.OUTTURN_SOURCE, error)


def due_generation(connection: Connection, start: date, now: datetime) -> list[date]:
    """Days before yesterday whose generation is asked for now, oldest first.

    A day that Elexon does not have is asked for again once a tenth of its age has passed.
    """
    last = now.date() - 2 * DAY
    if start > last:
        return []
    lacking = lacking_generation(connection, Range(start, last)).elexon
    return [
        day
        for day, tried in lacking.items()
        if tried is None or now - tried > (now - day_start(day)) / 10
    ]


def due_outlook(connection: Connection, start: date, now: datetime) -> list[date]:
    """Days before yesterday whose publications by Elexon are asked for now, oldest first.

    The portal is not asked: it allows two requests a minute.
    """
    last = now.date() - 2 * DAY
    if start > last:
        return []
    due = {
        day
        for _, day, tried, status in _lacking(connection, Range(start, last), [WINDFOR, NDF])
        if tried is None
        or now - tried > (now - day_start(day)) / (ABSENT if status == "success" else FAILED)
    }
    return sorted(due)


def newest_failed(connection: Connection, today: date) -> bool:
    """Whether the last attempt to fetch the newest generation failed."""
    return last_failed(connection, "raw.elexon_generation", today)


def _begun(window: Window, now: datetime) -> Window:
    end = min(window.end, floor(now) + HALF_HOUR)
    return Window(min(window.start, end), end)


def _published_in(window: Window, taken: Taken) -> Taken:
    found: Any = taken.outcome
    if not isinstance(found, Answer):
        return taken
    rows = [row for row in found.rows if window.start <= row.published_at < window.end]
    return Taken(taken.dataset, Answer(rows, found.rejected, found.received_at, found.simulated))


def _days(days: Range) -> Iterator[date]:
    return (days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1))

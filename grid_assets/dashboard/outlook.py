"""The outlook of the dashboard: wind, sun and demand of the last day and the next two, read from
`reporting`, and the state of what it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import class_row

from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.outlook.sources import SOURCES, Source, publisher
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

AHEAD: Final = timedelta(hours=48)
"""How far ahead the outlook is shown: as far as the forecast reaches."""

KINDS: Final = {
    "wind": ("wind_mw", "embedded_wind_mw"),
    "solar": ("embedded_solar_mw",),
    "demand": ("demand_mw",),
}
"""The lines of the chart, with the series of the outlook that each is the sum of."""

NAMES: Final = {
    "wind_mw": "metered wind",
    "embedded_wind_mw": "embedded wind",
    "embedded_solar_mw": "embedded solar",
    "demand_mw": "demand",
}


@dataclass(frozen=True, slots=True)
class Generation:
    """What was generated and used in one half-hour, MW; solar is all embedded."""

    period_start: datetime
    wind_mw: int | None
    solar_mw: int | None
    demand_mw: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """One series of the outlook at one half-hour, as known now."""

    series: str
    period_start: datetime
    published_at: datetime
    value_mw: float
    source: str
    suspect: bool
    simulated: bool


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest publication of one source of one series."""

    series: str
    source: str
    published_at: datetime
    suspect: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Used:
    """One dataset that a series ahead is read from: its newest publication, and how far it goes."""

    series: str
    source: str
    published_at: datetime
    ends_at: datetime
    simulated: bool
    suspect: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the panel shows, as of `now`. `off` has the reason why a source is not used."""

    now: datetime
    generation: Sequence[Generation] = ()
    known: Sequence[Known] = ()
    newest: Sequence[Newest] = ()
    off: Mapping[Source, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of rows behind the panel."""
        return len(self.generation) + len(self.known) + len(self.newest)

    @property
    def first(self) -> datetime:
        return floor(self.now - DAY) + HALF_HOUR

    @property
    def end(self) -> datetime:
        return floor(self.now) + AHEAD

    def half_hours(self) -> Iterator[datetime]:
        at = self.first
        while at < self.end:
            yield at
            at += HALF_HOUR

    def actual(self) -> dict[str, dict[datetime, float]]:
        """GW by line and half-hour."""
        found: dict[str, dict[datetime, float]] = {kind: {} for kind in KINDS}
        for row in self.generation:
            for kind in KINDS:
                value = getattr(row, f"{kind}_mw")
                if value is not None:
                    found[kind][row.period_start] = value / 1000
        return found

    def ahead(self) -> dict[str, dict[datetime, float]]:
        """GW by line and half-hour, after the newest actual of the line.

        A half-hour counts if all series of the line are known.
        """
        actual = self.actual()
        values = {(row.series, row.period_start): row.value_mw for row in self.known}
        found: dict[str, dict[datetime, float]] = {}
        for kind, series in KINDS.items():
            newest = max(actual[kind], default=self.first - HALF_HOUR)
            found[kind] = {
                at: sum(values[one, at] for one in series) / 1000
                for at in self.half_hours()
                if at > newest and all((one, at) in values for one in series)
            }
        return found

    def used(self) -> list[Used]:
        """The datasets behind what lies ahead, by series; the one that reaches least far first."""
        groups: dict[tuple[str, str], list[Known]] = {}
        for row in self.known:
            if row.period_start > self.now:
                groups.setdefault((row.series, row.source), []).append(row)
        found = [
            Used(
                series,
                source,
                max(row.published_at for row in rows),
                max(row.period_start for row in rows) + HALF_HOUR,
                any(row.simulated for row in rows),
                any(row.suspect for row in rows),
            )
            for (series, source), rows in groups.items()
        ]
        order = list(NAMES)
        return sorted(found, key=lambda one: (order.index(one.series), one.ends_at))

    @property
    def shown_sources(self) -> set[Source]:
        """The publishers of what is shown."""
        of_known = {publisher(row.source) for row in self.known}
        embedded = any(row.solar_mw is not None for row in self.generation)
        metered = any(row.demand_mw is not None for row in self.generation)
        of_actual = {"neso_portal": embedded, "elexon": metered}
        return {source for source in SOURCES if source in of_known or of_actual[source]}


def read(connection: Connection, now: datetime, off: Mapping[Source, str]) -> Outlook:
    """Read in the caller's transaction."""
    empty = Outlook(now, off=off)
    span = {"now": now, "since": empty.first, "until": empty.end}
    return Outlook(
        now,
        _rows(connection, Generation, "generation", **span),
        _rows(connection, Known, "outlook", **span),
        _rows(connection, Newest, "outlook_newest"),
        off,
    )


def _rows(connection: Connection, kind: type[Any], name: str, **values: Any) -> list[Any]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement(f"dashboard/{name}"), values).fetchall()

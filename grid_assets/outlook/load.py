"""Loads publications about the next days, and generation by fuel, into `raw`.

Like `telemetry.load`: a row is added only where published values changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from grid_assets.halfhours import api_time
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.load import Capture, load_half_hours
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

RAW_OUTLOOK: Final = (
    "source",
    "series",
    "published_at",
    "captured_at",
    "first_label",
    "minutes",
    "simulated",
    "values_mw",
)
RAW_GENERATION: Final = (
    "period_start",
    "captured_at",
    "published_at",
    "generation_mw",
    "demand_mw",
)
RAW_EMBEDDED: Final = ("period_start", "captured_at", "embedded_wind_mw", "embedded_solar_mw")

LONGEST: Final = timedelta(days=31)
"""The longest span of one publication. The longest that is published reaches 14 days ahead; a label
that is further off would make an array of millions of elements."""


class GenerationRow(Protocol):
    """One half-hour of generation by fuel, as Elexon published it."""

    @property
    def period_start(self) -> datetime: ...

    @property
    def published_at(self) -> datetime | None: ...

    @property
    def generation_mw(self) -> Mapping[str, int | None]:
        """MW by fuel as published: imports positive, exports and pumping negative."""

    @property
    def demand_mw(self) -> int | None: ...


class EmbeddedRow(Protocol):
    """One half-hour of NESO's estimate of embedded generation."""

    @property
    def period_start(self) -> datetime: ...

    @property
    def embedded_wind_mw(self) -> float | None: ...

    @property
    def embedded_solar_mw(self) -> float | None: ...


class PublicationUnusable(ValueError):
    """A publication does not fit its own steps; the message says why."""


def load_outlook(
    connection: Connection,
    captures: Iterable[Capture[Publication]],
    *,
    simulated: bool = False,
) -> int:
    """Add publications to `raw.outlook_publications` that have other values than the capture before
    them; returns their number.

    A publication without any value adds nothing. One that was captured before others of the same
    time of publication takes its place before them. Raises `PublicationUnusable`.
    """
    connection.execute(statement("raw/stage_outlook"))
    copy_rows(
        connection,
        "staged",
        RAW_OUTLOOK,
        (
            (
                one.source,
                one.series,
                one.published_at,
                capture.captured_at,
                first_label,
                one.minutes,
                simulated,
                values,
            )
            for capture in captures
            for one in capture.rows
            for first_label, values in _as_array(one)
        ),
    )
    return connection.execute(statement("raw/load_outlook")).rowcount


def _as_array(publication: Publication) -> Iterator[tuple[datetime, list[float | None]]]:
    """The label of the first value and the values from there on; nothing if there is no value."""
    values = {label: mw for label, mw in publication.values.items() if mw is not None}
    if not values:
        return
    first, last = min(values), max(values)
    step = timedelta(minutes=publication.minutes)
    if last - first > LONGEST:
        raise PublicationUnusable(
            f"{publication.source} {publication.series} of {api_time(publication.published_at)} "
            f"has labels from {api_time(first)} to {api_time(last)}: more than {LONGEST.days} days"
        )
    array: list[float | None] = [None] * ((last - first) // step + 1)
    for label, mw in values.items():
        place, rest = divmod(label - first, step)
        if rest:
            raise PublicationUnusable(
                f"{publication.source} {publication.series} of "
                f"{api_time(publication.published_at)} has the label {api_time(label)}, which is "
                f"not a whole number of {publication.minutes} minutes after {api_time(first)}"
            )
        array[place] = float(mw)
    yield first, array


def load_elexon_generation(
    connection: Connection,
    captures: Iterable[Capture[GenerationRow]],
    *,
    replayed: bool = False,
) -> int:
    """Add rows to `raw.elexon_generation` where they differ from what came last; returns their
    number. Arguments are those of `telemetry.load.load_intensity`.
    """
    return load_half_hours(
        connection,
        "raw.elexon_generation",
        RAW_GENERATION,
        (
            (
                row.period_start,
                capture.captured_at,
                row.published_at,
                json.dumps(dict(sorted(row.generation_mw.items()))),
                row.demand_mw,
            )
            for capture in captures
            for row in capture.rows
        ),
        replayed,
    )


def load_embedded_generation(
    connection: Connection,
    captures: Iterable[Capture[EmbeddedRow]],
    *,
    replayed: bool = False,
) -> int:
    """Add rows to `raw.embedded_generation` where they differ from what came last; returns their
    number. Arguments are those of `telemetry.load.load_intensity`.
    """
    return load_half_hours(
        connection,
        "raw.embedded_generation",
        RAW_EMBEDDED,
        (
            (
                row.period_start,
                capture.captured_at,
                _whole(row.embedded_wind_mw),
                _whole(row.embedded_solar_mw),
            )
            for capture in captures
            for row in capture.rows
        ),
        replayed,
    )


def _whole(mw: float | None) -> int | None:
    """Whole MW, as the portal publishes; some of its tables write them as 5429.0."""
    return None if mw is None else round(mw)

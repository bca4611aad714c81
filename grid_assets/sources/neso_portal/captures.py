"""What one half-hourly cycle takes from the portal, in at most three requests.

Two of them are for the embedded forecast; if its datastore is out of order, its CSV file is the
third. Otherwise the third is for another dataset, whichever is most overdue (`datasets.due`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic

from grid_assets.sources.http.errors import (
    ApiError,
    ApiRateLimited,
    ApiUnreachable,
    ApiWrongKind,
)
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.client import NesoPortal, Received, Resource
from grid_assets.sources.neso_portal.collecting import Parsed, Row
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.sources.neso_portal.payloads import (
    EmbeddedOutturn,
    parse_day_ahead_wind,
    parse_demand_2_14_days,
    parse_embedded,
    parse_embedded_outturn,
)
from grid_assets.sources.publication import Publication

logger = logging.getLogger(__name__)

STALE: Final = timedelta(hours=1)
"""A forecast begins at most half an hour before it is published. One that begins more than this
before is the previous one: the datastore is reloaded after the file."""


@dataclass(frozen=True, slots=True)
class Captured(Generic[Row]):
    """What was received for one dataset, with nothing in `parsed.rows` if there is nothing new."""

    dataset: str
    received_at: datetime
    parsed: Parsed[Row]
    simulated: bool
    from_csv: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What the warehouse holds: the newest publication of each source, and the last captures."""

    embedded_published_at: datetime | None
    day_ahead_wind: Publication | None
    demand_2_14_days: Publication | None
    captured: dict[Turn, datetime | None]


Outcome = Captured[Publication] | Captured[EmbeddedOutturn] | ApiError


def cycle(portal: NesoPortal, held: Held, now: datetime) -> Iterator[tuple[str, Outcome]]:
    """What one cycle takes, dataset by dataset. An error of one does not stop the other."""
    requests_left = True
    try:
        if found := embedded(portal, held.embedded_published_at):
            requests_left = not found.from_csv
            yield found.dataset, found
    except ApiError as error:
        yield datasets.EMBEDDED.source, error
    turn = datasets.due(held.captured, now) if requests_left else None
    if turn is None:
        return
    try:
        outcome: Outcome = _take(portal, turn, held)
    except ApiError as error:
        outcome = error
    yield datasets.SOURCES[turn], outcome


def _take(
    portal: NesoPortal, turn: Turn, held: Held
) -> Captured[Publication] | Captured[EmbeddedOutturn]:
    match turn:
        case "day_ahead_wind":
            return day_ahead_wind(portal, held.day_ahead_wind)
        case "demand_2_14_days":
            return demand_2_14_days(portal, held.demand_2_14_days)
        case "embedded_outturn":
            return embedded_outturn(portal)


def embedded(portal: NesoPortal, newest: datetime | None) -> Captured[Publication] | None:
    """The forecast of embedded wind and solar if one later than `newest` has been published.

    The time of publication is the resource's `last_modified`. Raises `ApiError`.
    """
    resource = portal.resource(datasets.EMBEDDED.resource)
    published_at = resource.last_modified
    if newest is not None and published_at <= newest:
        return None
    try:
        received = portal.search(resource.resource_id)
    except (ApiUnreachable, ApiRateLimited, ApiWrongKind):
        raise
    except ApiError as error:
        logger.warning("%s Reading the CSV file instead.", error)
        return _embedded_csv(portal, resource)
    parsed = parse_embedded(received.table, published_at)
    starts = [start for row in parsed.rows for start in row.values]
    if starts and min(starts) < published_at - STALE:
        logger.warning(
            "The datastore does not hold the forecast of %s yet. Reading the CSV file instead.",
            published_at,
        )
        return _embedded_csv(portal, resource)
    return _captured(datasets.EMBEDDED.source, received, parsed)


def _embedded_csv(portal: NesoPortal, resource: Resource) -> Captured[Publication]:
    received = portal.download(resource)
    parsed = parse_embedded(received.table, resource.last_modified)
    return replace(_captured(datasets.EMBEDDED.source, received, parsed), from_csv=True)


def day_ahead_wind(portal: NesoPortal, held: Publication | None) -> Captured[Publication]:
    """The day-ahead wind forecast; nothing new if it has the values of the one held.

    Its rows do not say when it was published, so the time of receipt counts. Raises `ApiError`.
    """
    received = portal.search(datasets.DAY_AHEAD_WIND.resource)
    parsed = parse_day_ahead_wind(received.table, received.received_at)
    return _captured(datasets.DAY_AHEAD_WIND.source, received, _new(parsed, held))


def demand_2_14_days(portal: NesoPortal, held: Publication | None) -> Captured[Publication]:
    """The demand forecast for 2 to 14 days ahead, in the same way. Raises `ApiError`."""
    received = portal.search(datasets.DEMAND_2_14_DAYS.resource)
    parsed = parse_demand_2_14_days(received.table, received.received_at)
    return _captured(datasets.DEMAND_2_14_DAYS.source, received, _new(parsed, held))


def embedded_outturn(portal: NesoPortal) -> Captured[EmbeddedOutturn]:
    """Embedded wind and solar of the last 38 days or so. Raises `ApiError`."""
    received = portal.search(datasets.DEMAND_UPDATE)
    return _captured(datasets.OUTTURN_SOURCE, received, parse_embedded_outturn(received.table))


def _new(parsed: Parsed[Publication], held: Publication | None) -> Parsed[Publication]:
    """`parsed` without a publication that is the one held, or an older one that came back."""
    rows = [row for row in parsed.rows if held is None or not _is_known(row, held)]
    return replace(parsed, rows=rows)


def _is_known(row: Publication, held: Publication) -> bool:
    new, known = _values(row), _values(held)
    if new.items() <= known.items():  # fewer are no news: a record of it was refused, or is absent
        return True
    if not known:
        return False
    # An end alone may be earlier because the series ends, a beginning alone because of a hole.
    older = min(new) < min(known) and max(new) < max(known)
    if older:
        logger.warning("%s: an older publication came after a newer one; not kept.", row.source)
    return older


def _values(publication: Publication) -> dict[datetime, float]:
    return {at: value for at, value in publication.values.items() if value is not None}


def _captured(dataset: str, received: Received, parsed: Parsed[Row]) -> Captured[Row]:
    return Captured(dataset, received.received_at, parsed, received.simulated)

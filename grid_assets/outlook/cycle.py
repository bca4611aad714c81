"""What one half-hourly cycle takes from the sources of the outlook, beside the telemetry.

Each source is read in a thread of its own while telemetry is loaded, dataset by dataset, so that
neither waits for the other. What has not arrived in time is an error, and the next cycle takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, floor
from grid_assets.outlook.archive import LONGEST_SILENCE
from grid_assets.outlook.sources import FUELHH, INDO, NAMES, Source, Taken, of_elexon, of_portal
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.http.errors import ApiError, ApiUnreachable, ApiWrongKind, unexpected
from grid_assets.sources.neso_portal import captures, datasets
from grid_assets.sources.neso_portal.captures import Held
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.sources.publication import Publication
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

RETRY_BUDGET_S: Final = 10.0
"""Tries again in a cycle last at most this long: the next cycle is half an hour away, and nothing
is lost by then. GRID_API_RETRY_BUDGET_S may be less."""

TIMEOUT_S: Final = 10.0
"""For one answer in a cycle; GRID_API_TIMEOUT_S may be less."""

LONGEST_S: Final = 30.0
"""A source that has not sent everything by then holds up the cycle no longer."""

BEFORE: Final = max(LONGEST_SILENCE.values())
"""How far before yesterday a cycle may take what was published."""

OF_OUTLOOK: Final = frozenset({WINDFOR, NDF})
OF_GENERATION: Final = frozenset({FUELHH, INDO})


@dataclass(frozen=True, slots=True)
class Known:
    """What the warehouse holds: the newest publications, and when each dataset was looked at."""

    newest: Mapping[str, Publication]
    looked: Mapping[Turn, datetime | None]

    @property
    def held(self) -> Held:
        embedded = self.newest.get(datasets.EMBEDDED.source)
        return Held(
            embedded.published_at if embedded else None,
            self.newest.get(datasets.DAY_AHEAD_WIND.source),
            self.newest.get(datasets.DEMAND_2_14_DAYS.source),
            dict(self.looked),
        )


def read_known(
    connection: Connection, looked: Mapping[Turn, datetime | None], now: datetime
) -> Known:
    """The newest publication of each source, leaving out those stamped later than `now`."""
    rows = connection.execute(statement("raw/read_newest_publications"), {"now": now}).fetchall()
    newest = {
        source: Publication(
            source,
            "",
            published_at,
            minutes,
            {
                first_label + step * timedelta(minutes=minutes): value
                for step, value in enumerate(values)
            },
        )
        for source, published_at, first_label, minutes, values in rows
    }
    return Known(newest, looked)


def take_elexon(api: ElexonApi, known: Known, outturn: Window, now: datetime) -> Iterator[Taken]:
    """The forecasts since the newest held, and the outturn of a window.

    After a silence that `archive.due_outlook` notices before yesterday, it takes what was published
    since yesterday, and that fills the rest.
    """
    end, yesterday = floor(now) + HALF_HOUR, day_start(now.date() - DAY)
    for dataset, fetch in ((WINDFOR, api.wind_forecast), (NDF, api.demand_forecast)):
        newest = known.newest.get(dataset)
        noticed_before = yesterday - LONGEST_SILENCE[dataset]
        goes_on = newest is not None and newest.published_at >= noticed_before
        start = floor(newest.published_at) if newest and goes_on else yesterday
        for _, captured in fetch(Window(start, end)):
            yield of_elexon(dataset, captured)
    for _, generation in api.generation(outturn):
        yield of_elexon(FUELHH, generation)
    for _, demand in api.demand_outturn(outturn):
        yield of_elexon(INDO, demand)


def take_portal(portal: NesoPortal, known: Known, now: datetime) -> Iterator[Taken]:
    """The embedded forecast if there is a newer one, and the dataset that is due."""
    for dataset, captured in captures.cycle(portal, known.held, now):
        yield of_portal(dataset, captured)


class Background:
    """Takes from one source in a thread. `take` is called there; nothing else uses its client."""

    def __init__(
        self, source: Source, datasets: Collection[str], take: Callable[[], Iterator[Taken]]
    ):
        self._source, self._datasets = source, datasets
        self._until = monotonic() + LONGEST_S
        self._taken: list[Taken] = []
        self._fault: ApiError | None = None
        self._ended = False
        self._news = threading.Condition()
        threading.Thread(target=self._run, args=[take], daemon=True).start()

    def _run(self, take: Callable[[], Iterator[Taken]]) -> None:
        fault: ApiError | None = None
        try:
            for one in take():
                with self._news:
                    self._taken.append(one)
                    self._news.notify_all()
        except ApiWrongKind as error:
            fault = error
        except Exception as error:  # must not be lost in the thread
            fault = unexpected(NAMES[self._source], error)
        with self._news:
            self._fault, self._ended = fault, True
            self._news.notify_all()

    def taken(self, wanted: Collection[str]) -> list[Taken]:
        """What was taken of some of the datasets, once each has arrived or its source has ended.

        An error ends the source: it counts for every one of them that had not arrived.
        """
        wanted = frozenset(wanted)
        with self._news:
            self._news.wait_for(
                lambda: self._ended or wanted <= {one.dataset for one in self._taken},
                timeout=max(self._until - monotonic(), 0),
            )
            found = [one for one in self._taken if one.dataset in wanted]
            fault = self._fault
            if not self._ended:
                fault = ApiUnreachable(
                    f"{NAMES[self._source]} had not sent everything after {LONGEST_S:.0f} s. The "
                    "cycle goes on without it; the next one takes what is missing.",
                    path=NAMES[self._source],
                )
        missing = sorted(wanted & set(self._datasets) - {one.dataset for one in found})
        return found + [Taken(name, fault) for name in missing if fault is not None]

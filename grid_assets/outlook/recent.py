"""Whether the outlook is recent: one rule for the check, `grid status` and the dashboard.

A series is judged by one dataset: the first of its datasets whose source is on. It is late if that
dataset has published nothing for longer than it ever takes in good order, whatever came from
others. A series whose sources are all off is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.outlook.sources import Source, publisher
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.sources.neso_portal.datasets import DAY_AHEAD_WIND, DEMAND_2_14_DAYS, EMBEDDED
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

DATASETS: Final = {
    "demand_mw": (NDF, DEMAND_2_14_DAYS.source),
    "wind_mw": (WINDFOR, DAY_AHEAD_WIND.source),
    "embedded_solar_mw": (EMBEDDED.source,),
    "embedded_wind_mw": (EMBEDDED.source,),
}
"""What is published in time, in the order of `core.outlook_sources`. NESO's day-ahead demand is
known only when its day is over."""

OFTEN: Final = timedelta(hours=6)
DAILY: Final = timedelta(hours=30)

LATE: Final = {
    WINDFOR: OFTEN,
    NDF: OFTEN,
    EMBEDDED.source: OFTEN,
    DAY_AHEAD_WIND.source: DAILY,
    DEMAND_2_14_DAYS.source: DAILY,
}
"""How old the newest publication may be. WINDFOR comes eight times a day, at most five hours apart;
NDF and the embedded forecast every half-hour and hour. The others come once and twice a day at no
exact time, count from their receipt, and are looked at every three hours or so."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest publication of the dataset by which a series is judged; None if there is none."""

    series: str
    dataset: str
    published_at: datetime | None

    @property
    def limit(self) -> timedelta:
        return LATE[self.dataset]

    def is_late(self, now: datetime) -> bool:
        return self.published_at is None or now - self.published_at > self.limit


def judged(published: Iterable[tuple[str, str, datetime]], off: Collection[Source]) -> list[Newest]:
    """What each series is judged by; `published` has the newest of each series and dataset."""
    held = {(series, dataset): at for series, dataset, at in published}
    found = []
    for series, datasets in DATASETS.items():
        used = [dataset for dataset in datasets if publisher(dataset) not in off]
        found += [Newest(series, dataset, held.get((series, dataset))) for dataset in used[:1]]
    return found


def read(connection: Connection, off: Collection[Source], now: datetime) -> list[Newest]:
    """What each series is judged by, from the warehouse."""
    rows = connection.execute(statement("core/read_newest_outlook"), {"now": now})
    return judged(rows.fetchall(), off)

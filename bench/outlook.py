"""The outlook of a cycle, taken from the replay and stored as in operation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Self, get_args

from bench.results import BenchError
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, floor
from grid_assets.outlook import cycle
from grid_assets.outlook.generation import together
from grid_assets.outlook.load import (
    load_elexon_generation,
    load_embedded_generation,
    load_outlook,
)
from grid_assets.outlook.publish import publish_generation_mw, publish_outlook
from grid_assets.outlook.sources import FUELHH, INDO, Answer, Taken
from grid_assets.replay.addresses import source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection, write_transaction

TURNS: Final[dict[str, Turn]] = {datasets.SOURCES[turn]: turn for turn in get_args(Turn)}


class OutlookWriter:
    """Takes and stores what a cycle does beside telemetry, at a time that `replay.now` gives."""

    def __init__(self, replay: ReplayServer) -> None:
        urls, self._now = source_urls(replay.url), replay.now
        options: dict[str, Any] = {
            "kind": "replay",
            "shift_weeks": replay.shift_weeks,
            "utcnow": replay.now,
        }
        self._elexon = ElexonApi(urls["elexon_url"], least_interval_s=0, **options)
        self._portal = NesoPortal(urls["neso_portal_url"], **options)
        self._looked: dict[Turn, datetime | None] = dict.fromkeys(get_args(Turn))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._elexon.close()
        self._portal.close()

    def cycle(self, connection: Connection) -> None:
        """Raises `BenchError` if anything is not answered."""
        now = self._now()
        known = cycle.read_known(connection, self._looked, now)
        days = Window(day_start(now.date() - DAY), day_start(now.date() + DAY))
        outturn = Window(days.start, floor(now) + HALF_HOUR)
        found = [
            *_answers(cycle.take_elexon(self._elexon, known, outturn, now)),
            *_answers(cycle.take_portal(self._portal, known, now)),
        ]
        for dataset, _ in found:
            if dataset in TURNS:
                self._looked[TURNS[dataset]] = now
        embedded = [Capture(a.rows, now) for name, a in found if name == datasets.OUTTURN_SOURCE]
        generation = together(
            connection,
            [row for name, answer in found if name == FUELHH for row in answer.rows],
            [row for name, answer in found if name == INDO for row in answer.rows],
        )
        apart = {FUELHH, INDO, datasets.OUTTURN_SOURCE}
        for name, answer in found:
            if name not in apart:
                with write_transaction(connection, "raw.outlook"):
                    captures = [Capture(answer.rows, now)]
                    load_outlook(connection, captures, simulated=answer.simulated)
        with write_transaction(connection, "raw.elexon_generation"):
            load_elexon_generation(connection, [Capture(generation, now)])
        with write_transaction(connection, "raw.embedded_generation"):
            load_embedded_generation(connection, embedded)
        for relation, publish in (
            ("core.outlook", publish_outlook),
            ("core.generation_mw", publish_generation_mw),
        ):
            with write_transaction(connection, relation):
                publish(connection, days, now, lambda staged: None)


def _answers(taken: Iterable[Taken]) -> list[tuple[str, Answer]]:
    found = []
    for one in taken:
        if not isinstance(one.outcome, Answer):
            raise BenchError(f"{one.dataset}: {one.outcome}")
        found.append((one.dataset, one.outcome))
    return found

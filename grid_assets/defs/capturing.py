"""The captures of one cycle: begun with the run, so that telemetry is loaded meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, get_args

import dagster as dg

from grid_assets.defs.partitions import CYCLES, TRIGGER_TAG
from grid_assets.halfhours import DAY, HALF_HOUR, Window, day_start, floor
from grid_assets.outlook import cycle
from grid_assets.outlook.sources import SOURCES, Source, Taken, why_off
from grid_assets.settings import Settings
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.stamp import Stamp

LOOKED: Final = "looked_at"
"""Metadata label: when each dataset of the portal was asked for last, new or not. A look that finds
nothing new leaves no row, so the tables cannot tell."""

CAPTURING: Final = (dg.AssetKey(["raw", "outlook"]), dg.AssetKey(["raw", "embedded_generation"]))
"""The assets whose materialisations have it."""

FETCHING: Final = frozenset({*CAPTURING, dg.AssetKey(["raw", "elexon_generation"])})


def is_due(run: dg.DagsterRun, now: datetime) -> bool:
    """Whether a run is a cycle over the newest days with an asset that needs the captures."""
    return (
        run.tags.get(TRIGGER_TAG) in CYCLES
        and run.tags.get("dagster/asset_partition_range_end") == str(now.date())
        and (run.asset_selection is None or not FETCHING.isdisjoint(run.asset_selection))
    )


def read_looked(instance: dg.DagsterInstance) -> dict[Turn, datetime | None]:
    """When each dataset of the portal was last asked for, by the newest materialisations."""
    looked: dict[Turn, datetime | None] = dict.fromkeys(get_args(Turn))
    for key in CAPTURING:
        event = instance.get_latest_materialization_event(key)
        made = event.asset_materialization if event else None
        value = made.metadata[LOOKED].value if made and LOOKED in made.metadata else None
        if isinstance(value, dict):
            looked |= {
                turn: datetime.fromisoformat(str(value[turn])) for turn in looked if turn in value
            }
    return looked


def looked_metadata(
    instance: dg.DagsterInstance, turns: Collection[Turn], received_at: Mapping[str, datetime]
) -> dict[str, dg.MetadataValue]:
    """The metadata of an asset that takes `turns`, after what its datasets answered in this run."""
    looked = read_looked(instance)
    at = {turn: received_at.get(datasets.SOURCES[turn], looked[turn]) for turn in turns}
    known = {str(turn): when.isoformat() for turn, when in at.items() if when is not None}
    return {LOOKED: dg.MetadataValue.json(known)}


class Captures:
    """What one cycle takes from both sources; a source that is switched off gives nothing."""

    def __init__(
        self,
        settings: Settings,
        stamp: Stamp,
        connection: Connection,
        instance: dg.DagsterInstance,
        utcnow: Callable[[], datetime],
        sources: Sequence[Source] = SOURCES,
    ) -> None:
        now = utcnow()
        known = cycle.read_known(connection, read_looked(instance), now)
        quick = settings.model_copy(
            update={
                "api_retry_budget_s": min(settings.api_retry_budget_s, cycle.RETRY_BUDGET_S),
                "api_timeout_s": min(settings.api_timeout_s, cycle.TIMEOUT_S),
            }
        )
        self._clients: list[ElexonApi | NesoPortal] = []
        self._taking: dict[Source, cycle.Background] = {}
        on = [source for source in sources if why_off(settings, stamp.kind, source) is None]
        if "elexon" in on and (
            api := ElexonApi.from_settings(
                quick, kind=stamp.kind, shift_weeks=stamp.shift_weeks, utcnow=utcnow
            )
        ):
            self._clients.append(api)
            outturn = Window(day_start(now.date() - DAY), floor(now) + HALF_HOUR)
            self._taking["elexon"] = cycle.Background(
                "elexon",
                cycle.OF_OUTLOOK | cycle.OF_GENERATION,
                lambda: cycle.take_elexon(api, known, outturn, now),
            )
        if "neso_portal" in on and (
            portal := NesoPortal.from_settings(
                quick, kind=stamp.kind, shift_weeks=stamp.shift_weeks, utcnow=utcnow
            )
        ):
            self._clients.append(portal)
            turn = datasets.due(known.held.captured, now)
            self._taking["neso_portal"] = cycle.Background(
                "neso_portal",
                {datasets.EMBEDDED.source, *([datasets.SOURCES[turn]] if turn else [])},
                lambda: cycle.take_portal(portal, known, now),
            )

    def taken(self, wanted: Collection[str]) -> list[Taken]:
        """What was taken of some datasets, once it has arrived or its time is over."""
        return [one for source in self._taking.values() for one in source.taken(wanted)]

    def close(self) -> None:
        for client in self._clients:
            client.close()

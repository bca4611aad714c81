"""Puts Elexon's generation by fuel and its demand together, half-hour by half-hour.

They are two datasets with one row in `raw`. Where one of them is missing, what was received of it
before stays: a row that lacks it would say that Elexon withdrew it. The same goes for fuels, if a
record of the response was rejected. A fuel of which nothing is known is then null, not absent,
which can mean 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from grid_assets.sources.elexon.payloads import DemandRow, GenerationRow
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One half-hour of both; a fuel that was published as null is None."""

    period_start: datetime
    published_at: datetime | None
    generation_mw: Mapping[str, int | None]
    demand_mw: int | None


def together(
    connection: Connection, generation: Iterable[GenerationRow], demand: Iterable[DemandRow]
) -> list[HalfHour]:
    """One row for each half-hour of either, in order, completed from what `raw` holds."""
    fuels = {row.period_start: row for row in generation}
    demands = {row.period_start: row for row in demand}
    starts = sorted(fuels.keys() | demands.keys())
    held: dict[datetime, HalfHour] = {}
    is_whole = all(row.refused is None for row in fuels.values())
    if fuels.keys() != demands.keys() or not is_whole:
        rows = connection.execute(
            statement("raw/read_held_generation"), {"first": starts[0], "last": starts[-1]}
        ).fetchall()
        held = {row[0]: HalfHour(*row) for row in rows}
    made = []
    for start in starts:
        fuel, of_demand = fuels.get(start), demands.get(start)
        before = held.get(start) or HalfHour(start, None, {}, None)
        found = fuel or of_demand
        made.append(
            HalfHour(
                start,
                found.published_at if found else None,
                _completed(fuel, before) if fuel else before.generation_mw,
                of_demand.demand_mw if of_demand else before.demand_mw,
            )
        )
    return made


def _completed(fuels: GenerationRow, before: HalfHour) -> Mapping[str, int | None]:
    if fuels.refused is None:
        return fuels.generation_mw
    return {**dict.fromkeys(fuels.refused), **before.generation_mw, **fuels.generation_mw}

"""Parses the portal's archives of forecasts as issued, and says when each was known. Pure.

A stamp that is read too early would let a back-test see the future. Where a stamp can be read in
two ways, the data decides; where it cannot, the later reading counts, which costs only freshness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.collecting import (
    Collected,
    Parsed,
    collect,
    table_json,
)
from grid_assets.sources.neso_portal.labels import london_instants, utc, wall_time
from grid_assets.sources.neso_portal.payloads import (
    DAY_AHEAD_WIND,
    EMBEDDED,
    OPTIONAL_CAPACITIES,
    Embedded,
    Measured,
    day_ahead_wind_record,
    demand,
    demand_unit_fault,
    embedded_publications,
    embedded_record,
    settlement,
    unit_fault,
)
from grid_assets.sources.neso_portal.tables import Cells, Table
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import Rejected, Unusable

NEAR: Final = timedelta(minutes=45)
"""An issue begins with the half-hour of its stamp or the next one."""

EMBEDDED_AFTER: Final = timedelta(minutes=33)
"""From the stamp of an embedded forecast (17:52:26) to its file (18:25:03), as seen in 2026."""

DEMAND_AFTER: Final = timedelta(minutes=30)
"""From the stamp of a day-ahead demand forecast (08:45) to the end of the time in which NESO says
that it publishes it (09:00 to 09:15)."""


def parse_embedded_archive(table: Table) -> Parsed[Publication]:
    """Every issue in a table of the archives of Embedded Wind and Solar Forecasts, two for each.

    The table must hold its issues whole: the first half-hour says which clock the stamp follows.
    """

    def record(cells: Cells) -> tuple[tuple[datetime, datetime], Embedded]:
        stamp = wall_time("Forecast_Datetime", cells.get("Forecast_Datetime"))
        start, values = embedded_record(cells)
        return (utc(stamp), start), values

    found = collect(table, (*EMBEDDED, "Forecast_Datetime"), record, OPTIONAL_CAPACITIES)
    issues: defaultdict[datetime, dict[datetime, Embedded]] = defaultdict(dict)
    for (stamp, start), values in found.values.items():
        issues[stamp][start] = values
    rows: list[Publication] = []
    faults: list[str] = []
    for stamp, by_start in issues.items():
        known_at = issued(stamp, min(by_start)) + EMBEDDED_AFTER
        sound, unsound = embedded_publications(by_start, known_at)
        rows += sound
        faults += unsound
    # One payload for all: each would be the whole table.
    rejected = [*found.rejected]
    if faults:
        reason = f"{faults[0]}; publications like this: {len(faults)}"
        rejected.append(Rejected(reason, table_json(table)))
    return Parsed(rows, rejected)


def issued(stamp: datetime, first: datetime) -> datetime:
    """When an issue was made whose stamp is `stamp` and whose first half-hour is `first`.

    To March 2026 the stamps are London clock times with a false `Z`, by June 2026 they are UTC. In
    summer these are an hour apart, so the right reading is the one near the first half-hour.
    """
    readings = {stamp, *london_instants(stamp.replace(tzinfo=None))}
    near = [at for at in readings if abs(first - at) <= NEAR]
    return min(near, key=lambda at: (abs(first - at), -at.timestamp())) if near else max(readings)


def parse_day_ahead_wind_archive(table: Table) -> Parsed[Publication]:
    """The day-ahead wind forecasts of a table of the archive, one publication for each stamp.

    Only the earliest stamp of a half-hour counts: later ones repeat it after a repair of the
    archive. A stamp after the start of its half-hour is skipped, because a forecast was made then
    or later copied, and its true time is lost. The zone of the stamps is not documented; UTC is the
    later reading of the two.
    """

    def record(cells: Cells) -> tuple[tuple[datetime, datetime], Measured] | None:
        stamp = utc(wall_time("Forecast_Timestamp", cells.get("Forecast_Timestamp")))
        start, measured = day_ahead_wind_record(cells)
        return None if stamp > start else ((stamp, start), measured)

    found = collect(table, (*DAY_AHEAD_WIND, "Forecast_Timestamp"), record, ("Capacity",))
    earliest: dict[datetime, datetime] = {}
    for stamp, start in found.values:  # in the order of the stamps
        earliest.setdefault(start, stamp)
    kept = {key: value for key, value in found.values.items() if earliest[key[1]] == key[0]}
    skipped = found.skipped + len(found.values) - len(kept)
    if fault := unit_fault(kept.values()):
        rejected = [*found.rejected, Rejected(fault, table_json(table))]
        return Parsed([], rejected, skipped)
    values = {key: value for key, (value, _) in kept.items()}
    return Parsed(_by_stamp(datasets.DAY_AHEAD_WIND, values), found.rejected, skipped)


def parse_day_ahead_demand(table: Table) -> Parsed[Publication]:
    """The day-ahead demand forecasts of the performance file, one publication for each stamp,
    `DEMAND_AFTER` it.

    `Datetime` is the end of the half-hour by London's clocks, in the CSV with a false `Z`, and
    `Publish_Datetime` is London's time too. On the 50-period days of 2021 and 2022 the settlement
    periods repeat: those records contradict their time and are rejected.
    """

    def record(cells: Cells) -> tuple[tuple[datetime, datetime], float | None] | None:
        start = settlement(cells, "Date", "Settlement_Period")
        end = wall_time("Datetime", cells.get("Datetime"))
        if start + HALF_HOUR not in london_instants(end):
            raise Unusable(
                f"time: {end} in London is not the end of settlement period "
                f"{cells.get('Settlement_Period')} of {str(cells.get('Date'))[:10]}"
            )
        stamps = london_instants(wall_time("Publish_Datetime", cells.get("Publish_Datetime")))
        if not stamps:
            raise Unusable("Publish_Datetime: no clock in London shows this time")
        value = demand(cells, "Demand_Forecast")
        published_at = stamps[-1] + DEMAND_AFTER
        return None if published_at > start else ((published_at, start), value)

    needed = ("Date", "Datetime", "Settlement_Period", "Demand_Forecast", "Publish_Datetime")
    found: Collected[tuple[datetime, datetime], float | None] = collect(table, needed, record)
    if fault := demand_unit_fault(found.values.values()):
        return Parsed([], [*found.rejected, Rejected(fault, table_json(table))], found.skipped)
    return Parsed(_by_stamp(datasets.DAY_AHEAD_DEMAND, found.values), found.rejected, found.skipped)


def _by_stamp(
    dataset: datasets.Forecast, values: Mapping[tuple[datetime, datetime], float | None]
) -> list[Publication]:
    issues: defaultdict[datetime, dict[datetime, float | None]] = defaultdict(dict)
    for (stamp, start), value in values.items():
        issues[stamp][start] = value
    return [
        Publication(dataset.source, dataset.series, stamp, 30, issue)
        for stamp, issue in sorted(issues.items())
    ]

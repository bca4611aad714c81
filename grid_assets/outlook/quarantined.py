"""Tries quarantined records and bodies of Elexon and the NESO Data Portal again, after a fix.

A record is a part of a publication, or of a half-hour, which `completing` completes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from grid_assets.outlook.completing import Seen, complete_generation, complete_outlook
from grid_assets.outlook.load import PublicationUnusable, load_embedded_generation
from grid_assets.outlook.sources import ENDPOINTS, FUELHH, INDO
from grid_assets.sources.elexon import payloads as elexon
from grid_assets.sources.elexon.queries import Query
from grid_assets.sources.neso_portal import archives, datasets
from grid_assets.sources.neso_portal import payloads as portal
from grid_assets.sources.neso_portal.labels import london_instants, utc, wall_time
from grid_assets.sources.neso_portal.tables import Cells, Table, table_of_result
from grid_assets.sources.records import TWICE, Unusable
from grid_assets.telemetry.load import Capture
from grid_assets.telemetry.quarantine import ALWAYS, Entry, open_entries
from grid_assets.warehouse.connection import Connection, write_transaction

ASSETS: Final = ("raw.outlook", "raw.elexon_generation", "raw.embedded_generation")


@dataclass(frozen=True, slots=True)
class Tried:
    """`left` says for each entry that stays why, by its id."""

    accepted: int
    left: Mapping[int, str]


def replay(connection: Connection) -> Tried:
    """Parse every open entry of `ASSETS` again, and load those that pass into `raw`.

    The entries of one response are loaded and resolved in one transaction; those that were seen
    last come last.
    """
    accepted, left = 0, {}
    entries = [entry for entry in open_entries(connection) if entry.asset in ASSETS]
    for (asset, endpoint, *_), response in groupby(sorted(entries, key=_of), key=_of):
        passed: list[int] = []
        dated: list[Any] = []
        undated: list[Any] = []
        for entry in response:
            seen = _seen(entry)
            try:
                rows, is_dated = _parse(connection, entry, _DATASETS.get(endpoint, ""))
            except Unusable as fault:
                left[entry.id] = str(fault)
            else:
                passed.append(entry.id)
                (dated if is_dated else undated).extend(rows)
        if not passed:
            continue
        try:
            with write_transaction(connection, asset):
                if asset == "raw.outlook":
                    complete_outlook(connection, dated, seen, is_dated=True)
                    complete_outlook(connection, undated, seen, is_dated=False)
                elif asset == "raw.elexon_generation":
                    complete_generation(connection, dated, seen)
                else:
                    captures = [Capture(dated, seen.first)]
                    load_embedded_generation(connection, captures, replayed=True)
                connection.execute(
                    "UPDATE ops.quarantine SET resolved_at = now() WHERE id = ANY(%s)", [passed]
                )
        except PublicationUnusable as fault:
            left.update(dict.fromkeys(passed, str(fault)))
        else:
            accepted += len(passed)
    return Tried(accepted, left)


def _of(entry: Entry) -> tuple[str, str, datetime, datetime]:
    seen = _seen(entry)
    return entry.asset, entry.endpoint, seen.last, seen.first


def _seen(entry: Entry) -> Seen:
    """A clock that was put back stamps a later capture earlier."""
    return Seen(entry.captured_at, max(entry.captured_at, entry.last_seen_at))


_DATASETS: Final = {endpoint: dataset for dataset, endpoint in ENDPOINTS.items()}

_UNDATED: Final = {
    datasets.EMBEDDED.source: "Forecast_Datetime",
    datasets.DAY_AHEAD_WIND.source: "Forecast_Timestamp",
    datasets.DEMAND_2_14_DAYS.source: "",
}
"""Datasets whose records do not say when they were published, and the column of their archive that
does."""


def _parse(connection: Connection, entry: Entry, dataset: str) -> tuple[list[Any], bool]:
    """The rows of an entry, and whether it says to which publication they belong.

    Raises `Unusable` if any part of it cannot be used.
    """
    try:
        content = json.loads(entry.payload, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise Unusable("its payload is not JSON, or was cut") from None
    records = content if entry.reason == TWICE and isinstance(content, list) else [content]
    parse = _ELEXON.get(dataset)
    is_dated = entry.is_body or dataset not in _UNDATED
    if parse is not None:
        if entry.is_body and not isinstance(content, dict):
            raise Unusable("it is no answer to what was asked")
        query = Query("", {}, ALWAYS.start, ALWAYS.end, ALWAYS)
        document = content if entry.is_body else {"data": records}
        parsed = parse(document, query, entry.captured_at)
    elif dataset in _PORTAL:
        table = _table(content) if entry.is_body else Table(_columns(records), records)
        parsed = _PORTAL[dataset](connection, table, entry)
        is_dated = is_dated or _has(table, _UNDATED[dataset])
    else:
        raise Unusable(f"nothing is known of {entry.endpoint}")
    if parsed.rejected:
        raise Unusable(parsed.rejected[0].reason)
    if not parsed.rows:
        raise Unusable("it has no value that is wanted")
    return list(parsed.rows), is_dated


_ELEXON: Final[dict[str, Callable[[Any, Query, datetime], elexon.Parsed[Any]]]] = {
    elexon.WINDFOR: elexon.parse_wind_forecasts,
    elexon.NDF: elexon.parse_demand_forecasts,
    FUELHH: elexon.parse_generation,
    INDO: elexon.parse_demand_outturn,
}


def _columns(records: Sequence[Any]) -> tuple[str, ...]:
    return tuple(records[0]) if records and isinstance(records[0], dict) else ()


def _table(content: Any) -> Table:
    """A table that was refused as a whole, or the answer that had it."""
    if not isinstance(content, dict):
        raise Unusable("it is not a table")
    if isinstance(content.get("result"), dict):
        return table_of_result(content["result"])
    columns, records = content.get("columns"), content.get("records")
    if not isinstance(columns, list) or not isinstance(records, list):
        raise Unusable("it is not a table")
    return Table(tuple(map(str, columns)), records)


def _has(table: Table, column: str) -> bool:
    return column.casefold() in {name.strip().casefold() for name in table.columns}


def _embedded(connection: Connection, table: Table, entry: Entry) -> Any:
    """A current forecast does not say when it was published, and one record of the archive not by
    which clock: what else the response brought tells."""
    is_archive = _has(table, "Forecast_Datetime")
    if is_archive and entry.is_body:
        return archives.parse_embedded_archive(table)
    rows = connection.execute(
        "SELECT DISTINCT published_at FROM raw.outlook_publications "
        "WHERE source = %s AND captured_at >= %s AND captured_at < %s",
        [datasets.EMBEDDED.source, entry.captured_at, entry.captured_at + timedelta(seconds=1)],
    ).fetchall()
    held = {at for (at,) in rows}
    if is_archive:
        names = table.names(("Forecast_Datetime",))
        stamp = Cells(table.records[0], names).get("Forecast_Datetime")
        wall = wall_time("Forecast_Datetime", stamp)
        held &= {at + archives.EMBEDDED_AFTER for at in (utc(wall), *london_instants(wall))}
    if len(held) != 1:
        raise Unusable("nothing else of its publication is held, so its time is not known")
    return portal.parse_embedded(table, held.pop())


def _day_ahead_wind(connection: Connection, table: Table, entry: Entry) -> Any:
    if _has(table, "Forecast_Timestamp"):
        return archives.parse_day_ahead_wind_archive(table)
    return portal.parse_day_ahead_wind(table, entry.captured_at)


_PORTAL: Final[dict[str, Callable[[Connection, Table, Entry], Any]]] = {
    datasets.EMBEDDED.source: _embedded,
    datasets.DAY_AHEAD_WIND.source: _day_ahead_wind,
    datasets.DEMAND_2_14_DAYS.source: lambda _, table, entry: portal.parse_demand_2_14_days(
        table, entry.captured_at
    ),
    datasets.DAY_AHEAD_DEMAND.source: lambda _, table, entry: archives.parse_day_ahead_demand(
        table
    ),
    datasets.OUTTURN_SOURCE: lambda _, table, entry: portal.parse_embedded_outturn(table),
}

"""Parses the API's JSON into publications and half-hours, and says why a record cannot be used.

Pure: no I/O and no clock. A record with a fault is rejected, and only that record. An empty list is
an ordinary answer, and a null value stays None. Nothing is filled in, moved or corrected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar

from grid_assets.halfhours import HALF_HOUR, api_time, floor, parse_api_time, settlement
from grid_assets.sources.elexon.queries import Query
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import TWICE, Rejected, Unusable, as_json, number, shown, text

WINDFOR: Final = "elexon_windfor"
NDF: Final = "elexon_ndf"

WIND_MW: Final = (0, 60_000)
"""Twice the capacity of all metered wind farms in 2026."""

DEMAND_MW: Final = (1_000, 100_000)
"""The highest ever was 62,000, the lowest 13,000; below 1,000 it is probably in GW."""

FUEL_MW: Final = (-10_000, 100_000)
"""Negative while an interconnector exports or a pumped storage station pumps."""

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How much later than its receipt a record may say that it was published."""

EARLIEST_LABEL: Final = timedelta(days=-3)
LATEST_LABEL: Final = timedelta(days=15)
"""A wind forecast begins up to 27 hours before its own publication, and none reaches 3 days."""

_NAIVE: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """One half-hour of FUELHH: mean MW by fuel as Elexon names it, None if published as null.

    Imports are positive, exports and pumping negative. `published_at` is the newest of its fuels.
    `refused` names fuels of this half-hour whose records were rejected; it is None if the response
    had no record that was, so that a fuel that it lacks was not published.
    """

    period_start: datetime
    published_at: datetime
    generation_mw: Mapping[str, int | None]
    refused: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DemandRow:
    """One half-hour of INDO, the initial national demand outturn: mean MW."""

    period_start: datetime
    published_at: datetime
    demand_mw: int | None


Row = TypeVar("Row", Publication, GenerationRow, DemandRow)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Row]):
    """Rows in time order, each publication or half-hour once.

    `skipped` counts sound records that are not wanted: those of a neighbouring request, of another
    boundary, replaced by a later publication, or not asked for at all.
    """

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _Value:
    """One usable record: MW of one step and, of generation, one fuel."""

    published_at: datetime
    start: datetime
    mw: int | None
    fuel: str = ""


@dataclass(frozen=True, slots=True)
class _Dataset:
    name: str
    value_field: str
    limits: tuple[int, int]
    minutes: Literal[30, 60] = 30
    selected_by: Literal["published_at", "start"] = "published_at"
    """What the request limits."""
    is_forecast: bool = False


def parse_wind_forecasts(document: Any, query: Query, received_at: datetime) -> Parsed[Publication]:
    """The publications of a WINDFOR response. `startTime` is the label of an hour as published."""
    dataset = _Dataset("WINDFOR", "generation", WIND_MW, minutes=60, is_forecast=True)
    return _publications(document, query, received_at, dataset, WINDFOR, "wind_mw")


def parse_demand_forecasts(
    document: Any, query: Query, received_at: datetime
) -> Parsed[Publication]:
    """The publications of an NDF response, for the whole country (boundary `N`) only."""
    dataset = _Dataset("NDF", "demand", DEMAND_MW, is_forecast=True)
    return _publications(document, query, received_at, dataset, NDF, "demand_mw")


def parse_generation(document: Any, query: Query, received_at: datetime) -> Parsed[GenerationRow]:
    """The half-hours of a FUELHH response. A fuel that nobody knows is kept by its name."""
    dataset = _Dataset("FUELHH", "generation", FUEL_MW, selected_by="start")
    values, parsed = _judge(document, query, received_at, dataset)
    newest, replaced = _newest(values)
    by_start: dict[datetime, list[_Value]] = {}
    for value in newest:
        by_start.setdefault(value.start, []).append(value)
    refused = _refused(parsed.rejected) if parsed.rejected else None
    rows = [
        GenerationRow(
            start,
            max(value.published_at for value in fuels),
            {value.fuel: value.mw for value in sorted(fuels, key=lambda value: value.fuel)},
            None if refused is None else frozenset(refused.get(start, ())),
        )
        for start, fuels in sorted(by_start.items())
    ]
    return Parsed(rows, parsed.rejected, parsed.skipped + replaced)


def parse_demand_outturn(document: Any, query: Query, received_at: datetime) -> Parsed[DemandRow]:
    """The half-hours of an INDO response."""
    values, parsed = _judge(document, query, received_at, _Dataset("INDO", "demand", DEMAND_MW))
    newest, replaced = _newest(values)
    rows = [
        DemandRow(value.start, value.published_at, value.mw)
        for value in sorted(newest, key=lambda value: value.start)
    ]
    return Parsed(rows, parsed.rejected, parsed.skipped + replaced)


def _publications(
    document: Any,
    query: Query,
    received_at: datetime,
    dataset: _Dataset,
    source: str,
    series: str,
) -> Parsed[Publication]:
    values, parsed = _judge(document, query, received_at, dataset)
    issues: dict[datetime, dict[datetime, float | None]] = {}
    for value in sorted(values, key=lambda value: value.start):
        issues.setdefault(value.published_at, {})[value.start] = value.mw
    rows = [
        Publication(source, series, published_at, dataset.minutes, steps)
        for published_at, steps in sorted(issues.items())
    ]
    return Parsed(rows, parsed.rejected, parsed.skipped)


def _refused(rejected: list[Rejected]) -> dict[datetime, set[str]]:
    """The fuels of rejected records by half-hour, as far as they can be read."""
    found: dict[datetime, set[str]] = {}
    for one in rejected:
        try:
            content = json.loads(one.payload)
        except (ValueError, RecursionError):
            continue
        for record in content if isinstance(content, list) else [content]:
            try:
                start = _instant("startTime", record["startTime"])
                fuel = text("fuelType", record["fuelType"])
            except (Unusable, KeyError, TypeError):
                continue
            found.setdefault(floor(start), set()).add(fuel)
    return found


def _newest(values: list[_Value]) -> tuple[list[_Value], int]:
    """The last publication of each half-hour and fuel, and how many others there are."""
    newest: dict[tuple[datetime, str], _Value] = {}
    for value in sorted(values, key=lambda value: value.published_at):
        newest[value.start, value.fuel] = value
    return list(newest.values()), len(values) - len(newest)


def _judge(
    document: Any, query: Query, received_at: datetime, dataset: _Dataset
) -> tuple[list[_Value], Parsed[Any]]:
    """The usable values that are wanted, each once, beside what was rejected and skipped."""
    data = document.get("data") if isinstance(document, dict) else document
    if not isinstance(data, list):
        reason = "body: the answer has no list of data"
        return [], Parsed(rejected=[Rejected(reason, as_json(document))])
    known: dict[tuple[datetime, datetime, str], tuple[_Value, Any]] = {}
    conflicting: dict[tuple[datetime, datetime, str], list[Any]] = {}
    rejected: list[Rejected] = []
    unasked = skipped = 0
    for record in data:
        try:
            value = _value(record, dataset, received_at)
        except Unusable as fault:
            rejected.append(Rejected(str(fault), as_json(record)))
            continue
        if value is None:
            skipped += 1
        elif not query.first <= getattr(value, dataset.selected_by) <= query.last:
            unasked += 1
        elif (value.published_at if dataset.is_forecast else value.start) not in query.wanted:
            skipped += 1
        else:
            key = value.published_at, value.start, value.fuel
            first = known.setdefault(key, (value, record))
            if first[0] != value:
                # It is unknown which of the two is right, so neither is kept.
                conflicting.setdefault(key, [first[1]]).append(record)
    for key, versions in sorted(conflicting.items()):
        del known[key]
        rejected.append(Rejected(TWICE, as_json(versions)))
    if unasked and unasked == len(data):
        # Kept as a list, so that no replay takes it for an answer.
        reason = (
            f"body: all of its {unasked} records are outside {api_time(query.first)} to "
            f"{api_time(query.last)}, which was asked for"
        )
        rejected.append(Rejected(reason, as_json([data])))
    values = [value for value, _ in known.values()]
    return values, Parsed(rejected=rejected, skipped=skipped + unasked)


def _value(record: Any, dataset: _Dataset, received_at: datetime) -> _Value | None:
    """The value of a record; None if it is of another boundary. Raises `Unusable`."""
    if not isinstance(record, dict):
        raise Unusable("record: it is not a JSON object")
    if record.get("dataset", dataset.name) != dataset.name:
        raise Unusable(f"dataset: {shown(record['dataset'])} is not {dataset.name}")
    published_at = _instant("publishTime", record.get("publishTime"))
    start = _instant("startTime", record.get("startTime"))
    if start != floor(start) or (dataset.minutes == 60 and start.minute):
        raise Unusable(f"startTime: {shown(record['startTime'])} is not a step of {dataset.name}")
    if published_at > received_at + CLOCK_TOLERANCE:
        raise Unusable(
            f"publishTime: {shown(record['publishTime'])} is later than its receipt at "
            f"{api_time(received_at)}"
        )
    if dataset.is_forecast and not EARLIEST_LABEL <= start - published_at <= LATEST_LABEL:
        raise Unusable(f"startTime: {api_time(start)} is too far from its publication")
    if not dataset.is_forecast and published_at - start < HALF_HOUR:
        raise Unusable("publishTime: it is before the end of the half-hour")
    _check_settlement(record, start)
    fuel = text("fuelType", record.get("fuelType")) if dataset.name == "FUELHH" else ""
    mw = _megawatts(record, dataset)
    boundary = record.get("boundary")
    if boundary not in (None, "N"):
        text("boundary", boundary)
        return None
    return _Value(published_at, start, mw, fuel)


def _instant(name: str, value: object) -> datetime:
    # The API means UTC where it names no zone.
    zoned = f"{value}Z" if isinstance(value, str) and _NAIVE.fullmatch(value) else value
    try:
        return parse_api_time(zoned)
    except ValueError as fault:
        raise Unusable(f"{name}: {fault}") from None


def _check_settlement(record: Mapping[str, Any], start: datetime) -> None:
    """Refuse a record whose settlement date and period, if it has them, are not of its start."""
    day, period = record.get("settlementDate"), record.get("settlementPeriod")
    if day is None and period is None:
        return
    try:
        right_day, right_period = settlement(start)
    except OverflowError:
        raise Unusable(f"startTime: {api_time(start)} is not a date of our calendar") from None
    if day not in (None, str(right_day)) or period not in (None, right_period) or period is True:
        raise Unusable(
            f"settlement: {shown(day)}, period {shown(period)}, is not {api_time(start)}, which is "
            f"in {right_day}, period {right_period}"
        )


def _megawatts(record: Mapping[str, Any], dataset: _Dataset) -> int | None:
    name = dataset.value_field
    if name not in record:
        raise Unusable(f"{name}: the field is missing")
    value = number(name, record[name])
    if value is None:
        return None
    least, most = dataset.limits
    if not least <= value <= most:
        raise Unusable(f"{name}: {value:.6g} MW is not between {least} and {most}")
    if value != int(value):
        # Elexon publishes whole MW: a fraction is a sign of another unit.
        raise Unusable(f"{name}: {value:.6g} is not a whole number of MW")
    return int(value)

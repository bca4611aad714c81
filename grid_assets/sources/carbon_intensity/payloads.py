"""Parses the API's JSON into typed rows, and says why a record cannot be used.

Pure: no I/O and no clock. A value that is absent or null stays None. A value of the wrong type, a
time that is not a UTC half-hour, or shares that cannot be a mix cause their record, and only that
record, to be rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeVar

from grid_assets.halfhours import HALF_HOUR, Window, floor, parse_api_time
from grid_assets.mix import MixRefused, complete
from grid_assets.series import FUELS

# Re-exported: what parsing returns belongs to the parsers' surface.
from grid_assets.sources.records import MAX_TEXT as MAX_TEXT
from grid_assets.sources.records import TWICE as TWICE
from grid_assets.sources.records import Rejected as Rejected
from grid_assets.sources.records import Unusable, as_json, number, text

LIMIT_GCO2_KWH: Final = Decimal(1_000_000)
"""Anything larger is garbage, not a wrong intensity; the largest ever published was 13,579."""


@dataclass(frozen=True, slots=True)
class IntensityRow:
    """One half-hour of `/intensity`; gCO2/kWh as published."""

    period_start: datetime
    forecast_gco2_kwh: Decimal | None
    actual_gco2_kwh: Decimal | None
    intensity_index: str | None


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """One half-hour of `/generation`; percent by fuel as published, None if not published."""

    period_start: datetime
    shares_pct: Mapping[str, Decimal | None]
    unknown_pct: Mapping[str, Decimal]


Row = TypeVar("Row", IntensityRow, GenerationRow)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Row]):
    """Rows in time order with unique `period_start`; `outside` counts records beyond the window."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    outside: int = 0


def parse_intensity(document: Mapping[str, Any], window: Window) -> Parsed[IntensityRow]:
    """Rows of an `/intensity` response that start in `window`."""
    return _parse(document, window, _intensity_row)


def parse_generation(document: Mapping[str, Any], window: Window) -> Parsed[GenerationRow]:
    """Rows of a `/generation` response that start in `window`."""
    return _parse(document, window, _generation_row)


def reject_other_times(
    parsed: Parsed[Row], document: Mapping[str, Any], window: Window
) -> Parsed[Row]:
    """The parsed answer; one that holds only half-hours that were not asked for is rejected whole.

    A record or two outside the window is normal, and when a day has just begun, the one before it
    may be all there is. Otherwise nothing else means that the answer is an old one, such as a
    cache's. It is kept as a list, so that no replay takes it for an answer.
    """
    if parsed.rows or parsed.rejected or not parsed.outside:
        return parsed
    if window.end - window.start == HALF_HOUR and parsed.outside == 1:
        data = document["data"]
        if period_start_of(data if isinstance(data, dict) else data[0]) == window.start - HALF_HOUR:
            return parsed
    reason = f"body: all of its {parsed.outside} records are outside {window}, which was asked for"
    return replace(parsed, rejected=[Rejected(reason, as_json([document.get("data")]))])


def _parse(
    document: Mapping[str, Any],
    window: Window,
    row_of: Callable[[datetime, Mapping[str, Any]], Row],
) -> Parsed[Row]:
    data = document.get("data")
    if isinstance(data, dict):  # the "now" endpoints return one record, not a list
        data = [data]
    if not isinstance(data, list):
        return Parsed(
            rejected=[Rejected("body: the answer has no list of data", as_json(document))]
        )

    rows: dict[datetime, tuple[Row, Any]] = {}
    conflicting: dict[datetime, list[Any]] = {}
    rejected: list[Rejected] = []
    outside = 0
    for record in data:
        try:
            if not isinstance(record, dict):
                raise Unusable("record: it is not a JSON object")
            period_start = period_start_of(record)
            if period_start not in window:
                outside += 1
                continue
            row = row_of(period_start, record)
        except Unusable as fault:
            rejected.append(Rejected(str(fault), as_json(record)))
            continue
        known = rows.get(period_start)
        if known is None:
            rows[period_start] = (row, record)
        elif known[0] != row:
            # It is unknown which of the two is right, so neither is published.
            conflicting.setdefault(period_start, [known[1]]).append(record)
    for period_start, versions in sorted(conflicting.items()):
        del rows[period_start]
        rejected.append(Rejected(TWICE, as_json(versions)))
    return Parsed([rows[start][0] for start in sorted(rows)], rejected, outside)


def period_start_of(record: Mapping[str, Any]) -> datetime:
    """The half-hour of a record, by its `from` and `to`. Raises `Unusable`."""
    try:
        start = parse_api_time(record.get("from"))
        end = parse_api_time(record["to"]) if "to" in record else start + HALF_HOUR
    except ValueError as fault:
        raise Unusable(f"time: {fault}") from None
    if floor(start) != start:
        raise Unusable(f"time: {record.get('from')!r} is not the start of a half-hour")
    if end - start != HALF_HOUR:
        raise Unusable(f"time: from {record.get('from')!r} to {record['to']!r} is not a half-hour")
    return start


def _intensity_row(period_start: datetime, record: Mapping[str, Any]) -> IntensityRow:
    intensity = published_intensity(record.get("intensity"))
    return IntensityRow(period_start, intensity.forecast, intensity.actual, intensity.band)


class PublishedIntensity(NamedTuple):
    """The object `intensity` of a record, gCO2/kWh; `band` is its `index`."""

    forecast: Decimal | None
    actual: Decimal | None
    band: str | None


def published_intensity(intensity: object) -> PublishedIntensity:
    """Raises `Unusable`."""
    if not isinstance(intensity, dict):
        raise Unusable("intensity: it is not a JSON object")
    values = {name: number(f"intensity.{name}", intensity.get(name)) for name in _INTENSITIES}
    for name, value in values.items():
        if value is not None and abs(value) > LIMIT_GCO2_KWH:
            raise Unusable(f"intensity.{name}: {value:.3g} gCO2/kWh is not a measurement")
    index = intensity.get("index")
    return PublishedIntensity(
        values["forecast"],
        values["actual"],
        None if index is None else text("intensity.index", index),
    )


_INTENSITIES: Final = ("forecast", "actual")


def _generation_row(period_start: datetime, record: Mapping[str, Any]) -> GenerationRow:
    return GenerationRow(period_start, *published_mix(record.get("generationmix")))


class PublishedMix(NamedTuple):
    """The list `generationmix` of a record, percent: of the nine fuels, and of other names."""

    shares_pct: Mapping[str, Decimal | None]
    unknown_pct: Mapping[str, Decimal]


def published_mix(generationmix: object) -> PublishedMix:
    """Raises `Unusable`, also for shares that cannot be a mix."""
    shares = _shares(generationmix)
    mix = PublishedMix(
        {fuel: shares.get(fuel) for fuel in FUELS},
        {fuel: share for fuel, share in shares.items() if fuel not in FUELS and share is not None},
    )
    try:
        complete(mix.shares_pct, mix.unknown_pct)
    except MixRefused as fault:
        raise Unusable(f"mix: {fault}") from None
    return mix


def _shares(generationmix: object) -> dict[str, Decimal | None]:
    if not isinstance(generationmix, list):
        raise Unusable("generationmix: it is not a list")
    shares: dict[str, Decimal | None] = {}
    for entry in generationmix:
        if not isinstance(entry, dict):
            raise Unusable("generationmix: an entry is not a JSON object")
        name = entry.get("fuel")
        # `Wind` and `wind ` are wind; an unknown name is kept in the same form
        fuel = text("generationmix.fuel", name.strip() if isinstance(name, str) else name)
        fuel = fuel.casefold()
        if fuel in shares:
            raise Unusable(f"generationmix: {fuel!r} appears twice")
        shares[fuel] = number(f"generationmix.{fuel}", entry.get("perc"))
    return shares

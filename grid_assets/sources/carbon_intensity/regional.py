"""Parses the API's answers for all regions, `/regional/intensity/…`.

Pure, like `payloads`. A region is known by its name. A record of one region that cannot be used is
rejected alone: the other regions of its half-hour are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grid_assets.halfhours import Window
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import (
    PublishedIntensity,
    PublishedMix,
    period_start_of,
    published_intensity,
    published_mix,
)
from grid_assets.sources.carbon_intensity.region import region_of
from grid_assets.sources.records import TWICE, Rejected, Unusable, as_json, shown

MOST_TOGETHER: Final = 24
"""Half-hours of one region with one fault that are one entry of the quarantine: about 20 kB, of at
most 64 that an entry holds. A half-hour of all regions has 30 kB, so it is an entry of its own."""

NO_INTENSITY: Final = PublishedIntensity(None, None, None)
NO_MIX: Final = PublishedMix(dict.fromkeys(FUELS), {})


@dataclass(frozen=True, slots=True)
class RegionalRow:
    """One half-hour of one region, as published: gCO2/kWh, and percent by fuel.

    `forecast_gco2_kwh` of a past half-hour is the API's later estimate, under the same name.
    """

    region_id: int
    period_start: datetime
    forecast_gco2_kwh: Decimal | None
    actual_gco2_kwh: Decimal | None
    intensity_index: str | None
    shares_pct: Mapping[str, Decimal | None]
    unknown_pct: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class ParsedRegions:
    """Rows in the order of regions and half-hours; `outside` counts half-hours outside the
    window."""

    rows: list[RegionalRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    outside: int = 0


Fault = tuple[str, str]
"""A region as the answer names it, and what is wrong."""


def parse_regional(document: Mapping[str, Any], window: Window) -> ParsedRegions:
    """Rows of a `/regional/intensity/…` answer that start in `window`.

    An answer without any half-hour of the window is rejected whole, as a body.
    """
    data = document.get("data")
    if not isinstance(data, list):
        return _unusable("the answer has no list of data", document)
    if not data:
        return _unusable("the answer has an empty list of data", document)
    rows: dict[tuple[int, datetime], tuple[RegionalRow, Any]] = {}
    conflicting: dict[tuple[int, datetime], list[Any]] = {}
    faulty: dict[Fault, list[Any]] = {}
    outside = 0
    for period, record in _half_hours(data, faulty):
        if period not in window:
            outside += 1
            continue
        for region in record["regions"]:
            own = {**_times(record), "regions": [region]}
            try:
                row = _row(period, region)
            except Unusable as fault:
                faulty.setdefault((_name_of(region), str(fault)), []).append(own)
                continue
            key = row.region_id, period
            known = rows.get(key)
            if known is None:
                rows[key] = (row, own)
            elif known[0] != row:
                # It is unknown which of the two is right, so neither is published.
                conflicting.setdefault(key, [known[1]]).append(own)
    for key in conflicting:
        del rows[key]
    rejected = [*_together(faulty), *(Rejected(TWICE, as_json(v)) for v in conflicting.values())]
    if not rows and not rejected and not outside:
        return _unusable("its half-hours have no regions", document)
    if not rows and not rejected:
        # An old answer, such as a cache's. As a list, so that no replay takes it for an answer.
        return _unusable(f"all of its {outside} half-hours are outside {window}", [data])
    return ParsedRegions([rows[key][0] for key in sorted(rows)], rejected, outside)


def _half_hours(
    data: Iterable[Any], faulty: dict[Fault, list[Any]]
) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    """The half-hours of an answer that have a list of regions; others are noted as faulty."""
    for record in data:
        try:
            if not isinstance(record, dict):
                raise Unusable("record: it is not a JSON object")
            period = period_start_of(record)
            if not isinstance(record.get("regions"), list):
                raise Unusable("regions: it is not a list")
        except Unusable as fault:
            faulty.setdefault(("", str(fault)), []).append(record)
            continue
        yield period, record


def _row(period: datetime, region: Any) -> RegionalRow:
    if not isinstance(region, dict):
        raise Unusable("region: it is not a JSON object")
    known = region_of(region)
    # What is absent stays absent; what is there must be usable.
    intensity, mix = region.get("intensity"), region.get("generationmix")
    has_shares = not (mix is None or _is_without_shares(mix))
    if intensity is None and not has_shares:
        raise Unusable("region: it has neither intensity nor generationmix")
    values = NO_INTENSITY if intensity is None else published_intensity(intensity)
    shares = published_mix(mix) if has_shares else NO_MIX
    return RegionalRow(
        known.region_id,
        period,
        values.forecast,
        values.actual,
        values.band,
        shares.shares_pct,
        shares.unknown_pct,
    )


def _is_without_shares(mix: object) -> bool:
    """Whether it is a list of fuels whose shares are all null, or an empty list."""
    return isinstance(mix, list) and all(
        isinstance(entry, dict) and entry.get("perc") is None for entry in mix
    )


def _name_of(region: Any) -> str:
    return shown(region.get("shortname")) if isinstance(region, dict) else shown(region)


def _together(faulty: Mapping[Fault, list[Any]]) -> Iterator[Rejected]:
    """Records of one region with one fault as few entries, which a quarantine replay can parse."""
    for (name, fault), records in faulty.items():
        most = MOST_TOGETHER if name else 1
        for first in range(0, len(records), most):
            some = records[first : first + most]
            yield Rejected(fault, as_json(some), len(some))


def _times(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("from", "to") if name in record}


def _unusable(fault: str, answer: object) -> ParsedRegions:
    return ParsedRegions(rejected=[Rejected(f"body: {fault}", as_json(answer))])

"""Faults of one record in an otherwise good response: wrong values, shares, times and shapes.

With the option `region`, the record is that of a region within its half-hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from grid_assets.halfhours import api_time, parse_api_time
from grid_assets.replay.replies import Reply

Record = dict[str, Any]
Options = Mapping[str, Any]
Change = Callable[[Record, Options], list[Any] | None]
"""Changes a private copy of a record, or returns the records that replace it."""

LONDON: Final = 13

DOES_NOT_APPLY: Final = (LookupError, TypeError, ValueError)
"""Raised by a change to something the record does not have, such as wind in an intensity."""


def on_record(change: Change) -> Callable[[Reply, Options], Reply]:
    """A fault that changes the record of option `period`, or else the last one that it applies to.

    Returns the same response object if it applies to none.
    """

    def apply(answer: Reply, options: Options) -> Reply:
        data = answer.document.get("data") if answer.status == 200 else None
        # The newest generation mix is an object; every other response has a list.
        records = [data] if isinstance(data, dict) else list(data or [])
        period = "period" in options and api_time(parse_api_time(options["period"]))
        for index, record in reversed(list(enumerate(records))):
            copy = deepcopy(record)
            try:
                if period and record["from"] != period:
                    continue
                replacement = None
                if "region" in options:
                    change_region(copy, options["region"], change, options)
                else:
                    replacement = change(copy, options)
            except DOES_NOT_APPLY:
                continue
            records[index : index + 1] = [copy] if replacement is None else replacement
            changed = records[0] if isinstance(data, dict) else records
            return replace(answer, document={**answer.document, "data": changed})
        return answer

    return apply


def on_regions(change: Change) -> Callable[[Reply, Options], Reply]:
    """A fault of the region of option `region`, or of London, in every half-hour of a response, or
    in that of option `period` alone."""

    def apply(answer: Reply, options: Options) -> Reply:
        data = answer.document.get("data") if answer.status == 200 else None
        period = "period" in options and api_time(parse_api_time(options["period"]))
        records, changed = deepcopy(data), False
        for record in records if isinstance(records, list) else ():
            if isinstance(record, dict) and (not period or record.get("from") == period):
                try:
                    change_region(record, options.get("region", LONDON), change, options)
                except DOES_NOT_APPLY:
                    continue
                changed = True
        return replace(answer, document={**answer.document, "data": records}) if changed else answer

    return apply


def change_region(record: Record, number: int, change: Change, options: Options) -> None:
    """Change one region of a half-hour, in place."""
    regions = record["regions"]
    numbers = [one["regionid"] if isinstance(one, dict) else None for one in regions]
    place = numbers.index(number)
    replacement = change(regions[place], options)
    if replacement is not None:
        regions[place : place + 1] = replacement


def change_value(new: Callable[[Any], Any]) -> Change:
    """Change the record's main value."""

    def change(record: Record, options: Options) -> None:
        holder, key = main_value(record)
        holder[key] = new(holder[key])

    return change


def missing_field(record: Record, options: Options) -> None:
    holder, key = main_value(record)
    del holder[key]


def drop_fuels(record: Record, options: Options) -> None:
    dropped = options.get("fuels", ["coal", "hydro"])
    mix = record["generationmix"]
    mix[:] = [entry for entry in mix if entry["fuel"] not in dropped]


def add_fuel(record: Record, name: str) -> None:
    record["generationmix"].append({"fuel": name, "perc": 0.4})


def conflict(record: Record, options: Options) -> list[Any]:
    revised = deepcopy(record)
    revise(revised)
    return [record, revised]


def off_grid(record: Record, options: Options) -> None:
    for key in ("from", "to"):
        record[key] = api_time(parse_api_time(record[key]) + timedelta(minutes=17))


def no_zone(record: Record, options: Options) -> None:
    for key in ("from", "to"):
        record[key] = record[key].removesuffix("Z")


def revise(record: Record) -> None:
    """Move the value by +3 gCO2/kWh, or 0.6 % of the mix from wind to other, as NESO does."""
    if "intensity" in record:
        holder, key = main_value(record)
        holder[key] += 3
    else:
        wind, other = share(record, "wind"), share(record, "other")
        moved = min(0.6, wind["perc"])
        wind["perc"] = round(wind["perc"] - moved, 1)
        other["perc"] = round(other["perc"] + moved, 1)


def measured(record: Record) -> Record:
    """The record, if it holds a measurement: a number in `actual`, or a mix."""
    if "intensity" in record and record["intensity"].get("actual", 0) is None:
        raise ValueError("its actual is not published yet")
    return record


def main_value(record: Record) -> tuple[dict[str, Any], str]:
    """Where the main value is: wind's share, `actual`, or `forecast` while that is null."""
    if "intensity" not in record:
        return share(record, "wind"), "perc"
    values = record["intensity"]
    return values, "forecast" if values.get("actual") is None else "actual"


def share(record: Record, fuel: str) -> dict[str, Any]:
    [entry] = [entry for entry in record["generationmix"] if entry["fuel"] == fuel]
    found: dict[str, Any] = entry
    return found

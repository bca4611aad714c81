"""Faults of one record: odd values, shares, keys and shapes in an otherwise sound answer.

Belongs here: pure functions from one record to what replaces it, and the choice of the record.
Does not belong here: faults of a whole answer, or when a fault is active.
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
Change = Callable[[Record, Options], list[Any]]
"""From a private copy of a record to the records that take its place."""

UNEXPECTED_SCRIPT: Final = "<script>alert(1)</script>"

_SPOILT: Final = (KeyError, TypeError, ValueError, StopIteration)
"""What a change raises on a record that an earlier fault left without the part it changes."""


def on_record(
    change: Change, suits: Callable[[Record], bool] = lambda record: True
) -> Callable[[Reply, Options], Reply]:
    """A fault that changes the record of option `period`, or else the last one that `suits`.

    The answer comes back untouched (the same object) where no record suits.
    """

    def apply(answer: Reply, options: Options) -> Reply:
        data = answer.document.get("data") if answer.status == 200 else None
        # The newest generation mix is an object where every other answer has a list.
        records = [data] if isinstance(data, dict) else list(data or [])
        period = options.get("period")
        for index in reversed(range(len(records))):
            record = records[index]
            try:
                if not suits(record) or (period and record["from"] != _spelled(period)):
                    continue
                records[index : index + 1] = change(deepcopy(record), options)
            except _SPOILT:
                continue
            changed = records[0] if isinstance(data, dict) else records
            return replace(answer, document={**answer.document, "data": changed})
        return answer

    return apply


def has_actual(record: Record) -> bool:
    """Whether a measured value is there: a number in `actual`, or a mix."""
    return "generationmix" in record or record["intensity"].get("actual") is not None


def put(new: Callable[[Any], Any]) -> Change:
    """Replace the record's value: wind's share, `actual`, or `forecast` while that is null."""

    def change(record: Record, options: Options) -> list[Any]:
        holder, key = _value(record)
        holder[key] = new(holder[key])
        return [record]

    return change


def put_intensity(key: str, value: int | None) -> Change:
    """Replace `forecast` or `actual`."""

    def change(record: Record, options: Options) -> list[Any]:
        record["intensity"][key] = value
        return [record]

    return change


def missing_field(record: Record, options: Options) -> list[Any]:
    holder, key = _value(record)
    del holder[key]
    return [record]


def not_a_dict(record: Record, options: Options) -> list[Any]:
    return ["not a record"]


def drop_fuels(record: Record, options: Options) -> list[Any]:
    dropped = options.get("fuels", ["coal", "hydro"])
    record["generationmix"] = [
        entry for entry in record["generationmix"] if entry["fuel"] not in dropped
    ]
    return [record]


def tenth_fuel(record: Record, options: Options) -> list[Any]:
    record["generationmix"].append({"fuel": options.get("fuel", "tidal"), "perc": 0.4})
    return [record]


def script_fuel(record: Record, options: Options) -> list[Any]:
    record["generationmix"].append({"fuel": UNEXPECTED_SCRIPT, "perc": 0.4})
    return [record]


def duplicate(record: Record, options: Options) -> list[Any]:
    return [record, record]


def duplicate_conflict(record: Record, options: Options) -> list[Any]:
    return [record, *revision(deepcopy(record), options)]


def revision(record: Record, options: Options) -> list[Any]:
    """Move the value by +3 gCO2/kWh, or 0.6 of the mix from wind to other, as NESO does."""
    if "intensity" in record:
        holder, key = _value(record)
        holder[key] += 3
    else:
        wind, other = _share(record, "wind"), _share(record, "other")
        moved = min(0.6, wind["perc"])
        wind["perc"] = round(wind["perc"] - moved, 1)
        other["perc"] = round(other["perc"] + moved, 1)
    return [record]


def off_grid(record: Record, options: Options) -> list[Any]:
    for key in ("from", "to"):
        record[key] = api_time(parse_api_time(record[key]) + timedelta(minutes=17))
    return [record]


def no_zone(record: Record, options: Options) -> list[Any]:
    for key in ("from", "to"):
        record[key] = record[key].removesuffix("Z")
    return [record]


def _spelled(period: str) -> str:
    return api_time(parse_api_time(period))


def _value(record: Record) -> tuple[dict[str, Any], str]:
    """Where the record's one telling number stands."""
    if "intensity" not in record:
        return _share(record, "wind"), "perc"
    return record["intensity"], "actual" if has_actual(record) else "forecast"


def _share(record: Record, fuel: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(e for e in record["generationmix"] if e["fuel"] == fuel)
    return entry

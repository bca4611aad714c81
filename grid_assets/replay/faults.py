"""Faults of whole responses, and the table of all of the recorded Carbon Intensity API."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from grid_assets.halfhours import parse_api_time
from grid_assets.replay import faulty_records as on
from grid_assets.replay.faulty_records import Options
from grid_assets.replay.replies import Delivery, DeliveryKind, Reply, error

Apply = Callable[[Reply, Options], Reply]


class BadControl(Exception):
    """A control request cannot be followed; the message says why."""


@dataclass(frozen=True)
class Fault:
    """`apply` returns the changed response, or the same object if the fault does not apply.

    Faults of records (`of_record`) combine; of the faults of whole responses, the first one wins.
    """

    summary: str
    apply: Apply
    options: Mapping[str, TypeAdapter[Any]] = field(default_factory=dict)
    of_record: bool = False

    def check(self, options: Options) -> None:
        """Raise `BadControl` for an option that is unknown or has an unusable value."""
        for name, value in options.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise BadControl(f"The option {name!r} is unknown; this fault has: {known}.")
            try:
                self.options[name].validate_python(value)
            except ValidationError as refused:
                reasons = "; or ".join(reason["msg"] for reason in refused.errors())
                raise BadControl(f"The option {name!r} cannot be used: {reasons}.") from None


PERIOD: Final = TypeAdapter[Any](Annotated[str, AfterValidator(parse_api_time)])
NUMBER: Final = TypeAdapter[Any](Annotated[float, Field(strict=True, gt=0, le=86_400)])
"""At most a day of seconds: more than any test needs, and never infinity, which would not end."""
TEXT: Final = TypeAdapter[Any](str)
TEXTS: Final = TypeAdapter[Any](list[str])
REGION: Final = TypeAdapter[Any](Annotated[int, Field(strict=True, ge=1, le=18)])
RETRY_AFTER: Final = TypeAdapter[Any](
    Annotated[int, Field(strict=True, ge=0)] | Annotated[str, Field(pattern=r"^[ -~]+$")] | None
)
"""Seconds, a date, or null for no header; printable, so that no text can add another header."""


def whole(summary: str, apply: Apply, **options: TypeAdapter[Any]) -> Fault:
    return Fault(summary, apply, options)


def instead(reply: Reply) -> Apply:
    return lambda answer, options: reply


def _deliver(kind: DeliveryKind, seconds: float | None = None) -> Apply:
    return lambda answer, options: replace(
        answer, delivery=Delivery(kind, options.get("seconds", seconds))
    )


def _huge(answer: Reply, options: Options) -> Reply:
    padding = int(options.get("size_mb", 64) * 1_000_000)
    return replace(answer, delivery=Delivery("padded", padding_bytes=padding))


def _half_json(answer: Reply, options: Options) -> Reply:
    return replace(answer, raw=answer.body[: len(answer.body) // 2])


def too_many(reply: Reply) -> Apply:
    def apply(answer: Reply, options: Options) -> Reply:
        wait = options.get("retry_after", 1)
        return replace(reply, headers={} if wait is None else {"Retry-After": str(wait)})

    return apply


def _record(summary: str, change: on.Change, **options: TypeAdapter[Any]) -> Fault:
    places = {"period": PERIOD, "region": REGION}
    return Fault(summary, on.on_record(change), {**places, **options}, of_record=True)


def _region(summary: str, change: on.Change) -> Fault:
    places = {"period": PERIOD, "region": REGION}
    return Fault(summary, on.on_regions(change), places, of_record=True)


_BAD_DATE: Final = error(400, "Bad Request", "Please enter a valid date in ISO8601 format.")
_TOO_MANY: Final = error(429, "Too Many Requests", "The rate limit is exceeded.")
_NOT_FOUND: Final = error(404, "Not Found", "Nothing is found at this address.")
_BROKEN: Final = error(500, "Internal Server Error", "An error occurred, please try again later.")
_HTML: Final = Reply(
    200,
    document=None,
    raw=b"<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>",
    content_type="text/html; charset=utf-8",
)

OF_ANY_API: Final[Mapping[str, Fault]] = {
    "html": whole("status 200 with an HTML page", instead(_HTML)),
    "truncated": whole("closes halfway through the announced body", _deliver("cut")),
    "truncated_json": whole("half of the JSON, with its proper length", _half_json),
    "empty_object": whole("status 200 with {}", instead(Reply(200, {}))),
    "huge": whole("size_mb of blanks after the body, no length", _huge, size_mb=NUMBER),
    "slow": whole("drips the body over some seconds", _deliver("slow", 5), seconds=NUMBER),
    "hang": whole("never answers, or closes after seconds", _deliver("hang"), seconds=NUMBER),
    "reset": whole("breaks the connection at once", _deliver("reset")),
}
"""Faults of whole responses, whichever of the APIs answers."""

FAULTS: Final[Mapping[str, Fault]] = {
    "400": whole("status 400 with the API's error body", instead(_BAD_DATE)),
    "404": whole("status 404 with an error body", instead(_NOT_FOUND)),
    "429": whole("status 429 with Retry-After", too_many(_TOO_MANY), retry_after=RETRY_AFTER),
    "500": whole("status 500 with an error body", instead(_BROKEN)),
    **OF_ANY_API,
    "empty_list": whole('status 200 with {"data":[]}', instead(Reply(200, {"data": []}))),
    "nan": _record("a value is NaN", on.change_value(lambda old: math.nan)),
    "1e308": _record("a value is 1e308", on.change_value(lambda old: 1e308)),
    "string_value": _record("a number is sent as text", on.change_value(str)),
    "missing_field": _record("a value's field is absent", on.missing_field),
    "not_a_dict": _record("a record is a string", lambda record, _: ["not a record"]),
    "negative_share": _record(
        "wind has -5 percent", lambda record, _: on.share(record, "wind").update(perc=-5)
    ),
    "share_101": _record(
        "wind has 101 percent", lambda record, _: on.share(record, "wind").update(perc=101)
    ),
    "drop_fuels": _record("fuels are absent", on.drop_fuels, fuels=TEXTS),
    "tenth_fuel": _record(
        "an unknown fuel has 0.4 percent",
        lambda record, options: on.add_fuel(record, options.get("fuel", "tidal")),
        fuel=TEXT,
    ),
    "script_fuel": _record(
        "a fuel's name is a script",
        lambda record, _: on.add_fuel(record, "<script>alert(1)</script>"),
    ),
    "duplicate": _record("a record is sent twice", lambda record, _: [record, record]),
    "duplicate_conflict": _record("a record is sent twice, with other values", on.conflict),
    "off_grid": _record("a record is 17 minutes off the half-hour", on.off_grid),
    "no_zone": _record("a record's times have no Z", on.no_zone),
    "actual_null": _record(
        "an actual is null", lambda record, _: on.measured(record)["intensity"].update(actual=None)
    ),
    "actual_zero": _record(
        "an actual is 0", lambda record, _: on.measured(record)["intensity"].update(actual=0)
    ),
    "forecast_13579": _record(
        "a forecast is 13579", lambda record, _: record["intensity"].update(forecast=13579)
    ),
    "revision": _record(
        "actual + 3, or 0.6 percent from wind to other",
        lambda record, _: on.revise(on.measured(record)),
    ),
    "region_missing": _region("a region is absent", lambda region, _: []),
    "region_unknown": _region(
        "a nineteenth region is there",
        lambda region, _: [region, {**region, "regionid": 19, "shortname": "Orkney"}],
    ),
    "region_renamed": _region(
        "a region has another name", lambda region, _: region.update(shortname="Elsewhere")
    ),
    "region_no_mix": _region(
        "a region has no shares", lambda region, _: region.pop("generationmix") and None
    ),
    "region_actual": _region(
        "a region has an actual", lambda region, _: region["intensity"].update(actual=42)
    ),
}
"""Every fault of the Carbon Intensity API by name. Faults of records take the options `period` (a
`from` of the response) and `region`: then the record is that of the region with this number."""

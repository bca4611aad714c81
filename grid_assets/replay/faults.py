"""The table of faults the recorded API can be told to show, and faults of whole answers.

Belongs here: what each fault is called, does, may be told, and where it applies; all pure.
Does not belong here: which faults are active, or sockets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from grid_assets.halfhours import parse_api_time
from grid_assets.replay import record_faults as on
from grid_assets.replay.record_faults import Options, on_record
from grid_assets.replay.replies import Delivery, Endpoint, Reply, error

ANY: Final[frozenset[Endpoint]] = frozenset(
    {"intensity", "forecast", "generation", "factors", "unknown"}
)
RECORDS: Final[frozenset[Endpoint]] = frozenset({"intensity", "forecast", "generation"})
MIX: Final[frozenset[Endpoint]] = frozenset({"generation"})
MEASURED: Final[frozenset[Endpoint]] = frozenset({"intensity", "generation"})
INTENSITY: Final[frozenset[Endpoint]] = frozenset({"intensity"})
FORECASTS: Final[frozenset[Endpoint]] = frozenset({"intensity", "forecast"})


class BadControl(Exception):
    """A control request cannot be followed; the message is one sentence for its sender."""


Option = Callable[[str, Any], None]
"""Raises `BadControl` for a value of the named option that cannot be used."""


@dataclass(frozen=True)
class Fault:
    """`apply` gives the spoilt answer, or the very same object where there is nothing to spoil.

    Faults of records (`of_record`) add up; of the faults of whole answers the first one wins.
    """

    summary: str
    endpoints: frozenset[Endpoint]
    apply: Callable[[Reply, Options], Reply]
    options: Mapping[str, Option] = field(default_factory=dict)
    of_record: bool = False

    def check(self, options: Options) -> None:
        """Raises `BadControl` for an option that is unknown or has an unusable value."""
        for name, value in options.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise BadControl(f"The option {name!r} is unknown; this fault has: {known}.")
            self.options[name](name, value)


def _positive(name: str, value: Any) -> None:
    # A day of seconds is more than any test needs; infinity would never end.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 < value <= 86_400:
        raise BadControl(f"{name!r} must be a number above 0 and up to 86400.")


def _period(name: str, value: Any) -> None:
    try:
        parse_api_time(value)
    except ValueError as reason:
        raise BadControl(f"{name!r} cannot be used: {reason}.") from None


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadControl(f"{name!r} must be a text.")


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadControl(f"{name!r} must be a list of texts.")


def _retry_after(name: str, value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    header = isinstance(value, str) and value.isascii() and value.isprintable()
    if value is not None and not whole and not header:
        raise BadControl(f"{name!r} must be whole seconds, an HTTP date or null.")


def _too_many(answer: Reply, options: Options) -> Reply:
    refusal = error(429, "Too Many Requests", "The rate limit is exceeded.")
    wait = options.get("retry_after", 1)
    return refusal if wait is None else replace(refusal, headers={"Retry-After": str(wait)})


def _html(answer: Reply, options: Options) -> Reply:
    page = b"<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>"
    return replace(answer, status=200, raw=page, content_type="text/html; charset=utf-8")


def _half_json(answer: Reply, options: Options) -> Reply:
    return replace(answer, raw=answer.body[: len(answer.body) // 2])


def _deliver(kind: str, default_seconds: float | None = None) -> Callable[..., Reply]:
    def apply(answer: Reply, options: Options) -> Reply:
        seconds = options.get("seconds", default_seconds)
        return replace(answer, delivery=Delivery(cast(Any, kind), seconds))

    return apply


def _huge(answer: Reply, options: Options) -> Reply:
    padding = int(options.get("size_mb", 64) * 1_000_000)
    return replace(answer, delivery=Delivery("padded", padding_bytes=padding))


def _instead(spoilt: Reply) -> Callable[[Reply, Options], Reply]:
    return lambda answer, options: spoilt


def _whole(summary: str, apply: Callable[[Reply, Options], Reply], **options: Option) -> Fault:
    return Fault(summary, ANY, apply, options)


def _record(
    summary: str,
    endpoints: frozenset[Endpoint],
    change: on.Change,
    suits: Callable[[on.Record], bool] = lambda record: True,
    **options: Option,
) -> Fault:
    apply = on_record(change, suits)
    return Fault(summary, endpoints, apply, {"period": _period, **options}, of_record=True)


_BAD_DATE: Final = error(400, "Bad Request", "Please enter a valid date in ISO8601 format.")
_NOT_FOUND: Final = error(404, "Not Found", "Nothing is found at this address.")
_BROKEN: Final = error(500, "Internal Server Error", "An error occurred, please try again later.")

FAULTS: Final[Mapping[str, Fault]] = {
    "400": _whole("status 400 with the API's error body", _instead(_BAD_DATE)),
    "404": _whole("status 404 with an error body", _instead(_NOT_FOUND)),
    "429": _whole("status 429 with Retry-After", _too_many, retry_after=_retry_after),
    "500": _whole("status 500 with an error body", _instead(_BROKEN)),
    "html": _whole("status 200 with an HTML page", _html),
    "truncated": _whole("closes half way through the announced body", _deliver("cut")),
    "truncated_json": _whole("half of the JSON, with its proper length", _half_json),
    "empty_object": _whole("status 200 with {}", _instead(Reply(200, {}))),
    "empty_list": _whole('status 200 with {"data":[]}', _instead(Reply(200, {"data": []}))),
    "huge": _whole("size_mb of blanks after the body, no length", _huge, size_mb=_positive),
    "slow": _whole("drips the body over some seconds", _deliver("slow", 5), seconds=_positive),
    "hang": _whole("never answers, or closes after seconds", _deliver("hang"), seconds=_positive),
    "reset": _whole("breaks the connection at once", _deliver("reset")),
    "nan": _record("a value is NaN", RECORDS, on.put(lambda old: math.nan)),
    "1e308": _record("a value is 1e308", RECORDS, on.put(lambda old: 1e308)),
    "string_value": _record("a number comes as a text", RECORDS, on.put(str)),
    "missing_field": _record("a value's field is absent", RECORDS, on.missing_field),
    "not_a_dict": _record("a record is a text", RECORDS, on.not_a_dict),
    "negative_share": _record("wind has -5 percent", MIX, on.put(lambda old: -5)),
    "share_101": _record("wind has 101 percent", MIX, on.put(lambda old: 101)),
    "drop_fuels": _record("fuels are absent", MIX, on.drop_fuels, fuels=_texts),
    "tenth_fuel": _record("an unknown fuel has 0.4 percent", MIX, on.tenth_fuel, fuel=_text),
    "script_fuel": _record("a fuel's name is a script", MIX, on.script_fuel),
    "duplicate": _record("a record comes twice", RECORDS, on.duplicate),
    "duplicate_conflict": _record(
        "a record comes twice, with other values", RECORDS, on.duplicate_conflict
    ),
    "off_grid": _record("a record is 17 minutes off the half-hour", RECORDS, on.off_grid),
    "no_zone": _record("a record's times have no Z", RECORDS, on.no_zone),
    "actual_null": _record(
        "an actual is null", INTENSITY, on.put_intensity("actual", None), on.has_actual
    ),
    "actual_zero": _record(
        "an actual is 0", INTENSITY, on.put_intensity("actual", 0), on.has_actual
    ),
    "forecast_13579": _record(
        "a forecast is 13579", FORECASTS, on.put_intensity("forecast", 13579)
    ),
    "revision": _record(
        "actual + 3, or 0.6 percent from wind to other", MEASURED, on.revision, on.has_actual
    ),
}
"""Every fault by its name. Faults of records take the option `period` (a `from` of the answer)."""

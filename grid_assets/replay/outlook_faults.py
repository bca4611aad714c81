"""The faults that the recorded Elexon and portal APIs can inject, by source and name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from grid_assets.replay import faulty_rows as rows
from grid_assets.replay.elexon import problem
from grid_assets.replay.faults import (
    FAULTS,
    OF_ANY_API,
    PERIOD,
    RETRY_AFTER,
    TEXT,
    Fault,
    instead,
    too_many,
    whole,
)
from grid_assets.replay.faulty_rows import Options, Row
from grid_assets.replay.replies import Reply
from grid_assets.replay.routes import Source

DAYS: Final = TypeAdapter[Any](Annotated[int, Field(strict=True, ge=1, le=3650)])
PERIODS: Final = TypeAdapter[Any](Literal[46, 50])

ABSURD_MW: Final = 1_000_000
"""Some thirty times what Great Britain uses."""


def _row(summary: str, change: rows.Change) -> Fault:
    return Fault(summary, rows.on_row(change), {"period": PERIOD}, of_record=True)


def _publication(summary: str, change: rows.ChangeAll, **options: TypeAdapter[Any]) -> Fault:
    return Fault(summary, rows.on_publication(change), options, of_record=True)


def _columns(summary: str, rename: Callable[[str], str]) -> Fault:
    return Fault(summary, rows.on_columns(rename), of_record=True)


def _older(answer: Reply, options: Options) -> Reply:
    """A publication time of the day before: in the rows, or in a resource's description."""
    result = answer.document.get("result") if isinstance(answer.document, dict) else None
    if not isinstance(result, dict) or "records" in result:
        return rows.on_publication(rows.older)(answer, options)
    resources = [_modified_earlier(resource) for resource in result.get("resources", ())]
    result = {**_modified_earlier(result), **({"resources": resources} if resources else {})}
    return replace(answer, document={**answer.document, "result": result})


def _modified_earlier(description: Row) -> Row:
    modified = description.get("last_modified")
    return {**description, "last_modified": rows.earlier(modified, 1)} if modified else description


def _empty_datastore(answer: Reply, options: Options) -> Reply:
    """No records from the datastore, while the resource's CSV is whole."""
    if not isinstance(answer.document, dict) or not rows.rows_of(answer):
        return answer
    return rows.with_rows(answer, [])


OF_ROWS: Final[Mapping[str, Fault]] = {
    "nan": _row("a value is NaN", rows.change_value(lambda old: math.nan)),
    "null_value": _row("a value is null", rows.change_value(lambda old: None)),
    "string_value": _row("a number is sent as text", rows.change_value(str)),
    "negative": _row("a value is -500 MW", rows.change_value(lambda old: -500)),
    "absurd": _row("a value is 1,000,000 MW", rows.change_value(lambda old: ABSURD_MW)),
    "missing_field": _row("a value's field is absent", rows.missing_field),
    "not_a_dict": _row("a row is a string", lambda row, _: ["not a row"]),
    "duplicate": _row("a row is sent twice", lambda row, _: [row, row]),
    "duplicate_conflict": _row("a row is sent twice, with other values", rows.conflict),
    "off_grid": _row("a row is 17 minutes off its time", rows.off_grid),
    "zeros": _publication("all values are 0", rows.change_values(lambda old: 0)),
    "halved": _publication("all values are half", rows.change_values(lambda old: old // 2)),
    "gigawatts": _publication("values are in GW", rows.change_values(lambda old: old / 1000)),
    "holes": _publication("every third row is absent", rows.holes),
    "overlap": _publication("rows come again, half their length later", rows.overlap),
    "older": Fault("published a day before its own time", _older, of_record=True),
    "wrong_window": _publication("all dates are `days` (7) earlier", rows.wrong_window, days=DAYS),
    "renamed": _columns("columns of values have other names", rows.renamed),
    "recased": _columns("column names swap their case", str.swapcase),
    "series_ends": _publication("a fuel or column has no values", rows.series_ends, series=TEXT),
    "periods": _publication(
        "settlement periods as on a day of 46 or 50", rows.relabelled_periods, periods=PERIODS
    ),
}

_ELEXON_TOO_MANY: Final = {"statusCode": 429, "message": "Rate limit is exceeded."}
_ELEXON_BROKEN: Final = {"statusCode": 500, "message": "Internal server error"}
_ELEXON_MISSING: Final = {"statusCode": 404, "message": "Resource not found"}
_RANGE: Final = problem(
    "The date range between PublishDateTimeFrom and PublishDateTimeTo inclusive must not exceed "
    "1 day"
)


def _failed(kind: str, message: str) -> dict[str, Any]:
    help_text = "/api/3/action/help_show?name=datastore_search"
    return {"help": help_text, "success": False, "error": {"message": message, "__type": kind}}


_HTML_ERROR: Final = Reply(
    500,
    document=None,
    raw=b"<!DOCTYPE html><html><body><h1>Internal Server Error</h1></body></html>",
    content_type="text/html; charset=utf-8",
)

ELEXON_FAULTS: Final[Mapping[str, Fault]] = {
    "400": whole("status 400: the range is too long", instead(_RANGE)),
    "404": whole("status 404 with an error body", instead(Reply(404, _ELEXON_MISSING))),
    "429": whole(
        "status 429 with Retry-After",
        too_many(Reply(429, _ELEXON_TOO_MANY)),
        retry_after=RETRY_AFTER,
    ),
    "500": whole("status 500 with an error body", instead(Reply(500, _ELEXON_BROKEN))),
    **OF_ANY_API,
    "empty_list": FAULTS["empty_list"],
    **OF_ROWS,
    "no_zone": _row("a row's time has no Z", rows.no_zone),
}

NESO_PORTAL_FAULTS: Final[Mapping[str, Fault]] = {
    "400": whole("status 400 with a bare JSON string", instead(Reply(400, "Bad request"))),
    "404": whole(
        "status 404 with an error body",
        instead(Reply(404, _failed("Not Found Error", "Not found"))),
    ),
    "409": whole(
        "status 409: the query is not valid",
        instead(Reply(409, _failed("Validation Error", "invalid"))),
    ),
    "429": whole(
        "status 429 with Retry-After",
        too_many(Reply(429, _failed("Rate Limit Error", "Too many requests"))),
        retry_after=RETRY_AFTER,
    ),
    "500": whole("status 500 with an HTML page", instead(_HTML_ERROR)),
    **OF_ANY_API,
    "success_false": whole(
        "status 200 with success: false",
        instead(Reply(200, _failed("Internal Server Error", "The datastore is not available"))),
    ),
    "empty_datastore": Fault(
        "the datastore is empty, the CSV whole", _empty_datastore, of_record=True
    ),
    **OF_ROWS,
}

FAULTS_OF: Final[Mapping[Source, Mapping[str, Fault]]] = {
    "carbon_intensity": FAULTS,
    "elexon": ELEXON_FAULTS,
    "neso_portal": NESO_PORTAL_FAULTS,
}
"""Every fault by source and name. Faults of one row take the option `period`, the half-hour's start
(of Elexon's rows, their `startTime`); the others change the newest publication of a response."""

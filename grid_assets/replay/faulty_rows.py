"""Faults in the rows of Elexon's and the portal's answers: values, labels and columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from grid_assets.halfhours import HALF_HOUR, parse_api_time
from grid_assets.replay.replies import Reply
from grid_assets.replay.settlement import period_start

Row = dict[str, Any]
Options = Mapping[str, Any]
Change = Callable[[Row, Options], list[Any] | None]
"""Changes a private copy of a row, or returns the rows that replace it."""
ChangeAll = Callable[[list[Row], Options], list[Any] | None]
"""Changes private copies of all rows, or returns those that replace them."""

DOES_NOT_APPLY: Final = (LookupError, TypeError, ValueError)
"""Raised by a change to something that the rows do not have."""

VALUES: Final = (
    "generation",
    "demand",
    "EMBEDDED_SOLAR_FORECAST",
    "EMBEDDED_WIND_FORECAST",
    "Incentive_forecast",
    "NATIONALDEMAND",
    "EMBEDDED_SOLAR_GENERATION",
    "EMBEDDED_WIND_GENERATION",
)
"""Columns in MW that the faults change: all of a row's for a publication, else the first one."""

PUBLISHED: Final = ("publishTime", "Forecast_Datetime")
STARTS: Final = ("startTime", "Datetime_GMT", "GDATETIME", "TIME_GMT")
PERIODS: Final = ("settlementPeriod", "SETTLEMENT_PERIOD", "Settlement_period")
"""Names of a column with one meaning, in the answers that have it."""

TIME_OF_DAY: Final = re.compile(r"\d\d:\d\d")
ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def rows_of(answer: Reply) -> list[Any]:
    """The rows of an answer of either API; empty if it has none."""
    document = answer.document if answer.status == 200 else None
    if isinstance(document, dict):
        result = document.get("result")
        document = result.get("records") if isinstance(result, dict) else document.get("data")
    return document if isinstance(document, list) else []


def with_rows(answer: Reply, rows: list[Any]) -> Reply:
    document = answer.document
    if isinstance(document, list):
        return replace(answer, document=rows)
    if "result" not in document:
        return replace(answer, document={**document, "data": rows})
    result = {**document["result"], "records": rows}
    if "total" in result:
        result["total"] += len(rows) - len(rows_of(answer))
    return replace(answer, document={**document, "result": result})


def on_row(change: Change) -> Callable[[Reply, Options], Reply]:
    """A fault of the row of option `period`, or else of the last one that it applies to."""

    def apply(answer: Reply, options: Options) -> Reply:
        rows = list(rows_of(answer))
        period = parse_api_time(options["period"]) if "period" in options else None
        for index, row in reversed(list(enumerate(rows))):
            copy = deepcopy(row)
            try:
                if period and start_of(row) != period:
                    continue
                replacement = change(copy, options)
            except DOES_NOT_APPLY:
                continue
            rows[index : index + 1] = [copy] if replacement is None else replacement
            return with_rows(answer, rows)
        return answer

    return apply


def on_publication(change: ChangeAll) -> Callable[[Reply, Options], Reply]:
    """A fault of all rows of the newest publication in an answer."""

    def apply(answer: Reply, options: Options) -> Reply:
        rows = rows_of(answer)
        if not rows:
            return answer
        try:
            stamp = next((name for name in PUBLISHED if name in rows[0]), None)
            newest = max(row[stamp] for row in rows) if stamp else None
            concerned = [deepcopy(row) for row in rows if not stamp or row[stamp] == newest]
            others = [row for row in rows if stamp and row[stamp] != newest]
            changed = change(concerned, options)
        except DOES_NOT_APPLY:
            return answer
        concerned = concerned if changed is None else changed
        newest_last = bool(others) and others[0] is rows[0]
        whole = others + concerned if newest_last else concerned + others
        return answer if whole == rows else with_rows(answer, whole)

    return apply


def on_columns(rename: Callable[[str], str]) -> Callable[[Reply, Options], Reply]:
    """A fault of the names of columns: in every row, and in the portal's list of fields."""

    def apply(answer: Reply, options: Options) -> Reply:
        rows = rows_of(answer)
        if not any(isinstance(row, dict) for row in rows):
            return answer
        changed = [
            {rename(name): value for name, value in row.items()} if isinstance(row, dict) else row
            for row in rows
        ]
        answer = with_rows(answer, changed)
        result = answer.document.get("result") if isinstance(answer.document, dict) else None
        if not result or "fields" not in result:
            return answer
        fields = [{**field, "id": rename(field["id"])} for field in result["fields"]]
        return replace(answer, document={**answer.document, "result": {**result, "fields": fields}})

    return apply


def start_of(row: Row) -> datetime:
    """The start of a row's half-hour (Elexon's own `startTime`), whatever its label means."""
    if "startTime" in row:
        return parse_api_time(row["startTime"])
    if "Datetime_GMT" in row:
        return datetime.fromisoformat(row["Datetime_GMT"]).replace(tzinfo=UTC)
    if "GDATETIME" in row:
        return datetime.fromisoformat(row["GDATETIME"]).replace(tzinfo=UTC) - HALF_HOUR
    day = date.fromisoformat(row["SETTLEMENT_DATE"][:10])
    return period_start(day, row["SETTLEMENT_PERIOD"])


def change_value(new: Callable[[Any], Any]) -> Change:
    """Change the first value of a row, unless it is null."""

    def change(row: Row, options: Options) -> None:
        column = _values(row)[0]
        if row[column] is None:
            raise ValueError("there is no value to change")
        row[column] = new(row[column])

    return change


def change_values(new: Callable[[Any], Any]) -> ChangeAll:
    """Change every value of a publication."""

    def change(rows: list[Row], options: Options) -> None:
        for row in rows:
            for column in _values(row):
                row[column] = None if row[column] is None else new(row[column])

    return change


def missing_field(row: Row, options: Options) -> None:
    del row[_values(row)[0]]


def conflict(row: Row, options: Options) -> list[Any]:
    revised = deepcopy(row)
    revised[_values(row)[0]] += 100
    return [row, revised]


def no_zone(row: Row, options: Options) -> None:
    row["startTime"] = row["startTime"].removesuffix("Z")


def off_grid(row: Row, options: Options) -> None:
    _move_start(row, timedelta(minutes=17))


def holes(rows: list[Row], options: Options) -> list[Any]:
    """Every third row is absent, but never all of them."""
    return [row for at, row in enumerate(rows) if at % 3 != 1]


def overlap(rows: list[Row], options: Options) -> list[Any]:
    """Each row comes again, half of its own length later and 100 MW higher. Rows that have no start
    but a settlement period stay as they are."""
    if _start_of(rows[0]) is None:
        return rows
    hourly = rows[0].get("dataset") == "WINDFOR"
    again = deepcopy(rows)
    for row in again:
        _move_start(row, timedelta(minutes=30 if hourly else 15))
        for column in _values(row):
            row[column] += 100
    return rows + again


def older(rows: list[Row], options: Options) -> None:
    """The publication's time is a day before its own."""
    for row in rows:
        [column] = [name for name in PUBLISHED if name in row]
        row[column] = earlier(row[column], 1)


def wrong_window(rows: list[Row], options: Options) -> None:
    """Every day in the rows is some days earlier, as if other dates had been asked for."""
    for row in rows:
        for column, value in row.items():
            if isinstance(value, str) and ISO_DAY.match(value):
                row[column] = earlier(value, int(options.get("days", 7)))


def renamed(column: str) -> str:
    """Another name for a column with values."""
    return f"{column}_MW" if column in VALUES else column


def series_ends(rows: list[Row], options: Options) -> list[Any]:
    """A fuel's rows are absent, or a column is null; a dataset of one series is empty."""
    if "fuelType" in rows[0]:
        ended = options.get("series", "WIND")
        return [row for row in rows if row["fuelType"] != ended]
    if "dataset" in rows[0]:
        return []
    column = options.get("series") or _values(rows[0])[0]
    return [{**row, column: None} for row in rows]


def relabelled_periods(rows: list[Row], options: Options) -> None:
    """Periods from 3 on are numbered as on a day of 46 or 50 half-hours, while times are not."""
    by = 2 if options.get("periods", 50) == 50 else -2
    for row in rows:
        [column] = [name for name in PERIODS if name in row]
        if row[column] > 2:
            row[column] += by


def _values(row: Row) -> list[str]:
    return [name for name in VALUES if name in row]


def _start_of(row: Row) -> str | None:
    """The column with the start of a row."""
    return next((name for name in STARTS if name in row), None)


def _move_start(row: Row, by: timedelta) -> None:
    column = _start_of(row)
    if column is None:  # it has a settlement period only
        return
    text = row[column]
    if TIME_OF_DAY.fullmatch(text):
        row[column] = f"{datetime.strptime(text, '%H:%M').replace(tzinfo=UTC) + by:%H:%M}"
        return
    zone = "Z" if text.endswith("Z") else ""
    row[column] = f"{datetime.fromisoformat(text) + by:%Y-%m-%dT%H:%M:%S}{zone}"


def earlier(text: str, days: int) -> str:
    """A text that begins with a day, with that day moved back."""
    return f"{date.fromisoformat(text[:10]) - timedelta(days=days)}{text[10:]}"

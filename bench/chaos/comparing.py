"""What a warehouse holds after a schedule, and how it differs from the fault-free run.

Decision 0057 explains which differences are right. Times of capture and creation, arrivals and ids
are left out everywhere: they say when a row came, not what it says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any, Final

from psycopg import sql

from bench.sandbox import bench_sql
from grid_assets.forecasting import scoring
from grid_assets.halfhours import DAY, Window, day_start
from grid_assets.warehouse.connection import Connection

Rows = list[tuple[Any, ...]]

LOGS: Final = {
    "raw.intensity": ("period_start", "arrival", ("captured_at", "arrival")),
    "raw.generation": ("period_start", "arrival", ("captured_at", "arrival")),
    "raw.elexon_generation": ("period_start", "arrival", ("captured_at", "arrival")),
    "raw.embedded_generation": ("period_start", "arrival", ("captured_at", "arrival")),
}
"""Change logs: the key, the order in which values came, and the columns left out."""

SAME: Final = {
    "core.intensity": ("captured_at",),
    "core.generation_mix": ("captured_at",),
    "core.generation_mw": ("captured_at", "embedded_known_by"),
}
"""Tables whose rows must be those of the fault-free run, and the columns left out."""

OF_OUTLOOK: Final = ("raw.elexon_generation", "raw.embedded_generation", "core.generation_mw")
"""What depends on how often Elexon and the portal were asked: their data sets take turns, and each
says something else by the minute. With the outlook, only what both runs hold is compared."""

WINDOW_DAYS: Final = 10


@dataclass(frozen=True)
class State:
    """The contents of a warehouse, as far as they are compared."""

    logs: dict[str, dict[str, list[str]]]
    """By table and key, the values in the order in which they came."""
    same: dict[str, Counter[str]]
    publications: dict[str, list[str]]
    """By source, series and time of publication."""
    vintages: list[str]
    final: dict[str, Rows]
    """By model, the forecast with the newest issue time that is not later than the next."""
    others: list[str]
    """Broken rules that hold for every warehouse, fault-free or not."""
    relations: frozenset[str]


def read(
    connection: Connection, now: datetime, *, bad_records: bool = False, wrong_clock: bool = False
) -> State:
    """Read everything that is compared; `now` is the right time."""
    logs = {}
    for table, (key, order, left_out) in LOGS.items():
        rows = _rows(connection, table, (*left_out, key), first=key, order=f"{key}, {order}")
        logs[table] = {
            name: [value for _, value in some] for name, some in groupby(rows, lambda row: row[0])
        }
    same = {
        table: Counter(value for _, value in _rows(connection, table, left_out))
        for table, left_out in SAME.items()
    }
    publications: dict[str, list[str]] = {}
    for key, value in connection.execute(bench_sql("chaos_publications")).fetchall():
        publications.setdefault(key, []).append(value)
    vintages = [
        value
        for _, value in _rows(
            connection, "raw.neso_vintages", ("issued_at", "part"), order="issued_at"
        )
    ]
    return State(
        logs,
        same,
        publications,
        vintages,
        _final(connection, now),
        list(_broken_rules(connection, now, bad_records, wrong_clock)),
        frozenset(name for (name,) in connection.execute(bench_sql("chaos_relations")).fetchall()),
    )


def differences(
    found: State,
    expected: State,
    *,
    two_writers: bool = False,
    outlook: bool = False,
    wrong_clock: bool = False,
    bad_records: bool = False,
) -> Iterator[str]:
    """What is lost, doubled or invented beside the fault-free run.

    With `two_writers`, an older answer may have come last for a while. With the `outlook`, its own
    tables and the forecasts from it differ. With a `wrong_clock`, a value that is stamped later
    than now is added again once the clock is right, and a forecast of NESO's is captured that no
    other run asks for. With `bad_records`, one of NESO's lacks those, and
    a half-hour may have had a value that lacks a field.
    """
    yield from found.others
    for table, wanted in expected.logs.items():
        held = found.logs[table]
        if held.keys() != wanted.keys() and not (outlook and table in OF_OUTLOOK):
            yield f"{table}: half-hours {sorted(held.keys() ^ wanted.keys())[:3]} differ"
        for key in held.keys() & wanted.keys():
            name = f"{table} {key}"
            values = [value for value, _ in groupby(held[key])]
            if values != held[key] and not wrong_clock:
                yield f"{name}: the same value twice in a row"
            yield from _log_differences(name, values, wanted[key], two_writers, bad_records)
    for table, rows in expected.same.items():
        if outlook and table in OF_OUTLOOK:
            continue
        lost, more = rows - found.same[table], found.same[table] - rows
        if lost:
            yield f"{table}: lost {lost.total()} rows, such as {next(iter(lost))}"
        if more:
            yield f"{table}: {more.total()} rows too many, such as {next(iter(more))}"
    for key, values in found.publications.items():
        if len(values) > 1 or expected.publications.get(key, values) != values:
            yield f"raw.outlook_publications: {key} is doubled, or another than was published"
    if not wrong_clock and found.vintages[-1:] != expected.vintages[-1:]:
        yield "raw.neso_vintages: the newest differs"
    invented_vintages = set(found.vintages) - set(expected.vintages)
    if invented_vintages and not (wrong_clock or bad_records):
        yield f"raw.neso_vintages: {len(invented_vintages)} invented"
    is_repeated = any(one == other for one, other in pairwise(found.vintages))
    if is_repeated and not (two_writers or wrong_clock):
        yield "raw.neso_vintages: a vintage is there twice"
    if found.final.keys() != expected.final.keys():
        yield f"models of the final forecast: {found.final.keys() ^ expected.final.keys()} differ"
    for model in found.final.keys() & expected.final.keys():
        if not outlook and found.final[model] != expected.final[model]:
            yield _forecast_difference(model, found.final[model], expected.final[model])
    if found.relations != expected.relations:
        yield f"relations: {sorted(found.relations ^ expected.relations)} differ"


def _log_differences(
    name: str, held: Sequence[str], wanted: Sequence[str], two_writers: bool, bad_records: bool
) -> Iterator[str]:
    if held[-1] != wanted[-1]:
        yield f"{name}: the newest value is {held[-1]}, not {wanted[-1]}"
    unknown = set(held) - set(wanted)
    if bad_records and unknown:
        return  # a record without a field was published by the API that had the fault
    if unknown:
        yield f"{name}: {sorted(unknown)[0]} was never published"
    elif not two_writers and not _is_within(held, wanted):
        yield f"{name}: {len(held)} values are not in the order of the {len(wanted)} published"


def _is_within(some: Sequence[str], all_: Sequence[str]) -> bool:
    rest = iter(all_)
    return all(one in rest for one in some)


def _forecast_difference(model: str, found: Rows, expected: Rows) -> str:
    other = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
    shown = f"{other[0][0]}, not {other[0][1]}" if other else f"{len(found)} rows"
    return f"forecast by {model}: {len(other)} of {len(expected)} rows differ, such as {shown}"


def _rows(
    connection: Connection,
    table: str,
    left_out: Sequence[str],
    first: str | None = None,
    order: str | None = None,
) -> list[tuple[str, str]]:
    """A key and the other columns of each row as text."""
    named = sql.Identifier(*table.split("."))
    text = sql.SQL("SELECT {}, (to_jsonb(one) - %s::text[])::text FROM {} AS one").format(
        sql.SQL("{}::text").format(sql.Identifier(first)) if first else sql.Literal(""), named
    )
    if order:
        columns = map(sql.Identifier, order.split(", "))
        text = sql.SQL("{} ORDER BY {}").format(text, sql.SQL(", ").join(columns))
    return connection.execute(text, [list(left_out)]).fetchall()


def _final(connection: Connection, now: datetime) -> dict[str, Rows]:
    rows = connection.execute(bench_sql("chaos_final"), {"now": now}).fetchall()
    return {model: [row[1:] for row in some] for model, some in groupby(rows, lambda row: row[0])}


def _broken_rules(
    connection: Connection, now: datetime, bad_records: bool, wrong_clock: bool
) -> Iterator[str]:
    values = {"now": now, "bad_records": bad_records, "wrong_clock": wrong_clock}
    for rule, example in connection.execute(bench_sql("chaos_rules"), values).fetchall():
        yield f"{rule}: {json.dumps(example, default=str)[:300]}"
    today = day_start(now.date())
    days = Window(today - WINDOW_DAYS * DAY, today + 3 * DAY)
    with connection.transaction(force_rollback=True):
        scored = scoring.score(connection, days, None)
        if scored.written or scored.valued:
            yield f"forecast.accuracy: not that of the stored forecasts: {scored}"

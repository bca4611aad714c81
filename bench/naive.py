"""The naive design beside ours: the same rows in tables with serial ids, obvious views, its times.

Belongs here: copying our rows there, and asking both designs the same so that their answers can be
compared. Does not belong here: the naive views themselves (`bench/sql/naive.sql`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from bench.questions import QUESTIONS, Question
from bench.results import BenchError
from bench.serving_data import bench_statement
from grid_assets.warehouse.connection import Connection, connect

TABLES: Final = {
    "raw.intensity": "published_intensity",
    "raw.generation": "published_generation",
    "core.intensity": "intensity",
    "core.generation_mix": "generation_mix",
    "forecast.issues": "issues",
    "forecast.predictions": "predictions",
}
"""Ours, and the table in schema `naive` that has the same columns and rows."""

MOST_REPEATS: Final = 3
REPEATED_WITHIN_S: Final = 10
"""No query is asked again that has taken so long in all: it is told, it need not be precise."""

SAME: Final = Decimal("0.001")
"""A score is stored with three decimals, so a mean of scores may be half of the last one off."""


def copy_to_naive(url: SecretStr) -> None:
    """Make schema `naive` from what our tables hold now."""
    with connect(url) as connection, connection.transaction():
        connection.execute("CREATE SCHEMA naive")
        for ours, name in TABLES.items():
            source, table = sql.Identifier(*ours.split(".")), sql.Identifier("naive", name)
            columns = sql.SQL(", ").join(map(sql.Identifier, _columns(connection, ours)))
            connection.execute(
                sql.SQL("CREATE TABLE {} (id bigserial PRIMARY KEY, LIKE {})").format(table, source)
            )
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
                    table, columns, columns, source
                )
            )
        connection.execute(bench_statement("naive"))
    with connect(url) as connection:
        for name in TABLES.values():
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier("naive", name)))


def naive_times(
    url: SecretStr, model: str, timeout_s: float, say: Callable[[str], None]
) -> dict[str, float | None]:
    """Median milliseconds of each question, asked alone; None where it takes over `timeout_s`.

    Raises `BenchError` where the naive answer is not ours.
    """
    times: dict[str, float | None] = {}
    for question in QUESTIONS:
        took = times[question.name] = _naive_time(url, question, model, timeout_s)
        told = f"over {timeout_s:g} s" if took is None else f"{took:,.0f} ms"
        say(f"naive, {question.name}: {told}")
    return times


def _naive_time(url: SecretStr, question: Question, model: str, timeout_s: float) -> float | None:
    seconds: list[float] = []
    while len(seconds) < MOST_REPEATS and sum(seconds) < REPEATED_WITHIN_S:
        # one transaction, so that now() is the same in both
        with connect(url) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            ours = _rows(connection, question.of_ours(model))
            connection.execute(
                sql.SQL("SET LOCAL statement_timeout = {}").format(round(timeout_s * 1000))
            )
            started = time.monotonic()
            try:
                naive = _rows(connection, question.of_naive(model))
            except psycopg.errors.QueryCanceled:
                return None
            seconds.append(time.monotonic() - started)
        if not same(ours, naive):
            raise BenchError(
                f"{question.name}: the naive design has {len(naive)} rows, ours {len(ours)}, "
                "and they are not the same"
            )
    return median(seconds) * 1000


def same(ours: list[tuple[Any, ...]], naive: list[tuple[Any, ...]]) -> bool:
    """Whether both have the same rows, in any order; means may differ by `SAME`."""
    if Counter(ours) == Counter(naive):
        return True
    one, other = (sorted(rows, key=repr) for rows in (ours, naive))
    return len(one) == len(other) and all(
        _equal(a, b)
        for row, twin in zip(one, other, strict=True)
        for a, b in zip(row, twin, strict=True)
    )


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return abs(one - other) <= SAME
    return bool(one == other)


def _rows(connection: Connection, text: str) -> list[tuple[Any, ...]]:
    return connection.execute(text.encode()).fetchall()


def _columns(connection: Connection, relation: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        [relation],
    ).fetchall()
    return [name for (name,) in rows]

"""The naive design beside ours: the same rows in tables with serial ids, and obvious views.

Both get the same questions in one transaction, and any difference between the answers is an error.
So the benchmark also shows that our views are right.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from math import inf
from statistics import median
from typing import Any, Final

import psycopg
from pydantic import SecretStr

from bench.readers import questions
from bench.results import BenchError
from bench.sandbox import bench_sql
from grid_assets.warehouse.connection import connect

LOG = logging.getLogger(__name__)
MOST_REPEATS: Final = 3
REPEATED_WITHIN_S: Final = 10  # after this long, precision does not matter
SAME: Final = Decimal("0.001")  # scores have three decimals: a mean may be off by half of the last


def copy_to_naive(url: SecretStr) -> None:
    """Make schema `naive` from the present contents of our tables."""
    with connect(url) as connection:
        connection.execute(bench_sql("naive"))
        connection.execute("VACUUM (ANALYZE)")


def naive_times(url: SecretStr, timeout_s: float) -> dict[str, float]:
    """Median milliseconds of each question, asked alone; infinite if it takes too long.

    Raises `BenchError` if the naive answer differs from ours, or if both are empty.
    """
    ours, naive = questions("reporting"), questions("naive")
    times = {name: _time(url, name, ours[name], naive[name], timeout_s) for name in ours}
    LOG.info(f"naive, ms: {times}")
    return times


def _time(url: SecretStr, name: str, ours: str, naive: str, timeout_s: float) -> float:
    limit = f"{timeout_s * 1000:.0f}"
    seconds: list[float] = []
    while len(seconds) < MOST_REPEATS and sum(seconds) < REPEATED_WITHIN_S:
        # one transaction, so that now() is the same in both
        with connect(url) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            expected = connection.execute(ours.encode()).fetchall()
            connection.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
            started = time.monotonic()
            try:
                found = connection.execute(naive.encode()).fetchall()
            except psycopg.errors.QueryCanceled:
                return inf
            seconds.append(time.monotonic() - started)
        if not expected:
            raise BenchError(f"{name} has no rows")
        if not same(expected, found):
            counts = f"the naive design has {len(found)} rows, ours {len(expected)}"
            first = f"such as {difference(expected, found)}"
            raise BenchError(f"{name}: {counts}, and they are not the same, {first}")
    return median(seconds) * 1000


def difference(
    ours: Sequence[tuple[Any, ...]], naive: Sequence[tuple[Any, ...]]
) -> tuple[tuple[Any, ...] | None, ...]:
    """The first row of ours and of the naive design that differ."""
    pairs = zip_longest(sorted(ours, key=repr), sorted(naive, key=repr))
    return next(pair for pair in pairs if None in pair or not same([pair[0]], [pair[1]]))


def same(ours: Sequence[tuple[Any, ...]], naive: Sequence[tuple[Any, ...]]) -> bool:
    """Whether both have the same rows, in any order; decimals may differ by `SAME`."""

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, Decimal) and isinstance(other, Decimal):
            return abs(one - other) <= SAME
        return bool(one == other)

    if len(ours) != len(naive):
        return False
    pairs = zip(sorted(ours, key=repr), sorted(naive, key=repr), strict=True)
    return all(all(map(equal, *pair)) for pair in pairs)

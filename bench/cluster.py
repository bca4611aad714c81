"""How much faster are two workers than one, and do a cluster's tables differ from one machine's?

Machines made of namespaces: PostgreSQL, the broker, one with the code server and the daemon, and
two workers. Each has a network, process ids and a folder of its own. All of history is loaded and a
span is back-tested, spread over both workers, while cycles go on. Meanwhile a worker is killed, the
other one loses the database for two minutes, and the broker is restarted. The tables must then be
those of the same commands on one machine.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final

from bench.cluster_machines import CYCLE_EVERY, Cluster, cluster
from bench.results import Figure, Measured
from bench.sandbox import bench_sql
from bench.sizes import Sizes
from grid_assets.halfhours import DAY
from grid_assets.telemetry.due import FIRST_DAY

FIGURES: Final = {
    "cluster_speed_up": Figure("x"),
    "cluster_differing_rows": Figure("rows", "<= 0"),
    "cluster_cycles_missed": Figure("cycles", "<= 0"),
    "cluster_cycle_s": Figure("s"),
}

LOG = logging.getLogger(__name__)

CONTEXT: Final = 14 * DAY
"""Days before the back-tests that are loaded first."""

CUT_S: Final = 120


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are loaded, and those that are back-tested, both ends included. The last week
    is left to the cycles, whose forecasts depend on when they ran."""

    first: date
    last: date
    backtest: date

    @classmethod
    def ending(cls, today: date, sizes: Sizes) -> Span:
        last = today - 7 * DAY
        days = min(sizes.cluster_days, (last - FIRST_DAY).days)
        return cls(last - days * DAY, last, last - sizes.cluster_backtest_days * DAY)


def measure(sizes: Sizes) -> dict[str, Measured]:
    """The work with faults; then without, on one worker and on two, and on one machine."""
    span = Span.ending(datetime.now(UTC).date(), sizes)
    with cluster(2) as two:
        quiet, busy = _under_fire(two, span)
        spread = _contents(two, span)
        two.wait(lambda: not any(two.rows(bench_sql("cluster_left_open"))[0]), "clean end")
    with cluster(2) as two:
        two_s = _work(two, span)
    with cluster(1) as one:
        one_s = _work(one, span)
    with cluster(0) as none:
        alone_s = _work(none, span, run_launcher="local", celery_broker_url="")
        alone = _contents(none, span)
    differ = sum(alone[name] != rows for name, rows in spread.items())
    what = (
        f"{(span.last - span.first).days + 1} days loaded, {(span.last - span.backtest).days + 1} "
        "back-tested"
    )
    missed = busy.due - len(busy.seconds)
    return {
        "cluster_speed_up": Measured(
            one_s / two_s,
            f"{what}: {one_s:.0f} s with one worker, {two_s:.0f} s with two, {alone_s:.0f} s in "
            "one process",
        ),
        "cluster_differing_rows": Measured(
            differ, ", ".join(f"{name}: {rows[1]} rows" for name, rows in spread.items())
        ),
        "cluster_cycles_missed": Measured(missed, f"{busy.due} were due under fire"),
        "cluster_cycle_s": Measured(
            median(busy.seconds),
            f"from due to done; longest {max(busy.seconds):.1f}; before: "
            f"{median(quiet.seconds):.1f}",
        ),
    }


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles that were due in a while, and the seconds from then to the end of each."""

    due: int
    seconds: list[float]


def _under_fire(two: Cluster, span: Span) -> tuple[Cycles, Cycles]:
    first, second = two.workers
    _context(two, span)
    started = datetime.now(UTC)
    two.wait(lambda: len(_cycles(two, started, datetime.now(UTC)).seconds) >= 2, "cycles", 300)
    began = datetime.now(UTC)
    quiet = _cycles(two, started, began)
    loading = two.grid("backfill", *_days(span.first, span.last), "--no-outlook")
    testing = two.grid("backtest", *_days(span.backtest, span.last))
    _pause("a worker is killed", 20)
    first.kill()
    _pause("it starts again, and the other one loses the database", 10)
    two.start_worker(first)
    second.cut_off(two.database)
    _pause("the database comes back", CUT_S)
    second.reconnect(two.database)
    _pause("the broker ends", 5)
    two.broker.kill()
    _pause("the broker starts again", 5)
    two.start_broker()
    loading.end()
    testing.end()
    return quiet, _cycles(two, began, datetime.now(UTC))


def _pause(what: str, seconds: float) -> None:
    time.sleep(seconds)
    LOG.info("%s", what)


def _work(some: Cluster, span: Span, **settings: object) -> float:
    """Seconds for the same commands, without faults."""
    _context(some, span, **settings)
    started = time.monotonic()
    loading = some.grid("backfill", *_days(span.first, span.last), "--no-outlook", **settings)
    if settings:  # in one process: one after the other
        loading.end()
    testing = some.grid("backtest", *_days(span.backtest, span.last), **settings)
    loading.end()
    testing.end()
    return time.monotonic() - started


def _context(some: Cluster, span: Span, **settings: object) -> None:
    """Load what the back-tests need, and what cycles would load if they came first."""
    some.grid(
        "backfill", *_days(span.backtest - CONTEXT, span.last + 7 * DAY), "--no-outlook", **settings
    ).end()


def _days(first: date, last: date) -> list[str]:
    return ["--from", str(first), "--to", str(last)]


def _cycles(some: Cluster, since: datetime, until: datetime) -> Cycles:
    """The cycles that became due since then, and have had the time to end."""
    every, late = CYCLE_EVERY.total_seconds(), timedelta(seconds=60)
    first = -(-since.timestamp() // every)
    last = (until - late).timestamp() // every
    due = [datetime.fromtimestamp(n * every, UTC) for n in range(int(first), int(last) + 1)]
    ended = dict(some.rows(bench_sql("cluster_cycles"), {"since": since, "every": CYCLE_EVERY}))
    return Cycles(len(due), [(ended[at] - at).total_seconds() for at in due if at in ended])


def _contents(some: Cluster, span: Span) -> dict[str, tuple[Any, ...]]:
    """A hash and a count of what each table holds of the span."""
    return {
        name: (contents, count)
        for name, contents, count in some.rows(
            bench_sql("cluster_contents"),
            {"first": span.first, "last": span.last, "backtest": span.backtest},
        )
    }

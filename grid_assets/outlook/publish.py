"""Publishing the outlook and generation by fuel from `raw` into `core`.

Each `publish_*` runs in its caller's transaction, fills the temporary table `staged`, calls
`judge`, and writes `core` only if `judge` does not raise, like `telemetry.publish`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.outlook.halfhours import half_hours, not_begun
from grid_assets.outlook.recomputed import MEASURED, RETURNS_WITHIN, implausible_wind, measure
from grid_assets.outlook.suspects import OLDEST, Chain, Issue, stamp_fault
from grid_assets.telemetry.publish import Published, remove_unbegun
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

Judge = Callable[[Connection], None]

STAGED_OUTLOOK: Final = (
    "series",
    "source",
    "published_at",
    "captured_at",
    "known_from",
    "starts_at",
    "suspect",
    "simulated",
    "value_mw",
    "reason",
)
STAGED_GENERATION: Final = (
    "period_start",
    *MEASURED,
    "demand_mw",
    "embedded_known_by",
    "reason",
    "captured_at",
)

BATCH: Final = 500
"""Publications read at a time: about 10 MB of memory, whatever the window."""

AFTER: Final = timedelta(hours=48)
"""How far after a window verdicts are renewed, which may depend on a publication inside it."""

SPAN: Final = timedelta(days=8)
"""How far back core.outlook_as_known_at reaches."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One capture of one publication, and whether core has it and calls it suspect."""

    source: str
    series: str
    published_at: datetime
    captured_at: datetime
    minutes: int
    first_label: datetime
    values: list[float | None]
    simulated: bool
    is_first: bool
    was_suspect: bool | None


def publish_outlook(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish what was published in `window` into `core.outlook`; `read` counts captures.

    Verdicts on publications after the window that are in core already are renewed as far as they
    may depend on it.
    """
    connection.execute(statement("core/stage_outlook"))
    read = 0
    publisher = _Publisher(window, now)
    with connection.cursor(name="publications") as captured:
        captured.execute(
            statement("core/read_publications"),
            {"start": window.start - OLDEST, "end": window.end + AFTER},
        )
        while batch := captured.fetchmany(BATCH):
            staged = publisher.staged(_Row(*values) for values in batch)
            read += copy_rows(connection, "staged", STAGED_OUTLOOK, staged)
    judge(connection)
    return Published(read, connection.execute(statement("core/publish_outlook")).rowcount, [])


class _Publisher:
    """Turns rows of `raw`, by source, series and publication, into rows of `core`."""

    def __init__(self, window: Window, now: datetime) -> None:
        self._window, self._now = window, now
        self._stream: tuple[str, str] | None = None

    def staged(self, rows: Iterable[_Row]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            if (row.source, row.series) != self._stream:
                self._stream = row.source, row.series
                self._chain, self._is_settled = Chain(row.series, row.source), False
            if not self._is_settled:
                yield from self._take(row)

    def _take(self, row: _Row) -> Iterator[tuple[Any, ...]]:
        is_after = row.published_at >= self._window.end
        if is_after and row.was_suspect is None:
            self._is_settled = True  # not published yet
            return
        fault = stamp_fault(row.published_at, row.captured_at)
        is_original = row.is_first and fault is None
        known_from = row.published_at if is_original else min(row.captured_at, self._now)
        starts_at, values = not_begun(
            *half_hours(row.source, row.minutes, row.first_label, row.values), known_from
        )
        issue = Issue(row.published_at, starts_at, values)
        if row.published_at < self._window.start:
            if fault is None and row.was_suspect is not None:
                self._chain.remember(issue, row.was_suspect)
            return
        reason = fault or self._chain.reason(issue)
        # an accepted publication that was accepted before: nothing after it depends on the window
        self._is_settled = is_after and reason is None and row.was_suspect is False
        yield (
            row.series,
            row.source,
            row.published_at,
            row.captured_at,
            known_from,
            starts_at,
            reason is not None,
            row.simulated,
            values,
            reason,
        )


def publish_generation_mw(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish the half-hours of `window` that have begun into `core.generation_mw`.

    The hours before the window are renewed too: that wind returns shows that its fall was bogus.
    """
    connection.execute(statement("core/stage_generation_mw"))
    read = 0
    for span in Window(window.start - RETURNS_WITHIN, window.end).split(SPAN):
        rows = connection.execute(
            statement("core/read_newest_generation_mw"),
            {
                "start": span.start - RETURNS_WITHIN - HALF_HOUR,
                "end": span.end + RETURNS_WITHIN,
                "known_at": span.end,
                "now": now,
                "captured_by": None,
            },
        ).fetchall()
        staged = [row for row in _measured(rows) if row[0] in span]
        read += copy_rows(connection, "staged", STAGED_GENERATION, staged)
    judge(connection)
    written = connection.execute(statement("core/publish_generation_mw")).rowcount
    return Published(read, written + remove_unbegun(connection), [])


def _measured(rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    metered = {row[0]: row[2].get("WIND") for row in rows}
    bogus = implausible_wind(metered)
    for period_start, captured_at, generation, demand, known_by, wind, solar in rows:
        found = measure(generation, wind, solar, bogus.get(period_start))
        yield (period_start, *found.values, demand, known_by, found.reason, captured_at)

"""Housekeeping as the tables tell of it: whether it is due, and how the last one went.

Belongs here: questions to `ops`. Does not belong here: the work (`forecasting.retention`,
`defs.history`) and its Dagster job (`defs.housekeeping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from grid_assets.forecasting.retention import thinned_to
from grid_assets.warehouse.connection import Connection

THINNING: Final = "ops.retention"
"""The attempt that thins forecasts; `rows_written` is the rows removed, as in the next one."""

PURGING: Final = "dagster.runs"
"""The attempt that purges Dagster's history; it counts runs."""

EVERY: Final = timedelta(hours=23)
"""An hour less than a day, so that the time does not slip by a cycle each day."""


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether the last one started a day ago; a failed one is not tried again earlier.

    A new warehouse has nothing old: its first one is due a day after it was made.
    """
    row = connection.execute(
        "SELECT coalesce((SELECT max(started_at) FROM ops.etl_runs WHERE asset = %s), "
        "(SELECT stamped_at FROM ops.warehouse)) < %s",
        [THINNING, now - EVERY],
    ).fetchone()
    return row == (True,)


def record_purge(connection: Connection, now: datetime) -> None:
    """Record when Dagster's history was purged."""
    connection.execute(
        "INSERT INTO ops.retention (history_purged_at) VALUES (%s) "
        "ON CONFLICT (only_row) DO UPDATE SET history_purged_at = excluded.history_purged_at",
        [now],
    )


def report(connection: Connection, now: datetime) -> Iterator[str]:
    """What the last housekeeping did, for `grid status`; a failure is a warning."""
    rows = connection.execute(
        "SELECT DISTINCT ON (asset) asset, status, started_at, rows_written, error_message "
        "FROM ops.etl_runs WHERE asset = ANY(%s) ORDER BY asset, started_at DESC",
        [[THINNING, PURGING]],
    ).fetchall()
    last = {row[0]: row[1:] for row in rows}
    if THINNING not in last:
        yield "housekeeping  not yet; it runs once a day"
        return
    parts = [f"{last[THINNING][2]} rows of old forecasts"]
    if PURGING in last:
        parts.append(f"{last[PURGING][2]} old runs")
    first = thinned_to(connection)
    every = f"; every lead is there since {first}" if first else ""
    hours = max(int((now - last[THINNING][1]).total_seconds() // 3600), 0)
    yield f"housekeeping  {hours} h ago, removed {' and '.join(parts)}{every}"
    for asset, (state, _, _, error) in last.items():
        if state in ("failed", "crashed"):
            yield f"    warning: housekeeping, {asset}, {state}: {error}"

"""Whether housekeeping is due, and how the last run went, according to `ops`.

The Dagster job is in `defs.housekeeping`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from grid_assets.forecasting.retention import thinned_to
from grid_assets.warehouse.clocks import TOLERANCE
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

PURGING: Final = "dagster.runs"
"""The asset name of attempts that purge Dagster's history; they count runs."""

EVERY: Final = timedelta(hours=23)
"""An hour less than a day, so that the start does not slip by a cycle each day."""


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether the last run started a day ago. A failed one is not retried earlier.

    A new warehouse holds nothing old, so its first housekeeping is due a day after its creation.
    While a clock is wrong nothing is due: what looks old might not be.
    """
    row = connection.execute(
        statement("health/housekeeping_due"),
        {"asset": PURGING, "before": now - EVERY, "tolerance": TOLERANCE},
    ).fetchone()
    return row == (True,)


def report(connection: Connection, now: datetime) -> Iterator[str]:
    """Lines for `grid status` about the last housekeeping run; a failure is a warning."""
    last = connection.execute(
        "SELECT status, started_at, rows_written, error_message FROM ops.etl_runs "
        "WHERE asset = %s AND started_at <= now() ORDER BY started_at DESC LIMIT 1",
        [PURGING],
    ).fetchone()
    if last is None:
        yield "housekeeping  not run yet; it runs once a day"
        return
    state, started_at, removed, error = last
    first = thinned_to(connection)
    complete = f"; forecasts are complete from {first} on" if first else ""
    hours = max(int((now - started_at).total_seconds() // 3600), 0)
    yield f"housekeeping  {hours} h ago, removed {removed} old runs{complete}"
    if state in ("failed", "crashed"):
        yield f"    warning: housekeeping, {PURGING}, {state}: {error}"

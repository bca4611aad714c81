"""What `grid status` says about starts of the model from outside, such as by an edge function.

A warehouse that nothing outside has ever woken says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from grid_assets.halfhours import age_text, utc_text
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

LATE: Final = timedelta(minutes=5)
"""Cron wakes every minute, and a webhook within seconds."""

DAY: Final = timedelta(hours=24)


def report(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    """Lines about the last start and the last 24 hours; failures are added to `faults`."""
    last = connection.execute(statement("health/last_start")).fetchone()
    landed = connection.execute("SELECT ops.landed_at()").fetchone()
    counts = connection.execute(statement("health/count_wakeups"), {"since": now - DAY}).fetchall()
    landed_at: datetime | None = landed[0] if landed else None
    if last is None and landed_at is None and not counts:
        return
    yield _last_start(last, now)
    done = [f"{times} {status}" for status, kind, times, _ in counts if kind is None]
    refused = [(status, kind, times, text) for status, kind, times, text in counts if kind]
    yield f"  last 24 h   {', '.join(done) or 'no starts'}"
    for status, kind, times, text in refused:
        yield f"    warning: {times} wake-ups {status} ({kind}): {text}"
    faults.extend(_faults(connection, last, landed_at, now))


def _last_start(last: tuple[Any, ...] | None, now: datetime) -> str:
    if last is None:
        return "wake-ups      nothing has started a forecast from outside yet"
    woken_at, source, status, runner, landed_at, finished_at = last[:6]
    by = f" by {runner}" if runner else ""
    after = ""
    if landed_at is not None and timedelta(0) <= woken_at - landed_at < DAY:
        after = f", {(woken_at - landed_at).total_seconds():.1f} s after the telemetry"
    line = f"wake-ups      {status}{by} at {utc_text(woken_at)} ({source}{after})"
    if status == "answered":
        line += f", forecast after {(finished_at - woken_at).total_seconds():.0f} s"
    return line


def _faults(
    connection: Connection,
    last: tuple[Any, ...] | None,
    landed_at: datetime | None,
    now: datetime,
) -> Iterator[str]:
    due = connection.execute("SELECT forecast.due()").fetchone()
    if due == ("up_to_date",):  # whatever failed, a forecast has used the newest telemetry
        return
    if last is not None and last[2] in ("failed", "expired"):
        kind, message, retry_at = last[6:]
        again = f" It is tried again from {utc_text(retry_at)} on." if retry_at > now else ""
        yield f"The model could not be started ({kind}): {message}{again}"
    elif last is not None and last[2] in ("claimed", "started"):
        return  # under way
    elif due == ("due",) and landed_at is not None and now - landed_at > LATE:
        yield (
            f"Telemetry landed {age_text(now - landed_at)} ago and nothing has started a "
            "forecast: neither the webhook nor cron has reached the function. "
            "docs/supabase.md says what to check."
        )

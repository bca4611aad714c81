"""What `grid status` says about alarms: which are open, and the last ping of the heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grid_assets.halfhours import age_text, utc_text
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


def report(connection: Connection, settings: Settings, now: datetime) -> Iterator[str]:
    """One line about alarms, if they are set here or some are open, and one about the heartbeat, if
    it is set here."""
    rows = connection.execute(statement("alarms/read_open")).fetchall()
    keys = [f"{row[1]} (since {utc_text(row[4])})" for row in rows if row[6] is None]
    looks = settings.alarm_urls is not None or settings.heartbeat_url is not None
    if looks or keys:
        yield f"alarms        {'; '.join(keys) or 'none open'}"
    if keys and not looks:
        yield "    as last seen: GRID_ALARM_URLS and GRID_HEARTBEAT_URL are not set here"
    waiting = connection.execute(
        "SELECT count(*), max(attempts), "
        "(array_agg(error_message ORDER BY last_attempt_at DESC NULLS LAST))[1] "
        "FROM ops.alarm_messages WHERE status = 'pending'"
    ).fetchone()
    if settings.alarm_urls and waiting and waiting[0]:
        why = waiting[2] or ("not taken by all addresses" if waiting[1] else "not tried yet")
        yield f"    warning: messages that wait: {waiting[0]} ({why.rstrip('.')})"
    ping = connection.execute(
        "SELECT tried_at, is_healthy, error_message FROM ops.heartbeat"
    ).fetchone()
    if settings.heartbeat_fault:
        yield f"    warning: {settings.heartbeat_fault}"
    if settings.heartbeat_url is not None and ping is not None and ping[0] is not None:
        said = "healthy cycle" if ping[1] else "failed cycle"
        yield f"heartbeat     {said}, {age_text(now - ping[0])} ago"
        if ping[2]:
            yield f"    warning: {ping[2]}"
    elif settings.heartbeat_url is not None:
        yield "heartbeat     not pinged yet"

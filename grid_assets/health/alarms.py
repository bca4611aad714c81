"""What `grid status` says about alarms: which are open, and the last ping of the heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grid_assets.halfhours import age_text, utc_text
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


def report(connection: Connection, settings: Settings, now: datetime) -> Iterator[str]:
    """One line about alarms and one about the heartbeat, each if it is set here or was used."""
    rows = connection.execute(statement("alarms/read_open")).fetchall()
    keys = [f"{row[1]} (since {utc_text(row[4])})" for row in rows if row[6] is None]
    if settings.alarm_urls or keys:
        yield f"alarms        {'; '.join(keys) or 'none open'}"
    waiting = connection.execute(
        "SELECT count(*), max(error_message) FROM ops.alarm_messages "
        "WHERE status = 'pending' AND attempts > 0"
    ).fetchone()
    if waiting and waiting[0]:
        yield f"    warning: {waiting[0]} messages wait to be sent again: {waiting[1]}"
    ping = connection.execute(
        "SELECT tried_at, is_healthy, error_message FROM ops.heartbeat"
    ).fetchone()
    if settings.heartbeat_fault:
        yield f"    warning: {settings.heartbeat_fault}"
    if ping is not None and ping[0] is not None:
        said = "healthy cycle" if ping[1] else "failed cycle"
        yield f"heartbeat     {said}, {age_text(now - ping[0])} ago"
        if ping[2]:
            yield f"    warning: {ping[2]}"
    elif settings.heartbeat_url is not None:
        yield "heartbeat     not pinged yet"

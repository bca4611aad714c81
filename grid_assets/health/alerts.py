"""What `grid status` says about alerts that people set: how many, which could not be judged, and
which messages did not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import age_text, utc_text
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

SHOWN: Final = timedelta(hours=24)
"""How long a message that could not be delivered in time is shown."""

MISSED: Final = timedelta(minutes=75)
"""Two cycles and a half: later than this, an alert is not judged any more."""


def report(connection: Connection, settings: Settings, now: datetime) -> Iterator[str]:
    """One line about the alerts, and a warning for each that is not judged or not delivered."""
    rows = connection.execute(statement("alerts/newest_judgements")).fetchall()
    if not rows:
        yield "alerts        none set (docs/alerts.md)"
        return
    met = sum(outcome == "met" for _, _, outcome, *_ in rows)
    judged = [last_at for *_, last_at in rows if last_at is not None]
    since = f", judged {age_text(now - max(judged))} ago" if judged else ""
    where = "" if settings.alarm_urls else "; GRID_ALARM_URLS is not set here"
    yield f"alerts        {len(rows)} on, {met} met{since}{where}"
    for number, name, outcome, reason, first_at, last_at in rows:
        if outcome in ("no_data", "failed"):
            yield f"    warning: alert {number} ({name}), since {utc_text(first_at)}: {reason}"
        elif last_at is not None and now - last_at > MISSED:
            yield f"    warning: alert {number} ({name}) was last judged {utc_text(last_at)}"
    undelivered = connection.execute(
        statement("alerts/find_undelivered"), {"since": now - SHOWN}
    ).fetchall()
    for event, name, status, attempts, message in undelivered:
        yield (
            f"    warning: event {event} ({name}) is {status} after {attempts} attempts: {message}"
        )

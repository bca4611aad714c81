"""Judges the alerts that people set, and keeps the events that are to be told.

A stretch, window or silence that overlaps an event of the same alert, or comes within the alert's
quiet minutes of one, belongs to it. So a forecast that flickers around a limit, or a window that
moves with each forecast, is one event. Delivering events is `delivering`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from grid_assets.alerts import rules, texts
from grid_assets.alerts.rules import Alert, Forecast, Judgement
from grid_assets.warehouse.connection import Connection, storable, write_transaction
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import statement

RELATION = "ops.alert_deliveries"

DEMO = Judgement("demo", "The data is recorded. Set in_demo to true to be told of it.")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one cycle found: alerts, events that are new, and reasons why alerts were not judged."""

    alerts: int
    new_events: int
    not_judged: list[str]


def has_work(connection: Connection) -> bool:
    """Whether there is an alert to judge, or an event left from one."""
    return connection.execute(statement("alerts/has_work")).fetchone() == (True,)


def judge_alerts(connection: Connection, stamp: Stamp, now: datetime) -> Judged:
    """Judge every alert that is on, in one transaction; two cycles take turns.

    An alert that cannot be judged is recorded as such, and keeps no other from being judged.
    """
    held: list[int] = []
    judged: list[int] = []
    not_judged: list[str] = []
    new_events = 0
    with write_transaction(connection, RELATION):
        alerts = [Alert(*row) for row in connection.execute(statement("alerts/read_alerts"))]
        for alert in alerts:
            judgement = _judge(connection, alert, stamp, now)
            connection.execute(
                statement("alerts/keep_judgement"),
                {
                    "alert_id": alert.alert_id,
                    "now": now,
                    "outcome": judgement.outcome,
                    "reason": judgement.reason,
                },
            )
            if judgement.outcome in ("met", "not_met", "demo"):
                judged.append(alert.alert_id)
            else:
                not_judged.append(f"{alert.name}: {judgement.reason}")
            kept: dict[int, rules.Event] = {}
            for event in judgement.events:
                new_events += _keep(connection, alert, event, kept, stamp, now)
            held += kept
        connection.execute(
            statement("alerts/close_events"), {"held": held, "judged": judged, "now": now}
        )
    return Judged(len(alerts), new_events, not_judged)


def _judge(connection: Connection, alert: Alert, stamp: Stamp, now: datetime) -> Judgement:
    if stamp.kind == "replay" and not alert.in_demo:
        return DEMO
    try:
        with connection.transaction():
            return {"below": _below, "greenest_window": _window, "no_telemetry": _silence}[
                alert.kind
            ](connection, alert, now)
    except psycopg.Error as error:
        if connection.broken:
            raise
        return Judgement("failed", storable(f"{type(error).__name__}: {error}")[:500])


def _below(connection: Connection, alert: Alert, now: datetime) -> Judgement:
    rows = connection.execute(
        statement("alerts/read_forecast"),
        {
            "region": alert.region_id,
            "first": rules.first_half_hour(now),
            "oldest": now - rules.OLDEST,
        },
    )
    return rules.judge_below(alert, [Forecast(*row) for row in rows], now)


def _window(connection: Connection, alert: Alert, now: datetime) -> Judgement:
    rows = connection.execute(
        statement("alerts/read_window"),
        {
            "duration": alert.duration,
            "within": alert.within,
            "first": rules.first_half_hour(now),
            "oldest": now - rules.OLDEST,
            "region": alert.region_id,
        },
    ).fetchall()
    window = [Forecast(*row[:4]) for row in rows]
    return rules.judge_window(alert, window, rows[0][4] if rows else None, now)


def _silence(connection: Connection, alert: Alert, now: datetime) -> Judgement:
    row = connection.execute(statement("alerts/read_newest_end"), {"now": now}).fetchone()
    assert row is not None
    return rules.judge_silence(alert, row[0], now)


def _keep(
    connection: Connection,
    alert: Alert,
    event: rules.Event,
    kept: dict[int, rules.Event],
    stamp: Stamp,
    now: datetime,
) -> bool:
    """Put an event to the one that it is part of, or add it; whether it is new.

    `kept` are those of this cycle by their number. An event that is part of one of them is told
    with it, as what follows.
    """
    span = {
        "alert_id": alert.alert_id,
        "changed_at": alert.changed_at,
        "quiet": alert.quiet,
        "event_start": event.start,
        "event_end": event.end,
    }
    found = connection.execute(statement("alerts/find_event"), span).fetchone()
    if found is not None and found[0] in kept:
        event = kept[found[0]].followed_by(event)
    title, body = texts.message(alert, event, recorded=stamp.kind == "replay")
    values: dict[str, Any] = {
        **span,
        "event_start": event.start,
        "event_end": event.end,
        "name": alert.name,
        "now": now,
        "title": title,
        "body": body,
    }
    if found is None:
        found = connection.execute(statement("alerts/add_event"), values).fetchone()
        assert found is not None
        kept[found[0]] = event
        return True
    connection.execute(statement("alerts/continue_event"), {**values, "delivery_id": found[0]})
    kept[found[0]] = event
    return False

"""What is wrong with the pipeline, read from the tables: conditions, each with a key.

Nothing here remembers what was told; `episodes` does.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from grid_assets.forecasting.models.champion import TRAINING
from grid_assets.halfhours import age_text, utc_text
from grid_assets.health import housekeeping, wakeups
from grid_assets.health.doctor.case import Verdict
from grid_assets.health.doctor.server import judge_size
from grid_assets.health.doctor.surroundings import LITTLE_BYTES
from grid_assets.health.report import ASSETS, NOT_CRITICAL, size_text
from grid_assets.settings import Settings
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement
from grid_assets.warehouse.urls import SUPABASE

Severity = Literal["severe", "warning", "note"]

OTHER_TASKS: Final = (TRAINING, housekeeping.PURGING)
"""Weekly and daily attempts: a failed one is told at once, as the next is far away."""

WATCHED: Final = sorted({*ASSETS, *NOT_CRITICAL, *OTHER_TASKS})

PATIENCE: Final = timedelta(hours=2)
"""How long attempts at what is not critical may fail: four cycles, of which each tries again."""

RECENT: Final = timedelta(hours=24)
"""For how long a new entry in quarantine, or a decision about trees, is a condition."""

OFF_AFTER: Final = timedelta(days=1)
"""What cycles have not tried for so long is switched off, and its failure is history."""

OFF_AFTER_TASKS: Final = timedelta(days=8)
"""The same of `OTHER_TASKS`, of which one is weekly."""

LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is wrong now; `what` says it and what to do."""

    key: str
    severity: Severity
    what: str


def find(connection: Connection, settings: Settings, now: datetime) -> list[Condition]:
    """Every condition that holds, the severe ones first."""
    found = [
        *_attempts(connection, now),
        *_stale(connection, now),
        *_starts(connection, now),
        *_quarantine(connection, now),
        *_size(connection),
        *_disk(connection, settings),
        *_decision(connection, now),
    ]
    places: dict[Severity, int] = {"severe": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda each: places[each.severity])


def _attempts(connection: Connection, now: datetime) -> Iterator[Condition]:
    rows = connection.execute(statement("alarms/last_attempts"), {"assets": WATCHED})
    for asset, status, kind, message, started, since in rows.fetchall():
        if _is_off(asset, now - started):
            continue
        said = f"{asset} {status}: {_short(message)}"
        if kind == "BlockingCheckFailed":
            key, said = f"blocked {asset}", f"{asset}: a check stopped the data. {_short(message)}"
        else:
            key = f"failed {asset}"
        if asset in OTHER_TASKS:
            yield Condition(key, "warning", said)
        elif asset not in NOT_CRITICAL:
            yield Condition(key, "severe", said)
        elif since is not None and now - since >= PATIENCE:
            yield Condition(key, "warning", f"{said} (since {utc_text(since)})")


def _is_off(asset: str, untried: timedelta) -> bool:
    """Never of what intensity, mix and forecasts need: without these, nothing runs at all."""
    if asset in OTHER_TASKS:
        return untried > OFF_AFTER_TASKS
    return asset in NOT_CRITICAL and untried > OFF_AFTER


def _stale(connection: Connection, now: datetime) -> Iterator[Condition]:
    """A new warehouse is given the same time before what is missing counts."""
    row = connection.execute(statement("health/newest"), {"now": now}).fetchone()
    stamped = connection.execute("SELECT stamped_at FROM ops.warehouse").fetchone()
    assert row is not None
    assert stamped is not None
    actual, mix, _, forecast = row
    for key, name, newest in (
        ("stale intensity", "The newest actual", actual),
        ("stale mix", "The newest mix", mix),
        ("stale forecast", "The newest forecast", forecast),
    ):
        if now - (newest or stamped[0]) > TOO_OLD:
            said = f"of {utc_text(newest)}, {age_text(now - newest)} ago" if newest else "missing"
            yield Condition(
                key,
                "severe",
                f"{name} is {said}; up to {age_text(TOO_OLD)} is normal. "
                "If no attempt failed, the source is late, or nothing runs: see `grid status`.",
            )


def _starts(connection: Connection, now: datetime) -> Iterator[Condition]:
    faults: list[str] = []
    list(wakeups.report(connection, now, faults))
    if faults:
        yield Condition("start of the model", "severe", faults[0])


def _quarantine(connection: Connection, now: datetime) -> Iterator[Condition]:
    row = connection.execute(statement("alarms/new_rejects"), {"since": now - RECENT}).fetchone()
    if row is not None:
        count, assets, reason = row
        yield Condition(
            "quarantine",
            "warning",
            f"{count} new in quarantine, of {assets}, such as: {_short(reason)} "
            "`grid quarantine list` shows them.",
        )


def _size(connection: Connection) -> Iterator[Condition]:
    """Where the limit is known: Supabase's free plan, as `grid doctor` judges it."""
    if not connection.info.host.endswith(SUPABASE):
        return
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    finding = judge_size(size_text(connection), row[0])
    if finding.verdict is Verdict.MEND:
        yield Condition("database nearly full", "warning", finding.text)


def _disk(connection: Connection, settings: Settings) -> Iterator[Condition]:
    """The disk of the embedded server, which may be under this machine's GRID_HOME."""
    data = settings.home / "postgres"
    if not data.is_dir() or not connection.info.host.startswith(("/", "127.0.0.1", "localhost")):
        return
    free = shutil.disk_usage(data).free
    if free < LITTLE_BYTES:
        yield Condition(
            "disk nearly full",
            "warning",
            f"The disk with the database, {data}, has {free // 1_000_000} MB free. Free space "
            "there, or move GRID_HOME to a larger disk.",
        )


def _decision(connection: Connection, now: datetime) -> Iterator[Condition]:
    row = connection.execute(
        statement("alarms/newest_decision"), {"since": now - RECENT}
    ).fetchone()
    if row is None:
        return
    outcome, model, champion, challenger, reason = row
    if outcome == "promoted":
        said = f"The trees {champion} of {model} lost to {challenger}. {_short(reason)}"
        key = f"lost {champion}"
    else:
        said = f"The trees {champion} of {model} are no longer in use. {_short(reason)}"
        key = f"reverted {champion}"
    yield Condition(key, "note", f"{said} (docs/learning.md)")


def _short(message: str | None) -> str:
    line = " ".join((message or "no message").split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"

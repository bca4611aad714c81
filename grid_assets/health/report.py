"""`grid status`: one screen that says whether the warehouse is fresh and healthy.

It changes nothing, except to mark attempts of dead processes as crashed, and to close a start of
the model that something has come of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from grid_assets.files.store import fault_of
from grid_assets.halfhours import HALF_HOUR, age_text, day_start, floor, utc_text
from grid_assets.health import alarms, alerts, housekeeping, learning, outlook, wakeups
from grid_assets.health.run_summary import newest_forecast
from grid_assets.health.warnings import warnings
from grid_assets.outlook.sources import off_sources
from grid_assets.settings import Settings
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.telemetry.due import FIRST_DAY
from grid_assets.warehouse import clocks
from grid_assets.warehouse.connection import Connection, read_only_reason
from grid_assets.warehouse.migrate import is_current
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.statements import statement

ASSETS: Final = (
    "raw.intensity",
    "raw.generation",
    "raw.neso_forecast",
    "raw.outlook",
    "raw.elexon_generation",
    "raw.embedded_generation",
    "core.intensity",
    "core.generation_mix",
    "core.outlook",
    "core.generation_mw",
    "raw.regional",
    "raw.regional_forecast",
    "core.regional_intensity",
    "core.regional_mix",
    "forecast.predictions",
    "forecast.accuracy",
    "forecast.regional_accuracy",
    "files.feeds",
    "files.dashboard",
)

NOT_CRITICAL: Final = {
    "raw.neso_forecast": "NESO's forecast was not captured; intensity and mix were loaded.",
    "raw.outlook": "not all of the outlook was captured; the next cycle takes what is missing.",
    "raw.elexon_generation": "not all of Elexon's generation was loaded; a later cycle takes it.",
    "raw.embedded_generation": "embedded generation was not loaded; a later cycle takes it.",
    "core.outlook": "the outlook was not published; the next cycle publishes it.",
    "core.generation_mw": "generation by fuel was not published; a later cycle publishes it.",
    "raw.regional": "not all regions were loaded; a later cycle takes what is missing.",
    "raw.regional_forecast": "the forecast of the regions was not captured in this cycle.",
    "core.regional_intensity": "regions were not published; the next cycle publishes them.",
    "core.regional_mix": "the mix of regions was not published; the next cycle publishes it.",
    "forecast.regional_accuracy": "forecasts of regions were not scored; a later cycle does it.",
    "files.feeds": "the feeds were not updated; their data is in the warehouse.",
    "files.dashboard": "the dashboard was not updated; its data is in the warehouse.",
    "ops.alert_deliveries": "not every alert was judged and delivered; the next cycle does it.",
}
"""Assets that intensity, mix and our own forecasts do not depend on, with the warning to print."""

SIZES: Final = {
    "telemetry": ["raw", "core"],
    "forecasts": ["forecast"],
    "operations": ["ops"],
    "Dagster": ["dagster"],
}
"""Parts of the database whose size is reported, each with its schemas."""

NAME_WIDTH: Final = max(map(len, ASSETS))

LONGEST_MESSAGE: Final = 400
"""Enough for our own messages; one from a database or a library can fill the screen."""

NEWEST: Final = ("newest actual", "newest mix", "NESO forecast", "forecast")


@dataclass(frozen=True, slots=True)
class Status:
    """Lines to print, and one sentence for each fault."""

    lines: list[str]
    faults: list[str]


def status(connection: Connection, where: str, settings: Settings, now: datetime) -> Status:
    """Report on the warehouse; `where` is its address without a password."""
    stamp = read_stamp(connection)
    if stamp is None:
        return Status([], [f"The database at {where} is not set up. Run `grid migrate`."])
    faults: list[str] = []
    major, minor = divmod(connection.info.server_version, 10_000)
    lines = [
        f"Grid Assets   {stamp}" if stamp.kind == "live" else f"*** {stamp} ***",
        f"warehouse     {where}, PostgreSQL {major}.{minor}",
    ]
    if not is_current(connection):  # the relations queried below may not exist yet
        return Status(lines, ["The schema is older than this version. Run `grid migrate`."])
    if (reason := read_only_reason(connection)) is None:
        mark_crashed(connection)
        connection.execute("SELECT ops.close_wakeup()")
    else:
        faults.append(f"Nothing can be loaded. {reason}")
    off = off_sources(settings, stamp.kind)
    lines += [
        *_clocks(connection, now, faults),
        *_newest(connection, now, faults),
        *outlook.report(connection, settings, stamp.kind, now),
        newest_forecast(connection),
        *learning.report(connection),
        *_gaps(connection, settings.first_history_day(now), now),
        *_runs(connection, now, faults),
        *wakeups.report(connection, now, faults),
        warnings(connection, now, off),
        _quarantine(connection),
        *alerts.report(connection, settings, now),
        *alarms.report(connection, settings, now),
        *housekeeping.report(connection, now),
        *_files(settings),
        f"database      {size_text(connection)}",
    ]
    return Status(lines, faults)


def _newest(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    newest = connection.execute(statement("health/newest"), {"now": now}).fetchone()
    assert newest is not None
    for name, at in zip(NEWEST, newest, strict=True):
        if at is None:
            yield f"{name:<14}none"
        else:
            yield f"{name:<14}{utc_text(at)} ({_since(now - at)})"
        if name == "NESO forecast" or (at is not None and now - at <= TOO_OLD):
            continue
        age = f"{age_text(now - at)} old; up to {age_text(TOO_OLD)} is normal" if at else "missing"
        faults.append(
            f"{name} is {age}. If the attempts above are recent and successful, the source is late."
        )


def _clocks(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    """The clocks as a run last compared them; a wrong one and its stamps are faults."""
    ahead = now - clocks.database_clock(connection)
    if abs(ahead) > clocks.TOLERANCE:
        faults.append(
            f"The clock of this machine is {clocks.offset_text(ahead)} the clock of the database. "
            "Set the one that is wrong."
        )
    if (last := clocks.last_compared(connection)) is not None:
        at, host, compared = last
        agree = "agreed with those of the API and the database"
        found = f"was {' and '.join(compared.differences)}" if compared.differences else agree
        yield f"clock         {found} at {utc_text(at)}"
        if compared.differences:
            faults.append(
                f"The clock of {host} {found} at {utc_text(at)}. Set the one that is wrong."
            )
    later = connection.execute(
        statement("health/stamped_later"), {"tolerance": clocks.TOLERANCE}
    ).fetchall()
    for relation, count, what, newest in later:
        faults.append(
            f"{relation} has {count} {what}, up to {utc_text(newest)}: a clock was ahead. "
            'docs/operations.md, "A wrong clock", says what becomes of them.'
        )


def _gaps(connection: Connection, history_start: date, now: datetime) -> Iterator[str]:
    history_start = max(history_start, FIRST_DAY)
    start, end = day_start(history_start), floor(now) - HALF_HOUR
    expected = max((end - start) // HALF_HOUR, 0)
    row = connection.execute(statement("health/present"), {"start": start, "end": end}).fetchone()
    assert row is not None
    yield (
        f"missing       {expected - row[0]} of {expected} half-hours of intensity, "
        f"{expected - row[1]} of mix, since {history_start}"
    )


def _runs(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    last = connection.execute(statement("health/last_attempts")).fetchall()
    by_asset = {row[0]: row[1:] for row in last}
    for asset in ASSETS:
        if asset not in by_asset:
            yield f"  {asset:<{NAME_WIDTH}} has never run"
            continue
        state, started, fetched, written, rejected, error = by_asset[asset]
        yield (
            f"  {asset:<{NAME_WIDTH}} {state:<8} {age_text(now - started):>10} ago  "
            f"{fetched:>6} read  {written:>6} changed  {rejected:>3} rejected"
        )
        if state in ("failed", "crashed"):
            if asset not in NOT_CRITICAL:
                faults.append(f"{asset} {state}: {_short(error)}")
            else:
                yield f"    warning: {_short(error)}"
    recent = connection.execute(
        statement("health/failures"), {"since": now - timedelta(hours=24)}
    ).fetchone()
    assert recent is not None
    yield f"last 24 h     {recent[0]} failed and {recent[1]} crashed attempts"


def _files(settings: Settings) -> Iterator[str]:
    """Where the page and the feeds go, if that is set."""
    if settings.files_store is not None:
        fault = fault_of(settings.files_store, settings.home)
        yield f"files         {fault or settings.files_store}"


def _quarantine(connection: Connection) -> str:
    row = connection.execute(
        "SELECT count(*) FROM ops.quarantine WHERE resolved_at IS NULL"
    ).fetchone()
    assert row is not None
    return f"quarantine    {row[0]} open" + (" (`grid quarantine list`)" if row[0] else "")


def size_text(connection: Connection) -> str:
    """The size of the database and of its parts; a part without tables is left out."""
    row = connection.execute(
        "SELECT pg_size_pretty(pg_database_size(current_database()))"
    ).fetchone()
    assert row is not None
    parts = []
    for part, schemas in SIZES.items():
        size = connection.execute(
            statement("health/size_of_schemas"), {"schemas": schemas}
        ).fetchone()
        if size and size[0]:
            parts.append(f"{part} {size[0]}")
    return f"{row[0]} ({', '.join(parts)})" if parts else str(row[0])


def _short(message: str | None) -> str:
    """A message that fits a line of a terminal; ops.etl_runs has all of it."""
    line = " ".join((message or "no message").split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]} …"


def _since(age: timedelta) -> str:
    """How long ago, or how soon: a forecast starts at the next half-hour."""
    return f"in {age_text(-age)}" if age < timedelta(0) else f"{age_text(age)} ago"

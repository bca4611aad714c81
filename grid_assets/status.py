"""What is in the warehouse and how it fares, for a terminal: `grid status` and the demo's table.

Belongs here: reading and wording. Does not belong here: changing anything, but for burying rows of
processes that died.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, day_start, floor
from grid_assets.migrate import is_current, read_stamp
from grid_assets.plan import FIRST_DAY
from grid_assets.quality import TOO_OLD
from grid_assets.runlog import bury_crashed
from grid_assets.warehouse import connect, place

Connection = psycopg.Connection[tuple[Any, ...]]

ASSETS: Final = (
    "raw.intensity",
    "raw.generation",
    "raw.neso_forecast",
    "core.intensity",
    "core.generation_mix",
)

TELEMETRY: Final = tuple(asset for asset in ASSETS if asset != "raw.neso_forecast")

RELATIONS: Final = {
    "raw.intensity": "period_start",
    "raw.generation": "period_start",
    "raw.neso_forecast": "issued_at",
    "core.intensity": "period_start",
    "core.generation_mix": "period_start",
    "reporting.telemetry": "period_start",
    "reporting.telemetry_24h": "period_start",
    "reporting.generation_mix_24h": "period_start",
    "ops.etl_runs": "started_at",
    "ops.quarantine": "captured_at",
}
"""Relations of the demo's table with the time column that orders them."""


@dataclass(frozen=True, slots=True)
class Status:
    """Lines to print, and what is wrong: nothing, or one sentence for each fault."""

    lines: list[str]
    faults: list[str]


def status(url: SecretStr, history_start: date, now: datetime) -> Status:
    """One screen that answers "is it fresh and healthy?"."""
    with connect(url) as connection:
        stamp = read_stamp(connection)
        if stamp is None:
            fault = f"The database at {place(url)} is not set up. Run `grid migrate`."
            return Status([], [fault])
        bury_crashed(url)
        faults: list[str] = []
        if not is_current(connection):
            faults.append("The schema is older than this version. Run `grid migrate`.")
        lines = [
            f"Grid Assets   {stamp}" if stamp.kind == "live" else f"*** {stamp} ***",
            f"warehouse     {place(url)}, {_server(connection)}",
            *_newest(connection, now, faults),
            *_gaps(connection, history_start, now),
            *_runs(connection, now, faults),
            _quarantine(connection),
        ]
    return Status(lines, faults)


def _server(connection: Connection) -> str:
    row = connection.execute(
        "SELECT current_setting('server_version'), "
        "pg_size_pretty(pg_database_size(current_database()))"
    ).fetchone()
    assert row is not None
    return f"PostgreSQL {row[0].split()[0]}, {row[1]}"


def _newest(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    newest = connection.execute(
        "SELECT (SELECT max(period_start) FROM core.intensity WHERE actual_gco2_kwh IS NOT NULL), "
        "(SELECT max(period_start) FROM core.generation_mix), "
        "(SELECT max(issued_at) FROM raw.neso_forecast)"
    ).fetchone()
    assert newest is not None
    names = ("newest actual", "newest mix", "NESO forecast")
    for name, at in zip(names, newest, strict=True):
        if at is None:
            yield f"{name:<14}none"
        else:
            yield f"{name:<14}{_at(at)} ({_ago(now - at)} ago)"
        if (at is None or now - at > TOO_OLD) and name != "NESO forecast":
            faults.append(
                f"{name} is {'missing' if at is None else _ago(now - at) + ' old'}; up to "
                f"{_ago(TOO_OLD)} is normal. See the runs above, then the API."
            )


def _gaps(connection: Connection, history_start: date, now: datetime) -> Iterator[str]:
    history_start = max(history_start, FIRST_DAY)
    start, end = day_start(history_start), floor(now) - HALF_HOUR
    expected = max((end - start) // HALF_HOUR, 0)
    row = connection.execute(
        "SELECT (SELECT count(*) FROM core.intensity "
        "        WHERE period_start >= %(start)s AND period_start < %(end)s), "
        "       (SELECT count(*) FROM core.generation_mix "
        "        WHERE period_start >= %(start)s AND period_start < %(end)s)",
        {"start": start, "end": end},
    ).fetchone()
    assert row is not None
    yield (
        f"missing       {expected - row[0]} of {expected} half-hours of intensity, "
        f"{expected - row[1]} of mix, since {history_start}"
    )


def _runs(connection: Connection, now: datetime, faults: list[str]) -> Iterator[str]:
    last = connection.execute(
        "SELECT DISTINCT ON (asset) asset, status, started_at, rows_fetched, rows_written, "
        "rows_quarantined, error_message FROM ops.etl_runs "
        "ORDER BY asset, started_at DESC"
    ).fetchall()
    by_asset = {row[0]: row[1:] for row in last}
    for asset in ASSETS:
        if asset not in by_asset:
            yield f"  {asset:<20} never ran"
            continue
        state, started, fetched, written, rejected, error = by_asset[asset]
        yield (
            f"  {asset:<20} {state:<8} {_ago(now - started):>10} ago  {fetched:>6} read  "
            f"{written:>6} changed  {rejected:>3} rejected"
        )
        if state in ("failed", "crashed"):
            if asset in TELEMETRY:
                faults.append(f"{asset} {state}: {error}")
            else:
                yield f"    warning: {error}"
    recent = connection.execute(
        "SELECT count(*) FILTER (WHERE status = 'failed'), "
        "count(*) FILTER (WHERE status = 'crashed') "
        "FROM ops.etl_runs WHERE started_at > %s",
        [now - timedelta(hours=24)],
    ).fetchone()
    assert recent is not None
    yield f"last 24 h     {recent[0]} failed and {recent[1]} crashed attempts"


def _quarantine(connection: Connection) -> str:
    row = connection.execute(
        "SELECT count(*) FROM ops.quarantine WHERE resolved_at IS NULL"
    ).fetchone()
    assert row is not None
    return f"quarantine    {row[0]} open" + (" (`grid quarantine list`)" if row[0] else "")


def run_lines(url: SecretStr, run_id: str) -> Iterator[str]:
    """One line for each attempt of a run, failures with their message."""
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT asset, status, rows_fetched, rows_written, rows_quarantined, "
            "execution_time_ms, error_type, error_message FROM ops.etl_runs "
            "WHERE run_id = %s ORDER BY started_at",
            [run_id],
        ).fetchall()
    for asset, state, fetched, written, rejected, took, error_type, message in rows:
        yield (
            f"  {asset:<20} {state:<8} {fetched:>6} read  {written:>6} changed  "
            f"{rejected:>3} rejected  {(took or 0) / 1000:>6.1f} s"
        )
        if message:
            yield f"    {error_type}: {message}"


def telemetry_succeeded(url: SecretStr, run_id: str) -> bool:
    """Whether intensity and mix came through to `core` in this run, whatever else failed."""
    with connect(url) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT asset) FROM ops.etl_runs "
            "WHERE run_id = %s AND status = 'success' AND asset = ANY(%s)",
            [run_id, list(TELEMETRY)],
        ).fetchone()
    return row == (len(TELEMETRY),)


def contents(url: SecretStr) -> Iterator[str]:
    """A short table of what is in the database."""
    yield f"  {'relation':<30}{'rows':>8}   {'from':<18}{'to':<18}"
    with connect(url) as connection:
        for relation, column in RELATIONS.items():
            row = connection.execute(
                sql.SQL("SELECT count(*), min({column}), max({column}) FROM {relation}").format(
                    column=sql.Identifier(column), relation=sql.Identifier(*relation.split("."))
                )
            ).fetchone()
            assert row is not None
            yield f"  {relation:<30}{row[0]:>8}   {_at(row[1]):<18}{_at(row[2]):<18}".rstrip()


def faults_in_contents(url: SecretStr) -> list[str]:
    """What must never be true of a loaded warehouse, one sentence for each that is."""
    questions = {
        "core.intensity is empty": "SELECT NOT EXISTS (SELECT FROM core.intensity)",
        "core.generation_mix is empty": "SELECT NOT EXISTS (SELECT FROM core.generation_mix)",
        "a mix does not sum to exactly 100": (
            "SELECT EXISTS (SELECT FROM reporting.telemetry WHERE total_pct <> 100)"
        ),
        "the last attempt of an asset did not succeed": (
            "SELECT EXISTS (SELECT FROM (SELECT DISTINCT ON (asset) status FROM ops.etl_runs "
            "ORDER BY asset, started_at DESC) AS last WHERE status <> 'success')"
        ),
    }
    with connect(url) as connection:
        return [
            fault
            for fault, question in questions.items()
            if connection.execute(question).fetchone() == (True,)
        ]


def _at(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if at else "-"


def _ago(age: timedelta) -> str:
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} days"

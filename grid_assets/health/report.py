"""What is in the warehouse and how it fares, for a terminal: `grid status` and the demo's table.

Belongs here: reading and wording. Does not belong here: changing anything, but for burying rows of
processes that died.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, day_start, floor
from grid_assets.health import disk_usage, housekeeping
from grid_assets.series import LEAD_BUCKETS
from grid_assets.settings import Settings
from grid_assets.telemetry.checks import TOO_OLD
from grid_assets.telemetry.gaps import FIRST_DAY, Range
from grid_assets.warehouse.connection import Connection, connect
from grid_assets.warehouse.migrate import is_current
from grid_assets.warehouse.run_log import mark_crashed
from grid_assets.warehouse.stamp import read_stamp
from grid_assets.warehouse.urls import location

ASSETS: Final = (
    "raw.intensity",
    "raw.generation",
    "raw.neso_forecast",
    "core.intensity",
    "core.generation_mix",
    "forecast.predictions",
    "forecast.accuracy",
    "files.dashboard",
)

SPARABLE: Final = ("raw.neso_forecast", "files.dashboard")
"""Assets whose failure leaves intensity, mix and our own forecasts as good as they were."""

RELATIONS: Final = {
    "raw.intensity": "period_start",
    "raw.generation": "period_start",
    "raw.neso_forecast": "issued_at",
    "core.intensity": "period_start",
    "core.generation_mix": "period_start",
    "forecast.predictions": "issued_at",
    "reporting.telemetry": "period_start",
    "reporting.telemetry_24h": "period_start",
    "reporting.generation_mix_24h": "period_start",
    "reporting.forecast_latest": "period_start",
    "reporting.actual_vs_predicted_24h": "period_start",
    "reporting.forecast_accuracy": "target_date",
    "ops.etl_runs": "started_at",
    "ops.quarantine": "captured_at",
}
"""Relations of the demo's table with the time column that orders them."""


LONGEST_MESSAGE: Final = 400
"""Enough for every sentence of ours; a database's or a library's can fill the screen."""

NEWEST: Final = ("newest actual", "newest mix", "NESO forecast", "forecast")


@dataclass(frozen=True, slots=True)
class Status:
    """Lines to print, and what is wrong: nothing, or one sentence for each fault."""

    lines: list[str]
    faults: list[str]


def status(url: SecretStr, settings: Settings, now: datetime) -> Status:
    """One screen that answers "is it fresh and healthy?"."""
    with connect(url) as connection:
        stamp = read_stamp(connection)
        if stamp is None:
            fault = f"The database at {location(url)} is not set up. Run `grid migrate`."
            return Status([], [fault])
        faults: list[str] = []
        lines = [
            f"Grid Assets   {stamp}" if stamp.kind == "live" else f"*** {stamp} ***",
            f"warehouse     {location(url)}, {_server(connection)}",
        ]
        if not is_current(connection):  # what follows may read what is not there yet
            return Status(lines, ["The schema is older than this version. Run `grid migrate`."])
        mark_crashed(url)
        lines += [
            *_newest(connection, now, faults),
            newest_forecast(url),
            *_gaps(connection, settings.first_history_day(now), now),
            *_runs(connection, now, faults),
            _quarantine(connection),
            *housekeeping.report(connection, now),
            *disk_usage.report(connection, settings, now),
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
        "(SELECT max(issued_at) FROM raw.neso_forecast), "
        "(SELECT max(issued_at) FROM forecast.predictions WHERE model <> 'neso')"
    ).fetchone()
    assert newest is not None
    for name, at in zip(NEWEST, newest, strict=True):
        if at is None:
            yield f"{name:<14}none"
        else:
            yield f"{name:<14}{_at(at)} ({_since(now - at)})"
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
            if asset not in SPARABLE:
                faults.append(f"{asset} {state}: {_short(error)}")
            else:
                yield f"    warning: {_short(error)}"
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


def failed_assets(url: SecretStr, run_id: str) -> set[str]:
    """The assets whose last attempt in this run failed."""
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT asset FROM (SELECT DISTINCT ON (asset) asset, status FROM ops.etl_runs "
            "WHERE run_id = %s ORDER BY asset, attempt DESC) AS last WHERE status <> 'success'",
            [run_id],
        ).fetchall()
    return {asset for (asset,) in rows}


def newest_forecast(url: SecretStr) -> str:
    """One line on the newest issue: the forecast, or why there is none."""
    with connect(url) as connection:
        row = connection.execute(
            "SELECT model, issued_at, refused_reason, fallback_reason FROM forecast.issues "
            "WHERE model NOT IN ('neso', 'seasonal_naive') OR fallback_reason IS NOT NULL "
            "OR refused_reason IS NOT NULL "
            "ORDER BY issued_at DESC, refused_reason IS NOT NULL LIMIT 1"
        ).fetchone()
    if row is None:
        return "Warning: there is no forecast yet."
    model, issued_at, refused, fallback = row
    if refused:
        return f"Warning: no forecast for {_at(issued_at)}. {refused}"
    said = f"Forecast by {model} from {_at(issued_at)}, 48 hours."
    return f"{said} Warning: {fallback}" if fallback else said


def refusals(url: SecretStr, days: Range) -> Iterator[str]:
    """How many issue times of some UTC days have no forecast, and why the first has none."""
    with connect(url) as connection:
        row = connection.execute(
            "SELECT count(*), (array_agg(refused_reason ORDER BY issued_at))[1] "
            "FROM forecast.issues WHERE refused_reason IS NOT NULL "
            "AND issued_at >= %s AND issued_at < %s",
            [day_start(days.first), day_start(days.last + timedelta(days=1))],
        ).fetchone()
    assert row is not None
    if row[0]:
        yield f"Warning: no forecast at {row[0]} issue times. {row[1]}"


def scores(url: SecretStr, days: Range | None = None) -> Iterator[str]:
    """Error of carbon intensity by model and lead bucket, over some UTC days of target or all."""
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT model, lead_bucket, round(sum(abs_error_sum) / sum(n), 1), "
            "round(100.0 * sum(n_inside_80) / nullif(sum(n_band), 0)), bool_or(simulated) "
            "FROM forecast.accuracy WHERE series = 'carbon_intensity' "
            "AND (%(first)s::date IS NULL OR target_date BETWEEN %(first)s AND %(last)s) "
            "GROUP BY model, lead_bucket",
            {"first": days and days.first, "last": days and days.last + timedelta(days=2)},
        ).fetchall()
    buckets = list(LEAD_BUCKETS)
    yield f"  {'model':<30}" + "".join(f"{bucket:>9}" for bucket in buckets) + "   in 80 % band"
    for model in sorted({row[0] for row in rows}):
        by_bucket = {row[1]: row for row in rows if row[0] == model}
        simulated = any(row[4] for row in by_bucket.values())
        errors = "".join(f"{by_bucket[b][2] if b in by_bucket else '-':>9}" for b in buckets)
        held = [by_bucket[b][3] for b in buckets if b in by_bucket and by_bucket[b][3] is not None]
        band = f"{min(held)} to {max(held)} %" if held else "-"
        yield f"  {model + (' (simulated)' if simulated else ''):<30}{errors}   {band}"


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
        "there is no forecast": "SELECT NOT EXISTS (SELECT FROM forecast.predictions)",
        "there are no scores": "SELECT NOT EXISTS (SELECT FROM forecast.accuracy)",
        "the shares of a forecast do not sum to exactly 100": (
            "SELECT EXISTS (SELECT FROM forecast.predictions WHERE series <> 'carbon_intensity' "
            "GROUP BY model, issued_at, period_start HAVING sum(p50) <> 100)"
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


def _short(message: str | None) -> str:
    """A message on one line of a terminal; all of it is in ops.etl_runs."""
    line = " ".join((message or "no message").split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]} …"


def _at(at: datetime | date | None) -> str:
    if at is not None and not isinstance(at, datetime):
        return str(at)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if at else "-"


def _since(age: timedelta) -> str:
    """How long ago, or how soon: a forecast starts at the next half-hour."""
    return f"in {_ago(-age)}" if age < timedelta(0) else f"{_ago(age)} ago"


def _ago(age: timedelta) -> str:
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} days"

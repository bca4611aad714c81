"""What the database weighs and what a year adds, for `grid status`.

Belongs here: adding up the catalogue, and the estimate. Does not belong here: what is removed when
(`housekeeping`).

A year is bytes a row here and now times the rows of a year. Nothing is counted that is large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

WEEK: Final = timedelta(days=7)
WEEKS_A_YEAR: Final = 365.25 / 7

FEWEST_ROWS: Final = 1000
"""With fewer rows the empty pages of a new table and its indexes would count as weight of rows."""

UNCOUNTED: Final = 1_000_000
"""Bytes. A table that weighs more has rows, even where PostgreSQL has not counted them yet."""

DESIGNED: Final = {
    "raw.intensity": 48,
    "raw.generation": 48,
    "raw.neso_forecast": 48 * 96,
    "core.intensity": 48,
    "core.generation_mix": 48,
    "forecast.predictions": 48 * (2 * 960 + 96),
    "forecast.issues": 48 * 3,
    "forecast.accuracy": 2 * 10 * 5 + 5,
    "ops.etl_runs": 48 * 7,
}
"""Rows a day of a cycle each half-hour with one model, seasonal naive and NESO, for a warehouse
that is younger than a week. `forecast.calibration` is left out: it is removed again."""

PARTS: Final = {
    "telemetry": ("raw", "core"),
    "forecasts": ("forecast",),
    "operations": ("ops",),
    "Dagster": ("dagster",),
}
"""Lines of the report with the schemas that they add up."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table with its indexes and partitions; -1 rows where they were never counted."""

    size: int
    rows: int


def report(connection: Connection, settings: Settings, now: datetime) -> Iterator[str]:
    """A line for all, and one for each part: bytes now, and bytes that a year adds."""
    tables = _tables(connection)
    row = connection.execute(
        "SELECT pg_database_size(current_database()), (SELECT stamped_at FROM ops.warehouse)"
    ).fetchone()
    assert row is not None
    young = now - row[1] < WEEK
    week = {name: 7 * rows for name, rows in DESIGNED.items()}
    if not young:
        week = dict(
            connection.execute(
                statement("ops/count_rows_of_a_week"), {"since": now - WEEK}
            ).fetchall()
        )
    rate = "designed rate, as it is under a week old" if young else "rate of the last 7 days"
    yield f"weight        {size(row[0])} in all; a year adds, at the {rate}:"
    for part, schemas in PARTS.items():
        own = {name: t for name, t in tables.items() if name.split(".")[0] in schemas}
        now_bytes = sum(table.size for table in own.values())
        if part != "Dagster":
            yield f"  {part:<12}{size(now_bytes):>9}  {_added(own, week)}{_kept(part, settings)}"
        elif settings.dagster_database_url is not None and not own:
            yield f"  {part:<12}{'-':>9}  in a database of its own, GRID_DAGSTER_DATABASE_URL"
        else:
            added = _dagster_year(connection, own, now, young)
            yield f"  {part:<12}{size(now_bytes):>9}  {added}{_kept(part, settings)}"


def _tables(connection: Connection) -> dict[str, Table]:
    schemas = [schema for some in PARTS.values() for schema in some]
    found: dict[str, Table] = {}
    rows = connection.execute(statement("ops/measure_tables"), {"schemas": schemas}).fetchall()
    for name, total, counted in rows:
        before = found.get(name, Table(0, 0))
        found[name] = Table(before.size + total, before.rows + max(counted, 0))
    return found


def _added(tables: Mapping[str, Table], week: Mapping[str, Any]) -> str:
    """Bytes of a year of the tables that grow and hold enough rows to tell."""
    year = 0.0
    for name, table in tables.items():
        if name not in week:
            continue
        if table.rows >= FEWEST_ROWS:
            year += table.size / table.rows * float(week[name]) * WEEKS_A_YEAR
        elif table.size > UNCOUNTED:
            return f"not known before ANALYZE has counted the rows of {name}"
    return f"+{size(year)}" if year else "not known yet: too few rows"


def _dagster_year(
    connection: Connection,
    tables: Mapping[str, Table],
    now: datetime,
    young: bool,
) -> str:
    """By runs: what is there, divided by the runs that are, times the runs of a year."""
    runs = tables.get("dagster.runs")
    if runs is None or runs.rows < FEWEST_ROWS // 10 or young:
        return "not known yet: too few runs"
    row = connection.execute(
        "SELECT count(*) FROM dagster.runs WHERE create_timestamp >= %s",
        [(now - WEEK).replace(tzinfo=None)],
    ).fetchone()
    assert row is not None
    each = sum(table.size for table in tables.values()) / runs.rows
    return f"+{size(each * row[0] * WEEKS_A_YEAR)}"


def _kept(part: str, settings: Settings) -> str:
    """How much of a year's addition stays."""
    if part == "forecasts" and settings.forecast_keep_days:
        leads = len(settings.forecast_keep_leads_hours)
        return f"; after {settings.forecast_keep_days} days {leads} of 96 leads stay"
    if part == "Dagster" and settings.dagster_keep_days:
        return f"; after {settings.dagster_keep_days} days the newest of each day and asset stay"
    return ""


def size(count: float) -> str:
    """Bytes for people, in powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"

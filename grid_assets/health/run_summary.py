"""Lines for a terminal about a run: its attempts, its forecast, and the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from grid_assets.forecasting.models.champion import WAREHOUSE_SOURCE
from grid_assets.halfhours import day_start, utc_text
from grid_assets.series import LEAD_BUCKETS, model_place
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.stamp import Stamp, read_stamp
from grid_assets.warehouse.statements import statement


def run_lines(connection: Connection, run_id: str) -> Iterator[str]:
    """One line for each attempt of a run, failures with their message."""
    rows = connection.execute(statement("health/attempts_of_run"), {"run_id": run_id}).fetchall()
    width = max((len(asset) for asset, *_ in rows), default=0)
    for asset, state, fetched, written, rejected, took, error_type, message in rows:
        yield (
            f"  {asset:<{width}} {state:<8} {fetched:>6} read  {written:>6} changed  "
            f"{rejected:>3} rejected  {(took or 0) / 1000:>6.1f} s"
        )
        if message:
            yield f"    {error_type}: {message}"


def failed_assets(connection: Connection, run_id: str) -> set[str]:
    """The assets whose last attempt in this run failed."""
    rows = connection.execute(
        "SELECT asset FROM (SELECT DISTINCT ON (asset) asset, status FROM ops.etl_runs "
        "WHERE run_id = %s ORDER BY asset, attempt DESC) AS last WHERE status <> 'success'",
        [run_id],
    ).fetchall()
    return {asset for (asset,) in rows}


def newest_forecast(connection: Connection) -> str:
    """One line about the newest issue: the forecast, or why there is none."""
    row = connection.execute(statement("health/newest_issue")).fetchone()
    if row is None:
        return "Warning: there is no forecast yet."
    model, issued_at, refused, fallback, recomputed, members = row
    if refused:
        return f"Warning: no forecast for {utc_text(issued_at)}. {refused}"
    who = f"blend of {_listed([one['model'] for one in members.values()])}" if members else model
    line = f"Forecast by {who} from {utc_text(issued_at)}, 48 hours."
    if recomputed:
        line += (
            f" Warning: the newest published values are missing, so {recomputed} half-hours before "
            "it were recomputed from generation by fuel."
        )
    return f"{line} Warning: {fallback}" if fallback else line


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    *others, last = sorted(names, key=lambda name: (model_place(name), name))
    return f"{', '.join(others)} and {last}" if others else last


def refusals(connection: Connection, days: Range) -> Iterator[str]:
    """The number of issue times that have no forecast, and the first reason, if there are any."""
    row = connection.execute(statement("health/refusals"), _issued_on(days)).fetchone()
    assert row is not None
    if row[0]:
        yield f"No forecast at {row[0]} issue times. {row[1]}"


def has_forecast(connection: Connection, days: Range) -> bool:
    """Whether a model of ours has forecast on any of the days."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM forecast.issues WHERE refused_reason IS NULL "
        "AND model <> 'neso' AND issued_at >= %(start)s AND issued_at < %(end)s)",
        _issued_on(days),
    ).fetchone()
    return row == (True,)


def learned_from(connection: Connection, days: Range) -> Iterator[str]:
    """A warning if models that forecast on some of the days had been trained on them."""
    shift = (read_stamp(connection) or Stamp("live")).shift_weeks or 0
    rows = connection.execute(
        statement("health/learned_from"),
        {**_issued_on(days), "shift": timedelta(weeks=shift), "grown_here": WAREHOUSE_SOURCE},
    ).fetchall()
    if rows:
        newest = max(trained_to for _, trained_to in rows)
        yield (
            f"Warning: {_listed([model for model, _ in rows])} learned from data up to "
            f"{utc_text(newest)}: the scores of these days flatter, and so do the blend's."
        )


def _issued_on(days: Range) -> dict[str, datetime]:
    return {"start": day_start(days.first), "end": day_start(days.last + timedelta(days=1))}


def scores(connection: Connection, days: Range | None = None) -> Iterator[str]:
    """Mean absolute error of carbon intensity by model and lead bucket, for all or some days."""
    rows = connection.execute(
        statement("health/scores"),
        {"first": days and days.first, "last": days and days.last + timedelta(days=2)},
    ).fetchall()
    buckets = list(LEAD_BUCKETS)
    yield f"  {'model':<30}" + "".join(f"{bucket:>9}" for bucket in buckets) + "   in 80 % band"
    for model in sorted({row[0] for row in rows}, key=lambda model: (model_place(model), model)):
        by_bucket = {row[1]: row for row in rows if row[0] == model}
        simulated = any(row[4] for row in by_bucket.values())
        errors = "".join(f"{by_bucket[b][2] if b in by_bucket else '-':>9}" for b in buckets)
        held = [by_bucket[b][3] for b in buckets if b in by_bucket and by_bucket[b][3] is not None]
        band = f"{min(held)} to {max(held)} %" if held else "-"
        yield f"  {model + (' (simulated)' if simulated else ''):<30}{errors}   {band}"

"""What do the regions cost: a cycle, a day on disk, their views, and the feeds?

Cycles with and without regions take turns on one warehouse. Then it gets ten years of clean
half-hours of all regions and a year of captured forecasts, at every half-hour, and the views are
queried as by a BI tool: with the rights of `grid_reader`, and planned again each time.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from bench.forecasting import release
from bench.readers import ask, quantile
from bench.results import BenchError, Figure, Measured
from bench.sandbox import Ran, Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from grid_assets.feeds.documents import documents
from grid_assets.feeds.read import read
from grid_assets.feeds.write import write
from grid_assets.files.store import Folder
from grid_assets.halfhours import DAY, HALF_HOUR, Window, floor
from grid_assets.regional.load import load_regional_forecast
from grid_assets.replay.regional import RegionalView
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.carbon_intensity.regional import parse_regional
from grid_assets.warehouse.connection import connect

FIGURES: Final = {
    "tick_with_regions_s": Figure("s", "<= tick without regions + 2"),
    "tick_with_regions_mb": Figure("MB", "<= tick without regions + 15"),
    "regional_forecast_mb_a_day": Figure("MB", "<= 2"),
    "regions_year_mb": Figure("MB"),
    "regional_view_p95_ms": Figure("ms", "<= 10"),
    "regional_window_p95_ms": Figure("ms", "<= 5"),
    "feeds_s": Figure("s", "<= 0.5"),
}

LOG = logging.getLogger(__name__)
LOADED: Final = 10 * DAY

VIEWS: Final = {
    "now": "SELECT * FROM reporting.regional_now",
    "day": "SELECT * FROM reporting.regional_24h WHERE region_id = 13",
    "forecast": "SELECT * FROM reporting.regional_forecast_latest "
    "WHERE region_id = 13 AND series = 'carbon_intensity'",
    "week": "SELECT * FROM reporting.regional_telemetry WHERE region_id = 13 "
    "AND period_start >= now() - interval '7 days'",
    "accuracy": "SELECT lead_bucket, sum(abs_error_sum) / sum(n) "
    "FROM reporting.regional_forecast_accuracy "
    "WHERE region_id = 13 AND target_date > current_date - 30 GROUP BY 1",
}
WINDOW: Final = {
    "window": "SELECT * FROM reporting.greenest_window("
    "interval '3 hours', now() + interval '24 hours', region => 13)"
}


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Everything on one warehouse."""
    today = datetime.now(UTC).date()
    with sandbox() as box, ReplayServer() as replay:
        replay.control.withhold(2 * sizes.forecast_ticks + 4, replay.now())
        start = today - LOADED
        settings = {"history_start": today - DAY, "backtest_days": 0}
        box.grid(replay, "backfill", "--from", start, "--to", today, **settings)
        ticks: dict[bool, list[Ran]] = {True: [], False: []}
        for regions in (True, False):  # the first of each kind fills gaps
            release(replay)
            box.grid(replay, "tick", **settings, regions=regions)
        for _ in range(sizes.forecast_ticks):
            for regions in (False, True):
                release(replay)
                ticks[regions].append(box.tick(replay, **settings, regions=regions))
        _refuse_without_regions(box, sizes.forecast_ticks)
        disk = _fill(box, replay, sizes)
        answered = ask(_reader(box.url), {**VIEWS, **WINDOW}, sizes.growth_s)
        for name, values in answered.items():
            LOG.info(f"{name}: median {median(values):.1f}, p95 {quantile(values, 0.95):.1f} ms")
        feeds = _feeds(box, sizes.issues)
    slowest = max(VIEWS, key=lambda name: quantile(answered[name], 0.95))
    return {
        **_costs(ticks),
        **disk,
        "regional_view_p95_ms": Measured(quantile(answered[slowest], 0.95), f"slowest: {slowest}"),
        "regional_window_p95_ms": Measured(quantile(answered["window"], 0.95), "greenest_window"),
        "feeds_s": feeds,
    }


def _costs(ticks: dict[bool, list[Ran]]) -> dict[str, Measured]:
    without_s = median(ran.seconds for ran in ticks[False])
    without_mb = max(ran.peak_mb for ran in ticks[False])
    seconds = median(ran.seconds for ran in ticks[True])
    return {
        "tick_with_regions_s": Measured(
            seconds,
            f"without regions: {without_s:.2f} s; {len(ticks[True])} ticks of each in turn",
            limit=without_s + 2,
        ),
        "tick_with_regions_mb": Measured(
            max(ran.peak_mb for ran in ticks[True]),
            f"without regions: {without_mb:.0f} MB; the worst tick",
            limit=without_mb + 15,
        ),
    }


def _refuse_without_regions(box: Sandbox, expected: int) -> None:
    """Raise `BenchError` unless the cycles captured regions."""
    (captures,) = box.row(
        "SELECT count(*) FROM ops.etl_runs WHERE asset = 'raw.regional_forecast' "
        "AND status = 'success' AND rows_fetched > 0"
    )
    if captures < expected:
        raise BenchError(f"Of {expected} cycles with regions, {captures} captured their forecast")


def _fill(box: Sandbox, replay: ReplayServer, sizes: Sizes) -> dict[str, Measured]:
    """Ten years of clean half-hours and a year of captured forecasts; what they take on disk."""
    end = floor(datetime.now(UTC))
    LOG.info("Filling in years of regions")
    with connect(box.url) as connection, connection.transaction():
        connection.execute("DELETE FROM raw.regional_vintages")
        view = RegionalView(replay.view)
        for number in range(sizes.regional_vintages):
            at = end - number * HALF_HOUR
            records = view.records(at, at + 2 * DAY, at + timedelta(minutes=12))
            parsed = parse_regional({"data": records}, Window(at, at + 2 * DAY))
            load_regional_forecast(connection, parsed.rows, at + timedelta(minutes=12), False)
        days = {"history": sizes.long_history_days, "forecasts": sizes.forecast_days, "end": end}
        for name in ("regional_intensity", "regional_mix", "regional_vintages"):
            connection.execute(bench_sql(name), days)
    with connect(box.url) as connection:
        connection.execute("VACUUM (FULL, ANALYZE) raw.regional_vintages")
        connection.execute("VACUUM ANALYZE")
        vintages, count, core, rows, raw, captures = map(
            float, connection.execute(bench_sql("regional_sizes")).fetchone() or ()
        )
    a_day = vintages / count * (DAY // HALF_HOUR) / 1e6
    half_hours = 18 * (DAY // HALF_HOUR) * 365
    telemetry = (core / rows + 2 * raw / captures) * half_hours / 1e6
    return {
        "regional_forecast_mb_a_day": Measured(a_day, f"{count:,.0f} captures"),
        "regions_year_mb": Measured(
            365 * a_day + telemetry,
            f"beside year_mb: captured forecasts {365 * a_day:.0f}, half-hours with one revision "
            f"each {telemetry:.0f}",
        ),
    }


def _feeds(box: Sandbox, rounds: int) -> Measured:
    seconds: list[float] = []
    with connect(box.url) as connection, tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            begun = time.perf_counter()
            made = documents(read(connection, datetime.now(UTC)), "replay")
            size = write(Folder(Path(folder)), made)
            seconds.append(time.perf_counter() - begun)
    return Measured(
        median(seconds), f"{len(made)} documents, {size / 1000:.0f} kB; {_span(seconds)}"
    )


def _span(seconds: Sequence[float]) -> str:
    return f"{len(seconds)} rounds: {min(seconds):.2f} to {max(seconds):.2f} s"


def _reader(url: SecretStr) -> SecretStr:
    """A separate login with the rights of `grid_reader`, as a dashboard has."""
    password = secrets.token_urlsafe()
    create = sql.SQL("CREATE ROLE bench_reader LOGIN PASSWORD {} IN ROLE grid_reader")
    with connect(url) as connection:
        connection.execute(create.format(sql.Literal(password)))
    return SecretStr(make_conninfo(url.get_secret_value(), user="bench_reader", password=password))

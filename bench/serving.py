"""How fast are the queries of dashboards, on years of data and while the pipeline writes?

The same views are queried on a year of telemetry and on ten. Then the writer works alone, then with
readers; the latencies with a target come from that last part. The writer runs ahead of the clock,
so the views of the last 24 hours hold somewhat more than a day.
"""

from __future__ import annotations

import logging
import secrets
import signal
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from statistics import median
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from bench.naive import copy_to_naive, naive_times
from bench.readers import Latencies, ask, asking, quantile, questions
from bench.results import Figure, Measured
from bench.sandbox import Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from bench.writer import catch_up, paced_cycles
from bench.years import build, grow
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.halfhours import floor
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import connect

FIGURES: Final = {
    "view_24h_p99_ms": Figure("ms", "<= 10"),
    "latest_forecast_p95_ms": Figure("ms", "<= 3"),
    "day_ahead_p95_ms": Figure("ms", "<= 5"),
    "greenest_window_p95_ms": Figure("ms", "<= 5"),
    "accuracy_30d_p95_ms": Figure("ms", "<= 5"),
    "accuracy_365d_p95_ms": Figure("ms", "<= 10"),
    "view_24h_growth": Figure("x", "<= 1.5"),
    "writer_slowdown": Figure("x", "<= 1.5"),
    "bytes_per_half_hour": Figure("B"),
    "bytes_per_issue": Figure("B", "<= 12000"),
}

LOG = logging.getLogger(__name__)
VIEWS_24H: Final = ("telemetry_24h", "generation_mix_24h", "actual_vs_predicted_24h")
LATENCIES: Final = {
    "view_24h_p99_ms": VIEWS_24H,
    "latest_forecast_p95_ms": ("latest_ahead", "latest_behind"),
    "day_ahead_p95_ms": ("day_ahead",),
    "greenest_window_p95_ms": ("greenest_window",),
    "accuracy_30d_p95_ms": ("accuracy_30d",),
    "accuracy_365d_p95_ms": ("accuracy_365d",),
}
"""The questions behind each figure; the slowest counts."""

ISSUE_ROWS: Final = HORIZON * len(SERIES)


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Measure everything on one warehouse, whose data ends now."""
    texts = questions("reporting")
    with sandbox() as box:
        end = floor(datetime.now(UTC)) - sizes.by_cycles
        build(box.url, end, sizes)
        catch_up(box.url, floor(datetime.now(UTC)))
        reader = _reader(box.url)
        short = ask(reader, texts, sizes.growth_s)
        grow(box.url, end, sizes)
        catch_up(box.url, floor(datetime.now(UTC)))
        long = ask(reader, texts, sizes.growth_s)
        client = ask(reader, {"client": "SELECT 1"}, sizes.growth_s / 5)["client"]
        LOG.info("The writer alone, then with readers")
        alone = paced_cycles(box.url, sizes.alone_s, sizes.cycle_every_s)
        with asking(reader, texts, sizes.together_s) as latencies:
            busy = paced_cycles(box.url, sizes.together_s, sizes.cycle_every_s)
            answered = latencies()
        for name, values in answered.items():
            levels = ", ".join(f"p{n} {quantile(values, n / 100):.1f}" for n in (50, 95, 99))
            LOG.info(f"{name}: {len(values)} answers, {levels} ms")
        LOG.info("Copying all rows into the naive design")
        with connect(box.url) as connection:
            # The clock now, not when the writer began: forecasts of half-hours that have begun
            # since are scored and must stay.
            connection.execute(bench_sql("forget_ahead"), {"now": floor(datetime.now(UTC))})
        copy_to_naive(box.url)
        naive_ms = naive_times(box.url, sizes.naive_timeout_s)
        disk = _bytes(box)
    found = {}
    for name, asked in LATENCIES.items():
        level = 0.99 if name == "view_24h_p99_ms" else 0.95
        slowest = max(naive_ms[question] for question in asked)
        words = f"{slowest:,.0f} ms" if slowest < inf else f"over {sizes.naive_timeout_s:g} s"
        value = max(quantile(answered[question], level) for question in asked)
        found[name] = Measured(value, f"naive: {words}, alone")
    through = f"p50 {median(client):.1f}, p99 {quantile(client, 0.99):.1f} ms"
    slowest_view = found["view_24h_p99_ms"]
    found["view_24h_p99_ms"] = slowest_view._replace(
        baseline=f"{slowest_view.baseline}; SELECT 1 through the same client: {through}"
    )
    slowdown = (
        f"median cycle: {median(alone):.2f} s alone ({len(alone)} cycles), "
        f"{median(busy):.2f} s with readers ({len(busy)})"
    )
    return {
        **found,
        "view_24h_growth": _growth(short, long),
        "writer_slowdown": Measured(median(busy) / median(alone), slowdown),
        **disk,
    }


def _reader(url: SecretStr) -> SecretStr:
    """A separate login with the rights of `grid_reader`, as a dashboard has."""
    password = secrets.token_urlsafe()
    create = sql.SQL("CREATE ROLE bench_reader LOGIN PASSWORD {} IN ROLE grid_reader")
    with connect(url) as connection:
        connection.execute(create.format(sql.Literal(password)))
    return SecretStr(make_conninfo(url.get_secret_value(), user="bench_reader", password=password))


def _growth(short: Latencies, long: Latencies) -> Measured:
    """For the view that slowed down most. By medians: the p99 of a hundred answers is chance."""
    ratios = {name: median(long[name]) / median(short[name]) for name in VIEWS_24H}
    name = max(ratios, key=ratios.__getitem__)
    return Measured(
        ratios[name],
        f"{name}, median of {len(long[name])}: {median(short[name]):.1f} ms on the short history, "
        f"{median(long[name]):.1f} ms on the long; "
        f"p99 {quantile(short[name], 0.99):.1f} and {quantile(long[name], 0.99):.1f} ms",
    )


def _bytes(box: Sandbox) -> dict[str, Measured]:
    """Disk space for a half-hour and for a forecast, with indexes, scores and helper tables.

    NESO's captured forecasts are left out of the first, and its predictions are in the second.
    """
    half_hours, issues, *sizes = map(float, box.row(bench_sql("bytes")))
    telemetry, naive_telemetry = (size / half_hours for size in sizes[:2])
    forecasts, naive_forecasts = (size / issues for size in sizes[2:])
    of_telemetry = f"naive: {naive_telemetry:,.0f}; captures and clean rows of intensity and mix"
    of_issue = f"{ISSUE_ROWS} predictions, with what is kept about them"
    return {
        "bytes_per_half_hour": Measured(telemetry, of_telemetry),
        "bytes_per_issue": Measured(forecasts, f"naive: {naive_forecasts:,.0f}; {of_issue}"),
    }


if __name__ == "__main__":  # the same database, for looking at plans
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s] %(message)s")
    with sandbox() as box:
        end = floor(datetime.now(UTC)) - Sizes().by_cycles
        build(box.url, end, Sizes())
        grow(box.url, end, Sizes())
        catch_up(box.url, floor(datetime.now(UTC)))
        LOG.info(f"psql '{box.url.get_secret_value()}'; Ctrl-C stops the server and removes it")
        with suppress(KeyboardInterrupt):
            signal.pause()

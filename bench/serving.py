"""How soon dashboards are answered, on years of data and while the pipeline writes.

Belongs here: the order of the measurement and its targets. Does not belong here: the data
(`serving_data`), the writer (`cycles`), the readers (`open_loop`, `questions`), the naive design.

First a year of telemetry, then ten, so that the same views can be asked on both. Then the writer
alone, then with readers; the latencies with a target are from there. Newer cycles than now exist
while that is measured: the writer runs ahead of the clock, and so the views of the last 24 hours
hold somewhat more than a day.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from bench.cycles import paced_cycles
from bench.naive import copy_to_naive, naive_times
from bench.open_loop import Latencies, Load, ask, asking, quantile
from bench.place import Place
from bench.questions import LATEST, QUESTIONS, VIEWS_24H
from bench.results import Result, at_most, told
from bench.serving_data import (
    MODEL,
    TEN_YEARS_DAYS,
    YEAR_DAYS,
    Span,
    build,
    catch_up,
    load_telemetry,
    next_issue,
    settle,
)
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.halfhours import DAY, Window, floor
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import connect

MOST_VIEW_P99_MS: Final = 25
MOST_VIEW_GROWTH: Final = 1.5
MOST_FORECAST_P95_MS: Final = 5
MOST_GREENEST_P95_MS: Final = 10
MOST_ACCURACY_30D_P95_MS: Final = 50
MOST_ACCURACY_365D_P95_MS: Final = 300
MOST_SLOWDOWN: Final = 1.5

ISSUE_ROWS: Final = HORIZON * len(SERIES)

NAMES: Final = (
    "view_24h_p99_ms",
    "latest_forecast_p95_ms",
    "day_ahead_p95_ms",
    "greenest_window_p95_ms",
    "accuracy_30d_p95_ms",
    "accuracy_365d_p95_ms",
    "view_24h_growth",
    "writer_slowdown",
    "bytes_per_half_hour",
    "bytes_per_issue",
)

SIZE: Final = """
    SELECT sum(pg_total_relation_size(c.oid))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s) AND c.relkind = 'r' AND c.relname !~ %s
"""
"""Bytes of all tables of some schemas but those of that name, with indexes and TOAST."""

ROWS: Final = """
    SELECT (SELECT count(*) FROM core.intensity), (SELECT count(*) FROM forecast.predictions)
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much data there is, and for how long it is asked."""

    young_days: int = YEAR_DAYS
    history_days: int = TEN_YEARS_DAYS
    forecast_days: int = YEAR_DAYS
    vintage_days: int = YEAR_DAYS
    models: tuple[str, ...] = (MODEL,)
    by_cycles: timedelta = DAY
    """The newest of it, which arrives through the writer."""
    load: Load = field(default_factory=Load)
    growth_s: float = 25
    """Readers alone, at each of the two ages."""
    alone_s: float = 45
    """The writer alone."""
    together_s: float = 90
    """Both: at 40 queries a second some 450 answers for each of eight questions."""
    cycle_every_s: float = 3
    """Six hundred times as often as in operation."""
    naive_timeout_s: float = 60


def serving(place: Place, scale: Scale, say: Say) -> list[Result]:
    """`NAMES`, on a warehouse of `scale` that ends now."""
    url, model = place.warehouse, scale.models[0]
    texts = {question.name: question.of_ours(model) for question in QUESTIONS}
    span = Span(
        floor(datetime.now(UTC)) - scale.by_cycles,
        scale.young_days,
        scale.forecast_days,
        scale.vintage_days,
        scale.models,
    )
    build(url, span, say)
    reader = _reader(url)
    say(f"{_to_now(url, scale)} cycles brought the newest half-hours")
    young = ask(reader, texts, scale.load, scale.growth_s)
    _grow(url, span, scale.history_days, say)
    _to_now(url, scale)
    old = ask(reader, texts, scale.load, scale.growth_s)
    client = ask(reader, {"client": "SELECT 1"}, scale.load, scale.growth_s / 5)["client"]
    say("The writer alone, then with readers")
    alone = paced_cycles(url, next_issue(url), scale.models, scale.alone_s, scale.cycle_every_s)
    with asking(reader, texts, scale.load, scale.together_s) as finalise:
        busy = paced_cycles(
            url, next_issue(url), scale.models, scale.together_s, scale.cycle_every_s
        )
        answered = finalise()
    for name, values in answered.items():
        say(
            f"{name}: {len(values)} answers, p50 {median(values):.1f}, "
            f"p95 {quantile(values, 0.95):.1f}, p99 {quantile(values, 0.99):.1f} ms"
        )
    say("Copying all rows into the naive design")
    copy_to_naive(url)
    naive = naive_times(url, model, scale.naive_timeout_s, say)
    return [
        *_latencies(answered, client, naive, scale),
        _growth(young, old),
        _slowdown(alone, busy),
        *_sizes(place),
    ]


def _to_now(url: SecretStr, scale: Scale) -> int:
    return catch_up(url, scale.models, floor(datetime.now(UTC)))


def _grow(url: SecretStr, span: Span, days: int, say: Say) -> None:
    """The years before, as `grid backfill` would load them: behind what is there."""
    older = span.last_days(days).start
    load_telemetry(url, Window(older, span.last_days(span.history_days).start), say)
    settle(url, say)


def _reader(url: SecretStr) -> str:
    """A login of its own that may do what `grid_reader` may, as a dashboard has it."""
    password = secrets.token_urlsafe()
    with connect(url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE bench_reader LOGIN PASSWORD {} IN ROLE grid_reader").format(
                sql.Literal(password)
            )
        )
    return make_conninfo(url.get_secret_value(), user="bench_reader", password=password)


def _latencies(
    answered: Latencies, client: list[float], naive: Mapping[str, float | None], scale: Scale
) -> list[Result]:
    def result(
        name: str, asked: tuple[str, ...], level: float, limit: float, more: str = ""
    ) -> Result:
        worst = max(quantile(answered[question], level) for question in asked)
        return at_most(name, worst, "ms", limit, _naive_words(naive, asked, scale) + more)

    overhead = (
        f"; SELECT 1 through the same client: p50 {median(client):.1f}, "
        f"p99 {quantile(client, 0.99):.1f} ms"
    )
    return [
        result("view_24h_p99_ms", VIEWS_24H, 0.99, MOST_VIEW_P99_MS, overhead),
        result("latest_forecast_p95_ms", LATEST, 0.95, MOST_FORECAST_P95_MS),
        result("day_ahead_p95_ms", ("day_ahead",), 0.95, MOST_FORECAST_P95_MS),
        result("greenest_window_p95_ms", ("greenest_window",), 0.95, MOST_GREENEST_P95_MS),
        result("accuracy_30d_p95_ms", ("accuracy_30d",), 0.95, MOST_ACCURACY_30D_P95_MS),
        result("accuracy_365d_p95_ms", ("accuracy_365d",), 0.95, MOST_ACCURACY_365D_P95_MS),
    ]


def _naive_words(naive: Mapping[str, float | None], asked: tuple[str, ...], scale: Scale) -> str:
    """The slowest of the questions on the naive design, with nobody else on the server."""
    times = [naive[question] for question in asked]
    slowest = max((time for time in times if time is not None), default=0.0)
    told = f"over {scale.naive_timeout_s:g} s" if None in times else f"{slowest:,.0f} ms"
    return f"naive: {told}, alone"


def _growth(young: Latencies, old: Latencies) -> Result:
    """By medians: a p99 of a hundred answers is the machine's, not the data's."""
    ratios = {name: median(old[name]) / median(young[name]) for name in VIEWS_24H}
    name = max(ratios, key=lambda view: ratios[view])
    return at_most(
        "view_24h_growth",
        ratios[name],
        "x",
        MOST_VIEW_GROWTH,
        f"{name}, median of {len(old[name])}: {median(young[name]):.1f} ms on the short history, "
        f"{median(old[name]):.1f} ms on the long; "
        f"p99 {quantile(young[name], 0.99):.1f} and {quantile(old[name], 0.99):.1f} ms",
    )


def _slowdown(alone: list[float], busy: list[float]) -> Result:
    return at_most(
        "writer_slowdown",
        median(busy) / median(alone),
        "x",
        MOST_SLOWDOWN,
        f"median cycle: {median(alone):.2f} s alone ({len(alone)} cycles), "
        f"{median(busy):.2f} s with readers ({len(busy)})",
    )


def _sizes(place: Place) -> list[Result]:
    """Everything that a half-hour and a forecast cost, scores and helper tables too.

    NESO's vintages are left out: each is 96 rows, whatever is forecast.
    """

    def size(schemas: list[str], but: str) -> float:
        return float(place.row(SIZE, schemas, but)[0])

    half_hours, predictions = place.row(ROWS)
    issues = predictions / ISSUE_ROWS
    forecasts, telemetry = "^(predictions|issues)", "^(published_|intensity|generation_mix)"
    return [
        told(
            "bytes_per_half_hour",
            size(["raw", "core"], "^neso_forecast") / half_hours,
            "B",
            f"naive: {size(['naive'], forecasts) / half_hours:,.0f}; captures and clean rows of "
            "intensity and mix",
        ),
        told(
            "bytes_per_issue",
            size(["forecast"], "^$") / issues,
            "B",
            f"naive: {size(['naive'], telemetry) / issues:,.0f}; {ISSUE_ROWS} "
            "predictions, with what is kept about them",
        ),
    ]

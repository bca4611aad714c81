"""For `grid demo --once`: the errors of all models by lead, on the same forecasts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from psycopg.rows import class_row

from grid_assets.halfhours import DAY, utc_text
from grid_assets.outlook.sources import title
from grid_assets.series import LEAD_BUCKETS, model_place
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

LOOKED_BACK: Final = 30 * DAY

FEW_DAYS: Final = 60
"""Fewer days tell models that differ by a gram or two apart only by chance."""

WIDTH: Final = 90


@dataclass(frozen=True, slots=True)
class Score:
    """One model and lead bucket (None: all leads) on the forecasts that are compared."""

    model: str
    lead_bucket: str | None
    n: int
    issues: int | None
    half_hours: int | None
    first_issue: datetime | None
    last_issue: datetime | None
    mae: Decimal | None
    inside_pct: Decimal | None
    simulated: bool


def table(connection: Connection, now: datetime) -> Iterator[str]:
    """A line for each model, and what must be known to read them."""
    with connection.cursor(row_factory=class_row(Score)) as cursor:
        scores = cursor.execute(
            statement("health/compare_models"), {"since": now - LOOKED_BACK}
        ).fetchall()
    whole = {score.model: score for score in scores if score.lead_bucket is None}
    most = max(whole.values(), key=lambda score: score.n, default=None)
    if most is None or not most.n:
        yield "No forecast has come true yet, so there are no errors to compare."
        return
    yield "Mean absolute error of carbon intensity by lead, gCO2/kWh:"
    buckets = "".join(f"{bucket:>8}" for bucket in LEAD_BUCKETS)
    yield f"  {'model':<28}{buckets}{'in band':>9}{'forecasts':>11}"
    for model in sorted(whole, key=lambda model: (model_place(model), model)):
        by_bucket = {score.lead_bucket: score for score in scores if score.model == model}
        yield _line(whole[model], by_bucket)
    yield from _explain(list(whole.values()), most)
    yield from _say_simulated(connection, list(whole.values()))


def _line(whole: Score, by_bucket: dict[str | None, Score]) -> str:
    errors = "".join(
        f"{_number(by_bucket[bucket].mae if bucket in by_bucket else None, '.1f'):>8}"
        for bucket in LEAD_BUCKETS
    )
    name = whole.model + (" (simulated)" if whole.simulated else "")
    inside = _number(whole.inside_pct, ".0f")
    band = inside if whole.inside_pct is None else f"{inside} %"
    return f"  {name:<28}{errors}{band:>9}{whole.n:>11,}"


def _number(value: Decimal | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _explain(models: Sequence[Score], most: Score) -> Iterator[str]:
    assert most.first_issue is not None
    assert most.last_issue is not None
    yield (
        f"  {most.issues:,} issue{'s' * (most.issues != 1)} from {utc_text(most.first_issue)} to "
        f"{utc_text(most.last_issue)}, {most.half_hours:,} half-hours."
    )
    if any(0 < score.n < most.n for score in models):
        yield "  A model with fewer forecasts is compared on fewer half-hours."
    else:
        yield "  Each model is compared on the same forecasts."
    if any(not score.n for score in models):
        yield "  A dash: no forecast of that model has come true yet."
    if any(score.inside_pct is not None for score in models):
        yield "  In band: actuals between p10 and p90; 80 % should be."
    days = (most.last_issue.date() - most.first_issue.date()).days + 1
    if days < FEW_DAYS:
        few = "1 day is few" if days == 1 else f"{days} days are few"
        yield f"  {few}: differences of a gram or two may be chance."


def _say_simulated(connection: Connection, models: Sequence[Score]) -> Iterator[str]:
    if any(score.simulated for score in models):
        yield "  Simulated forecasts say nothing about the accuracy of the one they stand for."
    rows = connection.execute(
        "SELECT bool_or(simulated), source FROM core.outlook GROUP BY source ORDER BY source"
    ).fetchall()
    simulated, published = (
        ", ".join(title(source) for is_simulated, source in rows if is_simulated == wanted)
        for wanted in (True, False)
    )
    if simulated:
        yield from _wrapped(f"Of the outlook that models saw, simulated: {simulated}.")
        yield from _wrapped(f"As published: {published or 'nothing'}.")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )

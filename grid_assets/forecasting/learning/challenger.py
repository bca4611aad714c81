"""Grows new trees from the record that ships and from what a warehouse has seen.

It needs LightGBM, so that `trial` imports it when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

from grid_assets.forecasting.boosting import building
from grid_assets.forecasting.boosting.places import STEPS, issue_places
from grid_assets.forecasting.boosting.training import Lesson, Recipe
from grid_assets.forecasting.learning.planning import Plan
from grid_assets.forecasting.learning.warehouse_record import WarehouseRecord, read_outlook
from grid_assets.forecasting.models.champion import MODEL
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.training_record import SPANS, Record, load_record, without
from grid_assets.halfhours import Window
from grid_assets.warehouse.connection import Connection


@dataclass(frozen=True)
class Method:
    """How trees are grown; tests grow small ones, from a small record."""

    recipe: Recipe = field(default_factory=Recipe)
    series: Sequence[str] = building.GROWN
    record: Callable[[], Record] = load_record
    spans: Sequence[Window] = SPANS


def read_lessons(
    connection: Connection, plan: Plan, history: Values, shift: timedelta, method: Method
) -> list[Lesson]:
    """The record that ships, up to the trial, and what the warehouse has instead of a part of it or
    beyond. `history` are the half-hours of the plan."""
    cut = plan.learned.end - shift
    shipped = [Window(span.start, min(span.end, cut)) for span in method.spans if span.start < cut]
    for span in plan.spans:
        gap = Window(span.start - shift, span.end - shift)
        shipped = [part for each in shipped for part in without(each, gap)]
    source = WarehouseRecord(plan.learned.start, history, {})
    recipe = method.recipe
    wanted = [
        place
        for every in (recipe.every, recipe.every_without)
        for place in issue_places(source, plan.spans, every, with_outlook=False).tolist()
    ]
    known = read_outlook(connection, source.start, wanted, STEPS)
    return [
        Lesson(method.record(), shipped),
        Lesson(WarehouseRecord(source.start, history, known), plan.spans),
    ]


def grow(lessons: Sequence[Lesson], plan: Plan, method: Method, folder: Path, threads: int) -> None:
    """Grow trees into a new folder."""
    about = {
        "name": MODEL,
        "trained_to": f"{plan.learned.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "half_hours_of_warehouse": plan.half_hours,
    }
    building.build(lessons, method.recipe, folder, threads, about, method.series)

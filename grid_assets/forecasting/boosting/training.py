"""Trains the trees of gradient boosting: draws examples from a record, fits, and exports them.

Only training needs this module and LightGBM. An example is a half-hour ahead of an issue time, seen
with what was known then. Part of the examples have no outlook, or lack one of its series, so that
the trees know what to do without.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.boosting.features import Inputs, Rows, features
from grid_assets.forecasting.boosting.places import LATE, STEPS, issue_places
from grid_assets.forecasting.examples import Source, inputs_at
from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.forecaster import CONTEXT, Values
from grid_assets.forecasting.training_record import Places
from grid_assets.halfhours import Window
from grid_assets.series import INTENSITY, OUTLOOK, SERIES

if TYPE_CHECKING:
    import lightgbm

LOGGER = logging.getLogger(__name__)

CHUNK: Final = 256
"""Issues whose features are computed at a time: 20 MB."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A source of examples, and the spans of it that are learned from."""

    source: Source
    spans: Sequence[Window]


@dataclass(frozen=True)
class Trees:
    """One ensemble of trees: its size and what it estimates."""

    quantile: float
    trees: int
    leaves: int
    learning_rate: float = 0.05


@dataclass(frozen=True)
class Recipe:
    """Which trees are grown, from how many examples.

    The median of carbon intensity under an outlook is the mean of two ensembles, which correct the
    profile and the line. On validation within the training span this was better than either, by
    3 % at every lead.
    """

    every: int = 3
    """Half-hours between the issue times of examples with an outlook."""
    every_without: int = 7
    share: float = 0.35
    """Of the half-hours ahead of an issue, the share that is drawn: neighbours teach the same."""
    median: Trees = Trees(0.5, 450, 28)
    edge: Trees = Trees(0.0, 220, 24, 0.07)
    fuel_median: Trees = Trees(0.5, 160, 20, 0.08)
    fuel_edge: Trees = Trees(0.0, 90, 14, 0.1)
    seed: int = 20251101


class Examples:
    """Examples of one series, drawn from a record."""

    def __init__(self, rows: Rows, actual: Values, kept: npt.NDArray[np.bool_]) -> None:
        self.values = rows.values[kept]
        self.profile, self.line = rows.profile[kept], rows.line[kept]
        self.actual = actual[kept]
        self.step = np.broadcast_to(np.arange(kept.shape[1]), kept.shape)[kept]
        self.names = rows.names


def forget_some(inputs: Inputs, random: np.random.Generator, nothing: float) -> Inputs:
    """The inputs with holes in the outlook: `nothing` is the share of issues without any."""
    outlook = inputs.outlook.copy()
    for number in range(len(outlook)):
        draw = random.random()
        if draw < nothing:
            outlook[number] = np.nan
        elif draw < nothing + 0.2 * (1 - nothing):  # one series is missing
            missing = random.integers(len(OUTLOOK))
            outlook[number, missing] = np.nan
        elif draw < nothing + 0.3 * (1 - nothing):  # wind alone is left
            outlook[number, [row for row in range(len(OUTLOOK)) if row != 1]] = np.nan
    return replace(inputs, outlook=outlook)


def draw(
    record: Source,
    issues: Places,
    series: str,
    recipe: Recipe,
    *,
    with_outlook: bool,
) -> Examples:
    """Examples of a series at issue times: only half-hours that the outlook covers, or any."""
    random = np.random.default_rng(recipe.seed)
    parts: list[Examples] = []
    row = SERIES.index(series)
    for start in range(0, len(issues), CHUNK):
        chunk = issues[start : start + CHUNK]
        late = random.choice(np.array(LATE), len(chunk))
        inputs, places = inputs_at(record, chunk, late, STEPS)
        inputs = forget_some(inputs, random, 0.0 if with_outlook else 0.6)
        rows = features(inputs, series)
        actual = record.history[row, places[:, CONTEXT:]]
        kept = (random.random(actual.shape) < recipe.share) & ~np.isnan(actual)
        kept &= ~np.isnan(rows.profile)
        if with_outlook:
            kept &= rows.covered
        parts.append(Examples(rows, actual, kept))
    return join(parts)


def join(parts: Sequence[Examples]) -> Examples:
    """All examples together, in the first of the parts."""
    whole = parts[0]
    for name in ("values", "profile", "line", "actual", "step"):
        setattr(whole, name, np.concatenate([getattr(part, name) for part in parts]))
    return whole


def usual_departure(examples: Examples, level: Values) -> Values:
    """The mean distance of the actual from a level at each step: the unit that trees learn in."""
    distance = np.abs(examples.actual - level)
    count = np.bincount(examples.step, minlength=STEPS)
    total = np.bincount(examples.step, weights=distance, minlength=STEPS)
    mean = total / np.maximum(count, 1)
    smooth = np.convolve(np.pad(mean, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.maximum(smooth, 1e-3).astype(np.float32)


def grow(
    examples: Examples, level: Values, usual: Values, wanted: Trees, recipe: Recipe, threads: int
) -> Any:
    """Trees for the departure of the actual from a level, in units of the usual one."""
    import lightgbm  # takes seconds

    departure = (examples.actual - level) / usual[examples.step]
    names = list(examples.names)
    data = lightgbm.Dataset(examples.values, departure, feature_name=names, free_raw_data=True)
    settings = {
        "objective": "quantile",
        "alpha": wanted.quantile,
        "learning_rate": wanted.learning_rate,
        "num_leaves": wanted.leaves,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "extra_trees": True,
        "num_threads": threads,
        "verbosity": -1,
        "seed": recipe.seed,
        "deterministic": True,
    }
    return lightgbm.train(settings, data, wanted.trees)


@dataclass(frozen=True)
class Ensemble:
    """Grown trees, and the usual departure by step, in whose units they speak."""

    trees: lightgbm.Booster
    usual: Values


def train_series(
    lessons: Sequence[Lesson], series: str, recipe: Recipe, threads: int
) -> Iterator[tuple[str, Ensemble]]:
    """Each ensemble of a series, by name."""
    intensity = series == INTENSITY
    median = recipe.median if intensity else recipe.fuel_median
    edge = recipe.edge if intensity else recipe.fuel_edge
    for kind, every in (("outlook", recipe.every), ("any", recipe.every_without)):
        with_outlook = kind == "outlook"
        parts = []
        for lesson in lessons:
            issues = issue_places(lesson.source, lesson.spans, every, with_outlook=with_outlook)
            if len(issues):
                parts.append(draw(lesson.source, issues, series, recipe, with_outlook=with_outlook))
        examples = join(parts)
        level = examples.line if with_outlook else examples.profile
        usual = usual_departure(examples, level)
        LOGGER.info(f"{series}, {kind}: {len(examples.actual):,} examples")
        levels = {"p50": level, "p10": level, "p90": level}
        if with_outlook and intensity:
            levels["p50.profile"] = examples.profile
        for name, corrected in levels.items():
            quantile = QUANTILES[("p10", "p50", "p90").index(name[:3])]
            wanted = median if quantile == 0.5 else replace(edge, quantile=quantile)
            trees = grow(examples, corrected, usual, wanted, recipe, threads)
            yield f"{kind}.{name}", Ensemble(trees, usual)

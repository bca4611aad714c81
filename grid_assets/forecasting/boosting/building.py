"""Makes a folder of trees: grows every ensemble, measures how wide a band must be, writes it all.

Only training needs this module.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from onnx import helper

from grid_assets.forecasting.boosting import compact
from grid_assets.forecasting.boosting.features import features
from grid_assets.forecasting.boosting.places import STEPS
from grid_assets.forecasting.boosting.training import (
    Ensemble,
    Lesson,
    Recipe,
    train_series,
)
from grid_assets.forecasting.boosting.trees import CARD, TREES
from grid_assets.forecasting.calibration import COVERAGE
from grid_assets.forecasting.examples import Source, inputs_at
from grid_assets.forecasting.models.forecaster import CONTEXT, Values
from grid_assets.forecasting.training_record import without
from grid_assets.halfhours import Window
from grid_assets.series import BUCKET_OF_STEP, INTENSITY, LEAD_BUCKETS, SERIES

if TYPE_CHECKING:
    import lightgbm

LOGGER = logging.getLogger(__name__)

GROWN: Final = (INTENSITY, "biomass", "imports", "gas", "nuclear", "solar", "wind")
"""Series with trees. Coal, hydro and other were near 0 nearly throughout."""

HELD_OUT: Final = Window(datetime(2022, 7, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC))
"""Half a year that trees are not grown from when the width of bands is measured: summer and winter,
calm and storm. Ensembles that are too sure of what they learned by heart get wider bands."""

OPSET: Final = 15

Grown = Mapping[str, Mapping[str, Ensemble]]


def build(
    lessons: Sequence[Lesson],
    recipe: Recipe,
    folder: Path,
    threads: int,
    about: Mapping[str, Any],
    series: Sequence[str] = GROWN,
) -> None:
    """Train and write the trees and `grid.json` into a new folder.

    The source of the first lesson must have `HELD_OUT`, where the width of bands is measured.
    """
    grown, widths = {}, {}
    others = [
        Lesson(each.source, [part for span in each.spans for part in without(span, HELD_OUT)])
        for each in lessons
    ]
    for name in series:
        trial = dict(train_series(others, name, recipe, threads))
        widths[name] = measure_widths(lessons[0].source, name, trial)
        grown[name] = dict(train_series(lessons, name, recipe, threads))
        LOGGER.info(f"{name}: bands {widths[name]['outlook'][0]:.2f} times as wide at first")
    write(folder, grown, widths, {**about, "recipe": asdict(recipe)})


def measure_widths(
    record: Source, series: str, ensembles: Mapping[str, Ensemble]
) -> dict[str, list[float]]:
    """By how much bands must be widened to hold 80 % of the span held out, by step and kind."""
    first = record.place(HELD_OUT.start)
    end = min(record.place(HELD_OUT.end), record.history.shape[1])
    issues = np.arange(first + CONTEXT + 8, end - STEPS, 12)
    inputs, places = inputs_at(record, issues, np.ones_like(issues), STEPS)
    rows = features(inputs, series)
    actual = record.history[SERIES.index(series), places[:, CONTEXT:]]
    flat = rows.values.reshape(-1, rows.values.shape[-1])

    def departure(name: str) -> Values:
        said = np.asarray(ensembles[name].trees.predict(flat), np.float32)
        return np.asarray(said.reshape(actual.shape) * ensembles[name].usual)

    widths = {}
    for kind, level in (("outlook", rows.line), ("any", rows.profile)):
        median = level + departure(f"{kind}.p50")
        if f"{kind}.p50.profile" in ensembles:
            median = (median + rows.profile + departure(f"{kind}.p50.profile")) / 2
        below = np.maximum(median - level - departure(f"{kind}.p10"), 1e-3)
        above = np.maximum(level + departure(f"{kind}.p90") - median, 1e-3)
        needed = np.where(actual < median, (median - actual) / below, (actual - median) / above)
        needed[np.isnan(actual) | (~rows.covered if kind == "outlook" else False)] = np.nan
        widths[kind] = _by_step(needed)
    return widths


def _by_step(needed: Values) -> list[float]:
    """The quantile of each lead bucket, joined by straight lines between the middles of buckets."""
    buckets = np.array([*BUCKET_OF_STEP, *[BUCKET_OF_STEP[-1]] * (needed.shape[1] - 96)])
    middles, found = [], []
    for bucket, (first, end) in LEAD_BUCKETS.items():
        part = needed[:, buckets == bucket]
        middles.append((first + end) / 2)
        found.append(float(np.quantile(part[~np.isnan(part)], COVERAGE)))
    return [round(float(width), 3) for width in np.interp(np.arange(len(buckets)), middles, found)]


def write(folder: Path, grown: Grown, widths: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write the ensembles as one network, and their card."""
    content = combine(grown)
    card = {
        **about,
        "sha256": hashlib.sha256(content).hexdigest(),
        "features": [*next(iter(next(iter(grown.values())).values())).trees.feature_name()],
        "widths": widths,
        "ensembles": {
            series: {
                name: {"usual": [round(float(usual), 4) for usual in ensemble.usual]}
                for name, ensemble in ensembles.items()
            }
            for series, ensembles in grown.items()
        },
    }
    folder.mkdir(parents=True)
    (folder / TREES).write_bytes(gzip.compress(content, mtime=0))
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def combine(grown: Grown) -> bytes:
    """All ensembles as one ONNX model: an input for each series, an output for each ensemble."""
    nodes, inputs, outputs = [], [], []
    for series, ensembles in grown.items():
        wide = next(iter(ensembles.values())).trees.num_feature()
        inputs.append(helper.make_tensor_value_info(series, onnx.TensorProto.FLOAT, [None, wide]))
        for name, ensemble in ensembles.items():
            output = f"{series}.{name}"
            nodes.append(compact.compact(_tree_node(ensemble.trees, wide), output, series))
            outputs.append(helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, [None, 1]))
    model = helper.make_model(
        helper.make_graph(nodes, "gradient_boosting", inputs, outputs),
        opset_imports=[helper.make_opsetid(compact.DOMAIN, compact.VERSION)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _tree_node(trees: lightgbm.Booster, wide: int) -> Any:
    from onnxmltools import convert_lightgbm  # takes seconds
    from onnxmltools.convert.common.data_types import FloatTensorType

    converted = convert_lightgbm(
        trees, initial_types=[("x", FloatTensorType([None, wide]))], target_opset=OPSET
    )
    [node] = [node for node in converted.graph.node if node.op_type == "TreeEnsembleRegressor"]
    [other] = [node for node in converted.graph.node if node.op_type != "TreeEnsembleRegressor"]
    assert other.op_type == "Identity", other.op_type
    return node

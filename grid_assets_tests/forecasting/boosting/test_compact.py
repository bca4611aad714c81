"""The compact operator says what the trees said before, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import helper

from grid_assets.forecasting.boosting.compact import DOMAIN, VERSION, compact

if TYPE_CHECKING:
    import lightgbm

WIDE = 4


def booster(leaves: int, target: npt.NDArray[np.float64]) -> lightgbm.Booster:
    import lightgbm  # takes seconds, which each worker that collects this file would pay

    random = np.random.default_rng(5)
    features = random.normal(size=(len(target), WIDE))
    features[::5, 1] = np.nan
    options = {"num_leaves": leaves, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1}
    data = lightgbm.Dataset(features, target + 3 * np.nan_to_num(features[:, 1]) * target)
    return lightgbm.train(options, data, num_boost_round=6)


def convert(trees: lightgbm.Booster) -> Any:
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert_lightgbm(trees, initial_types=[("x", FloatTensorType([None, WIDE]))])


def run(node: Any, domain: tuple[str, int], rows: npt.NDArray[np.float32]) -> Any:
    shapes = [node.input[0], [None, WIDE]], [node.output[0], [None, 1]]
    given, said = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes
    )
    model = helper.make_model(
        helper.make_graph([node], "one", [given], [said]),
        opset_imports=[helper.make_opsetid(*domain)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {node.input[0]: rows})[0]


@pytest.mark.parametrize("case", ["several leaves", "each tree is one leaf"])
def test_the_compact_operator_says_the_same(case: str) -> None:
    random = np.random.default_rng(6)
    target = np.ones(300) if case == "several leaves" else np.zeros(300)
    trees = booster(7, target)
    converted = convert(trees)
    [node] = [node for node in converted.graph.node if node.op_type == "TreeEnsembleRegressor"]
    [version] = [one.version for one in converted.opset_import if one.domain == DOMAIN]
    leaves = trees.trees_to_dataframe()["split_feature"].isna()
    assert leaves.all() == (case != "several leaves")
    rows = random.normal(size=(400, WIDE)).astype(np.float32)
    rows[::7, 1] = np.nan

    before = run(node, (DOMAIN, version), rows)
    after = run(compact(node, "series.p50", "series"), (DOMAIN, VERSION), rows)

    np.testing.assert_array_equal(after, before)


def test_other_trees_are_refused() -> None:
    trees = booster(7, np.ones(300))
    converted = convert(trees)
    [node] = [node for node in converted.graph.node if node.op_type == "TreeEnsembleRegressor"]
    [modes] = [one for one in node.attribute if one.name == "nodes_modes"]
    modes.strings[0] = b"BRANCH_EQ"

    with pytest.raises(ValueError, match="at most"):
        compact(node, "series.p50", "series")

"""What an issue of a blend says about itself, as JSON in `forecast.issues.blend`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.blending.weights import MEMBERS, REGIMES, Floats, Mask, Weights
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.series import LEAD_BUCKETS, SERIES

DIGITS: Final = {"weights": 3, "biases": 2}

Document = dict[str, Any]


def rounded(weights: Weights) -> Weights:
    """The weights as they are recorded. These are used, so that the record is exact."""
    return Weights(
        np.round(weights.weights, DIGITS["weights"]),
        np.round(weights.biases, DIGITS["biases"]),
        weights.issues,
    )


def document(
    members: Mapping[str, Document],
    left_out: Mapping[str, str],
    reached: Mask,
    weights: Weights,
    neso_usual_g: float | None,
) -> Document:
    """The record: `members` with model and revision, who was left out and why, the half-hours that
    the outlook reached as pairs (first, end), and what was used by series, regime, member and
    bucket."""
    return {
        "issues": weights.issues,
        "members": dict(members),
        "left_out": dict(left_out),
        "reached": _runs(reached),
        "weights": _tree(weights.weights),
        "biases": _tree(weights.biases),
        "neso_usual_g": neso_usual_g,
    }


def weights_of(document: Document) -> Weights:
    """The weights that a record has."""
    return Weights(
        _values(document["weights"]), _values(document["biases"]), int(document["issues"])
    )


def reached_of(runs: Sequence[Sequence[int]]) -> Mask:
    """The half-hours (96) that the outlook reached, from `reached` of a record."""
    reached = np.zeros(HORIZON, bool)
    for first, end in runs:
        reached[first:end] = True
    return reached


def _runs(reached: Mask) -> list[list[int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], reached, [False]])))
    return [[int(first), int(end)] for first, end in edges.reshape(-1, 2)]


def _tree(values: Floats) -> Document:
    """By series, regime and member, the values of the buckets; what is all 0 is left out."""
    tree: Document = {}
    for row, series in enumerate(SERIES):
        for regime, name in enumerate(REGIMES):
            for place, member in enumerate(MEMBERS):
                line = values[place, regime, row]
                if line.any():
                    tree.setdefault(series, {}).setdefault(name, {})[member] = line.tolist()
    return tree


def _values(tree: Document) -> Floats:
    values = np.zeros((len(MEMBERS), len(REGIMES), len(SERIES), len(LEAD_BUCKETS)))
    for series, regimes in tree.items():
        for name, members in regimes.items():
            for member, line in members.items():
                values[MEMBERS.index(member), REGIMES.index(name), SERIES.index(series)] = line
    return values

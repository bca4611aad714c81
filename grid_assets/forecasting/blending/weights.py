"""Learns the weights of a blend from errors: arrays in, weights and biases out. Pure.

For each series, lead bucket and regime (the outlook reaches the half-hour, or not) it takes the
mean error of each member away, shrunk while few errors are known. It then chooses the weights, none
below 0 and all together 1, with which the squared error of the past would have been smallest, held
near the prior while few errors are known. Between the middles of two buckets, both are interpolated
so that a forecast has no steps there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.calibration import CALIBRATION_SPAN
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.series import LEAD_BUCKETS

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MEMBERS: Final = ("configured", "gradient_boosting", "neso", "neso_corrected")
"""What is weighed: the configured model or its stand-in, the trees, NESO's forecast of carbon
intensity as captured, and the same less its mean error."""

CONFIGURED, TREES, NESO, NESO_CORRECTED = range(4)

OWN: Final = 2
"""The first members are our own. They forecast every series and have a band."""

REGIMES: Final = ("history", "outlook")
"""Whether the outlook has wind of a half-hour: 0 if not, 1 if so."""

SPAN: Final = CALIBRATION_SPAN
"""Age of the issues whose errors count for weights: that of the margins, as what came true since is
read once for both."""

BIAS_SPAN: Final = timedelta(days=14)
"""Age of the issues whose errors count for biases, which change with the weather."""

BIAS_SHRINKAGE: Final = 20
"""Past issues at which half of a mean error counts."""

CORRECTED: Final = 1
"""The first series, carbon intensity, is corrected for biases. Shares are not: they are near 0 or
change with the hour, such as solar, so that a mean error says little of the next one."""

STRENGTH: Final = 16
"""How many past issues the prior weighs as much as, where members' errors are independent. They
resemble each other, so in effect it weighs several times as much. Chosen by walk-forward on
2023-12 to 2024-06 (docs/decisions/0040)."""

STARTS: Final = [first for first, _ in LEAD_BUCKETS.values()]
LENGTHS: Final = np.array([end - first for first, end in LEAD_BUCKETS.values()], np.float64)
MIDDLES: Final = np.array(STARTS) + (LENGTHS - 1) / 2


@dataclass(frozen=True, eq=False)
class Errors:
    """Medians less actuals of past issues, (3 members, issues, 10, 96): the configured model, the
    trees, NESO. NaN where a member had no forecast, or the actual was not known yet.

    `reached` (issues, 96) says which half-hours the outlook reached, `recent` (issues) which issues
    count for the biases.
    """

    values: Floats
    reached: Mask
    recent: Mask


@dataclass(frozen=True, eq=False)
class Weights:
    """What was learned, by member, regime, series and lead bucket: (4, 2, 10, 5) each, and the
    number of issues behind it (0: the prior)."""

    weights: Floats
    biases: Floats
    issues: int

    def by_step(self) -> tuple[Floats, Floats]:
        """Weights and biases of each of the 96 half-hours: (4, 2, 10, 96) each."""
        return _by_step(self.weights), _by_step(self.biases)


def learn(errors: Errors, prior: Floats) -> Weights:
    """Weights from past errors; `prior` has the shape of `Weights.weights`.

    A member without errors keeps its part of the prior.
    """
    prior = np.asarray(prior, np.float64)
    values = np.asarray(errors.values, np.float64)
    weights, biases = np.empty_like(prior), np.zeros_like(prior)
    for regime in range(len(REGIMES)):
        mask = errors.reached if regime else ~errors.reached
        known = np.where(mask[:, None], values, np.nan)
        found = _biases(known[:, errors.recent, :CORRECTED])
        biases[[CONFIGURED, TREES, NESO_CORRECTED], regime, :CORRECTED] = found
        members = np.concatenate([known, known[OWN:]])
        corrected = members - np.repeat(biases[:, regime], LENGTHS.astype(int), axis=-1)[:, None]
        weights[:, regime] = _weights(corrected, prior[:, regime])
    seen = ~np.isnan(values).all(axis=(0, 2, 3))
    return Weights(weights, biases, int(seen.sum()))


def _biases(errors: Floats) -> Floats:
    """Shrunk mean errors (3, series, 5) of the errors (3, issues, series, 96)."""
    known = ~np.isnan(errors)
    total = _by_bucket(np.where(known, errors, 0).sum(axis=1))
    count = _by_bucket(known.sum(axis=1).astype(np.float64))
    issues = count / LENGTHS
    shrunk: Floats = total / np.maximum(count, 1) * issues / (issues + BIAS_SHRINKAGE)
    return shrunk


def _weights(errors: Floats, prior: Floats) -> Floats:
    """Weights (4, 10, 5) from the errors (4, issues, 10, 96).

    First our own models are weighed against each other. What that says is the prior of all four,
    because NESO's forecast is often known for a few days only.
    """
    share = prior[:OWN].sum(axis=0)
    even = np.full_like(prior[:OWN], 1 / OWN)
    own = np.where(share > 0, prior[:OWN] / np.where(share > 0, share, 1), even)
    own = closest(*_gram(errors[:OWN]), own)
    return closest(*_gram(errors), np.concatenate([own * share, prior[OWN:]]))


def _gram(errors: Floats) -> tuple[Floats, Floats]:
    """Mean products of errors (k, k, 10, 5) where all have one, and of how many issues (10, 5)."""
    common = ~np.isnan(errors).any(axis=0)
    filled = np.where(common, errors, 0)
    count = _by_bucket(common.sum(axis=0).astype(np.float64))
    total = np.stack(
        [np.einsum("aist,bist->abs", part, part) for part in np.split(filled, STARTS[1:], axis=-1)],
        axis=-1,
    )
    return total / np.maximum(count, 1), count / LENGTHS


def closest(gram: Floats, issues: Floats, prior: Floats) -> Floats:
    """The weights (k, …), none below 0 and summing to 1, that make `issues` times their mean
    squared error, plus `STRENGTH` times their squared distance from the prior, smallest.

    `gram` is (k, k, …). The distance counts in units of the members' mean squared error. Exact: of
    each set of members that may have a weight above 0, the best one is computed.
    """
    members = len(prior)
    scale = np.einsum("aa...->...", gram) / members
    usable = (issues > 0) & (scale > 0) & np.isfinite(gram).all(axis=(0, 1))
    relative = np.where(usable, gram / np.where(usable, scale, 1), 0)
    matrix = np.moveaxis(issues * relative, (0, 1), (-2, -1)) + STRENGTH * np.eye(members)
    pull = np.moveaxis(STRENGTH * prior, 0, -1)
    best, least = np.moveaxis(prior, 0, -1).copy(), np.full(issues.shape, np.inf)
    for size in range(1, members + 1):
        for chosen in map(list, combinations(range(members), size)):
            part = matrix[..., chosen, :][..., chosen]
            ones = np.ones((*issues.shape, size))
            both = np.linalg.solve(part, np.stack([pull[..., chosen], ones], axis=-1))
            slack = (1 - both[..., 0].sum(axis=-1)) / both[..., 1].sum(axis=-1)
            found = np.zeros((*issues.shape, members))
            found[..., chosen] = both[..., 0] + slack[..., None] * both[..., 1]
            cost = np.einsum("...a,...ab,...b->...", found, matrix, found) - 2 * (found * pull).sum(
                axis=-1
            )
            better = usable & (found >= 0).all(axis=-1) & (cost < least)
            best = np.where(better[..., None], found, best)
            least = np.where(better, cost, least)
    return np.moveaxis(best, -1, 0)


def _by_bucket(steps: Floats) -> Floats:
    found: Floats = np.add.reduceat(steps, STARTS, axis=-1)
    return found


def _by_step(buckets: Floats) -> Floats:
    """Linear between the middles of buckets; the ends are level."""
    place = np.interp(np.arange(HORIZON), MIDDLES, np.arange(len(MIDDLES)))
    first = np.minimum(place.astype(int), len(MIDDLES) - 2)
    part = place - first
    between: Floats = buckets[..., first] * (1 - part) + buckets[..., first + 1] * part
    return between

"""The weights of a blend: on the simplex, near the prior at first, then by the errors."""

from __future__ import annotations

import numpy as np
import pytest

from grid_assets.forecasting.blending.prior import shipped_prior
from grid_assets.forecasting.blending.record import document, reached_of, rounded, weights_of
from grid_assets.forecasting.blending.weights import (
    BIAS_SHRINKAGE,
    CONFIGURED,
    NESO,
    NESO_CORRECTED,
    STRENGTH,
    TREES,
    Errors,
    Floats,
    Weights,
    closest,
    learn,
)
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.series import SERIES

INTENSITY, GAS = 0, SERIES.index("gas")
HISTORY, OUTLOOK = 0, 1


def errors_of(issues: int, *spread: float, seed: int = 0) -> Floats:
    """Errors (3, issues, 10, 96) of independent members; NaN where a spread is."""
    random = np.random.default_rng(seed)
    values = np.stack([random.normal(0, 1, (issues, 10, HORIZON)) * each for each in spread])
    values[NESO, :, 1:] = np.nan
    return values


def learned(values: Floats, *, reached: bool = False, recent: bool = True) -> Weights:
    issues = values.shape[1]
    errors = Errors(values, np.full((issues, HORIZON), reached), np.full(issues, recent))
    return learn(errors, shipped_prior())


@pytest.mark.parametrize("members", [1, 2, 4])
@pytest.mark.parametrize("issues", [0.0, 3.0, 200.0])
def test_no_other_weights_are_better(members: int, issues: float) -> None:
    random = np.random.default_rng(members)
    for _ in range(20):
        root = random.normal(0, 1, (members, members)) * random.uniform(0.1, 3, members)
        gram, prior = root.T @ root, random.dirichlet(np.ones(members))
        found = closest(gram, np.array(issues), prior)
        assert found.sum() == pytest.approx(1)
        assert (found >= 0).all()

        def cost(
            weights: Floats, gram: Floats = gram, prior: Floats = prior
        ) -> np.floating[np.typing.NBitBase]:
            scale = np.trace(gram) / members
            far = ((weights - prior) ** 2).sum()
            return issues * weights @ gram @ weights / scale + STRENGTH * far

        others = random.dirichlet(np.full(members, 0.7), 500)
        near = 0.99 * found + 0.01 * others
        assert cost(found) <= min(map(cost, [*others, *near])) + 1e-9


def test_without_any_error_the_weights_are_the_prior() -> None:
    found = learned(errors_of(0, 1, 1, 1))
    np.testing.assert_array_equal(found.weights, shipped_prior())
    assert not found.biases.any()
    assert found.issues == 0


def test_the_prior_is_whole() -> None:
    prior = shipped_prior()
    np.testing.assert_allclose(prior.sum(axis=0), 1)
    assert (prior >= 0).all()
    assert not prior[NESO:, :, 1:].any()  # NESO forecasts carbon intensity only


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e9])
def test_odd_errors_leave_whole_weights(value: float) -> None:
    found = learned(np.full((3, 30, 10, HORIZON), value))
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.biases).all()
    np.testing.assert_allclose(found.weights.sum(axis=0), 1)
    assert (found.weights >= 0).all()


def test_the_better_member_gets_more_the_more_issues_say_so() -> None:
    shares = [
        learned(errors_of(issues, 5, 20, np.nan)).weights[CONFIGURED, HISTORY, GAS]
        for issues in (0, 10, 200)
    ]
    assert (shares[0] < shares[1]).all()
    assert (shares[1] < shares[2]).all()
    np.testing.assert_allclose(shares[2], 20**2 / (20**2 + 5**2), atol=0.05)  # by 1 / variance


def test_a_regime_learns_from_its_own_half_hours() -> None:
    found = learned(errors_of(100, 5, 20, np.nan), reached=True)
    prior = shipped_prior()
    np.testing.assert_array_equal(found.weights[:, HISTORY], prior[:, HISTORY])
    assert (found.weights[CONFIGURED, OUTLOOK] > prior[CONFIGURED, OUTLOOK]).all()


def test_a_member_without_errors_keeps_its_part_and_hinders_no_other() -> None:
    found = learned(errors_of(100, 5, 20, np.nan)).weights[:, HISTORY, INTENSITY]
    prior = shipped_prior()[:, HISTORY, INTENSITY]
    np.testing.assert_allclose(found[NESO_CORRECTED], prior[NESO_CORRECTED])
    assert (found[CONFIGURED] > 1.4 * prior[CONFIGURED]).all()


def test_a_member_that_is_known_for_a_few_days_leaves_what_the_others_learned() -> None:
    values = errors_of(200, 5, 20, 10)
    values[NESO, :195] = np.nan
    found = learned(values).weights[:, HISTORY, INTENSITY]
    assert (found[CONFIGURED] > 5 * found[TREES]).all()


def test_a_bias_is_the_mean_error_shrunk_while_few_issues_are_known() -> None:
    values = errors_of(10, 0, 0, 0)
    values[CONFIGURED] = 8.0
    values[NESO, :, 0] = -5.0
    found = learned(values).biases[:, HISTORY]
    part = 10 / (10 + BIAS_SHRINKAGE)
    np.testing.assert_allclose(found[CONFIGURED, INTENSITY], 8 * part)
    np.testing.assert_allclose(found[NESO_CORRECTED, INTENSITY], -5 * part)
    assert not found[NESO].any()  # as captured
    assert not found[:, 1:].any()  # shares are not corrected
    assert not learned(values, recent=False).biases.any()


def test_between_buckets_there_is_no_step() -> None:
    values = errors_of(200, 5, 20, 10)
    values[:, :, :, 24:] *= np.array([4, 0.2, 1]).reshape(3, 1, 1, 1)
    found = learned(values)
    weights, biases = found.by_step()
    assert weights.shape == biases.shape == (4, 2, 10, HORIZON)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    jumps = np.abs(np.diff(weights, axis=-1)).max()
    between = np.abs(np.diff(found.weights, axis=-1)).max()
    assert between > 0.5
    assert jumps < between / 5
    np.testing.assert_allclose(weights[..., 0], found.weights[..., 0])
    np.testing.assert_allclose(weights[..., -1], found.weights[..., -1])


def test_a_record_has_what_was_used() -> None:
    values = errors_of(40, 5, 20, 10)
    values[CONFIGURED] += 7
    used = rounded(learned(values))
    reached = np.zeros(HORIZON, bool)
    reached[3:40] = reached[50:] = True
    record = document({}, {}, reached, used, 25.0)
    assert record["reached"] == [[3, 40], [50, 96]]
    np.testing.assert_array_equal(reached_of(record["reached"]), reached)
    read = weights_of(record)
    np.testing.assert_array_equal(read.weights, used.weights)
    np.testing.assert_array_equal(read.biases, used.biases)
    assert read.issues == used.issues == 40

"""How forecasts become a blend, above all where some of them are missing."""

from __future__ import annotations

import numpy as np

from grid_assets.forecasting.blending.combining import ALIKE, Forecasts, combine
from grid_assets.forecasting.blending.weights import (
    CONFIGURED,
    NESO_CORRECTED,
    TREES,
    Weights,
)
from grid_assets.forecasting.horizon import HORIZON

NOWHERE = np.zeros((1, HORIZON), bool)


def weights(configured: float, trees: float, neso: float = 0.0) -> Weights:
    found = np.zeros((4, 2, 10, 5))
    found[CONFIGURED], found[TREES], found[NESO_CORRECTED, :, 0] = configured, trees, neso
    return Weights(found, np.zeros_like(found), 1)


def own(configured: float, trees: float, width: float = 10) -> np.ndarray:
    medians = np.array([configured, trees]).reshape(2, 1, 1, 1, 1)
    edges = np.array([-1, 0, 2]) * np.array([width, 3 * width]).reshape(2, 1, 1, 1, 1)
    return np.broadcast_to(medians + edges, (2, 1, 10, HORIZON, 3)).astype(np.float32).copy()


def neso(value: float, steps: int = HORIZON) -> np.ndarray:
    line = np.full((1, HORIZON), np.nan, np.float32)
    line[0, :steps] = value
    return line


def test_medians_are_weighted_and_the_band_is_narrower_than_the_weighted_bands() -> None:
    found = combine(Forecasts(own(100, 200), neso(np.nan), NOWHERE), weights(0.75, 0.25))
    assert found.shape == (1, 10, HORIZON, 3)
    # half-widths 10 and 30 below, 20 and 60 above; errors that are not quite alike cancel in part
    narrower = np.sqrt(0.75**2 + 0.25**2 + 2 * 0.75 * 0.25 * ALIKE)
    assert 0.9 < narrower < 1
    expected = [125 - 15 * narrower, 125, 125 + 30 * narrower]
    np.testing.assert_allclose(found[0, 0, 0], expected, rtol=1e-6)


def test_one_member_alone_keeps_its_band() -> None:
    found = combine(Forecasts(own(100, 200), neso(np.nan), NOWHERE), weights(0, 1))
    np.testing.assert_allclose(found, own(100, 200)[TREES], rtol=1e-6)


def test_beyond_the_reach_of_neso_the_weights_of_the_others_grow() -> None:
    forecasts = Forecasts(own(100, 200), neso(300, 40), NOWHERE)
    found = combine(forecasts, weights(0.25, 0.25, 0.5))[0, :, :, 1]
    np.testing.assert_allclose(found[0, :40], 225)
    np.testing.assert_allclose(found[0, 40:], 150)
    np.testing.assert_allclose(found[1], 150)  # NESO forecasts no share


def test_a_missing_member_leaves_the_other() -> None:
    forecasts = own(100, 200)
    forecasts[CONFIGURED] = np.nan
    found = combine(Forecasts(forecasts, neso(np.nan), NOWHERE), weights(1, 0))  # no weight either
    np.testing.assert_array_equal(found, forecasts[TREES])
    forecasts[TREES] = np.nan
    assert np.isnan(combine(Forecasts(forecasts, neso(np.nan), NOWHERE), weights(1, 0))).all()


def test_with_neso_alone_there_is_no_band_of_its_own() -> None:
    forecasts = np.full((2, 1, 10, HORIZON, 3), np.nan, np.float32)
    found = combine(Forecasts(forecasts, neso(300), NOWHERE), weights(1, 0))
    np.testing.assert_allclose(found[0, 0, :, 1], 300)
    assert np.isnan(found[0, 0, :, [0, 2]]).all()


def test_the_regime_of_each_half_hour_decides() -> None:
    both = weights(1, 0)
    both.weights[CONFIGURED, 1], both.weights[TREES, 1] = 0, 1
    both.biases[TREES, 1, 0] = 5
    reached = NOWHERE.copy()
    reached[0, :20] = True
    found = combine(Forecasts(own(100, 200), neso(np.nan), reached), both)[0, 0, :, 1]
    np.testing.assert_allclose(found[:20], 195)
    np.testing.assert_allclose(found[20:], 100)

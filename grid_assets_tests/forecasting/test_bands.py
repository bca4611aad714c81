"""Every stored forecast is ordered, in range and exact, whatever the model and the margins say."""

from __future__ import annotations

import numpy as np
import pytest

from grid_assets.forecasting.bands import Tenths, finalise
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.series import SERIES

STEPS = 4
NONE = np.zeros((1, 10, STEPS), np.float32)
OTHER = SERIES.index("other")


def raw(shares: list[float], intensity: float = 200, spread: float = 2) -> Values:
    """One issue with the same median in every half-hour and a band of twice `spread`."""
    median = np.array([intensity, *shares], np.float32)[:, None].repeat(STEPS, axis=1)
    return np.stack([median - spread, median, median + spread], axis=-1)[None]


EVEN = raw([7, 0, 12, 30, 15, 0, 1, 5, 30])


def assert_kept(stored: Tenths) -> None:
    """The three rules of a stored forecast."""
    assert stored.dtype == np.int64
    assert (np.diff(stored, axis=-1) >= 0).all()
    assert stored.min() >= 0
    assert stored[:, 0].max() <= 10_000
    assert stored[:, 1:].max() <= 1000
    assert (stored[:, 1:, :, 1].sum(axis=1) == 1000).all()


@pytest.mark.parametrize("seed", range(40))
def test_quantiles_are_ordered_in_range_and_exact_for_any_input(seed: int) -> None:
    random = np.random.default_rng(seed)
    issues = int(random.integers(1, 5))
    scale = 10 ** random.uniform(-3, 4)
    values = random.normal(random.uniform(-1, 1) * scale, scale, (issues, 10, STEPS, 3))
    if seed % 4 == 0:  # a series that the model takes to be gone, and one that is everything
        values[:, random.integers(1, 10)] = -1e-9
        values[:, random.integers(1, 10)] = 1e6
    margins = random.normal(0, scale, (1 if seed % 2 else issues, 10, STEPS))

    assert_kept(finalise(values.astype(np.float32), margins.astype(np.float32)))


def test_values_that_keep_the_rules_already_are_only_rounded_to_tenths() -> None:
    stored = finalise(EVEN + np.float32(0), NONE)
    assert stored[0, 0, 0].tolist() == [1980, 2000, 2020]
    assert stored[0, 1:, 0, 1].tolist() == [70, 0, 120, 300, 150, 0, 10, 50, 300]
    assert stored[0, 4, 0].tolist() == [280, 300, 320]
    assert finalise(raw([100 / 9] * 9), NONE)[0, 1:, 0, 1].tolist() == [112] + [111] * 8


def test_shares_are_scaled_to_100_in_proportion() -> None:
    doubled = finalise(raw([14, 0, 24, 60, 30, 0, 2, 10, 60]), NONE)
    assert (doubled[0, 1:, :, 1] == finalise(EVEN, NONE)[0, 1:, :, 1]).all()


@pytest.mark.parametrize("nothing", [0.0, -3.0])
def test_where_no_fuel_has_a_share_all_of_it_is_other(nothing: float) -> None:
    stored = finalise(raw([nothing] * 9, intensity=nothing), NONE)
    assert_kept(stored)
    assert (stored[0, OTHER, :, 1] == 1000).all()
    assert (stored[0, [0, *range(1, OTHER)], :, 1] == 0).all()


def test_crossed_quantiles_are_put_in_order_before_anything_else() -> None:
    assert (finalise(EVEN[..., [2, 0, 1]], NONE) == finalise(EVEN, NONE)).all()


def test_a_margin_moves_both_edges_outwards_and_no_median() -> None:
    margins = NONE.copy()
    margins[0, 0, 1] = 15
    stored = finalise(EVEN, margins)
    assert stored[0, 0].tolist() == [
        [1980, 2000, 2020],
        [1830, 2000, 2170],
        *[[1980, 2000, 2020]] * 2,
    ]
    assert (stored[0, 1:] == finalise(EVEN, NONE)[0, 1:]).all()


def test_a_negative_margin_narrows_the_band_to_the_median_at_most() -> None:
    assert finalise(EVEN, NONE - 0.5)[0, 0, 0].tolist() == [1985, 2000, 2015]
    assert finalise(EVEN, NONE - 50)[0, 0, 0].tolist() == [2000] * 3
    assert_kept(finalise(EVEN, NONE - 1000))


def test_a_margin_never_leads_out_of_the_range_of_a_series() -> None:
    stored = finalise(EVEN, NONE + 5000)
    assert stored[0, 0, 0].tolist() == [0, 2000, 10_000]
    assert stored[0, 4, 0].tolist() == [0, 300, 1000]


def test_each_issue_takes_its_own_margins_where_it_has_some() -> None:
    two = np.concatenate([EVEN, EVEN])
    stored = finalise(two, np.concatenate([NONE, NONE + 3]))
    assert stored[0, 0, 0].tolist() == [1980, 2000, 2020]
    assert stored[1, 0, 0].tolist() == [1950, 2000, 2050]

"""The weights of regions: what is learned from known errors, and how a forecast is derived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.regions.past import Past
from grid_assets.forecasting.regions.weights import LEAST_FOR_BAND, derive, learn_weights
from grid_assets.regions import REGIONS
from grid_assets.series import LEAD_BUCKETS

pytestmark = pytest.mark.unit

T = datetime(2026, 3, 1, tzinfo=UTC)


def past(issues: int, truth: float, *, noise: float = 0, seed: int = 1) -> Past:
    """Issues whose estimates are NESO's forecast moved by `truth` times the national difference."""
    rng = np.random.default_rng(seed)
    shape = issues, len(REGIONS), HORIZON
    neso = rng.uniform(50, 250, shape).astype(np.float32)
    change = rng.normal(0, 20, (issues, HORIZON)).astype(np.float32)
    off = rng.normal(0, noise, shape) if noise else 0
    estimate = (neso + truth * change[:, None, :] + off).astype(np.float32)
    times = [T + timedelta(hours=3 * n) for n in range(issues)]
    return Past(times, neso, change, estimate, np.zeros(issues, bool))


def by_region(weights: list[float]) -> float:
    return float(np.mean(weights))


@pytest.mark.parametrize("truth", [0.4, 1.0])
def test_with_many_errors_the_weight_is_what_they_say(truth: float) -> None:
    found = learn_weights(past(400, truth, noise=5))
    assert len(found) == len(REGIONS) * len(LEAD_BUCKETS)
    assert by_region([one.weight for one in found]) == pytest.approx(truth, abs=0.05 * truth)


def test_with_few_errors_it_stays_near_nesos_forecast() -> None:
    few = learn_weights(past(2, 1.0))
    assert all(0 < one.weight < 0.2 for one in few)
    assert all(one.band_gco2_kwh is None for one in few)


def test_a_difference_that_says_the_contrary_is_not_used() -> None:
    assert {one.weight for one in learn_weights(past(100, -0.5))} == {0.0}


def test_without_any_known_error_nothing_is_moved() -> None:
    empty = past(10, 1.0)
    empty.estimate[:] = np.nan
    found = learn_weights(empty)
    assert {(one.weight, one.half_hours, one.band_gco2_kwh) for one in found} == {(0.0, 0, None)}


def test_a_region_without_estimates_keeps_none_of_the_others_from_learning() -> None:
    partly = past(100, 0.8)
    partly.estimate[:, 3] = np.nan
    found = learn_weights(partly)
    assert {one.weight for one in found if one.region_id == 4} == {0.0}
    assert all(one.weight > 0.6 for one in found if one.region_id != 4)


def test_the_band_holds_four_fifths_of_the_errors() -> None:
    known = past(LEAST_FOR_BAND, 0.5, noise=10)
    bucket = next(iter(LEAD_BUCKETS))
    [band] = [
        one.band_gco2_kwh
        for one in learn_weights(known)
        if one.region_id == 7 and one.lead_bucket == bucket
    ]
    assert band == pytest.approx(12.8, rel=0.15)  # 1.28 standard deviations of 10


def test_a_derived_forecast_is_moved_by_its_weight_and_stays_possible() -> None:
    one = past(1, 0)
    one.neso[:] = 10
    one.change[:] = -100
    one.change[0, 95] = 5000
    weights = np.full((1, len(REGIONS), len(LEAD_BUCKETS)), 0.05, np.float32)
    weights[0, 0, :] = np.nan
    weights[0, 1, :] = 2
    derived = derive(one, weights)
    assert np.isnan(derived[0, 0]).all()  # no weight was known
    assert (derived[0, 1, :95] == 0).all()
    assert derived[0, 1, 95] == 1000
    assert derived[0, 2, 0] == pytest.approx(5)

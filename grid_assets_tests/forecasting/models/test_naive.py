"""Seasonal naive: which value is repeated, how wide the band is, and how gaps are handled."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from grid_assets.forecasting.models.forecaster import Problem
from grid_assets.forecasting.models.naive import SeasonalNaive

START = datetime(2025, 6, 1, tzinfo=UTC)


def _context(half_hours: int = 336) -> np.ndarray:
    """Values that all differ: 1000 for each series and 1 for each half-hour."""
    return (1000 * np.arange(10)[:, None] + np.arange(half_hours)).astype(np.float32)


def _predict(context: np.ndarray, steps: int = 96) -> np.ndarray:
    [answer] = SeasonalNaive().predict([Problem(context, START)], steps)
    assert answer.shape == (10, steps, 3)
    assert answer.dtype == np.float32
    return answer


def test_the_median_repeats_the_last_day_on_both_days() -> None:
    context = _context()
    median = _predict(context)[:, :, 1]
    np.testing.assert_array_equal(median[:, :48], context[:, -48:])
    np.testing.assert_array_equal(median[:, 48:], context[:, -48:])


def test_a_context_of_broken_days_keeps_the_time_of_day() -> None:
    context = _context(300)
    np.testing.assert_array_equal(_predict(context)[:, :48, 1], context[:, -48:])


def test_horizons_that_are_no_whole_days_are_forecast() -> None:
    context = _context()
    median = _predict(context, 112)[:, :, 1]
    np.testing.assert_array_equal(median[:, 96:], context[:, -48:-32])
    assert _predict(context, 1).shape == (10, 1, 3)


def test_a_missing_value_is_taken_from_the_day_before_it_for_that_series_alone() -> None:
    context = _context()
    context[3, -48:-40] = np.nan
    context[3, -96] = np.nan
    median = _predict(context)[:, :, 1]
    assert median[3, 0] == context[3, -144]
    np.testing.assert_array_equal(median[3, 1:8], context[3, -95:-88])
    np.testing.assert_array_equal(median[3, 8:48], context[3, -40:])
    np.testing.assert_array_equal(median[4, :48], context[4, -48:])


def test_the_band_is_the_quantiles_of_past_differences_over_as_many_days() -> None:
    random = np.random.default_rng(5)
    context = random.normal(100, 10, (10, 336)).astype(np.float32)
    context[:, 50:70] = np.nan
    answer = _predict(context)
    for days, steps in ((1, slice(0, 48)), (2, slice(48, 96))):
        past = context[:, 48 * days :] - context[:, : -48 * days]
        low, high = np.nanquantile(past, [0.1, 0.9], axis=1)
        median = answer[:, steps, 1]
        np.testing.assert_allclose(answer[:, steps, 0], median + low[:, None], rtol=1e-5)
        np.testing.assert_allclose(answer[:, steps, 2], median + high[:, None], rtol=1e-5)


def test_a_value_that_is_two_days_old_gets_the_band_of_two_days() -> None:
    random = np.random.default_rng(6)
    context = np.cumsum(random.normal(0, 1, (10, 336)), axis=1).astype(np.float32)
    context[:, -48] = np.nan
    answer = _predict(context)
    np.testing.assert_allclose(
        answer[:, 0] - answer[:, :1, 1], answer[:, 49] - answer[:, 49:50, 1], atol=1e-5
    )
    assert not np.allclose(answer[:, 0] - answer[:, :1, 1], answer[:, 1] - answer[:, 1:2, 1])


@pytest.mark.parametrize("slope", [1, -1])
def test_the_band_holds_the_median_where_values_only_rise_or_fall(slope: int) -> None:
    answer = _predict(slope * _context())
    assert (answer[:, :, 0] <= answer[:, :, 1]).all()
    assert (answer[:, :, 1] <= answer[:, :, 2]).all()


def test_two_days_without_enough_differences_borrow_the_band_of_one_day() -> None:
    context = np.random.default_rng(7).normal(100, 10, (10, 96 + 9)).astype(np.float32)
    answer = _predict(context)
    band = answer - answer[:, :, 1:2]
    np.testing.assert_allclose(band[:, :48], band[:, 48:], atol=1e-4)
    assert (band[:, :, 2] > 0).all()


@pytest.mark.parametrize("half_hours", [1, 20, 48, 57])
def test_a_context_that_is_too_short_for_differences_has_no_band(half_hours: int) -> None:
    answer = _predict(_context(half_hours))
    assert np.isfinite(answer).all()
    np.testing.assert_array_equal(answer[:, :, 0], answer[:, :, 1])
    np.testing.assert_array_equal(answer[:, :, 2], answer[:, :, 1])


def test_a_time_of_day_that_was_never_seen_gets_the_newest_value() -> None:
    context = _context(20)
    median = _predict(context)[:, :, 1]
    np.testing.assert_array_equal(median[:, 28:48], context)
    np.testing.assert_array_equal(median[:, :28], np.repeat(context[:, -1:], 28, axis=1))


def test_only_a_series_without_any_value_has_no_forecast() -> None:
    context = _context()
    context[2] = np.nan
    context[5, 1:] = np.nan
    answer = _predict(context)
    assert np.isnan(answer[2]).all()
    assert (answer[5] == context[5, 0]).all()
    assert np.isfinite(np.delete(answer, 2, axis=0)).all()


def test_an_empty_context_has_no_forecast() -> None:
    assert np.isnan(_predict(_context(0))).all()


def test_constant_values_stay_constant() -> None:
    assert (_predict(np.zeros((10, 336), np.float32)) == 0).all()


def test_problems_of_different_lengths_are_forecast_one_by_one() -> None:
    problems = [Problem(_context(length), START) for length in (336, 100, 20)]
    together = SeasonalNaive().predict(problems, 96)
    for problem, answer in zip(problems, together, strict=True):
        np.testing.assert_array_equal(answer, SeasonalNaive().predict([problem], 96)[0])
    assert SeasonalNaive().predict([], 96).shape == (0, 10, 96, 3)

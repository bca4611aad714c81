"""What gradient boosting is shown: levels, holes, biased outlooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grid_assets.forecasting.boosting.features import Rows, features, inputs_of
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem
from grid_assets.series import INTENSITY, OUTLOOK, SERIES
from grid_assets_tests.forecasting.boosting.made_up import (
    DEMAND,
    START,
    STEPS,
    WIND,
    outlook,
    problem,
    renewables,
)


def rows_of(*problems: Problem, series: str = INTENSITY) -> Rows:
    return features(inputs_of(problems, STEPS), series)


def feature(rows: Rows, name: str) -> np.ndarray:
    return rows.values[0, :, rows.names.index(name)]


def test_the_line_carries_the_weeks_relation_into_the_future() -> None:
    rows = rows_of(problem())
    truth = 300 - 3 * renewables(outlook())[CONTEXT:]
    assert rows.covered.all()
    assert np.abs(rows.line[0] - truth).mean() < 3
    assert np.abs(rows.profile[0] - truth).mean() > 15  # which the usual day does not know


def test_without_an_outlook_the_line_is_the_profile() -> None:
    rows = rows_of(replace(problem(), outlook=None))
    assert not rows.covered.any()
    np.testing.assert_array_equal(rows.line, rows.profile)
    assert np.isnan(feature(rows, "wind")).all()
    assert not np.isnan(feature(rows, "yesterday")).any()


def test_an_outlook_of_wind_alone_is_used() -> None:
    shown = outlook()
    shown[[row for row in range(len(OUTLOOK)) if row != WIND]] = np.nan
    rows = rows_of(problem(shown))
    assert rows.covered.all()
    truth = 300 - 3 * renewables(outlook())[CONTEXT:]
    assert np.abs(rows.line[0] - truth).mean() < np.abs(rows.profile[0] - truth).mean()


def test_a_half_hour_beyond_the_outlook_is_not_covered() -> None:
    shown = outlook()
    shown[WIND, CONTEXT + 60 :] = np.nan
    rows = rows_of(problem(shown))
    assert rows.covered[0, :60].all()
    assert not rows.covered[0, 60:].any()
    np.testing.assert_array_equal(rows.line[0, 60:], rows.profile[0, 60:])


def test_unknown_demand_is_borrowed_from_the_day_before() -> None:
    shown = outlook()
    known = rows_of(problem(shown))
    shown[DEMAND, CONTEXT + 20 :] = np.nan
    borrowed = rows_of(problem(shown))
    assert borrowed.covered.all()
    np.testing.assert_allclose(
        feature(borrowed, "demand")[:48], feature(known, "demand")[:48], rtol=1e-3
    )  # every day is alike here


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_an_outlook_that_is_always_too_high_or_too_low_is_told_by_the_last_week(
    factor: float,
) -> None:
    shown = outlook()
    shown[OUTLOOK.index("embedded_wind_mw")] = 0
    fair = rows_of(problem(shown))
    shown[WIND] *= factor
    biased = rows_of(problem(shown))
    for name in ("wind", "wind_change", "renewables", "residual", "wind_around"):
        np.testing.assert_allclose(feature(biased, name), feature(fair, name), rtol=1e-4, atol=1e-3)


def test_several_problems_get_the_rows_that_each_gets_alone() -> None:
    one, other = problem(seed=1, noise=3), replace(problem(seed=2, noise=3), outlook=None)
    together = rows_of(one, other)
    for number, each in enumerate((one, other)):
        alone = rows_of(each)
        np.testing.assert_allclose(together.values[number], alone.values[0], rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(together.line[number], alone.line[0], rtol=1e-6, atol=1e-4)


def test_a_short_context_counts_as_one_whose_beginning_is_missing() -> None:
    whole = problem()
    short = Problem(whole.context[:, 100:], START, outlook=None)
    inputs = inputs_of([short], STEPS)
    assert np.isnan(inputs.context[0, :, :100]).all()
    np.testing.assert_array_equal(inputs.context[0, :, 100:], whole.context[:, 100:])
    assert not np.isnan(features(inputs, INTENSITY).profile).any()


def test_a_series_without_any_value_has_no_level() -> None:
    context = problem().context.copy()
    context[SERIES.index("gas")] = np.nan
    rows = rows_of(Problem(context, START, outlook=outlook()), series="gas")
    assert np.isnan(rows.profile).all()
    assert not rows.covered.any()


def test_holes_in_the_history_leave_no_hole_in_the_level() -> None:
    context = problem().context.copy()
    context[:, 200:270] = np.nan
    context[:, -5:] = np.nan
    rows = rows_of(Problem(context, START, outlook=outlook()))
    assert not np.isnan(rows.profile).any()
    assert not np.isnan(rows.line).any()


def test_what_all_series_share_is_computed_once_and_changes_no_bit_of_any() -> None:
    holes = outlook(seed=3)
    holes[DEMAND, 300:340] = np.nan
    problems = [
        problem(seed=1, noise=4),
        replace(problem(seed=2, noise=4), outlook=None),
        replace(problem(seed=3, noise=4), outlook=holes),
    ]
    together = inputs_of(problems, STEPS)
    for series in SERIES:
        shared, alone = features(together, series), features(inputs_of(problems, STEPS), series)
        assert shared.names == alone.names
        for name in ("values", "profile", "line", "covered"):
            np.testing.assert_array_equal(getattr(shared, name), getattr(alone, name))
    assert together.common is together.common

"""Margins follow split conformal prediction, from the errors known when the day began."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting import store
from grid_assets.forecasting.calibration import (
    COVERAGE,
    MIN_ERRORS,
    SHRINKAGE,
    Margins,
    compute_margins,
)
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.models.registry import ModelInfo
from grid_assets.halfhours import HALF_HOUR, Window, day_start
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, LATER, MODEL, Stub, T

one_warehouse = shared_warehouse.one_warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
STEPS = 96


def brute_force(low: list[float], high: list[float], actual: list[float]) -> float:
    """The margin of one series and lead: split conformal by its definition, then shrunk."""
    scores = sorted(
        max(lo - a, a - hi)
        for lo, hi, a in zip(low, high, actual, strict=True)
        if not math.isnan(a)
    )
    rank = math.ceil(COVERAGE * (len(scores) + 1))
    if len(scores) < MIN_ERRORS or rank > len(scores):
        return 0.0
    return scores[rank - 1] * len(scores) / (len(scores) + SHRINKAGE)


def errors(count: int, seed: int = 0, width: float = 5) -> tuple[Values, Values, Values]:
    """Bands around 100 and what happened, whose distance from 100 has a deviation of 10."""
    random = np.random.default_rng(seed)
    shape = (count, len(SERIES), STEPS)
    centre = random.normal(100, 3, shape)
    low, high = centre - random.uniform(0, 2 * width, shape), centre + width
    actual = centre + random.normal(0, 10, shape)
    return low.astype(np.float32), high.astype(np.float32), actual.astype(np.float32)


@pytest.mark.parametrize(("count", "unknown"), [(20, 0.0), (33, 0.3), (97, 0.6), (224, 0.05)])
def test_margins_equal_a_brute_force_of_the_definition(count: int, unknown: float) -> None:
    low, high, actual = errors(count, seed=count)
    actual[np.random.default_rng(count).random(actual.shape) < unknown] = np.nan

    found = compute_margins(low, high, actual)

    assert found.values.shape == (len(SERIES), STEPS)
    assert found.values.dtype == np.float32
    for row in range(len(SERIES)):
        for step in range(0, STEPS, 7):
            columns = (values[:, row, step].tolist() for values in (low, high, actual))
            assert found.values[row, step] == pytest.approx(brute_force(*columns), rel=1e-6)


@pytest.mark.parametrize("width", [1.0, 40.0])
def test_a_recalibrated_band_holds_nearer_to_80_percent_of_what_happens_next(width: float) -> None:
    low, high, actual = errors(424, seed=1, width=width)
    found = compute_margins(low[:224], high[:224], actual[:224]).values  # four weeks of issues
    low, high, actual = low[224:], high[224:], actual[224:]
    before = ((actual >= low) & (actual <= high)).mean()
    after = ((actual >= low - found) & (actual <= high + found)).mean()
    assert abs(before - 0.8) > 0.1  # too narrow, or too wide
    assert abs(after - 0.8) < 0.3 * abs(before - 0.8)
    assert (found > 0).all() if width < 10 else (found < 0).any()


def test_few_past_errors_move_the_band_less_than_many() -> None:
    """The same errors again say nothing new about the distance, but more of it counts."""
    one = errors(20)
    few = compute_margins(*one).values
    many = compute_margins(*(np.repeat(values, 50, axis=0) for values in one)).values
    moved = np.abs(many) > 1
    assert moved.any()
    assert (np.abs(few[moved]) < 0.5 * np.abs(many[moved])).mean() > 0.95


def test_a_good_band_is_not_spoiled_by_the_alike_errors_of_a_first_week() -> None:
    """Errors of neighbouring issues resemble each other: 40 of them are few independent ones."""
    random = np.random.default_rng(5)
    shape = (len(SERIES), STEPS)
    error = np.empty((56, *shape), np.float32)
    error[0] = random.normal(size=shape)
    for issue in range(1, 56):
        error[issue] = 0.9 * error[issue - 1] + math.sqrt(1 - 0.9**2) * random.normal(size=shape)
    edge = np.full_like(error, 1.2816)  # a normal error is inside in 80 % of cases

    margins = compute_margins(-edge[:40], edge[:40], error[:40]).values

    def interval_score(margin: Values | float) -> float:
        """Width plus ten times the distance outside: lower is better."""
        later = np.abs(error[40:])
        width = np.maximum(edge[40:] + margin, 0)
        return float((2 * width + 10 * np.maximum(later - width, 0)).mean())

    assert interval_score(margins) < 1.02 * interval_score(0)


def test_fewer_than_20_past_errors_leave_the_band_as_the_model_gave_it() -> None:
    assert not compute_margins(*errors(19)).values.any()
    assert compute_margins(*errors(19)).issues == 0
    assert compute_margins(*errors(20)).values.all()
    assert compute_margins(*errors(20)).issues == 20
    nothing = np.empty((0, len(SERIES), STEPS), np.float32)
    assert not compute_margins(nothing, nothing, nothing).values.any()


def test_an_actual_that_is_not_known_yet_does_not_count() -> None:
    low, high, actual = errors(30)
    padding = np.full_like(actual[:15], np.nan)
    more = (
        np.concatenate(pair) for pair in ((low, low[:15]), (high, high[:15]), (actual, padding))
    )
    found = compute_margins(*more)
    assert (found.values == compute_margins(low, high, actual).values).all()
    assert found.issues == 30

    actual[:11, 3, 5] = np.nan  # 19 are left at this lead
    found = compute_margins(low, high, actual)
    assert found.values[3, 5] == 0
    assert found.values[3, 4] != 0


def test_where_no_lead_has_20_known_errors_no_issue_is_said_to_have_given_them() -> None:
    low, high, actual = errors(25)
    actual[:6] = np.nan
    assert compute_margins(low, high, actual).issues == 0


# From the warehouse.

TODAY = T.date()


def of_day(
    url: SecretStr, *, again: bool = True, model: str = MODEL, revision: str = "r1"
) -> Margins:
    info = ModelInfo(model, "/models/stub", revision)
    with connect(url) as connection:
        return store.margins_of_day(connection, info, TODAY, again=again)


@pytest.fixture(scope="module")
def issued(one_warehouse: SecretStr) -> str:
    """The name of a database with 32 issues, every three hours of the four days before today."""
    start = day_start(TODAY) - 4 * DAY
    issues.fill(one_warehouse, start - 8 * DAY, day_start(TODAY) + DAY)
    times = [start + n * 3 * HOUR for n in range(32)]
    assert issues.issue(one_warehouse, *times, backtest=True).issues == 32
    return urlsplit(one_warehouse.get_secret_value()).path[1:]


@pytest.fixture
def warehouse(issued: str, new_database: Callable[[str | None], SecretStr]) -> SecretStr:
    """A copy of it for each test."""
    return new_database(issued)


def test_margins_of_a_day_come_from_past_raw_quantiles_and_actuals_by_series_and_lead(
    warehouse: SecretStr, rows: Rows
) -> None:
    found = of_day(warehouse).values

    for series, step in (("carbon_intensity", 0), ("wind", 20), ("gas", 41), ("coal", 3)):
        column = "actual_gco2_kwh" if series == "carbon_intensity" else f"{series}_pct"
        table = "intensity" if series == "carbon_intensity" else "generation_mix"
        past = rows(
            f"SELECT a.raw_p10[%s][%s], a.raw_p90[%s][%s], c.{column}::float8 "  # noqa: S608
            f"FROM forecast.archive AS a JOIN core.{table} AS c "
            "ON c.period_start = a.issued_at + %s WHERE a.model = %s AND c.period_start < %s",
            *(SERIES.index(series) + 1, step + 1) * 2,
            *(step * HALF_HOUR, MODEL, day_start(TODAY)),
        )
        assert 20 <= len(past) <= 32
        expected = brute_force(*(list(column) for column in zip(*past, strict=True)))
        assert found[SERIES.index(series), step] == pytest.approx(expected, abs=1e-4)


def test_only_what_was_known_when_the_day_began_takes_part(warehouse: SecretStr) -> None:
    found = of_day(warehouse)
    assert found.issues == 32  # at the shortest lead; at the longest there are 16, too few
    assert (found.values[0, :72] != 0).all()
    assert not found.values[:, 84:].any()

    today = Window(day_start(TODAY), day_start(TODAY) + DAY)
    captured = LATER + DAY
    issues.put_intensity(
        warehouse, ((at, captured, 999) for at in issues.half_hours(today.start, today.end))
    )
    issues.publish(warehouse, today, captured)
    assert (of_day(warehouse).values == found.values).all()


def test_margins_are_kept_for_the_day_and_recomputed_by_a_back_test(
    warehouse: SecretStr, rows: Rows
) -> None:
    first = of_day(warehouse, again=False)
    kept = (
        "SELECT cardinality(margins), issues FROM forecast.calibration "
        "WHERE model = %s AND issue_date = %s"
    )
    assert rows(kept, MODEL, TODAY) == [(960, 32)]
    yesterday = Window(day_start(TODAY) - DAY, day_start(TODAY))
    rows("UPDATE raw.intensity SET actual_gco2_kwh = 500 WHERE period_start >= %s", yesterday.start)
    issues.publish(warehouse, yesterday)

    assert (of_day(warehouse, again=False).values == first.values).all()
    again = of_day(warehouse, again=True)
    assert (again.values[0] != first.values[0]).any()
    assert (again.values[1:] == first.values[1:]).all()
    assert (of_day(warehouse, again=False).values == again.values).all()


def assert_none(found: Margins) -> None:
    assert found.issues == 0
    assert not found.values.any()


def test_a_model_without_a_past_has_no_margins_and_keeps_none(
    warehouse: SecretStr, rows: Rows
) -> None:
    assert_none(of_day(warehouse, model="chronos:new"))
    assert rows("SELECT count(*) FROM forecast.calibration WHERE model = 'chronos:new'") == [(0,)]


def test_other_weights_of_the_same_name_have_nothing_of_the_margins(warehouse: SecretStr) -> None:
    assert of_day(warehouse, again=False).issues == 32
    assert_none(of_day(warehouse, again=False, revision="r2"))
    assert of_day(warehouse, again=False).issues == 32


def test_a_stored_band_is_the_raw_one_moved_by_the_margins_of_its_day(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.issue(warehouse, T, backtest=True)
    found = of_day(warehouse).values
    assert rows(
        "SELECT calibrated_on FROM forecast.issues WHERE model = %s AND issued_at = %s", MODEL, T
    ) == [(32,)]
    stored = rows(
        "SELECT 0.1 * (cell.p50 - cell.below)::float8, cell.raw_p10, "
        "0.1 * (cell.p50 + cell.above)::float8, cell.raw_p90 "
        "FROM forecast.archive AS a, unnest(a.below[1:1], a.p50[1:1], a.above[1:1], "
        "a.raw_p10[1:1], a.raw_p90[1:1]) AS cell (below, p50, above, raw_p10, raw_p90) "
        "WHERE model = %s AND issued_at = %s",
        *(MODEL, T),
    )
    assert len(stored) == STEPS
    for step, (p10, raw_p10, p90, raw_p90) in enumerate(stored):
        assert p10 == pytest.approx(raw_p10 - found[0, step], abs=0.06)
        assert p90 == pytest.approx(raw_p90 + found[0, step], abs=0.06)
    # the stub's band is that of nobody: the margins are not small
    assert np.abs(found[0, :48]).mean() > 1


def test_issues_that_are_older_than_four_weeks_or_off_the_stride_do_not_count(
    warehouse: SecretStr,
) -> None:
    found = of_day(warehouse)
    off = [day_start(TODAY) - 6 * HOUR + timedelta(minutes=30 * n) for n in (1, 2, 3)]
    issues.issue(warehouse, *off, model=Stub(factor=9))
    assert (of_day(warehouse).values == found.values).all()

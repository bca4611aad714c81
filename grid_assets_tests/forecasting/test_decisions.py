"""What a decision by a forecast is worth: by hand, and the same in SQL as by the definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.decisions import (
    BEST,
    SAVED,
    WAITS_H,
    WORSE,
    Decisions,
    N,
    decide,
    format_decisions,
)
from grid_assets.forecasting.horizon import HORIZON, QUANTILES
from grid_assets.forecasting.models.forecaster import Problem, Values
from grid_assets.forecasting.questions import Question
from grid_assets.forecasting.scoring import score, value_days
from grid_assets.halfhours import DAY, HALF_HOUR, day_start, days_window
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import connect, copy_rows, write_transaction
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.issues import HOUR, T, half_hours, intensity_of

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Line = dict[datetime, float]
"""Values by half-hour; one that is missing has no key."""

TODAY = T.date()
START = day_start(TODAY)
VIEW = (
    "SELECT model, target_date, wait_hours, n, saved_gco2_kwh, best_gco2_kwh, made_worse_share, "
    "simulated FROM reporting.forecast_value ORDER BY model, target_date, wait_hours"
)


def steps(*parts: tuple[int, float]) -> np.ndarray:
    """One issue's half-hours: so many of each value, then 500."""
    values = [value for count, value in parts for _ in range(count)]
    return np.array([values + [500.0] * (HORIZON - len(values))])


def test_the_use_moves_to_the_window_with_the_lowest_forecast_and_is_judged_by_the_actuals() -> (
    None
):
    predicted = steps((6, 200), (6, 100), (36, 300))
    actual = steps((6, 200), (6, 150), (6, 120), (30, 300))
    [[case, saved, best, worse]] = decide(predicted, actual, 12)
    assert (case, saved, best, worse) == (1, 50, 80, 0)


def test_the_use_ends_within_the_wait() -> None:
    predicted = steps((19, 200), (6, 100), (23, 200))  # ends a half-hour after 12 hours
    actual = predicted.copy()
    [[_, within_12, _, _]] = decide(predicted, actual, 12)
    [[_, within_24, _, _]] = decide(predicted, actual, 24)
    assert within_12 == pytest.approx(500 / 6)  # five of the six cheap half-hours
    assert within_24 == 100


def test_of_equal_windows_the_earliest_is_chosen_and_beginning_at_once_is_not_worse() -> None:
    actual = steps((6, 200), (6, 100), (36, 300))
    flat = steps((48, 0.1 + 0.2))
    flat[0, 20] = 0.3  # the same but for its last bit
    [[case, saved, best, worse]] = decide(flat, actual, 12)
    assert (case, saved, best, worse) == (1, 0, 100, 0)


def test_a_window_that_turns_out_worse_saves_less_than_nothing() -> None:
    [found] = decide(steps((6, 200), (6, 100)), steps((6, 100), (6, 160)), 12)
    assert found.tolist() == [1, -60, 0, 1]


@pytest.mark.parametrize(("hole", "cases"), [(0, (0, 0)), (23, (0, 0)), (24, (1, 0)), (48, (1, 1))])
@pytest.mark.parametrize("of", ["forecast", "actual"])
def test_a_hole_within_the_wait_leaves_the_case_out(
    hole: int, cases: tuple[int, int], of: str
) -> None:
    predicted, actual = steps((48, 100)), steps((48, 100))
    (predicted if of == "forecast" else actual)[0, hole] = np.nan
    found = [decide(predicted, actual, hours) for hours in WAITS_H]
    assert tuple(each[0, N] for each in found) == cases
    assert all(not each[0].any() for each, case in zip(found, cases, strict=True) if not case)


def question(actual: np.ndarray, reached_steps: int | None = None) -> Question:
    values = np.full((len(SERIES), HORIZON), np.nan, np.float32)
    values[0] = actual[0]
    reached = None if reached_steps is None else np.arange(HORIZON) < reached_steps
    return Question(T, Problem(values, T), 0, values, reached)


def quantiles(medians: Sequence[np.ndarray]) -> Values:
    found = np.full((len(medians), len(SERIES), HORIZON, len(QUANTILES)), np.nan, np.float32)
    for row, median in enumerate(medians):
        found[row, 0, :, QUANTILES.index(0.5)] = median[0]
    return found


def test_the_common_cases_are_those_of_every_model_that_the_outlook_reaches() -> None:
    actual = steps((6, 200), (6, 100), (36, 300))
    whole, short = actual.copy(), actual.copy()
    short[0, 30:] = np.nan
    decisions = Decisions(["ours", "theirs"])
    batch = [question(actual, 48), question(actual, 24), question(actual, 23)]
    decisions.add(batch, [quantiles([whole] * 3), quantiles([whole, short, whole])])
    cases = {(value.model, value.wait_hours): value.n for value in decisions.whole()}
    common = {(value.model, value.wait_hours): value.n for value in decisions.common()}
    assert cases == {("ours", 12): 3, ("theirs", 12): 3, ("ours", 24): 3, ("theirs", 24): 2}
    assert common == {("ours", 12): 2, ("theirs", 12): 2, ("ours", 24): 1, ("theirs", 24): 1}
    [value] = [v for v in decisions.common() if (v.model, v.wait_hours) == ("ours", 24)]
    assert (value.saved_gco2_kwh, value.best_gco2_kwh, value.share_of_best) == (100, 100, 1)


def test_without_a_case_there_is_no_figure_and_no_division_by_nothing() -> None:
    decisions = Decisions(["ours"])
    nothing = np.full((1, HORIZON), np.nan)
    decisions.add([question(nothing)], [quantiles([nothing])])
    lines = list(format_decisions(decisions))
    assert lines[2].split() == ["12", "h", "ours", "0", "-", "-", "-", "-"]
    assert list(decisions.common()) == []


# In SQL


def put_forecast(url: SecretStr, model: str, issued_at: datetime, line: Line, **more: Any) -> None:
    columns = ("model", "series", "issued_at", "period_start", "p50", "simulated", "created_at")
    created_at = more.get("created_at", issued_at)
    with connect(url) as connection:
        copy_rows(
            connection,
            "forecast.predictions",
            columns,
            (
                (model, SERIES[0], issued_at, at, p50, more.get("simulated", False), created_at)
                for at, p50 in line.items()
            ),
        )


def put_actuals(url: SecretStr, line: Line) -> None:
    with connect(url) as connection:
        connection.cursor().executemany(
            "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, %s) "
            "ON CONFLICT (period_start) DO UPDATE SET actual_gco2_kwh = excluded.actual_gco2_kwh",
            [(at, float(value)) for at, value in line.items()],
        )


def actuals(days: int, start: datetime = START) -> Line:
    return {at: intensity_of(at) for at in half_hours(start, start + days * DAY)}


def forecast(start: datetime, values: Iterable[float], steps: int = HORIZON) -> Line:
    times = half_hours(start, start + steps * HALF_HOUR)
    return dict(zip(times, values, strict=False))


def run(url: SecretStr, first: int = 0, last: int = 2) -> int:
    """Score days, counted from today; returns the rows of values that were written."""
    with connect(url) as connection, write_transaction(connection, "forecast.accuracy"):
        window = days_window(TODAY + first * DAY, TODAY + last * DAY)
        return score(connection, window, None).valued


def by_definition(forecasts: dict[tuple[str, datetime], Line], actual: Line) -> list[Any]:
    """The rows of the view, by `decide`."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for (model, issued_at), line in forecasts.items():
        start = issued_at + (-(issued_at - START) % HALF_HOUR)
        times = half_hours(start, start + 2 * DAY)
        ahead = np.array([[line.get(at, np.nan) for at in times]])
        happened = np.array([[actual.get(at, np.nan) for at in times]])
        for hours in WAITS_H:
            [row] = decide(ahead, happened, hours)
            if row[N]:
                found.setdefault((model, start.date(), hours), []).append(row)
    return [
        (
            *key,
            len(cases),
            *(round(np.mean([case[of] for case in cases]), 3) for of in (SAVED, BEST)),
            round(np.mean([case[WORSE] for case in cases]), 4),
        )
        for key, cases in sorted(found.items())
    ]


def shown(rows: Rows) -> list[Any]:
    return [(*row[:4], *(float(figure) for figure in row[4:7])) for row in rows(VIEW)]


def close(found: list[Any], expected: list[Any]) -> None:
    assert [row[:4] for row in found] == [row[:4] for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert row[4:] == pytest.approx(other[4:], abs=0.00051)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_view_has_what_the_definition_gives(
    seed: int, warehouse: SecretStr, rows: Rows
) -> None:
    random = np.random.default_rng(seed)
    actual = actuals(4)
    del actual[START + 31 * HOUR]  # a hole leaves cases out, and so does what is yet to come
    put_actuals(warehouse, actual)
    forecasts: dict[tuple[str, datetime], Line] = {}
    for number in range(20):
        at = START + 4 * number * HOUR
        near = [intensity_of(START + n * HALF_HOUR) for n in range(8 * number, 8 * number + 96)]
        for model, noise, reach in (("chronos:a", 5, 96), ("naive", 90, 96), ("short", 30, 40)):
            medians = np.clip(random.normal(near, noise), 0, None).round(1).tolist()
            forecasts[model, at] = forecast(at, medians, reach)
        whole = random.integers(0, 3, 96).tolist()  # equal windows
        captured = at + timedelta(minutes=random.integers(1, 59).item())
        first = captured + (-(captured - START) % HALF_HOUR)
        forecasts["neso", captured] = forecast(first, whole)
        if number % 5 == 0:
            del forecasts["neso", captured][first + 20 * HALF_HOUR]
    for (model, issued_at), line in forecasts.items():
        put_forecast(warehouse, model, issued_at, line)

    assert run(warehouse, 0, 3) > 0

    expected = by_definition(forecasts, actual)
    assert {(row[0], row[2]) for row in expected} == {
        *((model, hours) for model in ("chronos:a", "naive", "neso") for hours in WAITS_H),
        ("short", 12),
    }
    close(shown(rows), expected)


def test_an_issue_in_several_rows_is_one_case_and_a_simulated_one_is_marked(
    warehouse: SecretStr, rows: Rows
) -> None:
    put_actuals(warehouse, actuals(3))
    line = forecast(T, range(96))
    halves = dict(list(line.items())[:10]), dict(list(line.items())[10:])
    for number, half in enumerate(halves):
        made = T + timedelta(seconds=number)
        put_forecast(warehouse, "theirs", T, half, created_at=made, simulated=number == 1)
    assert rows("SELECT count(*) FROM forecast.archive") == [(2,)]
    run(warehouse)
    assert [(row[2], row[3], row[7]) for row in rows(VIEW)] == [(12, 1, True), (24, 1, True)]


def test_a_case_counts_once_its_whole_wait_has_come_true_and_on_the_day_it_began(
    warehouse: SecretStr, rows: Rows
) -> None:
    late = START + 23.5 * HOUR
    put_forecast(warehouse, "chronos:a", late, forecast(late, range(96)))
    actual = actuals(2)
    last = late + 23.5 * HOUR
    put_actuals(warehouse, {at: value for at, value in actual.items() if at < last})
    # scoring the next day counts the issues of the day before, whose wait reaches into it
    assert run(warehouse, 1, 1) == 1
    assert [row[1:4] for row in rows(VIEW)] == [(TODAY, 12, 1)]
    put_actuals(warehouse, {last: actual[last]})
    assert run(warehouse, 1, 1) == 1
    assert [row[1:4] for row in rows(VIEW)] == [(TODAY, 12, 1), (TODAY, 24, 1)]


def test_values_follow_revised_actuals_and_new_forecasts_and_are_otherwise_not_rewritten(
    warehouse: SecretStr, rows: Rows
) -> None:
    put_actuals(warehouse, actuals(4))
    line = forecast(T, [200 - n for n in range(96)])
    put_forecast(warehouse, "chronos:a", T, line)
    put_forecast(warehouse, "chronos:a", T + DAY, forecast(T + DAY, range(96)))
    assert run(warehouse) == 4
    assert run(warehouse) == 0

    before = rows(VIEW)
    put_actuals(warehouse, dict.fromkeys(half_hours(T + 21 * HOUR, T + DAY), 0))
    assert run(warehouse, 1, 1) == 1  # the wait of 24 h reaches the revised half-hours
    [changed] = [new for old, new in zip(before, rows(VIEW), strict=True) if old != new]
    at_once = np.mean([intensity_of(T + n * HALF_HOUR) for n in range(6)])
    assert changed[1:3] == (TODAY, 24)
    assert float(changed[4]) == float(changed[5]) == pytest.approx(at_once, abs=0.00051)

    put_forecast(warehouse, "chronos:a", T + HOUR, forecast(T + HOUR, range(96)))
    assert run(warehouse, 0, 0) == 2
    assert [row[3] for row in rows(VIEW)] == [2, 2, 1, 1]


def test_a_value_whose_cases_are_gone_is_not_shown(warehouse: SecretStr, rows: Rows) -> None:
    put_actuals(warehouse, actuals(3))
    for model in ("chronos:a", "chronos:b"):
        put_forecast(warehouse, model, T, forecast(T, range(96)))
    run(warehouse)
    rows("DELETE FROM forecast.archive WHERE model = 'chronos:b'")
    assert run(warehouse, 1, 1) == 2
    assert {row[0] for row in rows(VIEW)} == {"chronos:a"}
    rows("UPDATE core.intensity SET actual_gco2_kwh = NULL WHERE period_start = %s", T)
    assert run(warehouse) == 2
    assert run(warehouse) == 0
    assert rows(VIEW) == []


def test_ten_years_are_shown_in_an_index_look_up_and_computed_day_by_day(
    warehouse: SecretStr, rows: Rows
) -> None:
    with connect(warehouse) as connection:
        connection.execute(
            "INSERT INTO forecast.value (model, target_date, wait_hours, n, saved_sum, best_sum, "
            "n_worse, simulated) SELECT model, day, hours, 48, 6000, 7000, 3, false "
            "FROM generate_series('2016-01-01'::timestamp, '2025-12-31', '1 day') AS day, "
            "unnest(ARRAY['a', 'b', 'c', 'd', 'neso']) AS model, unnest(ARRAY[12, 24]) AS hours"
        )
        connection.execute("ANALYZE forecast.value")
        plan = connection.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) SELECT model, wait_hours, sum(n) "
            "FROM reporting.forecast_value WHERE target_date > '2025-12-01' GROUP BY 1, 2"
        ).fetchone()
        # days that nothing is known about cost nothing but themselves
        assert value_days(connection, datetime(2026, 1, 1, tzinfo=UTC).date(), TODAY) == 0
    assert plan is not None
    assert "value_by_day" in str(plan[0])

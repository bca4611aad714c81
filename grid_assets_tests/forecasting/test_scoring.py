"""Scores equal a plain sum over forecasts and actuals that share series and half-hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.scoring import Scored, score
from grid_assets.halfhours import HALF_HOUR, Window, day_start, days_window
from grid_assets.series import BUCKET_OF_STEP, FUELS, SERIES
from grid_assets.warehouse.connection import connect, copy_rows, write_transaction
from grid_assets_tests import shared_warehouse
from grid_assets_tests.archive import forget
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, T

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Forecast = tuple[str, str, datetime, datetime, float | None, float, float | None, bool]

TODAY = T.date()
THREE_DAYS = days_window(TODAY, TODAY + 2 * DAY)
COLUMNS = (
    "model",
    "series",
    "issued_at",
    "period_start",
    "p10",
    "p50",
    "p90",
    "simulated",
    "created_at",
)
MODELS = ("chronos:a", "seasonal_naive")


def put_forecasts(url: SecretStr, forecasts: list[Forecast]) -> None:
    """Rows (model, series, issued_at, period_start, p10, p50, p90, simulated)."""
    with connect(url) as connection:
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source) "
            "SELECT unnest(%s::text[]), 'r1', 'builtin' ON CONFLICT DO NOTHING",
            [sorted({model for model, *_ in forecasts if model != "neso"})],
        )
        copy_rows(
            connection,
            "forecast.predictions",
            [
                "model",
                "series",
                "issued_at",
                "period_start",
                "p10",
                "p50",
                "p90",
                "simulated",
                "created_at",
            ],
            ((*forecast, T) for forecast in forecasts),
        )


def one(model: str = "chronos:a", series: str = "wind", step: int = 0, **more: Any) -> Forecast:
    """A forecast of one half-hour, issued at `T`, with a band of 10 to 30 around 20."""
    issued_at = more.get("issued_at", T)
    return (
        model,
        series,
        issued_at,
        issued_at + step * HALF_HOUR,
        more.get("p10", 10),
        more.get("p50", 20),
        more.get("p90", 30),
        more.get("simulated", False),
    )


def random_forecasts(seed: int) -> list[Forecast]:
    """Every 6 hours for two days, by two models of ours, and twice by NESO, which gives no band."""
    random = np.random.default_rng(seed)
    found: list[Forecast] = []
    for model in MODELS:
        for issued_at in (day_start(TODAY) + n * 6 * HOUR for n in range(8)):
            for series in SERIES:
                quantiles = np.sort(random.uniform(0, 100, (HORIZON, 3)).round(1), axis=1).tolist()
                found += [
                    (model, series, issued_at, issued_at + step * HALF_HOUR, *row, False)
                    for step, row in enumerate(quantiles)
                ]
    for issued_at in (T + HOUR / 5, T + DAY):
        first = issued_at.replace(minute=0) + HALF_HOUR
        found += [
            ("neso", SERIES[0], issued_at, first + n * HALF_HOUR, None, float(value), None, True)
            for n, value in enumerate(random.integers(0, 400, 90))
        ]
    return found


def run(url: SecretStr, window: Window = THREE_DAYS) -> Scored:
    with connect(url) as connection, write_transaction(connection, "forecast.accuracy"):
        return score(connection, window, None)


def stored(rows: Rows) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        row[:4]: row[4:]
        for row in rows(
            "SELECT model, series, target_date, lead_bucket, n, mae, bias, wape, pinball, "
            "coverage_80, simulated FROM reporting.forecast_accuracy"
        )
    }


def brute_force(
    forecasts: list[Forecast], actuals: dict[tuple[str, datetime], float]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The scores by their definitions, one group at a time."""
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for model, series, issued_at, start, p10, p50, p90, simulated in forecasts:
        if (series, start) in actuals:
            bucket = BUCKET_OF_STEP[(start - issued_at) // HALF_HOUR]
            groups[model, series, start.date(), bucket].append(
                (actuals[series, start], p10, p50, p90, simulated)
            )
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for key, members in groups.items():
        actual, median = (np.array([member[at] for member in members], float) for at in (0, 2))
        error = median - actual
        pinball = coverage = None
        if members[0][1] is not None:
            low, high = (np.array([member[index] for member in members]) for index in (1, 3))
            losses = [
                np.maximum(level * (actual - quantile), (level - 1) * (actual - quantile))
                for level, quantile in ((0.1, low), (0.5, median), (0.9, high))
            ]
            pinball = np.mean(losses)
            coverage = np.mean((actual >= low) & (actual <= high))
        total = np.abs(actual).sum()
        found[key] = (
            len(members),
            np.abs(error).mean(),
            error.mean(),
            np.abs(error).sum() / total if total else None,
            pinball,
            coverage,
            any(member[4] for member in members),
        )
    return found


def recorded(start: datetime, end: datetime) -> dict[tuple[str, datetime], float]:
    """What `issues.fill` puts there."""
    found: dict[tuple[str, datetime], float] = {}
    for at in issues.half_hours(start, end):
        found[SERIES[0], at] = issues.intensity_of(at)
        found |= {(f, at): float(s) for f, s in zip(FUELS, issues.shares_of(at), strict=True)}
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_scores_equal_a_brute_force_over_random_forecasts(
    seed: int, warehouse: SecretStr, rows: Rows
) -> None:
    end = day_start(TODAY) + 2 * DAY + 5 * HOUR  # nothing has happened after this
    hole = day_start(TODAY) + 9 * HOUR
    issues.fill(warehouse, day_start(TODAY), end, but=[hole])
    forecasts = random_forecasts(seed)
    put_forecasts(warehouse, forecasts)

    done = run(warehouse)

    actuals = recorded(day_start(TODAY), end)
    actuals = {key: actual for key, actual in actuals.items() if key[1] != hole}
    expected = brute_force(forecasts, actuals)
    found = stored(rows)
    assert found.keys() == expected.keys()
    compared = sum(scores[0] for scores in expected.values())
    assert (done.compared, done.written) == (compared, len(expected))
    for key, (n, mae, bias, wape, pinball, coverage, simulated) in expected.items():
        assert (found[key][0], found[key][6]) == (n, simulated)
        assert found[key][1:6] == pytest.approx(
            tuple(
                None if score is None else Decimal(score)
                for score in (mae, bias, wape, pinball, coverage)
            ),
            abs=Decimal("0.00051"),
        )
    buckets = {bucket for *_, bucket in found}
    assert buckets == set(BUCKET_OF_STEP)


def test_a_forecast_is_compared_with_its_own_series_and_half_hour_and_no_other(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.put_mix(warehouse, [(T, T + HOUR, [1, 2, 3, 60, 5, 6, 7, 8, 8])])
    issues.put_intensity(warehouse, [(T, T + HOUR, 150), (T + HOUR, T + 2 * HOUR, 500)])
    issues.publish(warehouse, THREE_DAYS)
    put_forecasts(warehouse, [one(series=series) for series in SERIES])
    assert run(warehouse).compared == 10
    assert rows(
        "SELECT series, actual, error, abs_error, inside_80, unit, lead_minutes, lead_bucket "
        "FROM reporting.actual_vs_predicted WHERE series IN ('gas', 'carbon_intensity', 'coal') "
        "ORDER BY series"
    ) == [
        ("carbon_intensity", 150, -130, 130, False, "gCO2/kWh", 0, "0-3h"),
        ("coal", 2, 18, 18, False, "%", 0, "0-3h"),
        ("gas", 60, -40, 40, False, "%", 0, "0-3h"),
    ]


@pytest.mark.parametrize(
    ("step", "bucket"),
    [(0, "0-3h"), (5, "0-3h"), (6, "3-6h"), (12, "6-12h"), (24, "12-24h"), (48, "24-48h")],
)
def test_a_lead_bucket_holds_its_lower_edge(
    step: int, bucket: str, warehouse: SecretStr, rows: Rows
) -> None:
    at = T + step * HALF_HOUR
    issues.fill(warehouse, at, at + HALF_HOUR)
    put_forecasts(warehouse, [one(step=step)])
    run(warehouse)
    assert BUCKET_OF_STEP[step] == bucket
    assert [(key[2], key[3]) for key in stored(rows)] == [(at.date(), bucket)]


def test_wape_is_null_where_all_actuals_are_0_and_the_rest_is_not(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T, T + HOUR)
    put_forecasts(warehouse, [one(series="coal", step=step, p10=0, p50=2) for step in (0, 1)])
    run(warehouse)
    [(n, mae, bias, wape, pinball, coverage, _)] = stored(rows).values()
    assert (n, mae, bias, wape, coverage) == (2, 2, 2, None, 1)
    assert pinball == Decimal("1.333")  # (0 + 0.5 * 2 + 0.1 * 30) / 3


def test_an_edge_of_the_band_is_inside_it(warehouse: SecretStr, rows: Rows) -> None:
    issues.put_mix(
        warehouse,
        [
            (T + n * HALF_HOUR, T, [0, 0, 0, 0, 0, 0, 0, 100 - w, w])
            for n, w in enumerate((10, 30, 31))
        ],
    )
    issues.publish(warehouse, THREE_DAYS)
    put_forecasts(warehouse, [one(step=step) for step in range(3)])
    run(warehouse)
    [scores] = stored(rows).values()
    assert scores[5] == Decimal("0.6667")


def test_a_simulated_forecast_of_neso_is_marked_wherever_it_is_shown(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T, T + HOUR)
    nothing = {"p10": None, "p90": None}
    put_forecasts(
        warehouse,
        [
            one(series="carbon_intensity"),
            one("neso", "carbon_intensity", 0, simulated=True, **nothing),
            one("neso", "carbon_intensity", 1, simulated=False, **nothing),
        ],
    )
    run(warehouse)
    marked = {key[0]: scores[6] for key, scores in stored(rows).items()}
    assert marked == {"chronos:a": False, "neso": True}
    [neso] = [scores for key, scores in stored(rows).items() if key[0] == "neso"]
    assert neso[4:6] == (None, None)  # no band, so neither pinball loss nor coverage
    assert rows(
        "SELECT model, simulated, inside_80 FROM reporting.actual_vs_predicted "
        "ORDER BY model, period_start"
    ) == [("chronos:a", False, False), ("neso", True, None), ("neso", False, None)]


def test_scoring_again_writes_nothing_and_a_revised_actual_rewrites_its_rows_only(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T, T + 2 * HOUR)
    put_forecasts(warehouse, [one(series=s, step=n) for s in SERIES for n in range(4)])
    assert run(warehouse) == Scored(40, 10)
    assert run(warehouse) == Scored(40, 0)

    issues.put_intensity(warehouse, [(T, T + 90 * DAY, 21)])
    issues.publish(warehouse, THREE_DAYS, T + 90 * DAY)
    before = stored(rows)
    assert run(warehouse) == Scored(40, 1)
    changed = {key for key, scores in stored(rows).items() if scores != before[key]}
    assert changed == {("chronos:a", "carbon_intensity", TODAY, "0-3h")}


def test_scores_whose_forecasts_or_actuals_are_gone_are_removed_within_the_window_only(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, day_start(TODAY) - DAY, T + HOUR)
    yesterday = T - DAY
    put_forecasts(
        warehouse,
        [one("chronos:old"), one(), one(series="gas"), one("chronos:old", issued_at=yesterday)],
    )
    run(warehouse, days_window(TODAY - DAY, TODAY))
    assert len(stored(rows)) == 4

    rows("DELETE FROM forecast.archive WHERE model = 'chronos:old'")
    rows("DELETE FROM forecast.models WHERE model = 'chronos:old'")
    forget(warehouse, "series = 'gas'")
    assert run(warehouse, days_window(TODAY, TODAY)) == Scored(1, 2)
    assert {key[:3] for key in stored(rows)} == {
        ("chronos:a", "wind", TODAY),
        ("chronos:old", "wind", TODAY - DAY),
    }
    rows("DELETE FROM core.generation_mix")
    assert run(warehouse, days_window(TODAY - DAY, TODAY)) == Scored(0, 2)
    assert stored(rows) == {}


def test_forecasts_of_another_program_that_names_no_model_are_scored(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T, T + HOUR)
    put_forecasts(warehouse, [one("theirs")])
    rows("DELETE FROM forecast.models")
    assert run(warehouse, days_window(TODAY, TODAY)).compared == 1
    assert rows("SELECT model FROM reporting.forecast_accuracy") == [("theirs",)]


def test_only_half_hours_of_the_window_are_scored(warehouse: SecretStr, rows: Rows) -> None:
    issues.fill(warehouse, T, T + 2 * DAY)
    put_forecasts(warehouse, [one(step=n) for n in range(HORIZON)])
    run(warehouse, days_window(TODAY + DAY, TODAY + DAY))
    assert {key[2] for key in stored(rows)} == {date(2026, 3, 21)}
    assert sum(scores[0] for scores in stored(rows).values()) == 48


def test_the_last_24_hours_show_each_half_hour_once_by_the_last_issue_before_it(
    warehouse: SecretStr, rows: Rows
) -> None:
    [(now,)] = rows("SELECT date_trunc('hour', now(), 'UTC')")
    start = now - 2 * HOUR
    issues.put_mix(warehouse, [(start, now, issues.shares_of(start))])
    issues.publish(warehouse, Window(start, now), now)
    put_forecasts(
        warehouse,
        [one(issued_at=start - n * HALF_HOUR, step=n, p50=20 + n) for n in range(4)]
        + [one(issued_at=start - 2 * DAY, step=1)],
    )
    assert rows(
        "SELECT period_start, p50, lead_minutes FROM reporting.actual_vs_predicted_24h"
    ) == [(start, 20, 0)]

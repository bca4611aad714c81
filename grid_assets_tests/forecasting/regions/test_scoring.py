"""Scores of forecasts by region, the fit of weights, and what is shown of derived forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.forecasting.regions.scoring import LEAST_DAYS, fit, last_settled, score_days
from grid_assets.halfhours import DAY, HALF_HOUR, day_start, floor
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting.regions.captured import capture, estimate, national

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection

NOW = floor(datetime.now(UTC)) + timedelta(minutes=12)
TODAY = day_start(NOW.date())
CAPTURED = timedelta(minutes=12)
HOUR = timedelta(hours=1)


def neso(region: int, at: datetime) -> float:
    return 100 + region + (at.hour % 6)


def happened(region: int, at: datetime) -> float:
    """Region 2 is as NESO says; the others are 20 lower, as our national forecast says."""
    return neso(region, at) - (0 if region == 2 else 20)


def fill(connection: Connection, days: int, stride: timedelta = 12 * HOUR) -> None:
    """Captures up to now, with national forecasts that differ by 20."""
    at = TODAY - days * DAY
    estimate(connection, at, floor(NOW), happened)
    while at + CAPTURED <= NOW:
        capture(connection, at + CAPTURED, neso)
        national(connection, at + HALF_HOUR, lambda _: 80, lambda _: 100)
        at += stride


def test_nesos_scores_are_sums_of_errors_against_the_later_estimate(
    connection: Connection,
) -> None:
    fill(connection, 4)
    last = last_settled(NOW)
    scored = score_days(connection, last, last, NOW)
    rows = connection.execute(
        "SELECT region_id, sum(n), sum(abs_error_sum), sum(error_sum), bool_or(simulated) "
        "FROM reporting.regional_forecast_accuracy WHERE model = 'neso' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert len(rows) == 18
    [(_, n, *of_two), *_] = [row for row in rows if row[0] == 2]
    assert of_two == [0, 0, False]
    # each half-hour of the day is in the issues of the 48 hours before it, one in twelve hours
    issues = [TODAY - 4 * DAY + k * 12 * HOUR + HALF_HOUR for k in range(20)]
    expected = sum(
        timedelta(0) <= day_start(last) + k * HALF_HOUR - at < 2 * DAY - HALF_HOUR
        for at in issues
        for k in range(48)
    )
    assert n == expected
    for region, count, absolute, error, _ in rows:
        if region != 2:
            assert (absolute, error) == (20 * count, 20 * count)
    assert scored.compared == sum(row[1] for row in rows)
    assert score_days(connection, last, last, NOW).written == 0  # a re-run rewrites nothing


def test_half_hours_of_the_last_day_are_not_scored_yet(connection: Connection) -> None:
    fill(connection, 3)
    scored = score_days(connection, last_settled(NOW) + DAY, NOW.date(), NOW)
    by_day: dict[Any, int] = dict(
        connection.execute(
            "SELECT target_date, sum(n) FROM forecast.regional_accuracy GROUP BY 1"
        ).fetchall()
    )
    assert all(day_start(day) < NOW - DAY for day in by_day)
    assert scored.compared == sum(by_day.values())


def test_weights_serve_only_forecasts_issued_after_their_fit(connection: Connection) -> None:
    fill(connection, 6)
    fitted_at = TODAY - 3 * DAY
    assert fit(connection, fitted_at) == 18 * 5
    score_days(connection, last_settled(NOW) - 3 * DAY, last_settled(NOW), NOW)
    rows = connection.execute(
        "SELECT region_id, target_date, n, abs_error_sum, neso_abs_error_sum "
        "FROM forecast.regional_accuracy WHERE model = 'blend'"
    ).fetchall()
    assert rows
    assert min(row[1] for row in rows) >= fitted_at.date()
    for region, _, _, ours, theirs in rows:
        assert ours < theirs if region != 2 else ours == theirs == 0


def test_a_national_forecast_that_was_made_later_teaches_nothing(connection: Connection) -> None:
    fill(connection, 4)
    assert fit(connection, NOW) == 18 * 5
    connection.execute("DELETE FROM forecast.regional_weights")
    connection.execute(
        "UPDATE forecast.archive SET created_at = issued_at + interval '1 day' "
        "WHERE model = 'blend'"
    )
    assert fit(connection, NOW) == 0


@pytest.mark.parametrize(("days", "is_shown"), [(LEAST_DAYS, True), (LEAST_DAYS - 1, False)])
def test_a_derived_forecast_is_shown_where_it_was_no_worse_for_a_week(
    connection: Connection, days: int, is_shown: bool
) -> None:
    for place in range(days):
        for region, ours, theirs in ((1, 90, 100), (2, 100, 100), (3, 110, 100)):
            connection.execute(
                "INSERT INTO forecast.regional_accuracy VALUES "
                "('blend', %s, %s, '0-3h', 10, %s, 0, 1000, %s, false)",
                [region, (TODAY - (place + 2) * DAY).date(), ours, theirs],
            )
    fill(connection, 4)
    fit(connection, NOW)
    shown = connection.execute(
        "SELECT DISTINCT region_id FROM forecast.regional_weights WHERE is_shown ORDER BY 1"
    ).fetchall()
    assert shown == ([(1,), (2,)] if is_shown else [])


def test_nothing_is_fitted_before_an_error_is_known(connection: Connection) -> None:
    capture(connection, NOW, neso)
    assert fit(connection, NOW) == 0


def latest(connection: Connection, model: str, region: int) -> dict[datetime, tuple[float, ...]]:
    rows = connection.execute(
        "SELECT period_start, p10, p50, p90, lead_minutes, derived "
        "FROM reporting.regional_forecast_latest "
        "WHERE model = %s AND region_id = %s AND series = 'carbon_intensity'",
        [model, region],
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def weigh(
    connection: Connection,
    region: int,
    weight: float,
    *,
    band: float | None = 12.5,
    fitted_at: datetime = NOW - DAY,
    is_shown: bool = True,
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast.regional_weights VALUES (%s, %s, %s, %s, %s, 100, %s)",
            [
                (region, fitted_at, bucket, weight, band, is_shown)
                for bucket in ("0-3h", "3-6h", "6-12h", "12-24h", "24-48h")
            ],
        )


def test_the_newest_forecast_is_published_and_derived(connection: Connection) -> None:
    start = floor(NOW)
    capture(connection, start - timedelta(minutes=18), neso)
    national(connection, start, lambda _: 80, lambda _: 100)
    weigh(connection, 13, 0.5)
    weigh(connection, 12, 0.5, is_shown=False)
    published = latest(connection, "neso", 13)
    derived = latest(connection, "blend", 13)
    assert len(published) == 95  # without the half-hour in which it was captured
    assert min(published) == start
    assert {at: row[1] for at, row in derived.items()} == {
        at: row[1] - 10 for at, row in published.items()
    }
    [row] = {row[2] - row[0] for row in derived.values()}
    assert row == 25
    assert derived[start + HOUR][3:] == (60, True)

    # a newer capture counts from the half-hour after it, for the derived forecast too
    capture(connection, start + timedelta(minutes=1), lambda r, at: neso(r, at) + 1)
    assert min(latest(connection, "blend", 13)) == start + HALF_HOUR
    assert published[start + HOUR][0] is None
    assert latest(connection, "blend", 12) == {}


def test_a_derived_forecast_whose_errors_are_not_known_yet_has_no_band(
    connection: Connection,
) -> None:
    start = floor(NOW)
    capture(connection, start - timedelta(minutes=18), neso)
    national(connection, start, lambda _: 80, lambda _: 100)
    weigh(connection, 13, 0.5, band=None)
    bands = {(row[0], row[2]) for row in latest(connection, "blend", 13).values()}
    assert bands == {(None, None)}


def test_nothing_is_derived_from_a_national_forecast_or_a_fit_of_another_time(
    connection: Connection,
) -> None:
    start = floor(NOW)
    capture(connection, start - timedelta(minutes=18), neso)
    weigh(connection, 13, 0.5)
    weigh(connection, 12, 0.5, fitted_at=NOW - 29 * DAY)
    national(connection, start - 20 * HOUR, lambda _: 80, lambda _: 100)
    assert latest(connection, "blend", 13) == {}
    national(connection, start, lambda _: 80, lambda _: 100)
    assert len(latest(connection, "blend", 13)) == 95
    assert latest(connection, "blend", 12) == {}


def test_a_derived_forecast_is_issued_when_all_that_it_is_derived_from_was_known(
    connection: Connection,
) -> None:
    start = floor(NOW)
    capture(connection, start - HOUR - timedelta(minutes=18), neso)
    national(connection, start, lambda _: 80, lambda _: 100)
    captured = start + timedelta(minutes=1)  # NESO's national forecast once more
    connection.execute(
        "INSERT INTO forecast.predictions "
        "(model, series, period_start, issued_at, created_at, p50) "
        "SELECT 'neso', 'carbon_intensity', %s + n * interval '30 minutes', %s, %s, 100 "
        "FROM generate_series(1, 95) AS n",
        [start, captured, captured],
    )
    weigh(connection, 13, 0.5)
    lead_minutes = {at: row[3] for at, row in latest(connection, "blend", 13).items()}
    assert (lead_minutes[start], lead_minutes[start + HOUR]) == (0, 30)


def test_a_region_that_the_newest_capture_lacks_keeps_its_earlier_forecast(
    connection: Connection,
) -> None:
    earlier = floor(NOW) - 2 * HOUR + timedelta(minutes=1)
    capture(connection, earlier, neso)
    capture(connection, earlier + HOUR, lambda r, at: neso(r, at) + 1, regions=range(1, 18))
    issued: dict[int, datetime] = dict(
        connection.execute(
            "SELECT DISTINCT region_id, issued_at FROM reporting.regional_forecast_latest"
        ).fetchall()
    )
    assert issued.pop(18) == earlier
    assert set(issued.values()) == {earlier + HOUR}

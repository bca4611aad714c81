"""An issue sees the values published before it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.context import IssueContext, KnownValues, add_neso_forecast
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Values
from grid_assets.halfhours import HALF_HOUR, Window, floor
from grid_assets.series import FUELS, SERIES
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, LATER, WEEK, T, shown

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]
LAST = T - HALF_HOUR
WITHIN = Window(T - WEEK, T)


def context(found: IssueContext) -> Values:
    assert found.problem is not None, found.refused
    return found.problem.context


def expected(start: datetime = T - WEEK, end: datetime = T) -> Values:
    """The context of telemetry as `fill` puts it there."""
    times = issues.half_hours(start, end)
    intensity = [[issues.intensity_of(at) for at in times]]
    return np.vstack([intensity, np.array([issues.shares_of(at) for at in times]).T]).astype(
        np.float32
    )


def republish(url: SecretStr, at: datetime, captured: datetime, actual: Any) -> None:
    issues.put_intensity(url, [(at, captured, actual)])
    issues.publish(url, WITHIN)


# Known by capture, or by the end of the half-hour.


def test_history_loaded_later_is_known_at_the_end_of_each_half_hour_and_counted_as_assumed(
    warehouse: SecretStr,
) -> None:
    issues.fill(warehouse, T - 8 * DAY, T + DAY)
    found = shown(warehouse)
    assert found.refused is None
    assert found.problem is not None
    assert found.problem.start == T - WEEK
    assert np.array_equal(found.problem.context, expected())
    assert (found.intensity_to, found.mix_to) == (T, T)
    assert (found.late_steps, found.missing, found.assumed) == (0, 0, CONTEXT)


def test_what_was_captured_live_is_known_from_its_capture(warehouse: SecretStr) -> None:
    issues.fill(warehouse, T - 9 * DAY, T + DAY, issues.captured_live)
    found = shown(warehouse)
    # the half-hour that ended at the issue time was captured 12 minutes after it
    assert (found.intensity_to, found.mix_to) == (LAST, LAST)
    assert (found.late_steps, found.missing, found.assumed) == (1, 1, 0)
    assert found.problem is not None
    assert found.problem.start == T - WEEK - HALF_HOUR
    assert np.array_equal(found.problem.context, expected(T - WEEK - HALF_HOUR, LAST))


@pytest.mark.parametrize(
    ("captured", "known"),
    [(T - timedelta(microseconds=1), True), (T, True), (T + timedelta(microseconds=1), False)],
)
def test_a_capture_counts_up_to_the_issue_time_and_not_after(
    captured: datetime, known: bool, warehouse: SecretStr
) -> None:
    issues.fill(warehouse, T - 9 * DAY, LAST, issues.captured_live)
    issues.fill(warehouse, LAST, T, lambda _: captured)
    assert shown(warehouse).intensity_to == (T if known else LAST)
    assert shown(warehouse).mix_to == (T if known else LAST)


def test_a_revision_captured_after_the_issue_time_is_invisible(warehouse: SecretStr) -> None:
    issues.fill(warehouse, T - 9 * DAY, T, issues.captured_live)
    at = T - 5 * HOUR
    republish(warehouse, at, at + HOUR, 111)
    republish(warehouse, at, T + timedelta(seconds=1), 222)
    issues.put_mix(warehouse, [(at, T + HOUR, [0, 0, 0, 100, 0, 0, 0, 0, 0])])
    issues.publish(warehouse, WITHIN)

    found = shown(warehouse).problem
    later = shown(warehouse, T + 2 * HOUR).problem
    assert found is not None
    assert later is not None

    column = (at - found.start) // HALF_HOUR
    assert found.context[0, column] == 111
    assert found.context[1:, column].tolist() == pytest.approx(
        [float(share) for share in issues.shares_of(at)]
    )
    column = (at - later.start) // HALF_HOUR
    assert later.context[0, column] == 222
    assert later.context[1 + FUELS.index("gas"), column] == 100


def test_a_revision_of_history_that_was_loaded_later_is_known_from_its_own_capture(
    warehouse: SecretStr,
) -> None:
    issues.fill(warehouse, T - 8 * DAY, T)
    republish(warehouse, T - HOUR, LATER + DAY, 999)
    assert np.array_equal(context(shown(warehouse)), expected())


def actual_at(url: SecretStr, at: datetime, instant: datetime) -> float | None:
    """The actual of a half-hour as known at an instant."""
    half_hour = Window(at, at + HALF_HOUR)
    with connect(url) as connection:
        known = KnownValues(connection, half_hour).at(instant, half_hour)[0, 0]
    return None if np.isnan(known) else float(known)


def test_a_value_stamped_in_the_future_is_known_now_and_to_no_back_test(
    warehouse: SecretStr,
) -> None:
    at, now = T - 5 * HOUR, floor(datetime.now(UTC)) + HALF_HOUR
    issues.fill(warehouse, T - 9 * DAY, T, issues.captured_live)
    before = actual_at(warehouse, at, T)
    assert before == issues.intensity_of(at)
    republish(warehouse, at, datetime(2999, 1, 1, tzinfo=UTC), 333)
    assert actual_at(warehouse, at, T) == before
    assert actual_at(warehouse, at, now) == 333
    # What is received after it, with the clock put right, counts at either time.
    republish(warehouse, at, at + HOUR, 444)
    assert actual_at(warehouse, at, at + HALF_HOUR) is None
    assert actual_at(warehouse, at, T) == 444
    assert actual_at(warehouse, at, now) == 444


def test_a_value_whose_only_stamp_is_in_the_future_is_unknown_to_a_back_test(
    warehouse: SecretStr, rows: Rows
) -> None:
    newest = floor(datetime.now(UTC)) - 2 * HALF_HOUR  # not history that was loaded later
    issues.fill(warehouse, newest - HOUR, newest, issues.captured_live)
    issues.put_intensity(warehouse, [(newest, newest + 400 * DAY, 333)])
    issues.publish(warehouse, Window(newest, newest + HALF_HOUR), datetime.now(UTC))
    assert actual_at(warehouse, newest, newest + HALF_HOUR) is None
    assert actual_at(warehouse, newest, floor(datetime.now(UTC)) + HALF_HOUR) == 333


def test_a_value_stamped_before_its_half_hour_ended_is_known_from_the_end(
    warehouse: SecretStr,
) -> None:
    at = T - 5 * HOUR
    issues.fill(warehouse, T - 9 * DAY, T, issues.captured_live)
    republish(warehouse, at, at - 3 * DAY, 222)
    assert actual_at(warehouse, at, at + HALF_HOUR - timedelta(seconds=1)) is None
    assert actual_at(warehouse, at, at + HALF_HOUR) == 222


def test_one_half_hour_captured_days_late_is_assumed_and_one_captured_a_day_late_is_not(
    warehouse: SecretStr,
) -> None:
    assumed, late = T - 5 * HOUR, T - 3 * HOUR
    issues.fill(warehouse, T - 9 * DAY, T, issues.captured_live, but=[assumed, late])
    issues.fill(warehouse, assumed, assumed + HALF_HOUR, lambda at: at + HALF_HOUR + 49 * HOUR)
    issues.fill(warehouse, late, late + HALF_HOUR, lambda at: at + HALF_HOUR + 47 * HOUR)
    found = shown(warehouse)
    assert found.problem is not None
    start = found.problem.start
    assert not np.isnan(found.problem.context[:, (assumed - start) // HALF_HOUR]).any()
    assert np.isnan(found.problem.context[:, (late - start) // HALF_HOUR]).all()
    assert found.assumed == 1


def test_what_had_ended_before_anything_was_captured_here_is_assumed_and_the_rest_is_not(
    warehouse: SecretStr,
) -> None:
    first_run = T - 6 * HOUR + timedelta(minutes=12)
    issues.fill(warehouse, T - 8 * DAY, T, lambda at: max(first_run, issues.captured_live(at)))
    found = shown(warehouse)
    assert found.assumed == 0  # all of it was captured before the issue
    assert found.missing == 1
    before = shown(warehouse, T - 7 * HOUR)
    assert (before.missing, before.assumed) == (0, CONTEXT)


def test_rows_that_another_program_wrote_into_core_are_known_from_their_end(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 8 * DAY, T - DAY)
    for at in issues.half_hours(T - DAY, T + HOUR):
        rows(
            "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, %s)",
            *(at, issues.intensity_of(at)),
        )
        named = [
            share
            for fuel, share in zip(FUELS, issues.shares_of(at), strict=True)
            if fuel != "other"
        ]
        rows(
            "INSERT INTO core.generation_mix (period_start, biomass_pct, coal_pct, imports_pct, "
            "gas_pct, nuclear_pct, hydro_pct, solar_pct, wind_pct) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *(at, *named),
        )
    found = shown(warehouse)
    assert np.allclose(context(found), expected())
    assert (found.intensity_to, found.mix_to, found.assumed) == (T, T, CONTEXT)


def test_rows_of_core_whose_capture_is_not_in_raw_are_known_from_that_capture(
    warehouse: SecretStr, rows: Rows
) -> None:
    issues.fill(warehouse, T - 9 * DAY, T, issues.captured_live)
    rows("DELETE FROM raw.intensity WHERE period_start >= %s", T - DAY)
    rows("DELETE FROM raw.generation WHERE period_start >= %s", T - DAY)
    found = shown(warehouse)
    assert (found.intensity_to, found.mix_to) == (LAST, LAST)
    assert np.allclose(context(found), expected(T - WEEK - HALF_HOUR, LAST))


# What is missing, and what is no measurement.


def test_holes_are_shown_as_missing_and_counted(warehouse: SecretStr) -> None:
    holes = [T - 40 * HOUR, T - 39 * HOUR, T - 3 * DAY]
    issues.fill(warehouse, T - 8 * DAY, T, but=holes)
    issues.put_intensity(warehouse, [(holes[0], LATER, 150)])  # this one lacks the mix only
    issues.publish(warehouse, WITHIN)
    found = shown(warehouse)
    columns = [(at - WITHIN.start) // HALF_HOUR for at in holes]
    assert np.flatnonzero(np.isnan(context(found)[0])).tolist() == sorted(columns[1:])
    for row in range(1, 10):
        assert np.flatnonzero(np.isnan(context(found)[row])).tolist() == sorted(columns)
    assert found.missing == 3
    assert found.late_steps == 0


@pytest.mark.parametrize("published", ["0", "13579", "-1", "1000.5"])
def test_what_is_no_measurement_never_reaches_a_context(
    published: str, warehouse: SecretStr
) -> None:
    issues.fill(warehouse, T - 8 * DAY, T)
    at = T - 5 * HOUR
    # published first, so that it is the version that was known
    issues.put_intensity(warehouse, [(at, T - 4 * HOUR, Decimal(published))])
    with connect(warehouse) as connection:
        connection.execute(
            "DELETE FROM raw.intensity WHERE period_start = %s AND captured_at = %s", [at, LATER]
        )
    issues.publish(warehouse, WITHIN)

    found = shown(warehouse)

    assert np.isnan(context(found)[0, (at - WITHIN.start) // HALF_HOUR])
    assert np.nanmax(context(found)[0]) < 400
    assert np.nanmin(context(found)[0]) > 50
    assert found.missing == 1


def test_more_than_a_quarter_missing_is_refused_with_the_reason(warehouse: SecretStr) -> None:
    holes = issues.half_hours(T - 3 * DAY, T - 3 * DAY + (MAX_MISSING + 1) * HALF_HOUR)
    assert MAX_MISSING == 84
    issues.fill(warehouse, T - 8 * DAY, T, but=holes)
    found = shown(warehouse)
    assert found.problem is None
    assert found.refused == (
        "85 of the 336 half-hours of carbon intensity from 2026-03-13T12:00Z to 2026-03-20T12:00Z "
        "are missing; at most 84 may be missing. Load them with `grid backfill`, or wait until "
        "they are published."
    )
    assert found.missing == 85

    issues.put_intensity(warehouse, [(holes[0], LATER, 150)])
    issues.publish(warehouse, WITHIN)
    refused = shown(warehouse).refused
    assert refused is not None
    assert refused.startswith("85 of the 336 half-hours of the generation mix from")

    issues.put_mix(warehouse, [(holes[0], LATER, issues.shares_of(holes[0]))])
    issues.publish(warehouse, WITHIN)
    assert shown(warehouse).refused is None


def test_an_empty_warehouse_is_refused_and_nothing_is_said_to_be_known(
    warehouse: SecretStr,
) -> None:
    found = shown(warehouse)
    assert found.refused is not None
    assert found.refused.startswith("336 of the 336 half-hours of carbon intensity")
    assert (found.intensity_to, found.mix_to, found.missing) == (None, None, CONTEXT)


@pytest.mark.parametrize("late", [1, 5, MAX_MISSING])
def test_late_actuals_end_the_context_earlier_and_leave_it_as_long(
    late: int, warehouse: SecretStr
) -> None:
    end = T - late * HALF_HOUR
    issues.fill(warehouse, T - 12 * DAY, end)
    found = shown(warehouse)
    assert found.late_steps == late
    assert found.problem is not None
    assert found.problem.start == end - WEEK
    assert np.array_equal(found.problem.context, expected(end - WEEK, end))
    assert (found.intensity_to, found.mix_to) == (end, end)


def test_a_mix_that_is_later_than_intensity_is_a_hole_and_not_late(warehouse: SecretStr) -> None:
    issues.fill(warehouse, T - 8 * DAY, T - HOUR)
    times = issues.half_hours(T - HOUR, T)
    issues.put_intensity(warehouse, ((at, LATER, issues.intensity_of(at)) for at in times))
    issues.publish(warehouse, WITHIN)
    found = shown(warehouse)
    assert found.late_steps == 0
    assert (found.intensity_to, found.mix_to) == (T, T - HOUR)
    assert np.isnan(context(found)[1:, -2:]).all()
    assert not np.isnan(context(found)[0]).any()


def test_shares_are_shown_as_core_completes_them_to_100(warehouse: SecretStr) -> None:
    issues.fill(warehouse, T - 8 * DAY, T, but=[T - HOUR])
    shares = dict(
        zip(FUELS, map(Decimal, ("7", "0", "12", "30", "15", "0", "1", "5", "29.8")), strict=True)
    )
    issues.put_intensity(warehouse, [(T - HOUR, LATER, 150)])
    issues.put_mix(warehouse, [(T - HOUR, LATER, list(shares.values()))])
    issues.publish(warehouse, WITHIN)
    column = context(shown(warehouse))[1:, -2]
    assert column[FUELS.index("other")] == pytest.approx(0.2)
    assert column.sum() == pytest.approx(100)
    assert (np.abs(context(shown(warehouse))[1:].sum(axis=0) - 100) < 1e-4).all()


# NESO's forecast.


def neso(url: SecretStr, at: datetime = T) -> IssueContext:
    with connect(url) as connection:
        return add_neso_forecast(connection, shown(url, at))


def vintage(url: SecretStr, issued_at: datetime, value: float, half_hours: int = 120) -> None:
    first = issued_at.replace(minute=0, second=0) - HOUR
    issues.put_neso(url, issued_at, first, [value] * half_hours)


@pytest.fixture
def filled(warehouse: SecretStr) -> SecretStr:
    issues.fill(warehouse, T - 8 * DAY, T)
    return warehouse


def test_nesos_newest_forecast_captured_before_the_issue_is_shown(filled: SecretStr) -> None:
    for issued_at, value in (
        (T - 20 * HOUR, 100),
        (T - timedelta(minutes=18), 200),
        (T + timedelta(seconds=1), 300),
    ):
        vintage(filled, issued_at, value)
    found = neso(filled)
    assert found.problem is not None
    assert found.problem.neso is not None
    assert found.problem.neso.tolist() == [200] * HORIZON
    assert found.neso_issued_at == T - timedelta(minutes=18)


def test_what_nesos_forecast_does_not_reach_is_missing(filled: SecretStr) -> None:
    vintage(filled, T, 200, half_hours=2 + 12)  # it stops six hours after the issue
    found = neso(filled).problem
    assert found is not None
    assert found.neso is not None
    assert found.neso[:12].tolist() == [200] * 12
    assert np.isnan(found.neso[12:]).all()


@pytest.mark.parametrize("issued_at", [None, T + timedelta(seconds=1), T - 2 * DAY])
def test_without_a_forecast_of_neso_that_was_captured_and_still_reaches_there_is_none(
    issued_at: datetime | None, filled: SecretStr
) -> None:
    if issued_at:
        vintage(filled, issued_at, 200)
    found = neso(filled)
    assert found.problem is not None
    assert found.problem.neso is None
    assert found.neso_issued_at is None


def test_nesos_forecast_is_lined_up_with_the_half_hours_that_are_forecast(
    warehouse: SecretStr,
) -> None:
    issues.fill(warehouse, T - 9 * DAY, T - HOUR)  # two half-hours late
    issues.put_neso(warehouse, T, T - HALF_HOUR, range(100, 200))
    found = neso(warehouse).problem
    assert found is not None
    assert found.neso is not None
    assert found.context.shape == (len(SERIES), CONTEXT)
    assert len(found.neso) == HORIZON + 2
    assert np.isnan(found.neso[0])
    assert found.neso[1:].tolist() == list(range(100, 100 + HORIZON + 1))


def test_the_forecast_beside_a_past_actual_never_stands_in_for_a_vintage(
    filled: SecretStr, rows: Rows
) -> None:
    rows("UPDATE raw.intensity SET forecast_gco2_kwh = 200")
    rows("UPDATE core.intensity SET forecast_gco2_kwh = 200")
    found = neso(filled)
    assert found.problem is not None
    assert found.problem.neso is None
    assert np.array_equal(context(found), expected())


def test_a_refused_issue_is_shown_no_forecast_of_neso(warehouse: SecretStr) -> None:
    vintage(warehouse, T, 200)
    assert neso(warehouse).neso_issued_at is None

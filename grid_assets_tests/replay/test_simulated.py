"""The simulated 48-hour forecast: its size, smoothness and repeatability."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import correlation, mean

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay import simulated
from grid_assets.replay.recording import load_recording

ISSUE = datetime(2025, 11, 3, 12, tzinfo=UTC)
TRUTH = 1_000  # High enough that no error is cut off at 0.


def errors(issue: datetime) -> list[int]:
    periods = (issue + step * HALF_HOUR for step in range(1, 97))
    return [simulated.forecast(TRUTH, issue, period) - TRUTH for period in periods]


@pytest.fixture(scope="module")
def issues() -> list[list[int]]:
    return [errors(ISSUE + timedelta(days=3 * step)) for step in range(400)]


def test_the_error_grows_with_lead_like_the_published_one(issues: list[list[int]]) -> None:
    for first, last, published in ((1, 2, 17), (2, 6, 22), (6, 48, 24), (48, 97, 28)):
        measured = mean(abs(issue[step - 1]) for issue in issues for step in range(first, last))
        assert measured == pytest.approx(published, rel=0.12)


def test_the_error_is_smooth_along_lead(issues: list[list[int]]) -> None:
    errs = [error for issue in issues for error in issue[:-1]]
    following = [error for issue in issues for error in issue[1:]]
    assert 0.95 < correlation(errs, following) < 0.995
    assert abs(mean(errs)) < 2
    # Turns between neighbouring half-hours, which make a line look jagged.
    turns = [
        abs(after - 2 * error + before)
        for issue in issues
        for before, error, after in zip(issue, issue[1:], issue[2:], strict=False)
    ]
    assert max(turns) < 15


def test_the_next_issue_repeats_most_of_the_error() -> None:
    days = [ISSUE + timedelta(days=day) for day in range(60)]
    earlier = [error for at in days for error in errors(at)[1:]]
    later = [error for at in days for error in errors(at + HALF_HOUR)[:-1]]
    assert correlation(earlier, later) > 0.95


@pytest.mark.parametrize("truth", [20, 130, 400])
def test_a_forecast_is_never_far_from_the_truth(truth: int) -> None:
    values = [
        simulated.forecast(truth, issue, issue + step * HALF_HOUR)
        for issue in (ISSUE + timedelta(days=day) for day in range(200))
        for step in range(1, 97)
    ]
    assert truth * 0.5 <= min(values) < max(values) <= truth * 1.5


def test_an_issue_is_the_same_in_every_process_and_another_one_differs() -> None:
    assert errors(ISSUE)[:4] == [5, 0, -5, -9]
    assert errors(ISSUE + timedelta(days=1))[:4] != errors(ISSUE)[:4]


def test_a_forecast_is_never_negative() -> None:
    values = [simulated.forecast(0, ISSUE, ISSUE + step * HALF_HOUR) for step in range(1, 97)]
    assert set(values) == {0}
    assert all(isinstance(value, int) for value in values)


def test_a_half_hour_that_has_begun_is_refused() -> None:
    with pytest.raises(ValueError, match="has begun"):
        simulated.forecast(100, ISSUE, ISSUE)


def test_the_index_names_agree_with_the_recorded_ones() -> None:
    wrong = [
        period
        for period, row in load_recording().intensity.items()
        if row.band
        and row.actual
        and simulated.index(row.actual, period.year) not in (None, row.band)
    ]
    # The bands changed a little before or after midnight of a year, or an actual was revised.
    assert len(wrong) < 50
    assert simulated.index(100, 2019) is None

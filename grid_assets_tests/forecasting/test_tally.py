"""Errors over several models, batches and days: what is compared, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from grid_assets.forecasting.bands import within_range
from grid_assets.forecasting.evaluation import Evaluation, measure
from grid_assets.forecasting.evaluation_table import format_table
from grid_assets.forecasting.history_files import NESO_SERIES, Outlook, Published
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.models.neso import NesoForecast
from grid_assets.forecasting.questions import Questions
from grid_assets.forecasting.tally import ALL_LEADS, Tally
from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.series import INTENSITY, SERIES
from grid_assets_tests.forecasting.made_files import START

FIRST = date(2024, 1, 1)


def constant(values: Sequence[float], issues: int = 1) -> Values:
    """The same quantiles everywhere."""
    return np.tile(np.array(values, np.float32), (issues, len(SERIES), HORIZON, 1))


def test_a_difference_is_as_sure_as_the_daily_means_say() -> None:
    tally = Tally(2)
    differences = [1.0, 3.0, 5.0, 7.0]
    for number, difference in enumerate(differences):
        for _ in range(3):  # issues of the same day tell the same
            actual = np.full((1, len(SERIES), HORIZON), 100, np.float32)
            models = constant([90, 100, 110]), constant([90, 100 + difference, 110])
            tally.add(models, actual, [FIRST + timedelta(days=number)])
    for found in tally.differences(1):
        assert found.days == 4
        assert found.mae == pytest.approx(4)
        assert found.standard_error == pytest.approx(np.std(differences, ddof=1) / 2)
    assert found.lead_bucket == ALL_LEADS
    assert found.n == 4 * 3 * HORIZON


def test_a_difference_of_one_day_has_no_standard_error() -> None:
    tally = Tally(2)
    actual = np.full((2, len(SERIES), HORIZON), 100, np.float32)
    tally.add([constant([1, 2, 3], 2), constant([1, 4, 5], 2)], actual, [FIRST, FIRST])
    assert [each.standard_error for each in tally.differences(1)] == [None] * 6
    assert [round(each.mae, 6) for each in tally.differences(1)] == [-2] * 6


def test_a_difference_is_of_half_hours_that_both_forecast() -> None:
    first, second = constant([1, 90, 110]), constant([1, 80, 110])
    second[:, :, 6:, :] = np.nan
    first[:, :, :3, :] = np.nan
    tally = Tally(2)
    tally.add([first, second], np.full((1, len(SERIES), HORIZON), 100, np.float32), [FIRST])
    assert {each.lead_bucket: (each.n, each.mae) for each in tally.differences(1)} == {
        "0-3h": (3, 10),
        ALL_LEADS: (3, 10),
    }
    scores = {each.lead_bucket: each.n for each in tally.scores(1) if each.series == INTENSITY}
    assert scores == {"0-3h": 6, "3-6h": 0, "6-12h": 0, "12-24h": 0, "24-48h": 0, ALL_LEADS: 6}


def test_quantiles_are_ordered_and_clipped_and_nothing_else() -> None:
    raw = constant([130.04, -3, 1200])
    raw[0, 1, 0] = [np.nan, 120, np.nan]
    found = within_range(raw)
    np.testing.assert_allclose(found[0, 0, 0], [0, 130.04, 1000], rtol=1e-6)
    np.testing.assert_allclose(found[0, 2, 0], [0, 100, 100])
    np.testing.assert_array_equal(found[0, 1, 0], [np.nan, 100, np.nan])


class Holes:
    """Forecasts with a missing half-hour."""

    name = "holes"

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        predicted = np.full((len(problems), len(SERIES), steps, 3), 50, np.float32)
        predicted[:, 0, 7] = np.nan
        return predicted


def level(value: float) -> Questions:
    """Issues of two days of constant history; NESO's forecast reaches six hours, from the second
    day on. Wind and demand are known for the first day."""
    first = int(START.timestamp()) // 1800 + 480
    times = [START + 10 * DAY + hours * timedelta(hours=1) for hours in range(0, 48, 6)]

    def published(begin: int, count: int, ahead: int) -> Published:
        periods = first + np.arange(begin, begin + count)
        keys = (periods << 32) + periods * 1800 - ahead * 1800
        return Published(keys, np.full(count, 7, np.float32))

    outlook = Outlook(
        {
            NESO_SERIES: published(48, 48, 12),
            "demand_mw": published(0, 96, 96),
            "wind_mw": published(0, 72, 96),
        }
    )

    def read(start: object, end: object) -> Values:
        return np.full((len(SERIES), 3000), value, np.float32)

    return Questions(times, read, outlook)


@pytest.fixture(scope="module")
def compared() -> list[Evaluation]:
    span = Window(START + 10 * DAY, START + 12 * DAY)
    return measure([SeasonalNaive(), NesoForecast()], level(10), span, 12 * HALF_HOUR)


def test_the_second_block_is_where_all_forecast_and_the_outlook_reaches(
    compared: list[Evaluation],
) -> None:
    whole = [each.score(INTENSITY) for each in compared]
    common = [each.common.score(INTENSITY) for each in compared if each.common]
    # Of 8 issues, NESO forecasts 1 half-hour at 18:00 of the first day, then three times 13, and 12
    # up to midnight. Wind is known until noon of the second day: 1, 13 and 12 of those half-hours.
    assert [score.n for score in whole if score] == [8 * HORIZON, 1 + 3 * 13 + 12]
    assert [score.n for score in common if score] == [1 + 13 + 12] * 2
    assert [score.mae for score in common if score] == [0, 3]
    assert {each.common_name for each in compared} == {"where the outlook reaches"}


def test_the_table_has_both_blocks_and_the_differences(compared: list[Evaluation]) -> None:
    lines = list(format_table(compared))
    assert "Carbon intensity where the outlook reaches, gCO2/kWh" in lines
    assert any(" ± " in line for line in lines if "neso" in line)
    assert not any(" ± " in line for line in lines if line.startswith("0-3h    seasonal_naive"))
    assert lines[-1].split() == ["wind", "0.00"]  # NESO forecasts no fuel


def test_a_model_with_a_hole_is_refused() -> None:
    span = Window(START + 10 * DAY, START + 12 * DAY)
    with pytest.raises(ModelUnusable, match="holes failed while forecasting: 1 medians of carbon"):
        measure([Holes()], level(10), span, HALF_HOUR)

"""The blend of `grid evaluate`: it learns from what has come true, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from grid_assets.forecasting.blending.walk import Blend
from grid_assets.forecasting.history_files import ISSUED_BITS, NESO_SERIES, Outlook, Published
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models import candidates
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.forecaster import CONTEXT, Forecaster, Line, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.questions import Questions
from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import OUTLOOK, SERIES

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS, STEPS, LATE = 40, 112, 1
NOISE = np.random.default_rng(3).normal(0, 15, (len(SERIES), DAYS * 48)).astype(np.float32)
TRUTH = 200 + 60 * np.sin(np.arange(DAYS * 48) / 48 * 2 * np.pi) + NOISE
TRUTH[1:] = np.abs(TRUTH[1:]) / 30
HALF = np.float32(0.5)
TIMES = [START + timedelta(days=8, hours=3 * n) for n in range(8 * 28)]


@dataclass
class Seer:
    """Knows what comes, and is wrong by a constant and by noise of its own."""

    name: str
    off: float
    spread: float
    seed: int
    calls: int = 0

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        self.calls += 1
        answer = np.empty((len(problems), len(SERIES), steps, 3), np.float32)
        for number, problem in enumerate(problems):
            first = (problem.start - START) // HALF_HOUR + CONTEXT
            random = np.random.default_rng([self.seed, first])
            median = np.full((len(SERIES), steps), 200.0)
            coming = TRUTH[:, first : first + steps]
            median[:, : coming.shape[1]] = coming
            median += self.off + random.normal(0, self.spread, median.shape)
            answer[number] = np.stack([median - 5, median, median + 5], axis=-1)
        return answer


def problem_at(at: datetime, truth: Values = TRUTH, lines: Sequence[Line] = ()) -> Problem:
    end = (at - START) // HALF_HOUR - LATE
    context = truth[:, end - CONTEXT : end].astype(np.float32)
    outlook = np.full((len(OUTLOOK), CONTEXT + STEPS), np.nan, np.float32)
    outlook[OUTLOOK.index("wind_mw"), : CONTEXT + 49] = 5000
    return Problem(context, START + (end - CONTEXT) * HALF_HOUR, None, outlook, LATE, lines)


def asked(times: Sequence[datetime], published: Mapping[datetime, Values]) -> list[Problem]:
    """The problems of a file with forecasts of NESO, by publication, each from then on."""
    keys, values = [], []
    for at, line in published.items():
        periods = int(at.timestamp()) // 1800 + np.arange(len(line))
        keys.append((periods << ISSUED_BITS) + int(at.timestamp()))
        values.append(line)
    order = np.argsort(np.concatenate(keys))
    neso = Published(np.concatenate(keys)[order], np.concatenate(values)[order])

    def read(start: datetime, end: datetime) -> Values:
        places = np.arange((start - START) // HALF_HOUR, (end - START) // HALF_HOUR)
        known = TRUTH[:, np.clip(places, 0, TRUTH.shape[1] - 1)].astype(np.float32)
        known[:, (places < 0) | (places >= TRUTH.shape[1])] = np.nan
        return known

    batches = Questions(times, read, Outlook({NESO_SERIES: neso}), LATE).batches()
    return [question.problem for batch in batches for question in batch]


def run(blend: Forecaster, problems: Sequence[Problem], at_once: int = 60) -> Values:
    """The 96 half-hours of each issue, forecast some issues at a time."""
    parts = [
        blend.predict(problems[start : start + at_once], STEPS)
        for start in range(0, len(problems), at_once)
    ]
    return np.concatenate(parts)[:, :, LATE : LATE + HORIZON]


def errors(predicted: Values, times: Sequence[datetime] = TIMES) -> Values:
    first = [(at - START) // HALF_HOUR for at in times]
    truth = np.stack([TRUTH[:, step : step + HORIZON] for step in first])
    return np.abs(predicted[..., 1] - truth)


def neso_at(at: datetime) -> Values:
    """NESO knows what comes."""
    first = (at - START) // HALF_HOUR
    return TRUTH[0, first : first + HORIZON].astype(np.float32)


def good() -> Seer:
    return Seer("chronos:good", 0, 6, 1)


def biased() -> Seer:
    return Seer(GradientBoosting.name, 15, 8, 2)


def test_the_blend_comes_to_be_better_than_its_best_member() -> None:
    problems = [problem_at(at) for at in TIMES]
    members = [errors(run(one, problems)) for one in (good(), biased())]
    blend = errors(run(Blend(good(), biased()), problems))
    late = slice(8 * 20, None)  # three weeks later
    for series in range(len(SERIES)):
        best = min(member[late, series].mean() for member in members)
        assert blend[late, series].mean() < 1.01 * best
    intensity = [each[late, 0].mean() for each in (blend, *members)]
    assert intensity[0] < 0.9 * min(intensity[1:])  # the bias is taken away
    assert blend[:8, 0].mean() > blend[late, 0].mean()


def test_the_band_comes_to_hold_80_percent_as_in_operation() -> None:
    """Members whose bands hold half of that."""
    predicted = run(Blend(good(), biased()), [problem_at(at) for at in TIMES])
    first = [(at - START) // HALF_HOUR for at in TIMES]
    truth = np.stack([TRUTH[:, step : step + HORIZON] for step in first])
    held = (predicted[..., 0] <= truth) & (truth <= predicted[..., 2])
    assert held[:8, 0].mean() < 0.65
    assert 0.74 < held[8 * 20 :, 0].mean() < 0.82


def test_the_size_of_a_batch_makes_no_difference() -> None:
    problems = [problem_at(at) for at in TIMES[:100]]
    one = run(Blend(good(), biased()), problems, at_once=1)
    np.testing.assert_array_equal(one, run(Blend(good(), biased()), problems, at_once=77))


def test_what_comes_true_later_changes_nothing() -> None:
    """Not a bit of the forecasts up to an instant, and much of those after it."""
    cut = TIMES[150]
    later = TRUTH.copy()
    later[:, (cut - START) // HALF_HOUR - LATE :] += 50
    neso = np.full(HORIZON, 230, np.float32)
    real, perturbed = (
        run(
            Blend(good(), biased()),
            [
                problem_at(at, truth, [(at, neso + 9 * (truth is later and at > cut))])
                for at in TIMES
            ],
        )
        for truth in (TRUTH, later)
    )
    same = [np.array_equal(*pair) for pair in zip(real, perturbed, strict=True)]
    assert same[:151] == [True] * 151
    assert not any(same[160:])


def test_a_bogus_vintage_does_not_carry_the_forecast_away() -> None:
    # NESO is by far the best member, so that it has the largest weight
    published = {at: neso_at(at) for at in TIMES}
    members = Seer("chronos:poor", 0, 30, 1), Seer(GradientBoosting.name, 0, 30, 2)
    sound = run(Blend(*members), asked(TIMES, published))
    assert errors(sound)[150, 0].mean() < 8
    found = run(
        Blend(*members), asked(TIMES, published | {TIMES[150]: published[TIMES[150]] * HALF})
    )
    away = np.abs(found[150, 0, :, 1] - sound[150, 0, :, 1]).mean()
    assert away < 25  # half of it would be 100
    assert np.abs(found[151, 0, :, 1] - sound[151, 0, :, 1]).mean() < 1  # nor does it learn from it


@pytest.mark.parametrize(("hours", "member"), [(0, True), (5.5, True), (6, False), (24, False)])
def test_nesos_forecast_is_a_member_until_it_is_six_hours_old(hours: float, member: bool) -> None:
    at = TIMES[50]
    [without] = run(Blend(good(), biased()), asked([at], {at + HALF_HOUR: neso_at(at)}))
    published = at - timedelta(hours=hours)
    [found] = run(Blend(good(), biased()), asked([at], {published: neso_at(published) + 30}))
    away = np.abs(found - without)[0, :40, 1].mean()
    assert (away > 1) == member
    assert member or away == 0


def test_nesos_forecast_is_of_one_publication() -> None:
    """Where the newest one ends, the one before does not continue it."""
    at = TIMES[50]
    newest, before = {at: neso_at(at)[:10]}, {at - HALF_HOUR: neso_at(at - HALF_HOUR) + 30}
    [alone] = run(Blend(good(), biased()), asked([at], newest))
    [found] = run(Blend(good(), biased()), asked([at], newest | before))
    np.testing.assert_array_equal(found, alone)


def test_a_bogus_vintage_does_not_confirm_itself_while_it_is_the_newest() -> None:
    times = [TIMES[50] + n * timedelta(hours=1) for n in range(6)]
    without = run(Blend(good(), biased()), asked(times, {times[-1] + HALF_HOUR: neso_at(times[0])}))
    found = run(Blend(good(), biased()), asked(times, {times[0]: neso_at(times[0]) * HALF}))
    np.testing.assert_array_equal(found, without)


def test_after_a_gap_margins_start_again_like_the_weights() -> None:
    """Nothing of the 28 days before is known, as at the very first issue."""
    problems = [problem_at(at) for at in TIMES[:50]]
    later = replace(problems[49], start=problems[49].start + timedelta(days=60))
    blend = Blend(good(), biased())
    *_, before, after = run(blend, [*problems, later])
    [fresh] = run(Blend(good(), biased()), [later])
    np.testing.assert_array_equal(after, fresh)
    width = [np.diff(each[0, :10, [0, 2]], axis=0).mean() for each in (before, fresh)]
    assert width[0] > width[1] + 2  # so there were margins


def test_a_member_of_a_blend_that_is_measured_too_forecasts_once() -> None:
    chronos, trees = good(), biased()
    blend = Blend(Seer("chronos:other", 0, 1, 3), Seer(GradientBoosting.name, 0, 1, 4))
    naive = SeasonalNaive()
    shared = candidates.share_members([chronos, blend, trees, naive])
    assert [each.name for each in shared] == [chronos.name, "blend", trees.name, naive.name]
    problems = [problem_at(at) for at in TIMES[:5]]
    predicted = [each.predict(problems, STEPS) for each in shared]
    assert (chronos.calls, trees.calls) == (1, 1)
    np.testing.assert_array_equal(predicted[0], good().predict(problems, STEPS))
    shared[0].predict(problems[1:], STEPS)
    assert chronos.calls == 2  # of other problems

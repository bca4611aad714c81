"""What a trial learns from, what it measures on, when there is none, and what is better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from grid_assets.forecasting.boosting.places import SHORTEST, STEPS, issue_places
from grid_assets.forecasting.learning import planning
from grid_assets.forecasting.learning.comparing import BOUND, Comparison, LeadErrors
from grid_assets.forecasting.learning.planning import NoTrial, known_spans, learnable, plan
from grid_assets.forecasting.learning.warehouse_record import WarehouseRecord
from grid_assets.forecasting.models.forecaster import MAX_MISSING, Values
from grid_assets.forecasting.training_record import SET_ASIDE
from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.series import LEAD_BUCKETS

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2026, 3, 20, 12, tzinfo=UTC)
NO_SHIFT = timedelta(0)


def held(days: float) -> tuple[Values, Window]:
    """A warehouse without gaps that ends at `END`."""
    window = Window(END - days * DAY, END)
    return np.full(window.half_hours, 200, np.float32), window


def test_the_newest_thirty_days_whose_forecasts_have_come_true_are_held_back() -> None:
    found = plan(*held(120), LONG_AGO, False, NO_SHIFT)
    assert found.held_back.end == datetime(2026, 3, 18, tzinfo=UTC)
    assert found.held_back.end - found.held_back.start == 30 * DAY
    assert found.learned == Window(END - 120 * DAY, found.held_back.start)
    assert found.half_hours == found.learned.half_hours


def test_half_hours_without_a_value_do_not_count() -> None:
    intensity, window = held(120)
    intensity[:1000] = np.nan
    found = plan(intensity, window, LONG_AGO, False, NO_SHIFT)
    assert found.half_hours == found.learned.half_hours - 1000
    assert found.spans == [Window(window.start + 1000 * HALF_HOUR, found.learned.end)]


def in_pieces(pieces: int, length: int, gap: int, whole: int = 0) -> tuple[Values, Window]:
    """A warehouse whose half-hours before those held back are `pieces` between gaps, and then
    `whole` half-hours."""
    before = np.tile(np.repeat(np.array([200, np.nan], np.float32), [length, gap]), pieces)
    held_back = np.full(32 * 48 + 24, 200, np.float32)
    values = np.concatenate([before, np.full(whole, 200, np.float32), held_back])
    return values, Window(END - len(values) * HALF_HOUR, END)


@pytest.mark.parametrize(
    ("pieces", "length", "gap"),
    [(60, 8 * 48, 8 * 48), (100, SHORTEST - 1, MAX_MISSING + 1), (300, 10, 500)],
    ids=["every other week", "just too short", "hours only"],
)
def test_half_hours_in_short_pieces_teach_nothing_and_the_refusal_says_so(
    pieces: int, length: int, gap: int
) -> None:
    intensity, window = in_pieces(pieces, length, gap)
    with pytest.raises(NoTrial) as refused:
        plan(intensity, window, LONG_AGO, False, NO_SHIFT)
    said = str(refused.value)
    assert said.startswith(
        f"This warehouse holds {pieces * length:,} half-hours of carbon intensity from before "
    )
    assert (
        "Only 0 of them can be learned from: the others lie in spans of less than 219 hours "
        "between gaps of more than 42 hours. Fill the gaps with `grid backfill --from "
        f"{window.start:%Y-%m-%d} --to 2026-02-16`, or load earlier days"
    ) in said


def test_only_half_hours_in_spans_that_are_long_enough_count() -> None:
    intensity, window = in_pieces(20, 400, 100, whole=planning.NEEDED)
    found = plan(intensity, window, LONG_AGO, False, NO_SHIFT)
    assert found.half_hours == planning.NEEDED
    assert found.spans == [Window(window.start + 20 * 500 * HALF_HOUR, found.learned.end)]
    intensity, window = in_pieces(20, 400, 100, whole=planning.NEEDED - 1)
    with pytest.raises(NoTrial, match=r"Only 2,879 of them can be learned from"):
        plan(intensity, window, LONG_AGO, False, NO_SHIFT)


def test_short_gaps_end_no_span() -> None:
    intensity, window = in_pieces(40, 400, MAX_MISSING)
    found = plan(intensity, window, LONG_AGO, False, NO_SHIFT)
    assert found.half_hours == 40 * 400
    assert [span.start for span in found.spans] == [window.start]


@pytest.mark.parametrize(
    ("lengths", "expected"), [([SHORTEST], 1), ([SHORTEST - 1], 0), ([], 0), ([1, SHORTEST], 1)]
)
def test_the_shortest_span_has_one_issue_time(lengths: list[int], expected: int) -> None:
    source = WarehouseRecord(LONG_AGO, np.zeros((10, 2 * SHORTEST), np.float32), {})
    spans = [Window(LONG_AGO, LONG_AGO + length * HALF_HOUR) for length in lengths]
    places = issue_places(source, spans, 1, with_outlook=False)
    assert len(places) == expected
    assert all(place + STEPS < SHORTEST for place in places)
    assert not len(issue_places(source, spans, 1, with_outlook=True))


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (92, r"holds 2,856 half-hours .* before 2026-02-16, and 2,880 \(60 days\) are needed"),
        (20, "holds 0 half-hours"),
        (0, "holds no carbon intensity from 2023-07-15 on"),
    ],
)
def test_with_less_than_sixty_days_to_learn_from_there_is_no_trial(days: int, message: str) -> None:
    with pytest.raises(NoTrial, match=message):
        plan(*held(days), LONG_AGO, False, NO_SHIFT)


def test_sixty_days_to_learn_from_are_enough() -> None:
    assert plan(*held(92.5), LONG_AGO, False, NO_SHIFT).half_hours == 60 * 48


def test_what_the_trees_in_use_have_learned_does_not_measure_them() -> None:
    trained_to = datetime(2026, 2, 18, 6, tzinfo=UTC)
    found = plan(*held(150), trained_to, False, NO_SHIFT)
    assert found.held_back.start == datetime(2026, 2, 19, tzinfo=UTC)  # nine blocks are left
    assert found.held_back.end - found.held_back.start == 27 * DAY
    too_late = datetime(2026, 2, 24, 0, tzinfo=UTC)
    with pytest.raises(NoTrial, match=r"The trees in use .* before 2026-02-24 .*until 2026-03-22"):
        plan(*held(150), too_late, False, NO_SHIFT)
    with pytest.raises(NoTrial, match="The bundled trees have learned"):
        plan(*held(150), END, True, NO_SHIFT)


def test_learning_begins_after_what_is_set_aside_whatever_the_recording_is_moved_by() -> None:
    shift = timedelta(weeks=50)
    window = learnable(datetime(2021, 1, 1, tzinfo=UTC), END, shift)
    assert window == Window(SET_ASIDE.end + shift, END)
    assert learnable(END - DAY, END, shift).start == END - DAY
    before = learnable(LONG_AGO, SET_ASIDE.end - DAY, NO_SHIFT)
    assert before.half_hours == 0


def test_spans_end_at_long_gaps_and_short_ones_are_left_out() -> None:
    values = np.full(100, 1.0, np.float32)
    values[[3, 30]] = np.nan
    values[40:60] = np.nan
    values[70:90] = np.nan
    at = [LONG_AGO + n * HALF_HOUR for n in range(101)]
    assert known_spans(values, LONG_AGO, 10, 10) == [
        Window(at[0], at[40]),
        Window(at[60], at[70]),
        Window(at[90], at[100]),
    ]
    assert known_spans(values, LONG_AGO, 10, 11) == [Window(at[0], at[40])]
    assert known_spans(np.full(5, np.nan, np.float32), LONG_AGO, 10, 1) == []


def comparison(*differences: tuple[float, float | None], blocks: int = 10) -> Comparison:
    errors = [
        LeadErrors(bucket, 960, blocks, 20, 20 + difference, difference, error)
        for bucket, (difference, error) in zip(LEAD_BUCKETS, differences, strict=True)
    ]
    return Comparison(LONG_AGO, END, 240, tuple(errors))


BETTER = (-1.0, 0.5)


def test_trees_are_better_only_if_they_are_at_every_lead_by_more_than_chance() -> None:
    found = comparison(*[BETTER] * 5)
    assert found.is_better
    assert found.reason.startswith("Better at every lead: 0-3h -1.00 ± 0.50 g, 3-6h")


@pytest.mark.parametrize(
    "other",
    [(-BOUND, 1.0), (-1.0, None), (0.0, 0.0), (3.0, 0.1), (-0.1, 0.2)],
    ids=["at the bound", "one block", "equal", "worse", "by chance"],
)
@pytest.mark.parametrize("place", range(5))
def test_one_lead_that_is_no_better_is_enough_to_keep_the_old(
    place: int, other: tuple[float, float | None]
) -> None:
    differences: list[tuple[float, float | None]] = [BETTER] * 5
    differences[place] = other
    found = comparison(*differences)
    assert not found.is_better
    bucket = list(LEAD_BUCKETS)[place]
    assert found.reason.startswith(f"Not better by 1.9 standard errors at {bucket} ")


def test_a_lead_without_enough_blocks_decides_nothing() -> None:
    assert not comparison(*[BETTER] * 5, blocks=planning.FEWEST_BLOCKS - 1).is_better
    found = comparison(*[BETTER] * 5)
    found = replace(found, errors=found.errors[:-1])
    assert not found.is_better
    assert found.reason == "Too few half-hours have an actual to decide at 24-48h."

"""Which part of the recording is published at which time, without HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.replay.recording import (
    FACTORS,
    RECORDED_UNTIL,
    WEEK,
    WHOLE_UNTIL,
    View,
    load_recording,
    shift_weeks,
)
from grid_assets.series import FUELS

FIXTURES = Path(__file__).parent.parent / "fixtures"
NOON = datetime(2025, 12, 10, 12, tzinfo=UTC)


@pytest.fixture
def unmoved() -> View:
    return View(load_recording(), weeks=0)


def test_the_constant_end_is_the_end_of_the_data() -> None:
    recording = load_recording()
    assert max(recording.intensity) + HALF_HOUR == RECORDED_UNTIL
    assert max(recording.mix) + HALF_HOUR == RECORDED_UNTIL
    assert list(recording.intensity) == sorted(recording.intensity)
    assert (len(recording.intensity), len(recording.mix)) == (93_604, 13_193)


@pytest.mark.parametrize("minutes", [0, 1, 60 * 24 * 6, 60 * 24 * 7 - 1, 60 * 24 * 7, 10_000_000])
def test_the_shift_is_the_smallest_that_leaves_fourteen_days_ahead(minutes: int) -> None:
    now = datetime(2025, 12, 18, tzinfo=UTC) + timedelta(minutes=minutes)
    weeks = shift_weeks(now)
    ahead = WHOLE_UNTIL + weeks * WEEK - now
    assert timedelta(days=14) <= ahead < timedelta(days=21)


def test_the_past_is_not_shifted_backwards() -> None:
    assert shift_weeks(NOON - timedelta(days=300)) == 0


def test_a_shifted_half_hour_keeps_its_weekday_and_time_of_day() -> None:
    moved = View(load_recording(), weeks=47)
    original = View(load_recording(), weeks=0).intensity(NOON, NOON, NOON + WEEK)[0]
    later = NOON + 47 * WEEK
    record = moved.intensity(later, later, later + WEEK)[0]
    assert record["intensity"] == original["intensity"]
    before, after = (datetime.fromisoformat(r["from"]) for r in (original, record))
    assert (before.weekday(), before.time()) == (after.weekday(), after.time())


@pytest.mark.parametrize(
    ("minutes_after_end", "published"),
    [(-1, "nothing"), (0, "the previous"), (9.9, "the previous"), (10, "its own"), (99, "its own")],
)
def test_an_actual_starts_as_a_copy_of_the_previous_one(
    unmoved: View, minutes_after_end: float, published: str
) -> None:
    recorded = load_recording().intensity
    own, previous = recorded[NOON].actual, recorded[NOON - HALF_HOUR].actual
    assert own != previous
    end = NOON + HALF_HOUR
    now = end + timedelta(minutes=minutes_after_end)
    values = unmoved.intensity(end, end, now)[-1]["intensity"]
    assert (
        values["actual"] == {"nothing": None, "the previous": previous, "its own": own}[published]
    )
    assert values["forecast"] == recorded[NOON].forecast


def test_no_actual_of_the_future_is_published(unmoved: View) -> None:
    for minutes in range(0, 60, 5):
        now = NOON + timedelta(minutes=minutes)
        records = unmoved.intensity(now - WEEK, now + WEEK, now)
        for record in records:
            if datetime.fromisoformat(record["to"]) > now:
                assert record["intensity"]["actual"] is None
        mix = unmoved.generation(now - WEEK, now + WEEK, now)
        assert datetime.fromisoformat(mix[-1]["to"]) <= now
        assert now - datetime.fromisoformat(mix[-1]["to"]) < HALF_HOUR


def test_half_hours_are_forecast_up_to_two_days_ahead(unmoved: View) -> None:
    records = unmoved.intensity(NOON, NOON + WEEK, NOON)
    assert records[-1]["from"] == api_time(NOON + timedelta(hours=48))
    assert all(isinstance(record["intensity"]["forecast"], int) for record in records)


def test_what_was_recorded_as_null_or_zero_stays_so(unmoved: View) -> None:
    recorded = load_recording().intensity
    now = datetime(2026, 1, 10, tzinfo=UTC)
    for wanted in (None, 0):
        period = next(p for p, row in recorded.items() if row.actual == wanted)
        end = period + HALF_HOUR
        published = unmoved.intensity(end, end, now)[-1]["intensity"]["actual"]
        assert published == wanted
        assert type(published) is type(wanted)
    period = next(p for p, row in recorded.items() if row.forecast is None)
    record = unmoved.intensity(period + HALF_HOUR, period + HALF_HOUR, now)[-1]
    assert record["intensity"]["forecast"] is None


def test_a_hole_in_the_recording_is_absent(unmoved: View) -> None:
    start = datetime(2025, 8, 10, 22, tzinfo=UTC)
    mix = unmoved.generation(start, start + timedelta(hours=6), NOON)
    # Thirteen half-hours with the edge, less the eight that nobody recorded.
    assert len(mix) == 13 - 8
    assert unmoved.intensity(NOON - 60 * WEEK, NOON - 58 * WEEK, NOON) == []


def test_the_recording_ends_without_inventing_more(unmoved: View) -> None:
    now = RECORDED_UNTIL - timedelta(hours=1)
    assert len(unmoved.forecast(now, now)) == 3
    assert unmoved.forecast(now + WEEK, now + WEEK) == []


def test_the_factors_and_fuels_are_the_published_ones() -> None:
    factors = json.loads((FIXTURES / "intensity_factors_2026.json").read_text())
    assert factors["data"] == [FACTORS]
    mix = json.loads((FIXTURES / "generation_now_2026-07.json").read_text())
    assert tuple(entry["fuel"] for entry in mix["data"]["generationmix"]) == FUELS

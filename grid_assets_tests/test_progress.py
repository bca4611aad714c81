"""Progress lines: how often, with which estimate, and what breaks a silence."""

from __future__ import annotations

import logging

import pytest

from grid_assets import progress
from grid_assets.progress import LONGEST_SILENCE_S, Progress, Silence
from grid_assets_tests.running import wait_until


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_steps_are_shown_once_a_second_with_the_time_left(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "grid_assets.progress")
    recorded: list[str] = []
    counted = Progress("raw.intensity", 4, "windows", clock, recorded.append)
    for number, seconds in enumerate((0.5, 10, 0.1, 20), 1):
        clock.now += seconds
        counted.step(f"piece {number}")
    assert caplog.messages == [
        "raw.intensity: piece 2, 2 of 4 windows, about 10 s left",
        "raw.intensity: piece 4, 4 of 4 windows",
    ]
    assert recorded == caplog.messages[1:]


def test_steps_that_come_together_count_together(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "grid_assets.progress")
    counted = Progress("Forecasting", 300, "issues", clock, lambda line: None)
    clock.now += 10
    counted.step("to 2024-01-15", 100)
    assert caplog.messages == ["Forecasting: to 2024-01-15, 100 of 300 issues, about 20 s left"]


def test_work_that_says_nothing_is_named_with_what_it_took_and_what_is_left(clock: Clock) -> None:
    silence = Silence(clock)
    with silence.doing("grid backfill", expected_s=20):
        clock.now += LONGEST_SILENCE_S - 1
        assert silence.line() is None
        clock.now += 1
        assert silence.line() == "grid backfill: 8 s so far, about 12 s left"
        assert silence.line() is None
        clock.now += 5
        silence.spoken()  # a line of the command itself
        clock.now += 5
        assert silence.line() is None
        clock.now += 3
        assert silence.line() == "grid backfill: 21 s so far"


def test_the_innermost_work_that_is_not_new_is_named(clock: Clock) -> None:
    silence = Silence(clock)
    with silence.doing("grid tick"):
        with silence.doing("raw.intensity"):
            clock.now += 9
            assert silence.line() == "raw.intensity: 9 s so far"
        clock.now += 8
        with silence.doing("core.intensity"):
            assert silence.line() == "grid tick: 17 s so far"


def test_without_work_silence_is_right(clock: Clock) -> None:
    silence = Silence(clock)
    clock.now += 3600
    assert silence.line() is None
    with pytest.raises(ValueError, match="x"), silence.doing("grid status"):
        raise ValueError("x")
    clock.now += 3600
    assert silence.line() is None
    with silence.doing("grid up"):
        assert silence.line() is None  # it has only just begun


def test_a_thread_breaks_the_silence_and_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "grid_assets.progress")
    monkeypatch.setattr(progress, "LONGEST_SILENCE_S", 0.1)
    with progress.broken_silence(), progress.doing("grid tick"):
        wait_until(lambda: caplog.messages, 30)
    assert caplog.messages[0].startswith("grid tick: ")

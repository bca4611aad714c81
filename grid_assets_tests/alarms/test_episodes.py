"""What is told of conditions that begin, end, come and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.alarms.conditions import Condition, Severity
from grid_assets.alarms.episodes import LONGEST, SAME, Episode, changes, hold, message, news

T = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def episode(number: int = 1, severity: Severity = "severe", **columns: Any) -> Episode:
    made = Episode(number, f"failed {number}", severity, "what", T, 1, None, None)
    return replace(made, **columns)


def test_a_condition_begins_once_and_ends_once() -> None:
    held = Condition("failed 1", "severe", "what")
    assert changes([], [held], {}).begun == [(held, 1)]
    assert not changes([episode()], [held], {})
    assert changes([episode()], [], {}).ended == [episode()]
    assert not changes([episode(ended_at=T)], [], {})


def test_what_is_untold_is_told_as_it_is_now_and_what_was_told_stays() -> None:
    other = Condition("failed 1", "severe", "other words")
    assert changes([episode()], [other], {}).resumed == [(episode(), other)]
    assert not changes([episode(told_at=T)], [other], {})


def test_a_condition_that_is_back_within_hours_counts_on() -> None:
    held = Condition("failed 1", "severe", "what")
    assert changes([], [held], {"failed 1": 2}).begun == [(held, 3)]


@pytest.mark.parametrize(("times", "hours"), [(1, 0), (2, 1), (3, 2), (4, 3), (90, 3)])
def test_the_more_often_it_comes_back_the_longer_its_recovery_waits(times: int, hours: int) -> None:
    assert hold(times) == timedelta(hours=hours)
    assert hold(times) <= SAME


def test_a_recovery_is_told_once_it_has_held() -> None:
    over = episode(times=2, told_at=T, ended_at=T)
    assert not news([over], T + 59 * MINUTE, can_tell=True)
    assert news([over], T + 60 * MINUTE, can_tell=True).over == [over]


def test_what_is_over_before_it_was_told_is_told_with_its_end() -> None:
    over = episode(ended_at=T + MINUTE)
    told = news([over], T + MINUTE, can_tell=True)
    assert (told.began, told.over) == ([], [over])
    assert "what" in message(told)[1]


def test_a_note_has_no_recovery_and_without_an_address_nothing_is_told() -> None:
    over = episode(severity="note", told_at=T, ended_at=T)
    assert news([over], T, can_tell=True).silent == [over]
    assert not news([over], T, can_tell=True)
    assert not news([episode()], T, can_tell=False)
    assert news([episode(ended_at=T)], T, can_tell=False).silent


def test_one_message_has_all_of_one_look() -> None:
    told = news([episode(1), episode(2), episode(3, told_at=T, ended_at=T)], T, can_tell=True)
    title, body = message(told)
    assert title == "Grid Assets: 2 began and 1 over"
    assert [line.split()[0] for line in body.splitlines()[:-1]] == ["BEGAN", "BEGAN", "OVER"]


def test_a_message_about_everything_is_short_enough_for_every_service() -> None:
    text = message(news([episode(n, what="long " * 60) for n in range(22)], T, can_tell=True))[1]
    assert len(text) <= LONGEST
    assert text.count("BEGAN") >= 4
    assert f"and {22 - text.count('BEGAN')} more" in text

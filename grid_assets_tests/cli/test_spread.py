"""The runs into which a command is divided, and what waits for what."""

from __future__ import annotations

from datetime import date

from grid_assets.cli.spread import (
    BACKTEST_DAYS,
    HISTORY_DAYS,
    backfill_pieces,
    backtest_pieces,
    split,
)
from grid_assets.cli.spreading import Piece
from grid_assets.halfhours import DAY
from grid_assets.telemetry.due import Range

FIRST = date(2024, 1, 1)


def _days(count: int) -> Range:
    return Range(FIRST, FIRST + (count - 1) * DAY)


def test_days_are_divided_without_a_gap_or_an_overlap() -> None:
    for count in (1, 5, 6, 7, 12, 13):
        parts = split(_days(count), 6)
        days = [
            part.first + n * DAY for part in parts for n in range((part.last - part.first).days + 1)
        ]
        assert days == [FIRST + n * DAY for n in range(count)]


def test_the_outlook_is_asked_for_in_one_run_at_a_time_and_a_failed_one_stops_none() -> None:
    pieces = backfill_pieces(_days(3 * HISTORY_DAYS), outlook=True, regions=None)
    telemetry, outlook = pieces[:3], pieces[3:]
    assert all(piece.is_ready([]) for piece in telemetry)
    assert [piece.is_ready([]) for piece in outlook] == [True, False, False]
    outlook[0].success = False
    assert [piece.is_ready([]) for piece in outlook] == [False, True, False]


def test_back_tests_follow_each_other_and_what_loads_their_days() -> None:
    loading = backfill_pieces(_days(2 * HISTORY_DAYS), outlook=False, regions=None)
    first, *later = backtest_pieces(_days(2 * HISTORY_DAYS), loading)
    last = later[-1]
    assert len(later) == -(-2 * HISTORY_DAYS // BACKTEST_DAYS) - 1
    assert not first.is_ready([])
    loading[0].success = True
    assert first.is_ready([])
    assert not first.is_ready([first])
    assert not later[0].is_ready([])
    first.success = True
    assert later[0].is_ready([])
    for piece in later[:-1]:
        piece.success = True
    assert not last.is_ready([])
    loading[1].success = False
    assert not last.is_ready([])
    assert last.is_over  # it never will be


def test_a_piece_that_has_ended_is_not_started_again() -> None:
    (piece,) = backfill_pieces(_days(1), outlook=False, regions=None)
    assert isinstance(piece, Piece)
    for success in (True, False):
        piece.success = success
        assert not piece.is_ready([])

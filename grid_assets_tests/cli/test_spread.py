"""The runs into which a command is divided, and what waits for what."""

from __future__ import annotations

from datetime import date

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.cli import spreading
from grid_assets.cli.spread import (
    BACKTEST_DAYS,
    HISTORY_DAYS,
    backfill_pieces,
    backtest_pieces,
    split,
)
from grid_assets.cli.spreading import CodeServerGone, NotLaunched, Piece, follow, launching
from grid_assets.defs.planning import PlannedRun
from grid_assets.halfhours import DAY
from grid_assets.settings import Settings
from grid_assets.telemetry.due import Range
from grid_assets_tests.running import free_port

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


class Launcher(spreading.Launcher):
    """Its code server is away at first, and its runs end at once, with this status."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        faults: list[NotLaunched],
        status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS,
    ) -> None:
        self.instance, self.faults, self.status = instance, faults, status

    def launch(self, planned: PlannedRun) -> str:
        if self.faults:
            raise self.faults.pop()
        return self.instance.create_run_for_job(work, status=self.status).run_id


@dg.job
def work() -> None:
    """Nothing."""


def _follow(faults: list[NotLaunched], warehouse: SecretStr) -> tuple[list[Piece], list[str]]:
    pieces = backfill_pieces(_days(2 * HISTORY_DAYS), outlook=False, regions=None)
    said: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = Launcher(instance, faults)
        done = [piece for piece, _ in follow(instance, warehouse, launcher, pieces, 9, said.append)]
    return done, said


def test_a_command_waits_for_a_code_server_that_starts_again(
    warehouse: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "LOOK_EVERY_S", 0.01)
    done, said = _follow([CodeServerGone("control:4000")] * 3, warehouse)
    assert [piece.success for piece in done] == [True, True]
    assert sum("control:4000" in line for line in said) == 1
    assert sum("grid start daemon" in line for line in said) == 1  # nobody runs one here


@pytest.mark.parametrize(
    ("status", "tries"),
    [
        (dg.DagsterRunStatus.FAILURE, spreading.TRIES),
        (dg.DagsterRunStatus.CANCELED, 1),
        (None, 1),  # it is deleted
    ],
)
def test_only_a_failed_run_is_started_again(
    warehouse: SecretStr,
    monkeypatch: pytest.MonkeyPatch,
    status: dg.DagsterRunStatus | None,
    tries: int,
) -> None:
    monkeypatch.setattr(spreading, "LOOK_EVERY_S", 0.01)
    pieces = backfill_pieces(_days(HISTORY_DAYS), outlook=False, regions=None)
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = Launcher(instance, [], status or dg.DagsterRunStatus.STARTED)
        if status is None:
            launch = launcher.launch

            def launch_and_delete(planned: PlannedRun) -> str:
                run_id = launch(planned)
                instance.delete_run(run_id)
                return run_id

            monkeypatch.setattr(launcher, "launch", launch_and_delete)
        [(piece, outcome)] = follow(instance, warehouse, launcher, pieces, 9, lambda _: None)
    assert (len(piece.run_ids), outcome.success) == (tries, False)


def test_a_run_that_dagster_refuses_ends_the_command(warehouse: SecretStr) -> None:
    with pytest.raises(NotLaunched, match="no such job"):
        _follow([NotLaunched("no such job")], warehouse)


def test_without_a_code_server_a_command_says_so() -> None:
    settings = Settings(code_server=f"127.0.0.1:{free_port()}")
    with (
        dg.instance_for_test() as instance,
        pytest.raises(CodeServerGone, match=settings.code_server),
        launching(instance, settings),
    ):
        pass

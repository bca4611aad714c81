"""Plays a schedule in a world, and compares what it leaves with the fault-free run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bench.chaos import comparing
from bench.chaos.clocks import SEEN_S
from bench.chaos.comparing import State
from bench.chaos.events import (
    PASS,
    RELEASE,
    REVISE,
    TAKE_BACK,
    Answer,
    Kind,
    Publication,
    Run,
    Schedule,
    Slot,
    fault_free,
)
from bench.chaos.world import Command, Hanging, World
from bench.results import BenchError
from grid_assets.halfhours import HALF_HOUR, api_time

REVISED: Final = (("/intensity", 5), ("/generation", 7))
"""Which endpoints revise a half-hour, and how many hours before the newest it began."""

CLOSING_S: Final = 20
"""Sessions of a process that was killed end when the server notices: within milliseconds, unless
the machine is busy."""


@dataclass
class Played:
    """What became of a schedule; no `problems` if it ended as it must."""

    schedule: Schedule
    problems: list[str]
    seconds: float
    said: list[str] = field(default_factory=list)
    """What each command printed."""


class Player:
    """Plays schedules one after the other; remembers the fault-free run of each pattern."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._expected: dict[Kind, State] = {}
        self._revised = False
        self._number = 0

    def play(self, schedule: Schedule, mutation: str | None = None) -> Played:
        """Play a schedule and compare; plays the fault-free run first if that is new.

        With a `mutation`, all commands of the schedule have it.
        """
        key = schedule.kind
        if key not in self._expected:
            state, problems, said = self._state_after(fault_free(key))
            if problems or state is None or state.others:
                found = "\n".join((*problems, *(state.others if state else ()), *said))
                raise BenchError(f"The fault-free run of {schedule.pattern!r} fails:\n{found}")
            self._expected[key] = state
        started = time.monotonic()
        self.world.mutation = mutation
        try:
            state, problems, said = self._state_after(schedule)
        finally:
            self.world.mutation = None
        if state is not None:
            expected = self._expected[key]
            problems += comparing.differences(
                state,
                expected,
                two_writers=schedule.has_two_writers,
                outlook=schedule.outlook,
                wrong_clock=schedule.has_wrong_clock,
                bad_records=schedule.has_bad_records,
            )
        return Played(schedule, problems, time.monotonic() - started, said)

    def _state_after(self, schedule: Schedule) -> tuple[State | None, list[str], list[str]]:
        self._number += 1
        self._revised = False
        self.world.begin(f"chaos_{self._number}", outlook=schedule.outlook)
        problems, said = list[str](), list[str]()
        steps = list(schedule.steps)
        try:
            while steps:
                step = steps.pop(0)
                if isinstance(step, Slot):
                    news = steps.pop(0) if step.overtaken else None
                    assert not isinstance(news, Slot)
                    self._play_slot(step, news, said)
                else:
                    self._publish(step)
        except Hanging as reason:
            problems.append(f"a command {reason}")
        self.world.heal()
        self._set_answers(())
        self._publish(RELEASE)  # so that the clean cycle forecasts from all that is published
        try:
            clean = self.world.start(0, *schedule.cycle)
            code = self.world.finish(clean)
        except Hanging as reason:
            return None, [*problems, f"the clean cycle {reason}"], said
        said.append(f"clean cycle: {code}\n{clean.said()}")
        if code != 0:
            problems.append(f"the clean cycle ended with {code}")
        self.world.server.await_end_of_sessions(CLOSING_S)
        with self.world.server.connect() as connection:
            state = comparing.read(
                connection,
                self.world.clocks.now(),
                bad_records=schedule.has_bad_records,
                wrong_clock=schedule.has_wrong_clock,
            )
        return state, problems, said

    def _publish(self, what: Publication) -> None:
        control = self.world.replay.control
        if what == RELEASE:
            control.release(1, self.world.clocks.now())
        elif what == PASS:
            self.world.clocks.pass_time(HALF_HOUR)
            control.release(1, self.world.clocks.now())
        elif what in (REVISE, TAKE_BACK):
            self._revised = what == REVISE
            self._set_answers(())

    def _set_answers(self, answers: Sequence[Answer]) -> None:
        """The faults of these answers, and the revision if it is published."""
        control = self.world.replay.control
        control.heal()
        if self._revised:
            for endpoint, hours in REVISED:
                period = api_time(self.world.first_withheld - timedelta(hours=hours))
                control.fault({"name": "revision", "path": endpoint, "period": period})
        for source, name, times, path in answers:
            control.fault({"source": source, "name": name, "times": times, "path": path})

    def _play_slot(self, slot: Slot, news: Publication | None, said: list[str]) -> None:
        if slot.first is None:
            return
        first = self._start(0, slot.first)
        commands = [(slot.first, first)]
        if slot.second is not None:
            if slot.overtaken:
                held = self.world.seats[0].proxies["carbon_intensity"].held
                self.world.listen_until(lambda: held.is_set() or first.code is not None, 30)
                if news is not None:
                    self._publish(news)
            else:
                self.world.wait(first, slot.later_s)
            second = self._start(1, slot.second)
            commands.insert(0, (slot.second, second))
        elif news is not None:
            self._publish(news)
        for run, command in commands:
            if run.killed_after_s is not None and not self.world.wait(command, run.killed_after_s):
                command.kill()
            code = self.world.finish(command)
            said.append(f"{run}: {code}\n{command.said()}")
            for proxy in self.world.seats[0].proxies.values():
                proxy.let_go()
        self._after()

    def _start(self, seat: int, run: Run) -> Command:
        for name, proxy in self.world.seats[seat].proxies.items():
            proxy.arm([harm.trap for harm in run.harms if harm.wire == name])
        if run.answers:
            self._set_answers(run.answers)
        if run.clock_minutes or run.database_minutes:
            self.world.clocks.set(
                timedelta(minutes=run.clock_minutes), timedelta(minutes=run.database_minutes)
            )
            time.sleep(SEEN_S)
        return self.world.start(seat, *run.arguments)

    def _after(self) -> None:
        wrong = self.world.clocks.are_wrong
        self.world.heal()
        self._set_answers(())
        if wrong:
            time.sleep(SEEN_S)

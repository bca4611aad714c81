"""Schedules: what the world publishes, which commands run, and how each of them is harmed.

A schedule is made from its seed alone and prints as a list of lines. It fixes the events, not how
the threads and processes in it take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal

from bench.chaos.proxy import Trap

Publication = Literal["a half-hour", "a revision", "the revision taken back", "30 minutes pass"]
"""What the APIs publish next. The revision is of one past half-hour of intensity and one of mix."""


Answer = tuple[str, str, int | None, str | None]
"""A fault of the replay: source, name, times (None: always) and path (None: every)."""


@dataclass(frozen=True)
class Harm:
    """A trap in the connections of a command to the database or to an API."""

    wire: str
    trap: Trap

    def __str__(self) -> str:
        amount = f" {self.trap.amount:g}" if self.trap.amount else ""
        return f"{self.trap.action}{amount} at message {self.trap.at} to {self.wire}"


@dataclass(frozen=True)
class Run:
    """One command. It is killed after `killed_after_s`; its clock and the server's may be wrong."""

    arguments: tuple[str, ...] = ("tick",)
    harms: tuple[Harm, ...] = ()
    answers: tuple[Answer, ...] = ()
    killed_after_s: float | None = None
    clock_minutes: int = 0
    database_minutes: int = 0

    def __str__(self) -> str:
        parts = [f"grid {' '.join(self.arguments)}", *map(str, self.harms)]
        for source, name, times, path in self.answers:
            often = "all" if times is None else times
            parts.append(f"{source} answers {often} of {path or 'everything'} with {name}")
        if self.killed_after_s is not None:
            parts.append(f"killed after {self.killed_after_s:g} s")
        for whose, minutes in (
            ("its", self.clock_minutes),
            ("the server's", self.database_minutes),
        ):
            if minutes:
                parts.append(f"{whose} clock {minutes:+d} minutes")
        return "; ".join(parts)


@dataclass(frozen=True)
class Slot:
    """A time for a cycle: `first`, and beside it `second`, which starts `later_s` after it.

    `overtaken`: an answer to `first` is held, the next publication happens, `second` runs to its
    end, and only then `first` gets its answer, which is older.
    """

    first: Run | None
    second: Run | None = None
    later_s: float = 0
    overtaken: bool = False

    def __str__(self) -> str:
        if self.first is None:
            return "no cycle"
        if self.second is None:
            return str(self.first)
        how = "overtaken by" if self.overtaken else f"and {self.later_s:g} s later"
        return f"{self.first} | {how} | {self.second}"


Step = Publication | Slot
Kind = tuple[str, bool, bool]
"""Pattern, outlook, forecasts: what the fault-free run depends on."""

RELEASE: Final[Publication] = "a half-hour"
REVISE: Final[Publication] = "a revision"
TAKE_BACK: Final[Publication] = "the revision taken back"
PASS: Final[Publication] = "30 minutes pass"

PATTERNS: Final[dict[str, tuple[Publication | None, ...]]] = {
    "one": (RELEASE, None),
    "two": (RELEASE, RELEASE, None),
    "revised": (RELEASE, REVISE, None),
    "there and back": (REVISE, None, TAKE_BACK),
    "arrivals": (RELEASE, None, RELEASE, None),
    "revisions": (REVISE, None, TAKE_BACK, None),
    "time": (RELEASE, None, PASS, None),
}
"""Publications, and None where there is time for a cycle. A last half-hour and a clean cycle follow
each pattern: a forecast follows new half-hours, not revisions of old ones."""

SHORT: Final = (("there and back", False, False), ("revised", False, True), ("two", True, False))
"""Pattern, outlook and forecasts of the schedules of `make test`: all with one cycle before the
clean one, most of them without the models, which take two thirds of a cycle's CPU time."""

WHOLE: Final = ("tick",)
TELEMETRY: Final = ("tick", "--telemetry-only")

OF_TELEMETRY: Final = 600
MESSAGES: Final[dict[str, int]] = {
    "database": 1250,
    "carbon_intensity": 5,
    "elexon": 4,
    "neso_portal": 2,
}
"""How many a cycle sends, and one without forecasts to the database; later traps do nothing."""

DATABASE: Final = ("cut", "reset", "swallow", "truncate", "delay", "kill", "after_kill")
SERVER: Final = ("terminate", "restart")
API: Final = ("cut", "reset", "swallow", "truncate", "delay", "kill")
ANSWERS: Final = ("500", "429", "html", "truncated", "truncated_json", "empty_object", "reset")
RECORDS: Final = ("string_value", "nan", "missing_field", "negative_share", "duplicate", "off_grid")
"""Faults of single records, which go to the quarantine."""


@dataclass(frozen=True)
class Schedule:
    seed: int
    pattern: str
    steps: tuple[Step, ...]
    outlook: bool = False
    """Whether Elexon and the portal are asked. What they say depends on when, and so do forecasts:
    these are not compared then."""
    forecasts: bool = True

    @property
    def cycle(self) -> tuple[str, ...]:
        """The command of a cycle."""
        return WHOLE if self.forecasts else TELEMETRY

    def __str__(self) -> str:
        outlook = ", with the outlook" if self.outlook else ""
        lines = [f"seed {self.seed}, pattern {self.pattern!r}{outlook}"]
        lines += [
            f"  {n}. {step}"
            for n, step in enumerate((*self.steps, RELEASE, f"clean {Run(self.cycle)}"), 1)
        ]
        return "\n".join(lines)

    @property
    def kind(self) -> Kind:
        return self.pattern, self.outlook, self.forecasts

    @property
    def runs(self) -> Iterator[Run]:
        for step in self.steps:
            if isinstance(step, Slot):
                yield from (run for run in (step.first, step.second) if run is not None)

    @property
    def has_bad_records(self) -> bool:
        return any(name in RECORDS for run in self.runs for _, name, *_ in run.answers)

    @property
    def has_two_writers(self) -> bool:
        return any(isinstance(step, Slot) and step.second for step in self.steps)

    @property
    def has_wrong_clock(self) -> bool:
        return any(
            run.clock_minutes
            or run.database_minutes
            or any(harm.trap.action == "clock" for harm in run.harms)
            for run in self.runs
        )


def fault_free(kind: Kind) -> Schedule:
    """The same publications, and a whole cycle at each time for one."""
    pattern, outlook, forecasts = kind
    cycle = Slot(Run(WHOLE if forecasts else TELEMETRY))
    steps = [cycle if step is None else step for step in PATTERNS[pattern]]
    return Schedule(-1, pattern, tuple(steps), outlook, forecasts)


def schedule(seed: int, *, short: bool = False) -> Schedule:
    """The schedule of a seed."""
    random = Random(seed)
    pattern, outlook, forecasts = random.choices(SHORT, [3, 1, 1])[0]
    if not short:
        pattern, outlook, forecasts = random.choice([*PATTERNS]), random.random() < 0.3, True
    wires = tuple(MESSAGES)[1:] if outlook else ("carbon_intensity",)
    planned = PATTERNS[pattern]
    steps: list[Step] = []
    for place, step in enumerate(planned):
        if step is not None:
            steps.append(step)
            continue
        is_before_news = place + 1 < len(planned) and planned[place + 1] in (RELEASE, TAKE_BACK)
        steps.append(_Maker(random, wires, forecasts).slot(is_before_news))
    return Schedule(seed, pattern, tuple(steps), outlook, forecasts)


@dataclass(frozen=True)
class _Maker:
    """Makes commands and what harms them."""

    random: Random
    wires: tuple[str, ...]
    """The APIs that are asked."""
    forecasts: bool

    def slot(self, is_before_news: bool) -> Slot:
        kind = self.random.random()
        if kind < 0.05:
            return Slot(None)
        if kind < 0.3 and is_before_news:
            held = Harm("carbon_intensity", Trap(self.random.randint(2, 4), "hold"))
            return Slot(replace(self.calm(), harms=(held,)), self.calm(), overtaken=True)
        if kind < 0.4:
            second = self.calm()
            if self.random.random() < 0.5:
                days = ("--from", "2027-03-08", "--to", "2027-03-10")
                second = replace(second, arguments=("backfill", *days))
            first = replace(self.harmed(), clock_minutes=0, database_minutes=0)
            return Slot(first, second, later_s=round(self.random.uniform(0, 1), 1))
        return Slot(self.harmed())

    def calm(self) -> Run:
        """A command that nothing harms."""
        kinds = [WHOLE, TELEMETRY, ("forecast",)]
        return Run(self.random.choices(kinds, [7, 2, 1])[0] if self.forecasts else TELEMETRY)

    def harmed(self) -> Run:
        """A command with one or two harms."""
        run = self.calm()
        for _ in range(self.random.choice((1, 1, 1, 2))):
            run = self._harm(run)
        return run

    def _harm(self, run: Run) -> Run:
        kind = self.random.random()
        if kind < 0.45:
            return self._trap(run, "database", self.random.choice(DATABASE))
        if kind < 0.55:
            return self._trap(run, "database", self.random.choice(SERVER))
        if kind < 0.7:
            return self._trap(run, self.random.choice(self.wires), self.random.choice(API))
        if kind < 0.82:
            return replace(run, answers=(*run.answers, self._answer()))
        if kind < 0.9:
            return replace(run, killed_after_s=round(self.random.uniform(0.1, 3), 1))
        minutes = self.random.choice((-180, -45, -7, 4, 11, 40, 90, 1440))
        if kind < 0.93:
            return replace(run, clock_minutes=minutes)
        if kind < 0.95:
            return replace(run, database_minutes=minutes)
        if kind < 0.97:
            return replace(run, clock_minutes=minutes, database_minutes=minutes)
        return self._trap(run, "database", "clock", minutes)

    def _answer(self) -> Answer:
        source = self.random.choice(self.wires)
        if source == "carbon_intensity" and self.random.random() < 0.4:
            path = self.random.choice(("/intensity", "/generation"))
            return source, self.random.choice(RECORDS), self.random.choice((1, None)), path
        return source, self.random.choice(ANSWERS), self.random.choice((1, 2, None)), None

    def _trap(self, run: Run, wire: str, action: str, amount: float = 0) -> Run:
        most = MESSAGES[wire]
        if wire == "database" and run.arguments == TELEMETRY:
            most = OF_TELEMETRY
        at = self.random.randint(1, most)
        if action == "delay":
            amount = round(self.random.uniform(0.2, 2.5), 1)
        elif action == "truncate":
            amount = self.random.choice((1, 5, 40, 300))
        return replace(run, harms=(*run.harms, Harm(wire, Trap(at, action, amount))))

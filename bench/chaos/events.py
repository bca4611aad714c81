"""Schedules: what the world publishes, which commands run, and how each of them is harmed.

A schedule is made from its seed alone and prints as a list of lines. It fixes the events, not how
the threads and processes in it take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Literal

from bench.chaos.proxy import Trap

Publication = Literal["a half-hour", "a revision", "the revision taken back", "30 minutes pass"]
"""What the APIs publish next. The revision is of one past half-hour of intensity and one of mix."""


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
    answers: tuple[tuple[str, str, int | None, str | None], ...] = ()
    """Faults of the replay: source, name, times and path."""
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

RELEASE: Final[Publication] = "a half-hour"
REVISE: Final[Publication] = "a revision"
TAKE_BACK: Final[Publication] = "the revision taken back"
PASS: Final[Publication] = "30 minutes pass"

PATTERNS: Final[dict[str, tuple[Publication | None, ...]]] = {
    "one": (RELEASE, None),
    "two": (RELEASE, None, RELEASE),
    "revised": (RELEASE, REVISE, None),
    "there and back": (REVISE, None, TAKE_BACK),
    "arrivals": (RELEASE, None, RELEASE, None),
    "revisions": (REVISE, None, TAKE_BACK, None),
    "time": (RELEASE, None, PASS, None),
}
"""Publications, and None where there is time for a cycle. A clean one follows each pattern."""

SHORT: Final = ("one", "two", "revised", "there and back")
"""Those with one cycle before the clean one."""

MESSAGES: Final[dict[str, int]] = {
    "database": 1250,
    "carbon_intensity": 5,
    "elexon": 4,
    "neso_portal": 2,
}
"""How many a whole cycle sends; later traps do nothing."""

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

    def __str__(self) -> str:
        outlook = ", with the outlook" if self.outlook else ""
        lines = [f"seed {self.seed}, pattern {self.pattern!r}{outlook}"]
        lines += [f"  {n}. {step}" for n, step in enumerate((*self.steps, "clean tick"), 1)]
        return "\n".join(lines)

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


def fault_free(pattern: str, outlook: bool) -> Schedule:
    """The same publications, and a whole cycle at each time for one."""
    steps = [Slot(Run()) if step is None else step for step in PATTERNS[pattern]]
    return Schedule(-1, pattern, tuple(steps), outlook)


def schedule(seed: int, patterns: tuple[str, ...] = tuple(PATTERNS)) -> Schedule:
    """The schedule of a seed."""
    random = Random(seed)
    pattern = random.choice(patterns)
    outlook = random.random() < 0.3
    wires = tuple(MESSAGES)[1:] if outlook else ("carbon_intensity",)
    planned = PATTERNS[pattern]
    steps: list[Step] = []
    for place, step in enumerate(planned):
        if step is not None:
            steps.append(step)
            continue
        is_before_news = place + 1 < len(planned) and planned[place + 1] in (RELEASE, TAKE_BACK)
        steps.append(_slot(random, wires, is_before_news))
    return Schedule(seed, pattern, tuple(steps), outlook)


def _slot(random: Random, wires: tuple[str, ...], is_before_news: bool) -> Slot:
    kind = random.random()
    if kind < 0.05:
        return Slot(None)
    if kind < 0.3 and is_before_news:
        at = random.randint(2, 4)
        held = Run(harms=(Harm("carbon_intensity", Trap(at, "hold")),))
        return Slot(held, _run(random, wires, calm=True), overtaken=True)
    if kind < 0.4:
        second = _run(random, wires, calm=True)
        if random.random() < 0.5:
            second = replace(
                second, arguments=("backfill", "--from", "2027-03-08", "--to", "2027-03-10")
            )
        first = replace(_run(random, wires), clock_minutes=0, database_minutes=0)
        return Slot(first, second, later_s=round(random.uniform(0, 1), 1))
    return Slot(_run(random, wires))


def _run(random: Random, wires: tuple[str, ...], *, calm: bool = False) -> Run:
    """A command with one or two harms, or none where it is to be `calm`."""
    arguments = random.choices([("tick",), ("tick", "--telemetry-only"), ("forecast",)], [7, 2, 1])[
        0
    ]
    run = Run(arguments)
    if calm:
        return run
    for _ in range(random.choice((1, 1, 1, 2))):
        run = _harmed(random, wires, run)
    return run


def _harmed(random: Random, wires: tuple[str, ...], run: Run) -> Run:
    kind = random.random()
    if kind < 0.45:
        action = random.choice(DATABASE)
        return _trapped(random, run, "database", action)
    if kind < 0.55:
        return _trapped(random, run, "database", random.choice(SERVER))
    if kind < 0.7:
        wire = random.choice(wires)
        return _trapped(random, run, wire, random.choice(API))
    if kind < 0.82:
        fault: tuple[Any, ...]
        source = random.choice(wires)
        if source == "carbon_intensity" and random.random() < 0.4:
            path = random.choice(("/intensity", "/generation"))
            fault = (source, random.choice(RECORDS), random.choice((1, None)), path)
        else:
            name = random.choice(ANSWERS)
            fault = (source, name, random.choice((1, 2, None)), None)
        return replace(run, answers=(*run.answers, fault))
    if kind < 0.9:
        return replace(run, killed_after_s=round(random.uniform(0.1, 3), 1))
    minutes = random.choice((-180, -45, -7, 4, 11, 40, 90, 1440))
    if kind < 0.94:
        return replace(run, clock_minutes=minutes)
    if kind < 0.97:
        return replace(run, database_minutes=minutes)
    at = random.randint(1, MESSAGES["database"])
    harm = Harm("database", Trap(at, "clock", minutes))
    return replace(run, harms=(*run.harms, harm))


def _trapped(random: Random, run: Run, wire: str, action: str) -> Run:
    at = random.randint(1, MESSAGES[wire])
    amount = 0.0
    if action == "delay":
        amount = round(random.uniform(0.2, 2.5), 1)
    elif action == "truncate":
        amount = random.choice((1, 5, 40, 300))
    return replace(run, harms=(*run.harms, Harm(wire, Trap(at, action, amount))))

"""The comparison finds what is lost, doubled or invented, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bench.chaos.comparing import State, differences
from bench.chaos.events import PATTERNS, schedule

RIGHT = State(
    logs={"raw.intensity": {"a": ["1", "2"], "b": ["3"]}, "raw.elexon_generation": {"a": ["1"]}},
    same={"core.intensity": Counter(["a 2", "b 3"])},
    publications={"wind": ["5"]},
    vintages=["v1", "v2"],
    final={"blend": [(1, 2)]},
    others=[],
    relations=frozenset({"core.intensity"}),
)


def with_log(*values: str) -> State:
    return replace(RIGHT, logs={**RIGHT.logs, "raw.intensity": {"a": [*values], "b": ["3"]}})


@pytest.mark.parametrize(
    "wrong",
    [
        with_log("1"),  # the newest value is lost
        with_log("1", "1", "2"),
        with_log("2", "1", "2"),
        with_log("1", "7", "2"),
        replace(RIGHT, logs={**RIGHT.logs, "raw.intensity": {"a": ["1", "2"]}}),
        replace(RIGHT, same={"core.intensity": Counter(["a 2"])}),
        replace(RIGHT, same={"core.intensity": Counter(["a 2", "b 3", "b 3"])}),
        replace(RIGHT, publications={"wind": ["5", "5"]}),
        replace(RIGHT, publications={"wind": ["6"]}),
        replace(RIGHT, vintages=["v1"]),
        replace(RIGHT, vintages=["v2", "v2"]),
        replace(RIGHT, vintages=["v3", "v2"]),
        replace(RIGHT, final={"blend": [(1, 3)]}),
        replace(RIGHT, final={}),
        replace(RIGHT, others=["ops.etl_runs left running"]),
        replace(RIGHT, relations=frozenset({"core.intensity", "core.staging"})),
    ],
)
def test_what_is_lost_doubled_or_invented_is_found(wrong: State) -> None:
    assert list(differences(wrong, RIGHT)) != []


@pytest.mark.parametrize(
    "right",
    [
        RIGHT,
        with_log("2"),  # no cycle saw the value before
        replace(RIGHT, vintages=["v2"]),
        replace(RIGHT, publications={}),
    ],
)
def test_what_no_cycle_could_see_may_be_missing(right: State) -> None:
    assert list(differences(right, RIGHT)) == []


def test_an_older_answer_may_come_last_for_a_while_where_two_write() -> None:
    assert list(differences(with_log("2", "1", "2"), RIGHT, two_writers=True)) == []
    assert list(differences(with_log("1", "2", "1"), RIGHT, two_writers=True)) != []


def test_a_seed_is_one_schedule_and_the_first_hundred_have_every_pattern() -> None:
    made = [schedule(seed) for seed in range(100)]
    assert made == [schedule(seed) for seed in range(100)]
    assert len({str(one).partition("pattern")[2] for one in made}) > 95
    assert {one.pattern for one in made} == PATTERNS.keys()

"""Two dozen schedules of crashes, faults and wrong clocks end in the tables of the fault-free run.

`make bench ONLY=chaos_failed` plays hundreds. Decision 0057 says what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.chaos.events import schedule
from bench.chaos.mutations import schedule_of
from bench.chaos.playing import Player
from bench.chaos.world import World
from grid_assets_tests import fake_clock

pytestmark = [pytest.mark.slow, fake_clock.needs_faketime]


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with World() as world:
        yield Player(world)


@pytest.mark.parametrize("seed", range(1000, 1024))
def test_a_schedule_ends_in_the_tables_of_the_fault_free_run(player: Player, seed: int) -> None:
    played = player.play(schedule(seed, short=True))
    assert played.problems == [], (
        f"{played.schedule}\nrepeat: python -m bench.chaos --seed {seed} --short -v"
    )


@pytest.mark.parametrize(
    "mutation",
    [
        "crashed attempts are not marked",
        "runs of dead processes stay open",
        "raw takes what it has",
    ],
)
def test_a_product_that_is_broken_on_purpose_is_found(player: Player, mutation: str) -> None:
    assert player.play(schedule_of(mutation), mutation).problems != []

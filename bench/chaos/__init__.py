"""Proof under fire: do schedules of crashes and faults end in the tables of the fault-free run?

`python -m bench.chaos --seed N -v` plays one of them. The benchmark counts those that fail.
"""

from __future__ import annotations

import logging
from typing import Final

from bench.chaos.events import schedule
from bench.chaos.playing import Player
from bench.chaos.world import World
from bench.results import Figure, Measured
from bench.sizes import Sizes

FIGURES: Final = {
    "chaos_failed": Figure("schedules", "<= 0"),
    "chaos_schedules": Figure("schedules"),
}

LOG = logging.getLogger(__name__)


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Play the schedules of the first seeds."""
    failed = []
    LOG.info(f"Playing {sizes.chaos_schedules} schedules of crashes and faults")
    with World() as world:
        player = Player(world)
        for seed in range(sizes.chaos_schedules):
            played = player.play(schedule(seed))
            for problem in played.problems:
                LOG.warning(f"Seed {seed}: {problem}")
            if played.problems:
                LOG.warning(f"Repeat it: python -m bench.chaos --seed {seed} -v")
                failed.append(seed)
    words = f"seeds {', '.join(map(str, failed))}" if failed else None
    return {
        "chaos_failed": Measured(len(failed), words),
        "chaos_schedules": Measured(sizes.chaos_schedules),
    }

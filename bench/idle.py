"""How many connections does the product open while nothing is due?

A hosted database counts them, and each costs it a process. The daemon, the sensor and the web
server run; the schedule's next cycle is months away, and no program writes.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

from bench.arriving import SENSOR_S, running, wait_until_idle
from bench.results import Figure, Measured
from bench.sandbox import Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import connect

FIGURES: Final = {"idle_connections_per_hour": Figure("per hour", "<= 60")}

LOG = logging.getLogger(__name__)


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Start the product, wait until nothing is due, and count for a while."""
    start = datetime.now(UTC).date()
    with sandbox() as box, ReplayServer() as replay, running(box, replay, start, days=0):
        wait_until_idle(box, for_s=2 * SENSOR_S + 1)
        opened, kept = _count(box, sizes.idle_s)
    words = f"{opened} in {sizes.idle_s:g} s; {kept} kept open by all processes together"
    return {"idle_connections_per_hour": Measured(opened * 3600 / sizes.idle_s, words)}


def _count(box: Sandbox, seconds: float) -> tuple[int, int]:
    """Connections opened while the block lasts, and those open at its end, without this one."""
    with connect(box.url) as connection:

        def counted() -> tuple[int, int]:
            row = connection.execute(bench_sql("sessions")).fetchone()
            assert row is not None
            return row[0], row[1]

        before, _ = counted()
        LOG.info(f"Counting connections for {seconds:g} s")
        time.sleep(seconds)
        after, kept = counted()
    return after - before, kept

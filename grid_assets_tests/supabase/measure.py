"""How soon the model starts after telemetry, and what the function itself needs.

    python -m grid_assets_tests.supabase.measure [SAMPLES OF CRON]

PostgreSQL with pg_cron behind a pooler, and the function in Deno, are real. A thread plays pg_net's
worker, which looks twenty times a second, and a server of this process plays GitHub, so the network
between Supabase and GitHub is not in the figures.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import psycopg
from pydantic import SecretStr

from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.pooler import pooler
from grid_assets_tests.reading import ask
from grid_assets_tests.running import free_port, wait_until
from grid_assets_tests.supabase import supabase_parts
from grid_assets_tests.supabase.conftest import add_telemetry
from grid_assets_tests.supabase.edge import SECRET, Edge
from grid_assets_tests.supabase.github import github_stand_in
from grid_assets_tests.supabase.postgres_cron import postgres_cron

PUBLICATIONS: Final = 40
WAKE_UPS: Final = 200

AGAIN: Final = "UPDATE core.intensity SET actual_gco2_kwh = actual_gco2_kwh + 1"
"""A publication: the webhook fires, and as no issue exists, a forecast is due."""


@dataclass
class Project:
    """A warehouse with one half-hour of telemetry, and the function that it wakes."""

    url: SecretStr
    edge: Edge

    def start_after_s(self) -> float:
        """Seconds from the commit of new telemetry until the model is started."""
        with connect(self.url) as connection:
            connection.execute("DELETE FROM ops.wakeups")
            connection.execute(AGAIN)
        committed = datetime.now(UTC)
        query = "SELECT started_at FROM ops.wakeups WHERE started_at IS NOT NULL"
        wait_until(lambda: ask(self.url, query), 120, self.edge.log, most_s=0.01)
        [(started,)] = ask(self.url, query)
        seconds: float = (started - committed).total_seconds()
        return seconds

    def wake_ups_ms(self) -> list[float]:
        """Milliseconds of each of many wake-ups that find nothing to do, one after another."""
        took = []
        for _ in range(WAKE_UPS):
            started = time.perf_counter()
            assert self.edge.wake().status_code == 200
            took.append(1000 * (time.perf_counter() - started))
        return took


def main(cron_samples: int, say: Callable[[str], object] = sys.stdout.write) -> None:
    with ExitStack() as opened:
        url = opened.enter_context(postgres_cron())
        github = opened.enter_context(github_stand_in())
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_cron")
        supabase_parts.install(url)
        migrate(url, Stamp("live"))
        edge = Edge(folder, {"GRID_WAKE_SECRET": SECRET, **github.variables}, free_port())
        opened.callback(edge.kill)
        with connect(url) as connection:
            wakeups.install(connection, edge.url, SecretStr(SECRET), lambda _: None)
        waker = opened.enter_context(pooler(to_url(read(url) | {"user": "grid_waker"})))
        edge.variables["GRID_DATABASE_URL"] = waker.get_secret_value()
        edge.start()
        add_telemetry(url)
        project = Project(url, edge)
        with supabase_parts.pg_net(url):
            delays = [project.start_after_s() for _ in range(PUBLICATIONS)]
            say(
                f"webhook: {median(delays):.3f} s from commit to start, median of {len(delays)}; "
                f"longest {max(delays):.3f} s\n"
            )
            took = project.wake_ups_ms()
            say(
                f"function: p50 {median(took):.1f} ms, p95 {quantiles(took, n=20)[-1]:.1f} ms of "
                f"{len(took)} wake-ups; then {edge.memory_mb():.0f} MB\n"
            )
            with connect(url) as connection:
                connection.execute("DROP TRIGGER forecast_on_telemetry ON ops.telemetry_landed")
            delays = []
            for _ in range(cron_samples):
                time.sleep(random.uniform(0, 30))  # pg_cron looks at each full minute
                delays.append(project.start_after_s())
            if delays:
                say(
                    f"cron alone: {median(delays):.0f} s from commit to start, median of "
                    f"{len(delays)}; longest {max(delays):.0f} s\n"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)

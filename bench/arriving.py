"""How soon does a forecast follow new telemetry in the running product, seen from outside?

The forecast is made inside the telemetry run, so its time runs from the end of `core` in that run
(`ops.etl_runs`) until all rows of a forecast that used the half-hour can be read. Rows that another
program writes into `raw` have no such run: the sensor sees them, and starts one run for `core` and
then one for the forecast, each in a separate process.
"""

from __future__ import annotations

import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import median
from typing import Final

from bench.forecasting import LOADED_BEFORE, is_forecast, refuse_stand_in, release
from bench.results import BenchError, Figure, Measured
from bench.sandbox import GRID, Sandbox, bench_sql, sandbox
from bench.sizes import Sizes
from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets.warehouse.connection import connect

FIGURES: Final = {
    "telemetry_to_forecast_s": Figure("s", "<= 12"),
    "telemetry_to_forecast_worst_s": Figure("s", "<= 25"),
    "raw_to_forecast_s": Figure("s", "<= 15"),
}

LOG = logging.getLogger(__name__)
POLL_S: Final = 0.1
FORECAST_WITHIN_S: Final = 240  # far beyond any target, and enough for two runs on a busy machine
START_WITHIN_S: Final = 600  # the first cycle loads weeks and back-tests two of them
STOP_WITHIN_S: Final = 60
SENSOR_S: Final = 5  # the sensor's interval


def measure(sizes: Sizes) -> dict[str, Measured]:
    """Measure with half-hours released by the API, then with some written straight into `raw`."""
    days = sizes.first_backtest_days
    start = datetime.now(UTC).date() - days * DAY - LOADED_BEFORE
    with sandbox() as box, ReplayServer() as replay:
        replay.control.withhold(sizes.releases + sizes.raw_writes + 2, replay.now())
        LOG.info(f"Starting the product; it loads from {start} and back-tests {days} days")
        with running(box, replay, start, days) as port:
            wait_until_idle(box, for_s=2 * SENSOR_S + 1)  # for all that the sensor still starts
            refuse_stand_in(box)
            after_core = _after_telemetry(box, replay, port, sizes.releases)
            after_write = _after_writes(box, replay, sizes.raw_writes)
            refuse_stand_in(box)
    words = f"median of {sizes.releases} half-hours, each forecast within its telemetry run"
    worst = f"the worst of {sizes.releases}; the best: {min(after_core):.2f} s"
    spread = f"{sizes.raw_writes} times, {min(after_write):.1f} to {max(after_write):.1f} s"
    sensor = f"another program's rows, through the sensor; {spread}"
    return {
        "telemetry_to_forecast_s": Measured(median(after_core), words),
        "telemetry_to_forecast_worst_s": Measured(max(after_core), worst),
        "raw_to_forecast_s": Measured(median(after_write), sensor),
    }


@contextmanager
def running(box: Sandbox, replay: ReplayServer, start: date, days: int) -> Iterator[int]:
    """Run `grid up`; yields the port of its UI after the first cycle, stops everything at the end.

    Raises `BenchError` if it does not start or its first cycle fails.
    """
    far = (datetime.now(UTC).month + 5) % 12 + 1
    environment = box.environment(
        replay,
        history_start=start,
        backtest_days=days,
        telemetry_cron=f"0 0 1 {far} *",  # half a year away: the schedule starts nothing
    )
    log = box.home / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [GRID, "up"],
            env={**environment, "PYTHONUNBUFFERED": "1"},
            cwd=box.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(
            lambda: "Ctrl-C stops everything" in log.read_text() or process.poll() is not None,
            START_WITHIN_S,
            lambda: f"The product did not start:\n{log.read_text()[-2000:]}",
        )
        said = log.read_text()
        ui = re.search(r"UI +http://127\.0\.0\.1:(\d+)", said)
        if process.poll() is not None or ui is None or "The first cycle failed" in said:
            raise BenchError(f"The product did not start properly:\n{said[-2000:]}")
        yield int(ui[1])
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        supervisor.stop_marked(box.home)


def _after_telemetry(box: Sandbox, replay: ReplayServer, port: int, releases: int) -> list[float]:
    """Seconds from the end of `core` in a telemetry run to the forecast, for each release.

    Runs go through the web server and the daemon, like those of the schedule.
    """
    from dagster_graphql import DagsterGraphQLClient  # imported late, like all of Dagster

    from grid_assets.defs.automation import QUIET_RUN_CONFIG, TELEMETRY
    from grid_assets.defs.partitions import range_tags

    client = DagsterGraphQLClient("127.0.0.1", port_number=port)
    seconds = []
    for number in range(1, releases + 1):
        released, today = release(replay), datetime.now(UTC).date()
        run_id = client.submit_job_execution(
            TELEMETRY.name,
            repository_location_name="grid_assets",
            repository_name="__repository__",
            tags=range_tags(today - DAY, today, "schedule"),
            run_config=QUIET_RUN_CONFIG,
        )
        read_at = _forecast_read_at(box, released)
        wait_until_idle(box)
        (core_done,) = box.row(bench_sql("core_done"), run_id)
        if core_done is None:
            raise BenchError(f"Run {run_id} did not finish core. {_newest_failure(box)}")
        seconds.append((read_at - core_done).total_seconds())
        LOG.info(f"half-hour {number} of {releases}: forecast {seconds[-1]:.2f} s after core")
    return seconds


def _after_writes(box: Sandbox, replay: ReplayServer, writes: int) -> list[float]:
    """Seconds from the commit of another program's rows to the forecast that used them."""
    half_hour = replay.control.withheld_from
    if half_hour is None:
        raise BenchError("No half-hour is left that the API holds back")
    seconds = []
    for number in range(1, writes + 1):
        time.sleep(number % SENSOR_S)  # at various moments within the sensor's interval
        before = {"before": half_hour - HALF_HOUR}
        with connect(box.url) as connection:
            written = connection.execute(bench_sql("repeat_half_hour"), before).rowcount
        if written != 1:
            raise BenchError(f"There is no mix before {half_hour:%Y-%m-%d %H:%M} UTC to repeat")
        written_at = datetime.now(UTC)
        seconds.append((_forecast_read_at(box, half_hour) - written_at).total_seconds())
        wait_until_idle(box)
        LOG.info(f"write {number} of {writes}: forecast {seconds[-1]:.1f} s later")
        half_hour += HALF_HOUR
    return seconds


def _forecast_read_at(box: Sandbox, half_hour: datetime) -> datetime:
    """Wait for a forecast that used the half-hour; returns when it was first read."""
    with connect(box.url) as connection:
        wait_until(
            lambda: is_forecast(connection, half_hour),
            FORECAST_WITHIN_S,
            lambda: f"No forecast used {half_hour:%Y-%m-%d %H:%M} UTC. {_newest_failure(box)}",
        )
        return datetime.now(UTC)


def wait_until_idle(box: Sandbox, for_s: float = 0) -> None:
    """Wait until no run is open, and none has been for `for_s` seconds."""
    wait_until(
        lambda: box.row(bench_sql("open_runs"), for_s) == (0,),
        START_WITHIN_S,
        lambda: f"Runs do not stop. {_newest_failure(box)}",
    )


def wait_until(
    condition: Callable[[], bool], within_s: float, otherwise: Callable[[], str]
) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{otherwise()} (after {within_s:g} s)")
        time.sleep(POLL_S)


def _newest_failure(box: Sandbox) -> str:
    failed = box.rows(
        "SELECT asset || ': ' || error_message FROM ops.etl_runs "
        "WHERE status IN ('failed', 'crashed') ORDER BY started_at DESC LIMIT 1"
    )
    return str(failed[0][0]) if failed else "No attempt failed."

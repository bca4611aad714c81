"""How soon a forecast follows new telemetry while the product runs, seen from outside of it.

Belongs here: the running product, half-hours that arrive, and waiting for the forecast of each.
Does not belong here: what a forecast costs by itself (`forecasting`).

The forecast is made inside the telemetry run, after `core`; so its time runs from the end of
`core.intensity` and `core.generation_mix` in that run (`ops.etl_runs`) until all rows of a forecast
that used the half-hour can be read. Rows that another program writes into `raw` have no such run:
the sensor sees them, starts one for `core`, then one for the forecast, each a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.forecasting import LOADED_BEFORE, is_forecast, refuse_stand_in, release
from bench.place import GRID, Place
from bench.results import BenchError, Result, at_most, told
from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets.warehouse.connection import connect

if TYPE_CHECKING:
    from dagster_graphql import DagsterGraphQLClient

MOST_MEDIAN_S: Final = 12
MOST_WORST_S: Final = 25

POLL_S: Final = 0.1
FORECAST_WITHIN_S: Final = 240
"""Far beyond any target, and enough for two runs on a busy machine; then it is not coming."""

START_WITHIN_S: Final = 600
"""The first cycle loads weeks and back-tests two of them."""

STOP_WITHIN_S: Final = 60
STILL_S: Final = 11
"""Two looks of the sensor, which asks every 5 s: what it had to start has begun."""

MOST_BACKTEST_DAYS: Final = 14
"""As the product does by itself, unless fewer are asked for."""

NAMES: Final = ("telemetry_to_forecast_s", "telemetry_to_forecast_worst_s", "raw_to_forecast_s")

OPEN: Final = """
    SELECT count(*) FROM dagster.runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
"""
CORE_DONE: Final = """
    SELECT max(finished_at) FROM ops.etl_runs
    WHERE run_id = %s AND asset IN ('core.intensity', 'core.generation_mix') AND status = 'success'
    HAVING count(DISTINCT asset) = 2
"""
FAULTS: Final = """
    SELECT asset, error_message FROM ops.etl_runs
    WHERE status IN ('failed', 'crashed') ORDER BY started_at DESC
"""
WRITTEN_BY_ANOTHER: Final = """
    WITH of_intensity AS (
        INSERT INTO raw.intensity
        SELECT DISTINCT ON (period_start) period_start + interval '30 minutes', now(),
               forecast_gco2_kwh, actual_gco2_kwh, intensity_index
        FROM raw.intensity WHERE period_start = %(before)s
        ORDER BY period_start, captured_at DESC
    )
    INSERT INTO raw.generation
    SELECT DISTINCT ON (period_start) period_start + interval '30 minutes', now(),
           biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct, other_pct, hydro_pct,
           solar_pct, wind_pct, unknown_pct
    FROM raw.generation WHERE period_start = %(before)s
    ORDER BY period_start, captured_at DESC
"""


def arriving(
    place: Place,
    backtest_days: int,
    releases: int,
    writes: int,
    say: Callable[[str], None],
) -> list[Result]:
    """`NAMES`: `releases` half-hours from the API, then `writes` straight into `raw`."""
    days = min(backtest_days, MOST_BACKTEST_DAYS)
    start = datetime.now(UTC).date() - days * DAY - LOADED_BEFORE
    with ReplayServer() as replay:
        replay.control.withhold(releases + writes + 2, replay.now())
        say(f"Starting the product; its first cycle loads from {start} and back-tests {days} days")
        with running(place, replay, start, days) as port:
            _wait_until_still(place)
            refuse_stand_in(place)
            after_core = _after_telemetry(place, replay, port, releases, say)
            after_write = _after_writes(place, replay, writes, say)
            refuse_stand_in(place)
    return [
        at_most(
            "telemetry_to_forecast_s",
            median(after_core),
            "s",
            MOST_MEDIAN_S,
            f"median of {releases} half-hours, each forecast within its telemetry run",
        ),
        at_most(
            "telemetry_to_forecast_worst_s",
            max(after_core),
            "s",
            MOST_WORST_S,
            f"the worst of {releases}; the best: {min(after_core):.2f} s",
        ),
        told(
            "raw_to_forecast_s",
            median(after_write),
            "s",
            f"another program's rows, through the sensor; {writes} times, "
            f"{min(after_write):.1f} to {max(after_write):.1f} s",
        ),
    ]


@contextmanager
def running(place: Place, replay: ReplayServer, start: date, days: int) -> Iterator[int]:
    """`grid up` after its first cycle, as the port of its UI; everything it started ends again.

    Raises `BenchError` where it does not start, or its first cycle fails.
    """
    far = (datetime.now(UTC).month + 5) % 12 + 1
    environment = place.environment(
        replay,
        history_start=start,
        backtest_days=days,
        telemetry_cron=f"0 0 1 {far} *",  # half a year away: nothing is to run by itself
    )
    log = place.home / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(GRID), "up"],
            env={**environment, "PYTHONUNBUFFERED": "1"},
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield _port(process, log.read_text)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        supervisor.stop_marked(place.home)


def _port(process: subprocess.Popen[bytes], output: Callable[[], str]) -> int:
    """Wait until the product says that it runs."""
    deadline = time.monotonic() + START_WITHIN_S
    while "Ctrl-C stops everything" not in output():
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"The product did not start:\n{output()[-2000:]}")
        time.sleep(POLL_S)
    ui = re.search(r"UI +http://127\.0\.0\.1:(\d+)", output())
    if ui is None or "The first cycle failed" in output():
        raise BenchError(f"The product did not start well:\n{output()[-2000:]}")
    return int(ui[1])


def _after_telemetry(
    place: Place, replay: ReplayServer, port: int, releases: int, say: Callable[[str], None]
) -> list[float]:
    """Seconds from the end of `core` in a telemetry run to the forecast, for each release."""
    from dagster_graphql import DagsterGraphQLClient

    client = DagsterGraphQLClient("127.0.0.1", port_number=port)
    measured = []
    for number in range(1, releases + 1):
        released = release(replay)
        run_id = _launch(client)
        read_at = _forecast_read_at(place, released)
        _wait_until_ended(place)
        rows = place.rows(CORE_DONE, run_id)
        if not rows:
            raise BenchError(f"Run {run_id} did not finish core. {_newest_fault(place)}")
        measured.append((read_at - rows[0][0]).total_seconds())
        say(f"half-hour {number} of {releases}: forecast {measured[-1]:.2f} s after core")
    return measured


def _launch(client: DagsterGraphQLClient) -> str:
    """A telemetry run as the schedule asks for it, through the web server and the daemon."""
    from grid_assets.defs.automation import QUIET_RUN_CONFIG, TELEMETRY
    from grid_assets.defs.partitions import range_tags

    today = datetime.now(UTC).date()
    return client.submit_job_execution(
        TELEMETRY.name,
        repository_location_name="grid_assets",
        repository_name="__repository__",
        tags=range_tags(today - DAY, today, "schedule"),
        run_config=QUIET_RUN_CONFIG,
    )


def _after_writes(
    place: Place, replay: ReplayServer, writes: int, say: Callable[[str], None]
) -> list[float]:
    """Seconds from the commit of another program's rows to the forecast that used them."""
    first = replay.control.withheld_from
    if first is None:
        raise BenchError("No half-hour is left that the API has not told")
    measured = []
    for number in range(1, writes + 1):
        time.sleep(number % 5)  # the sensor looks every 5 s; meet it at every moment of them
        half_hour = first + (number - 1) * HALF_HOUR
        with connect(place.warehouse) as connection:
            written = connection.execute(
                WRITTEN_BY_ANOTHER.encode(), {"before": half_hour - HALF_HOUR}
            ).rowcount
        if written != 1:
            raise BenchError(f"There is no mix before {half_hour:%Y-%m-%d %H:%M} UTC to copy")
        written_at = datetime.now(UTC)
        measured.append((_forecast_read_at(place, half_hour) - written_at).total_seconds())
        _wait_until_ended(place)
        say(f"write {number} of {writes}: forecast {measured[-1]:.1f} s later")
    return measured


def _forecast_read_at(place: Place, half_hour: datetime) -> datetime:
    """Wait for a forecast that used the half-hour; returns when it was first read."""
    deadline = time.monotonic() + FORECAST_WITHIN_S
    with connect(place.warehouse) as connection:
        while not is_forecast(connection, half_hour):
            if time.monotonic() > deadline:
                raise BenchError(
                    f"No forecast used {half_hour:%Y-%m-%d %H:%M} UTC within {FORECAST_WITHIN_S} "
                    f"s. {_newest_fault(place)}"
                )
            time.sleep(POLL_S)
        return datetime.now(UTC)


def _newest_fault(place: Place) -> str:
    for asset, message in place.rows(FAULTS + " LIMIT 1"):
        return f"{asset}: {message}"
    return "No attempt failed."


def _wait_until_ended(place: Place, still_s: float = 0) -> None:
    """Until no run has been open for `still_s` seconds."""
    deadline = time.monotonic() + START_WITHIN_S
    quiet_since = None
    while quiet_since is None or time.monotonic() - quiet_since < still_s:
        if time.monotonic() > deadline:
            raise BenchError(f"Runs go on and on. {_newest_fault(place)}")
        (running,) = place.row(OPEN)
        if running:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        time.sleep(POLL_S)


def _wait_until_still(place: Place) -> None:
    _wait_until_ended(place, STILL_S)

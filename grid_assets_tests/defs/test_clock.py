"""A clock that is wrong: what was received last counts, and nothing from the future does.

The clock of this machine is `Services.now`; database, runs and API are real.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from grid_assets.defs.resources import Services
from grid_assets.forecasting.due import forecast_is_due
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.health import housekeeping
from grid_assets.health.report import status
from grid_assets.replay import server as replay_server_module
from grid_assets.replay.server import ReplayServer
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.defs.conftest import Tables, failed_checks, half_hours
from grid_assets_tests.defs.test_bad_input import Materialise

Rows = Callable[..., list[tuple[Any, ...]]]
Clock = Callable[[timedelta], None]

DAY = timedelta(days=1)
FAR_AHEAD = timedelta(days=400)
ACTUALS = "SELECT period_start, actual_gco2_kwh FROM core.intensity ORDER BY 1"
SAME = timedelta(0)
MODEL = "seasonal_naive"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock of this machine ahead, or back."""

    def set_clock(ahead: timedelta) -> None:
        monkeypatch.setattr(Services, "now", lambda self: datetime.now(UTC) + ahead)

    return set_clock


@pytest.fixture
def api_clock(replay: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock that dates the API's answers."""
    handler = replay_server_module._Handler

    def set_clock(ahead: timedelta) -> None:
        real = handler.date_time_string
        monkeypatch.setattr(
            handler,
            "date_time_string",
            lambda self, timestamp=None: real(
                self, (datetime.now(UTC) + ahead).timestamp() if timestamp is None else timestamp
            ),
        )

    return set_clock


def publish_others(replay: ReplayServer, days: list[date], by: int) -> None:
    """Make the API publish other actuals for all half-hours of these days."""
    replay.control.heal()
    for _ in range(by):
        for start in (start for day in days for start in half_hours(day)):
            replay.control.fault({"name": "revision", "period": start.isoformat()})


def faults(connection: Connection) -> str:
    return "\n".join(status(connection, "here", Settings(), datetime.now(UTC)).faults)


@pytest.mark.parametrize("off", [FAR_AHEAD, DAY, timedelta(minutes=6), -DAY])
def test_a_machine_whose_clock_disagrees_with_all_others_loads_nothing_and_says_so(
    materialise: Materialise,
    tables: Tables,
    connection: Connection,
    machine: Clock,
    day: date,
    off: timedelta,
) -> None:
    machine(off)
    assert not materialise(day, forecast=True).success
    assert set(tables.counts().values()) == {0}
    assert tables.rows("SELECT count(*) FROM raw.neso_forecast") == [(0,)]
    refused = [attempt for attempt in tables.attempts() if attempt.asset != "raw.neso_forecast"]
    assert {attempt.error_type for attempt in refused} == {"WrongClock"}
    side = "ahead of" if off > SAME else "behind"
    assert f"{side} the clock of the API" in str(refused[0].error_message)
    assert f"{side} the clock of the database" in faults(connection)
    assert not housekeeping.is_due(connection, datetime.now(UTC) + 2 * DAY)
    machine(SAME)
    assert materialise(day).success
    assert set(tables.counts().values()) == {48}
    assert "clock" not in faults(connection)
    assert housekeeping.is_due(connection, datetime.now(UTC) + 2 * DAY)


@pytest.mark.parametrize("off", [FAR_AHEAD, -FAR_AHEAD], ids=["ahead", "behind"])
def test_a_clock_that_disagrees_with_one_other_is_a_warning(
    materialise: Materialise,
    connection: Connection,
    machine: Clock,
    api_clock: Clock,
    day: date,
    off: timedelta,
) -> None:
    """Either may be wrong: here the API's."""
    api_clock(off)
    result = materialise(day)
    assert result.success
    assert {
        (f"raw.{table}", "clocks_agree", "WARN") for table in ("intensity", "generation")
    } <= failed_checks(result)
    side = "behind" if off > SAME else "ahead of"
    assert f"{side} the clock of the API" in faults(connection)


def test_actuals_received_last_are_in_core_though_others_were_stamped_400_days_later(
    materialise: Materialise,
    replay: ReplayServer,
    tables: Tables,
    connection: Connection,
    machine: Clock,
    api_clock: Clock,
    day: date,
) -> None:
    """The clocks of the machine and the API are ahead together, so that the load is not refused."""
    days = [day - DAY, day]
    assert materialise(*days).success
    first: dict[datetime, Decimal] = dict(tables.rows(ACTUALS))

    machine(FAR_AHEAD)
    api_clock(FAR_AHEAD)
    publish_others(replay, days, 1)
    assert materialise(*days).success
    assert dict(tables.rows(ACTUALS)) == {start: actual + 3 for start, actual in first.items()}
    assert "core.intensity has 96 half-hours captured later than now" in faults(connection)

    machine(SAME)
    api_clock(SAME)
    publish_others(replay, days, 2)
    assert materialise(*days).success
    assert dict(tables.rows(ACTUALS)) == {start: actual + 6 for start, actual in first.items()}
    assert len(tables.values()["raw.intensity"]) == 3 * 96
    assert "later than now" not in faults(connection)


@pytest.mark.parametrize("years", [1, 50])
def test_a_row_stamped_years_ahead_gives_way_to_what_is_received_next(
    materialise: Materialise, tables: Tables, connection: Connection, day: date, years: int
) -> None:
    assert materialise(day).success
    before = tables.rows(ACTUALS)
    tables.rows(
        "INSERT INTO raw.intensity (period_start, captured_at, forecast_gco2_kwh, "
        "actual_gco2_kwh, intensity_index) SELECT period_start, now() + %s * interval '1 year', "
        "forecast_gco2_kwh, 999, intensity_index FROM raw.intensity",
        years,
    )
    assert materialise(day).success  # the source's values differ from what came last
    assert tables.rows(ACTUALS) == before
    assert "later than now" not in faults(connection)
    assert materialise(day).success
    assert [attempt.written for attempt in tables.attempts()[-4:]] == [0] * 4


@pytest.mark.parametrize("ahead", [48, 2])
def test_after_a_cycle_with_the_clock_ahead_right_ones_put_everything_right(
    materialise: Materialise,
    tables: Tables,
    connection: Connection,
    today: date,
    ahead: int,
) -> None:
    """What a machine leaves whose own database was as wrong: `ahead` half-hours too many."""
    assert materialise(today - 2 * DAY, today).success
    now = datetime.now(UTC)
    later = ahead * HALF_HOUR
    unbegun = [floor(now) + n * HALF_HOUR for n in range(1, ahead + 1)]
    for start in unbegun:
        for table, column in (("intensity", "forecast_gco2_kwh"), ("generation", "wind_pct")):
            tables.rows(
                f"INSERT INTO raw.{table} (period_start, captured_at, {column}) "  # noqa: S608
                "VALUES (%s, %s, 100)",
                *(start, now + later),
            )
        tables.rows("INSERT INTO core.intensity VALUES (%s, 100)", start)
        tables.rows(
            "INSERT INTO core.generation_mix (period_start, wind_pct, captured_at) "
            "VALUES (%s, 100, %s)",
            *(start, now + later),
        )
    issued_at = floor(now) + later + HALF_HOUR
    _store_issue(tables.rows, issued_at, now + later)
    tables.rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "SELECT 'x', asset, 1, 'tick', %s, %s, %s, %s, 'failed', 'BlockingCheckFailed', 'h', 1, "
        "%s FROM unnest(ARRAY['raw.intensity', 'core.intensity', 'forecast.predictions', "
        "'files.dashboard']) AS asset",
        *(today, today, now + later, now + later, now + later),
    )
    tables.rows(  # when the machine was switched off
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, status, host, pid, heartbeat_at) "
        "VALUES ('y', 'core.intensity', 1, 'tick', %s, %s, %s, 'running', 'h', 1, %s)",
        *(today, today, now + later, now + later),
    )

    said = faults(connection)
    assert f"core.intensity has {ahead} half-hours that have not begun" in said
    assert f"core.generation_mix has {ahead} half-hours that have not begun" in said
    assert "forecast.issues has 1 issues of a time later than now" in said
    assert "raw.intensity failed" not in said  # the attempt from the future is not the last one
    for view in ("telemetry", "telemetry_24h", "generation_mix", "generation_mix_24h"):
        assert tables.rows(
            f"SELECT max(period_start) <= now() FROM reporting.{view}"  # noqa: S608
        ) == [(True,)]
    # An issue of a time later than now covers nothing, and no view prefers it.
    assert forecast_is_due(connection, MODEL, now)
    _store_issue(tables.rows, floor(now) + HALF_HOUR, now)
    newest = "SELECT DISTINCT issued_at FROM reporting.forecast_latest WHERE model = %s"
    assert tables.rows(newest, MODEL) == [(floor(now) + HALF_HOUR,)]
    found = tables.rows(
        "SELECT count(*), min(period_start) > now() "
        "FROM reporting.greenest_window(interval '2 hours', now() + interval '12 hours')"
    )
    assert found == [(4, True)]

    assert materialise(today - DAY, today).success
    assert tables.rows("SELECT max(period_start) <= now() FROM core.intensity") == [(True,)]
    assert tables.rows("SELECT max(period_start) <= now() FROM core.generation_mix") == [(True,)]
    assert "not begun" not in faults(connection)
    assert tables.rows("SELECT status FROM ops.etl_runs WHERE run_id = 'y'") == [("crashed",)]


def _store_issue(rows: Rows, issued_at: datetime, created_at: datetime) -> None:
    """An issue that has used all telemetry, and its forecast of carbon intensity."""
    rows(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, intensity_to, "
        "mix_to, context_missing, context_assumed, known_by) "
        "VALUES (%s, %s, %s, 'r', %s, %s, 0, 0, 'capture')",
        *(MODEL, issued_at, created_at, issued_at, issued_at),
    )
    rows(
        "INSERT INTO forecast.models (model, revision, source) VALUES (%s, 'r', 'builtin') "
        "ON CONFLICT DO NOTHING",
        MODEL,
    )
    rows(
        "INSERT INTO forecast.predictions "
        "(model, series, period_start, issued_at, created_at, p50) "
        "SELECT %s, 'carbon_intensity', at, %s, %s, 100 "
        "FROM generate_series(%s, %s, interval '30 minutes') AS at",
        *(MODEL, issued_at, created_at, issued_at, issued_at + 95 * HALF_HOUR),
    )

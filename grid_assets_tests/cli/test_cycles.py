"""A warehouse run by commands alone: `migrate`, `backfill`, `tick`, `backtest` and `status`.

The continuously running product is tested in `runtime/test_supervisor.py`, and bad responses of the
API in `defs/`.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR, day_start, floor
from grid_assets.replay.server import ReplayServer
from grid_assets.warehouse.connection import connect
from grid_assets_tests.reading import DATA, ask, counts, days_ago
from grid_assets_tests.running import (
    GridCommand,
    free_port,
    within_a_half_hour,
)

NewDatabase = Callable[[str | None], SecretStr]


FORECASTS = (
    "SELECT model, issued_at, count(*), count(DISTINCT series), min(period_start) = issued_at, "
    "bool_and(p10 <= p50 AND p50 <= p90) FROM forecast.predictions "
    "WHERE model <> 'neso' GROUP BY 1, 2 ORDER BY 1, 2"
)


def contents(url: SecretStr) -> dict[str, list[tuple[Any, ...]]]:
    """What a cycle that finds nothing new leaves as it was."""
    return {
        "intensity": ask(url, "SELECT * FROM raw.intensity ORDER BY 1, 2"),
        "mix": ask(url, "SELECT * FROM core.generation_mix ORDER BY 1"),
        "forecasts": ask(url, FORECASTS),
    }


def test_a_replay_and_a_database_become_a_warehouse_without_the_demo(
    grid: GridCommand, new_database: NewDatabase
) -> None:
    url, port, today = new_database(None), free_port(), days_ago(0)
    yesterday, first_day = today - timedelta(days=1), today - timedelta(days=9)
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": f"http://127.0.0.1:{port}",
        "GRID_HISTORY_START": str(today - timedelta(days=2)),
        "GRID_BACKTEST_DAYS": "1",
        "GRID_BACKTEST_STRIDE_HOURS": "12",
    }
    assert grid.run("url").out == url.get_secret_value() + "\n"
    assert "Run `grid migrate`" in grid.run("status", code=1).out

    replay = grid.start("replay", "--port", str(port), "--withhold", "6")
    replay.says("export GRID_API_URL=" + grid.environment["GRID_API_URL"])
    assert "RECORDED data" in grid.run("migrate").out
    again = grid.run("migrate").out
    assert "Migrations applied: none" in again
    assert "Views: unchanged" in again
    [stamp] = ask(url, "SELECT kind FROM ops.warehouse")
    assert stamp == ("replay",)

    grid.run("backfill", "--from", str(first_day), "--to", str(today - timedelta(days=3)))
    assert counts(url) == dict.fromkeys(DATA, 7 * 48) | {"raw.neso_forecast": 0}

    begun = floor(datetime.now(UTC))
    first = grid.run("tick")
    assert "raw.neso_forecast" in first.out
    status = requests.get(f"{grid.environment['GRID_API_URL']}/replay/status", timeout=5).json()
    withheld_from = datetime.fromisoformat(status["withheld_from"])
    newest = ask(url, "SELECT max(period_start), count(*) FROM core.intensity")
    half_hours = (withheld_from - day_start(first_day)) // HALF_HOUR
    assert newest == [(withheld_from - HALF_HOUR, half_hours)]
    stale = grid.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is" in stale
    assert "RECORDED data (replay), not live" in stale

    grid.run("replay", "release")

    def run_twice() -> tuple[dict[str, list[tuple[Any, ...]]], ...]:
        found = []
        for _ in range(2):
            grid.run("tick")
            found.append(contents(url))
        return tuple(found)

    once, twice = within_a_half_hour(run_twice)
    assert twice == once
    assert "healthy" in grid.run("status").out.splitlines()
    last = first.out.splitlines()[-1]
    assert re.fullmatch(r"Forecast by blend of .+ from 20\S+ \d\d:[03]0Z, 48 hours\..*", last), last
    forecasts = once["forecasts"]
    assert {forecast[2:] for forecast in forecasts} == {(960, 10, True, True)}
    models, issues = ({forecast[place] for forecast in forecasts} for place in (0, 1))
    assert len(forecasts) == len(models) * len(issues)
    # The issues of yesterday and today, and the newest, renewed with what was released; one more
    # for each half-hour that has begun since the first cycle.
    newest_issue = max(issues)
    every_12_hours = (day_start(yesterday) + timedelta(hours=12 * n) for n in range(4))
    expected = {at for at in every_12_hours if at < newest_issue} | {newest_issue}
    assert expected <= issues
    assert min(issues - expected, default=newest_issue) > begun
    assert ask(
        url,
        "SELECT DISTINCT issued_at, intensity_to FROM forecast.issues WHERE model <> 'neso' "
        "AND issued_at = (SELECT max(issued_at) FROM forecast.issues WHERE model <> 'neso')",
    ) == [(newest_issue, newest_issue - HALF_HOUR)]
    assert ask(url, "SELECT DISTINCT model FROM reporting.forecast_accuracy") != []
    totals = ask(url, "SELECT DISTINCT total_pct FROM reporting.telemetry")
    assert {total for (total,) in totals} - {None} == {100}

    made = ask(url, "SELECT * FROM forecast.predictions")
    days = ("--from", str(yesterday), "--to", str(yesterday))
    scored = grid.run("backtest", *days, GRID_BACKTEST_STRIDE_HOURS="6").out
    assert f"Back-testing {yesterday}: a forecast every 6 hours" in scored
    assert re.search(r"^  seasonal_naive +\d+\.\d", scored, re.MULTILINE)
    assert set(made) <= set(ask(url, "SELECT * FROM forecast.predictions"))
    assert len(ask(url, FORECASTS)) == len(models) * (len(issues) + 2)

    replay.ends(signal.SIGINT)
    assert "Traceback" not in replay.output()


def test_a_cycle_that_cannot_make_the_dashboard_warns_and_succeeds(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    recorded.home.mkdir()
    (recorded.home / "files").write_text("not a folder", encoding="utf-8")
    ran = recorded.run("tick", GRID_BACKTEST_DAYS="0")
    assert "Warning: the dashboard was not updated; its data is in the warehouse." in ran.out
    assert ask(warehouse, "SELECT count(*) > 0 FROM core.intensity") == [(True,)]
    assert ask(
        warehouse,
        "SELECT DISTINCT asset FROM ops.etl_runs WHERE status <> 'success' ORDER BY asset",
    ) == [
        ("files.dashboard",),
        ("files.feeds",),
    ]
    checked = recorded.run("status", code=None).out  # three days are too few to forecast from
    assert "warning: [Errno" in checked
    faults = [line for line in checked.splitlines() if line.startswith("NOT HEALTHY")]
    assert "files." not in " ".join(faults)

    (recorded.home / "files").unlink()
    recorded.run("tick", GRID_BACKTEST_DAYS="0")
    page = (recorded.home / "files" / "dashboard.html").read_text(encoding="utf-8")
    assert "RECORDED data (replay), not live" in page


def test_a_cycle_by_the_bundled_checkpoint_imports_nothing_that_only_other_models_need(
    recorded: GridCommand, rows: Callable[..., list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """Packages that note who imports them stand in for the real ones, in each of its processes."""
    noted = tmp_path / "imported"
    for name in ("torch", "transformers", "chronos", "huggingface_hub", "onnx", "pandas"):
        (tmp_path / f"{name}.py").write_text(
            f"import pathlib\nwith pathlib.Path({str(noted)!r}).open('a') as file:\n"
            "    print(__name__, file=file)\nraise ImportError(__name__)\n"
        )
    recorded.installed.run(
        "tick",
        PYTHONPATH=str(tmp_path),
        GRID_BACKTEST_DAYS="0",
        GRID_HISTORY_START=str(days_ago(8)),
    )
    bundled = registry.configured_name(None)
    made = rows(
        "SELECT fallback_reason, refused_reason FROM forecast.issues WHERE model = %s "
        "ORDER BY issued_at DESC LIMIT 1",  # the one before, if a half-hour began since, is refused
        bundled,
    )
    assert made == [(None, None)]
    assert not noted.exists(), noted.read_text()


def test_telemetry_and_its_forecast_can_be_two_commands_and_two_forecasts_at_once_make_one(
    recorded: GridCommand, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    recorded.environment["GRID_BACKTEST_DAYS"] = "0"
    assert "Warning: there is no forecast yet." in recorded.run("forecast").out
    recorded.run("tick", "--telemetry-only", GRID_HISTORY_START=str(days_ago(8)))
    made = "SELECT count(*) FROM forecast.issues WHERE refused_reason IS NULL"
    assert rows(made) == [(0,)]
    assert rows("SELECT forecast.due()") == [("due",)]

    def both() -> list[str]:
        started = [recorded.start("forecast") for _ in range(2)]
        assert [one.ends(within_s=240) for one in started] == [0, 0]
        return [one.output() for one in started]

    said = within_a_half_hour(both)
    assert all("Forecast by blend of chronos:" in text for text in said)
    written = "SELECT rows_written FROM ops.etl_runs WHERE asset = 'forecast.predictions'"
    wrote = [count for (count,) in rows(written)]
    assert len([count for count in wrote if count > 0]) <= len(rows(f"{made} GROUP BY issued_at"))
    assert rows("SELECT forecast.due()") == [("up_to_date",)]
    before = rows("SELECT model, issued_at, created_at FROM forecast.issues")
    again = recorded.run("forecast").out
    assert "Forecast by blend of chronos:" in again
    assert rows("SELECT model, issued_at, created_at FROM forecast.issues") == before


def test_a_forecast_of_telemetry_that_a_check_has_stopped_fails_and_says_so(
    recorded: GridCommand, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "VALUES ('r', 'core.intensity', 1, 'tick', current_date, current_date, now(), now(), "
        "'failed', 'BlockingCheckFailed', 'here', 1, now())"
    )
    assert "a check has stopped the newest telemetry" in recorded.run("forecast", code=1).err


def test_a_cycle_whose_telemetry_fails_still_makes_a_dashboard_that_says_so(
    recorded: GridCommand, replay: ReplayServer
) -> None:
    replay.control.fault({"name": "500", "path": "/generation"})
    recorded.run("tick", code=1, GRID_BACKTEST_DAYS="0")
    page = (recorded.home / "files" / "dashboard.html").read_text(encoding="utf-8")
    assert '<th scope="row">raw.generation</th><td class="bad">failed</td>' in page


def test_a_tick_cleans_up_in_a_warehouse_that_is_a_day_old(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    with connect(warehouse) as connection:
        connection.execute("UPDATE ops.warehouse SET stamped_at = now() - interval '2 days'")
    said = recorded.run("tick").out
    assert "Daily clean-up" in said
    assert re.search(r"^  dagster\.runs +success ", said, re.M)
    assert "Daily clean-up" not in recorded.run("tick").out
    assert "housekeeping  0 h ago, removed 0 old runs" in recorded.run("status", code=None).out

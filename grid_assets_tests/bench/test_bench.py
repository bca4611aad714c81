"""The benchmark works at a tiny size; nothing is asserted about time or memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import psutil
import pytest
from click.testing import CliRunner

from bench import __main__ as command
from bench import arriving, chaos, cluster, forecasting, idle, reference
from bench import sandbox as box_of_commands
from bench.results import BenchError, Figure, Measured, calibrated, document, result, table
from bench.sandbox import Sandbox, sandbox
from bench.sizes import Sizes
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets.settings import PROJECT_DIR
from grid_assets_tests import forked, running

pytestmark = pytest.mark.slow  # most start a server or the product

CALIBRATIONS = {"calibration_run_s", "calibration_select_ms"}

TINY = Sizes(
    calibrations=1,
    calibration_s=1,
    load_rows=300,
    load_rounds=2,
    backfill_days=2,
    loaded_days=9,  # enough context for a forecast
    ticks=1,
    backtest_days=1,
    single_backtests=1,
    issues=2,
    forecast_ticks=1,
    imports=1,
    forecast_every=timedelta(hours=96),
    short_history_days=3,
    long_history_days=4,
    forecast_days=1,
    regional_vintages=3,
    by_cycles=HALF_HOUR,
    growth_s=1,
    alone_s=0,
    together_s=1,
    naive_timeout_s=20,
    year_warm_up=2 * HALF_HOUR,
    year_sample=8 * HALF_HOUR,
)


@pytest.fixture(autouse=True)
def forked_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said here about time and memory, so that commands need not import everything."""

    def start(arguments: list[str], environment: dict[str, str], output: IO[str]) -> forked.Grid:
        file = Path(output.name)
        return forked.Grid(arguments, environment, Path.cwd(), file, file)

    monkeypatch.setattr(box_of_commands, "start", start)


# Starting the whole product takes a minute; test_supervisor.py and test_ui.py do that.
# Schedules are played by chaos/test_schedules.py, and cluster/ has workers and machines.
ELSEWHERE = (arriving.FIGURES, chaos.FIGURES, cluster.FIGURES, idle.FIGURES)


@pytest.mark.parametrize(
    "figures",
    [figures for figures, _ in command.QUESTIONS if figures not in ELSEWHERE],
    ids=lambda f: next(iter(f)),
)
def test_every_result_is_measured_on_a_tiny_size(figures: dict[str, Figure]) -> None:
    results, failed = command.measure(TINY, figures)

    assert failed == []

    measured = [result.name for result in results]
    calibrations = set(measured) & CALIBRATIONS
    assert [name for name in measured if name not in calibrations - figures.keys()] == list(figures)
    assert all(result.value > 0 for result in results if result.unit != "%")
    for one in results:
        is_time = one.unit in ("s", "ms") and one.name not in calibrations
        assert (one.calibration in calibrations) == is_time


def test_the_blend_is_measured_beside_its_members() -> None:
    measured = reference.measure(TINY)
    assert all(
        "blend " in (measured[name].baseline or "") for name in measured if "_vs_" not in name
    )


def test_results_keep_their_names_units_and_targets() -> None:
    recorded = json.loads((PROJECT_DIR / "bench" / "results.json").read_text(encoding="utf-8"))

    measured = [
        (name, *figure) for figures, _ in command.QUESTIONS for name, figure in figures.items()
    ]
    kept = [(one["name"], one["unit"], one["target"]) for one in recorded["results"]]
    # A new result has no record before the next full run.
    assert [figure for figure in measured if figure in kept] == kept


def test_a_time_is_divided_by_the_calibration_of_its_own_run() -> None:
    found = calibrated(
        [
            result("calibration_run_s", Figure("s"), Measured(2)),
            result("calibration_select_ms", Figure("ms"), Measured(0.4)),
            result("tick_s", Figure("s"), Measured(3)),
            result("view_ms", Figure("ms"), Measured(6)),
            result("tick_mb", Figure("MB"), Measured(100)),
        ]
    )

    assert [(one.ratio, one.calibration) for one in found] == [
        (None, None),
        (None, None),
        (1.5, "calibration_run_s"),
        (15, "calibration_select_ms"),
        (None, None),
    ]
    tick, view, size = (one.document() for one in found[2:])
    assert (tick["ratio"], view["calibration"]) == (1.5, "calibration_select_ms")
    assert "ratio" not in size
    ratios = [line.split()[3] for line in table(found)][:-1]
    assert ratios == ["ratio", "-", "-", "1.5", "15", "-"]


def test_a_missed_target_is_printed_plainly() -> None:
    slow = result("speed", Figure("x", ">= 0.8"), Measured(0.5, "COPY"))
    again = result("again", Figure("x", "< 1"), Measured(0.5))
    model = result("mae", Figure("g", "< the others"), Measured(12.345, limit=12))

    lines = list(table([slow, again, model]))

    assert [line.split()[-1] for line in lines[1:4]] == ["NO", "yes", "NO"]
    assert lines[-1] == "MISSED: speed, mae."


def test_the_file_has_the_shape_that_the_contract_names() -> None:
    share = result("share", Figure("of time"), Measured(0.51234))

    content = json.loads(json.dumps(document([share], "abc", "18.1")))

    assert set(content) == {"machine", "versions", "results"}
    assert content["versions"]["postgres"] == "18.1"
    expected = {"name": "share", "value": 0.512, "unit": "of time"}
    assert content["results"] == [{**expected, "baseline": None, "target": None, "met": None}]


def test_one_figure_is_measured_alone_and_lost_rows_fail_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lose(sizes: Sizes) -> dict[str, Measured]:
        raise BenchError("Of 2 half-hours, core has 1")

    questions = (
        ({"history_s": Figure("s")}, lose),
        ({"tick_s": Figure("s")}, lambda sizes: {"tick_s": Measured(sizes.ticks)}),
    )
    monkeypatch.setattr(command, "QUESTIONS", questions)

    alone = CliRunner().invoke(command.main, ["--only", "tick_s"])
    file = tmp_path / "results.json"
    both = CliRunner().invoke(command.main, ["--output", str(file)])

    assert alone.exit_code == 0
    assert "history_s" not in alone.output
    assert both.exit_code == 1
    assert "tick_s" in both.output  # what was measured is not lost
    assert "history_s. Of 2 half-hours, core has 1" in both.output
    assert not file.exists()


def test_a_server_and_its_folder_are_gone_after_an_interrupt() -> None:
    boxes: list[Sandbox] = []

    def interrupted() -> None:
        with sandbox() as box:
            boxes.append(box)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not boxes[0].home.exists()
    assert not any(
        str(boxes[0].home) in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    )


def test_a_product_that_does_not_start_is_an_error_with_its_reason() -> None:
    with (
        sandbox() as box,
        ReplayServer() as replay,
        pytest.raises(BenchError, match="GRID_BACKTEST_DAYS"),
        arriving.running(box, replay, datetime.now(UTC).date(), days=-1),
    ):
        pass


def test_a_product_that_runs_is_stopped_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(condition: object, within_s: float, output: Callable[[], str]) -> None:
        running.wait_until(lambda: "Loading missing data" in output(), 60)
        raise KeyboardInterrupt

    monkeypatch.setattr(arriving, "wait_until", interrupted)
    with (
        sandbox() as box,
        ReplayServer() as replay,
        pytest.raises(KeyboardInterrupt),
        arriving.running(box, replay, datetime.now(UTC).date(), days=0),
    ):
        pass
    assert supervisor.stop_marked(box.home) == 0


def test_a_forecast_by_a_model_that_stands_in_is_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    naive = registry.seasonal_naive()
    stand_in = registry.Loaded(naive.forecaster, naive.info, "The bundled checkpoint is missing.")
    monkeypatch.setattr(registry, "load", lambda *arguments: stand_in)

    with sandbox() as box, pytest.raises(BenchError, match="checkpoint is missing"):
        forecasting.overhead(box, 1)


def test_a_half_hour_that_has_not_ended_is_not_released() -> None:
    replay = ReplayServer()
    replay.control.withhold(2, replay.now())

    assert forecasting.release(replay) + HALF_HOUR <= replay.now()
    with pytest.raises(BenchError, match="No half-hour"):
        forecasting.release(replay)
    replay.stop()

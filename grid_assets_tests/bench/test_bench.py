"""The benchmark does its work on a tiny size; no time is asserted here, nor any memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from click.testing import CliRunner

from bench import arriving, forecasting
from bench.__main__ import main
from bench.open_loop import Load
from bench.place import Place, temporary_place
from bench.results import BenchError, at_least, below, document, table, told
from bench.serving import Scale
from bench.suite import NAMES, Sizes, measured
from grid_assets.forecasting.models import registry
from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.server import ReplayServer
from grid_assets.runtime import supervisor
from grid_assets_tests.running import wait_until

pytestmark = pytest.mark.slow  # most start a server or the product

TINY = Sizes(
    load_rows=300,
    load_rounds=2,
    history_days=2,
    loaded_days=1,
    ticks=1,
    backtest_days=1,
    single_backtests=1,
    issues=2,
    forecast_ticks=1,
    imports=1,
    forecast_every=timedelta(hours=96),
    learn_every=timedelta(hours=191.5),
    serving=Scale(
        young_days=3,
        history_days=4,
        forecast_days=1,
        vintage_days=1,
        by_cycles=HALF_HOUR,
        load=Load(connections=3),
        growth_s=1,
        alone_s=0,
        together_s=1,
        naive_timeout_s=20,
    ),
)


def test_every_result_is_measured_on_a_tiny_size() -> None:
    # Starting the whole product takes a minute; test_product does that.
    wanted = tuple(name for name in NAMES if name not in arriving.NAMES)

    results, postgres = measured(TINY, set(wanted), lambda line: None)

    assert tuple(result.name for result in results) == wanted
    assert all(result.value > 0 for result in results)
    assert postgres is not None


def test_a_missed_target_is_printed_plainly() -> None:
    lines = list(table([at_least("speed", 0.5, "x", 0.8, "COPY"), below("again", 0.5, "x", 1, "")]))

    assert any(line.startswith("speed") and line.endswith("NO") for line in lines)
    assert lines[-1] == "MISSED: speed."


def test_the_file_has_the_shape_that_the_contract_names() -> None:
    content = json.loads(
        json.dumps(document([told("share", 0.51234, "of time", None)], "18.1", "abc"))
    )

    assert set(content) == {"machine", "versions", "results"}
    assert content["versions"]["postgres"] == "18.1"
    assert content["results"] == [
        {
            "name": "share",
            "value": 0.512,
            "unit": "of time",
            "baseline": None,
            "target": None,
            "met": None,
        }
    ]


def test_a_server_and_its_folder_are_gone_after_an_interrupt() -> None:
    places: list[Place] = []

    def interrupted() -> None:
        with temporary_place() as place:
            places.append(place)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not places[0].home.exists()
    assert not any(
        str(places[0].home) in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    )


def test_a_product_that_does_not_start_is_told_with_its_reason() -> None:
    with (
        temporary_place() as place,
        ReplayServer() as replay,
        pytest.raises(BenchError, match="GRID_BACKTEST_DAYS"),
        arriving.running(place, replay, datetime.now(UTC).date(), days=-1),
    ):
        pass


def test_a_product_that_runs_is_stopped_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(process: object, output: Callable[[], str]) -> int:
        wait_until(lambda: "Loading missing data" in output(), 60)
        raise KeyboardInterrupt

    monkeypatch.setattr(arriving, "_port", interrupted)
    with (
        temporary_place() as place,
        ReplayServer() as replay,
        pytest.raises(KeyboardInterrupt),
        arriving.running(place, replay, datetime.now(UTC).date(), days=0),
    ):
        pass
    assert supervisor.stop_marked(place.home) == 0


def test_a_forecast_by_a_model_that_stands_in_is_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    naive = registry.seasonal_naive()
    stand_in = registry.Loaded(naive.forecaster, naive.info, "The shipped checkpoint is missing.")
    monkeypatch.setattr(registry, "load", lambda *arguments: stand_in)

    with temporary_place() as place, pytest.raises(BenchError, match="checkpoint is missing"):
        forecasting.overhead(place, 1, lambda line: None)


def test_a_half_hour_that_has_not_ended_is_not_released() -> None:
    replay = ReplayServer()
    replay.control.withhold(2, replay.now())

    assert forecasting.release(replay) + HALF_HOUR <= replay.now()
    with pytest.raises(BenchError, match="No half-hour"):
        forecasting.release(replay)
    replay.stop()


def test_a_benchmark_that_lost_rows_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*arguments: object) -> None:
        raise BenchError("Of 2 half-hours, core has 1")

    monkeypatch.setattr("bench.__main__.measured", lose)
    run = CliRunner().invoke(main, [])

    assert run.exit_code == 1
    assert "core has 1" in run.output

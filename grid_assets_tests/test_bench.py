"""The benchmark does its work on a tiny size; no time is asserted here, nor any memory."""

from __future__ import annotations

import json

import psutil
import pytest
from click.testing import CliRunner

from bench.__main__ import main
from bench.place import Place, temporary_place
from bench.results import BenchError, at_least, below, document, table, told
from bench.suite import NAMES, Sizes, measured

TINY = Sizes(load_rows=300, load_rounds=2, history_days=2, loaded_days=1, ticks=1)


def test_every_result_is_measured_on_a_tiny_size() -> None:
    results, postgres = measured(TINY, set(), lambda line: None)

    assert tuple(result.name for result in results) == NAMES
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


def test_a_benchmark_that_lost_rows_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*arguments: object) -> None:
        raise BenchError("Of 2 half-hours, core has 1")

    monkeypatch.setattr("bench.__main__.measured", lose)
    run = CliRunner().invoke(main, [])

    assert run.exit_code == 1
    assert "core has 1" in run.output

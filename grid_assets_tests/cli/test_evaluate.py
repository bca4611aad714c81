"""`grid evaluate` on files: what it prints and writes, what it refuses, and an early end."""

from __future__ import annotations

import csv
import gzip
import json
import signal
from datetime import datetime
from pathlib import Path

import click.testing
import numpy as np
import pytest

from grid_assets.cli.evaluate import evaluate
from grid_assets.forecasting.decisions import decide
from grid_assets.forecasting.history_files import read_history
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.series import INTENSITY, SERIES
from grid_assets_tests.forecasting.made_files import (
    HALF_HOURS,
    START,
    write_history,
    write_outlook,
)
from grid_assets_tests.running import GridCommand, wait_until

DAYS = ("--from", "2024-01-10", "--to", "2024-01-12")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_history(folder / "history.csv")
    write_outlook(folder / "outlook.csv")
    return folder


def run(files: Path, *arguments: object, code: int = 0) -> click.testing.Result:
    ran = click.testing.CliRunner().invoke(
        evaluate, ["--history", str(files / "history.csv"), *map(str, arguments)]
    )
    assert ran.exit_code == code, ran.output
    return ran


def rows_of(file: Path) -> list[dict[str, str]]:
    content = file.read_bytes()
    text = gzip.decompress(content) if file.suffix == ".gz" else content
    return list(csv.DictReader(text.decode().splitlines()))


def both(files: Path, *arguments: object) -> click.testing.Result:
    models = "--model", "seasonal_naive", "--model", "neso"
    return run(files, *DAYS, "--outlook", files / "outlook.csv", *models, *arguments)


def ahead(issued_at: str) -> range:
    """The numbers of an issue's half-hours, counted from `START`."""
    first = (datetime.fromisoformat(issued_at) - START) // HALF_HOUR
    return range(first, first + HORIZON)


@pytest.mark.parametrize("name", ["predictions.csv", "predictions.csv.gz"])
def test_errors_computed_from_the_predictions_are_those_of_the_table(
    files: Path, tmp_path: Path, name: str
) -> None:
    written, scores = tmp_path / name, tmp_path / "scores.json"
    ran = both(files, "--predictions", written, "--json", scores, "--late-half-hours", 1)
    rows = rows_of(written)
    assert ",".join(rows[0]) == "model,issued_at_utc,period_start_utc,series,p10,p50,p90"
    history = read_history(files / "history.csv")
    values = history.read(START, START + HALF_HOURS * HALF_HOUR)[0]
    actual = {api_time(START + n * HALF_HOUR): value for n, value in enumerate(values)}
    documents = json.loads(scores.read_text())["evaluations"]
    # NESO's forecast of 48 hours comes every six hours, so every second time it ends earlier.
    forecast = {"seasonal_naive": 24 * 96, "neso": 12 * 96 + 12 * 90}
    for (model, count), document in zip(forecast.items(), documents, strict=True):
        own = [row for row in rows if row["model"] == model]
        assert len(own) == count * (1 if model == "neso" else len(SERIES))
        assert {row["p10"] == "" for row in own} == {model == "neso"}
        errors = [
            float(row["p50"]) - actual[row["period_start_utc"]]
            for row in own
            if row["series"] == INTENSITY and row["period_start_utc"] in actual
        ]
        [score] = [
            score
            for score in document["scores"]
            if (score["series"], score["lead_bucket"]) == (INTENSITY, "all")
        ]
        assert score["n"] == len(errors) == count
        assert score["mae"] == pytest.approx(np.abs(errors).mean(), abs=1e-3)
        assert f"{score['mae']:.2f}" in ran.output
        assert document["stride_hours"] == 3
        assert document["where_the_outlook_reaches"]["scores"]
    assert "where the outlook reaches" in ran.output
    for value in json.loads(scores.read_text())["decisions"]:
        medians: dict[str, dict[str, float]] = {}
        for row in rows:
            if (row["model"], row["series"]) == (value["model"], INTENSITY):
                by_start = medians.setdefault(row["issued_at_utc"], {})
                by_start[row["period_start_utc"]] = float(row["p50"])
        starts = [[api_time(START + n * HALF_HOUR) for n in ahead(at)] for at in medians]
        predicted = [
            [line.get(start, np.nan) for start in times]
            for line, times in zip(medians.values(), starts, strict=True)
        ]
        happened = [[actual.get(start, np.nan) for start in times] for times in starts]
        found = decide(np.array(predicted), np.array(happened), value["wait_hours"]).sum(axis=0)
        assert value["n"] == found[0] == 24
        # the file's medians are rounded, so that other windows may be equal
        assert value["saved_gco2_kwh"] == pytest.approx(found[1] / 24, rel=0.01)
        assert value["best_gco2_kwh"] == pytest.approx(found[2] / 24, abs=1e-3)
        assert f"{100 * value['share_of_best']:.1f} %" in ran.output
    assert [file.name for file in sorted(tmp_path.iterdir())] == [name, "scores.json"]


def test_the_same_files_give_the_same_bytes(files: Path, tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        both(files, "--predictions", tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_issues_begin_at_midnight_and_go_on_to_the_end_of_the_last_day(
    files: Path, tmp_path: Path
) -> None:
    written = tmp_path / "p.csv"
    run(files, *DAYS, "--stride-hours", 7, "--model", "persistence", "--predictions", written)
    issued = {row["issued_at_utc"] for row in rows_of(written)}
    expected = [START + 9 * 48 * HALF_HOUR + number * 14 * HALF_HOUR for number in range(11)]
    assert sorted(issued) == [api_time(at) for at in expected]


def test_a_history_of_intensity_alone_gives_forecasts_of_intensity_alone(
    files: Path, tmp_path: Path
) -> None:
    rows = [line.split(",")[:2] for line in (files / "history.csv").read_text().split()]
    (tmp_path / "history.csv").write_text("\n".join(map(",".join, rows)))
    written = tmp_path / "p.csv"
    ran = run(tmp_path, *DAYS, "--model", "seasonal_naive", "--predictions", written)
    assert {row["series"] for row in rows_of(written)} == {INTENSITY}
    assert "Shares of generation" not in ran.output


def test_issues_without_enough_history_are_counted(files: Path) -> None:
    ran = run(files, "--from", "2024-01-05", "--to", "2024-01-07", "--model", "persistence")
    # 252 of 336 half-hours are there from 06:00 of the sixth day on.
    assert "Making 14 forecasts" in ran.output
    assert "10 of 24 issue times were skipped: more than 84 of the 336" in ran.output


def test_a_span_of_the_recording_can_be_written_too(tmp_path: Path) -> None:
    written = tmp_path / "p.csv"
    ran = click.testing.CliRunner().invoke(
        evaluate,
        ["--model", "seasonal_naive", "--stride", "97", "--predictions", str(written)],
    )
    assert ran.exit_code == 0
    assert {row["model"] for row in rows_of(written)} == {
        "seasonal_naive",
        "persistence",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--from", "2024-01-10"], "--history needs --from and --to."),
        ([], "--history needs --from and --to."),
        (["--from", "2024-01-10", "--to", "2024-01-09"], "is after --to 2024-01-09"),
        (["--from", "1999-01-10", "--to", "2024-01-09"], "must be between 2000 and 2099"),
        (["--from", "soon", "--to", "2024-01-09"], "'soon' is not a day"),
        ([*DAYS, "--span", "report"], "--span and --write are for the recording"),
        ([*DAYS, "--stride-hours", "0"], "'--stride-hours'"),
        ([*DAYS, "--stride-hours", "9" * 12], "'--stride-hours'"),
        ([*DAYS, "--late-half-hours", "-1"], "'--late-half-hours'"),
        ([*DAYS, "--model", "neso"], "--model neso needs an --outlook file with values of neso_"),
        ([*DAYS, *["--model", "persistence"] * 2], "Two --model have the same name"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    files: Path, arguments: list[str], reason: str
) -> None:
    assert reason in run(files, *arguments, code=2).output


def test_a_stride_without_an_issue_time_is_refused() -> None:
    arguments = "--model", "persistence", "--stride-hours", "8784"
    refused = click.testing.CliRunner().invoke(evaluate, arguments)
    assert refused.exit_code == 1
    assert "Error: No issue time is in 2025-11-01T00:00Z" in refused.output


def test_days_need_a_history() -> None:
    refused = click.testing.CliRunner().invoke(evaluate, [*DAYS])
    assert refused.exit_code == 2
    assert "--from and --to need --history." in refused.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--from", "2023-01-10", "--to", "2023-01-11"], "No forecast can be made from 2023-01-10"),
        ([*DAYS, "--outlook", "FOLDER/none.csv"], "none.csv cannot be read: No such file"),
        ([*DAYS, "--outlook", "FOLDER/history.csv"], "'period_start_utc'"),
        ([*DAYS, "--model", "./none"], "--model ./none cannot be measured: none is missing"),
        ([*DAYS, "--predictions", "FOLDER/none/p.csv"], "cannot be written: No such file"),
        ([*DAYS, "--predictions", "/dev/null"], "cannot be written: it is not a regular file"),
    ],
)
def test_a_failure_is_one_sentence(files: Path, arguments: list[str], reason: str) -> None:
    given = [argument.replace("FOLDER", str(files)) for argument in arguments]
    more = [] if "--model" in given else ["--model", "persistence"]
    refused = run(files, *given, *more, code=1)
    [error] = [line for line in refused.output.splitlines() if line.startswith("Error: ")]
    if reason == "'period_start_utc'":
        assert "history.csv, line 1: " in error
    else:
        assert reason in error


def test_a_file_that_is_read_is_not_overwritten(files: Path) -> None:
    history = files / "history.csv"
    before = history.read_bytes()
    refused = run(files, *DAYS, "--predictions", history, code=2)
    assert "would overwrite what is read from it" in refused.output
    assert history.read_bytes() == before


def test_a_bad_line_is_named(files: Path, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("period_start_utc,carbon_intensity\n2024-01-01T00:00Z,-4")
    refused = run(tmp_path, *DAYS, "--model", "persistence", code=1)
    said = f"{tmp_path / 'history.csv'}, line 2, column carbon_intensity: -4 is outside 0 to 1,000"
    assert f"Error: {said}. Correct it, or leave" in refused.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_file(
    grid: GridCommand, files: Path, number: signal.Signals
) -> None:
    before = {"history.csv", "p.csv.gz"}
    (grid.folder / "history.csv").write_bytes((files / "history.csv").read_bytes())
    (grid.folder / "p.csv.gz").write_text("old")

    def found() -> set[str]:
        return {file.name for file in grid.folder.glob("*.csv*")} | {
            file.name for file in grid.folder.glob(".*.csv*")
        }

    arguments = "--from", "2024-01-08", "--to", "2024-01-21", "--stride-hours", "1"
    started = grid.start(
        "evaluate", "--history", "history.csv", *arguments, "--predictions", "p.csv.gz"
    )
    wait_until(lambda: found() > before or started.process.poll() is not None, 120)
    assert started.ends(number) == 130, started.output()
    assert "Interrupted. Unfinished files were removed" in started.output()
    assert found() == before
    assert (grid.folder / "p.csv.gz").read_text() == "old"


def test_the_bundled_model_forecasts_intensity_without_the_mix(
    grid: GridCommand, files: Path
) -> None:
    rows = [line.split(",")[:2] for line in (files / "history.csv").read_text().split()]
    (grid.folder / "history.csv").write_text("\n".join(map(",".join, rows)))
    days = "--from", "2024-01-10", "--to", "2024-01-10", "--stride-hours", "12"
    grid.run("evaluate", "--history", "history.csv", *days, "--predictions", "p.csv")
    written = rows_of(grid.folder / "p.csv")
    assert {row["series"] for row in written} == {INTENSITY}
    models = {row["model"] for row in written}
    assert len(models) == 4
    assert {"blend", "gradient_boosting", "seasonal_naive"} < models
    for row in written:
        assert 0 <= float(row["p10"]) <= float(row["p50"]) <= float(row["p90"]) < 1000

"""Models beside NESO's own forecasts: what ships, when each is issued, and what is counted."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench import against_neso
from bench.against_neso import Comparison, Once, compare
from bench.neso_vintages import (
    SHIPPED,
    Forecast,
    OfThisIssue,
    ask,
    read_vintages,
    write_files,
)
from grid_assets.forecasting.history_files import NESO_SERIES, read_outlook
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.models.neso import NesoForecast
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.forecasting.training_record import SET_ASIDE
from grid_assets.halfhours import HALF_HOUR, Window, api_time
from grid_assets.series import INTENSITY, LEAD_BUCKETS

START = datetime(2023, 11, 6, 12, tzinfo=UTC)  # not what is set aside; the outlook reaches it
MINUTE = timedelta(minutes=1)


def published(at: datetime) -> float:
    return float(read_recorded(at, at + HALF_HOUR)[0, 0])


def made() -> list[Forecast]:
    """A whole forecast, captured a minute after 12:00, a single half-hour that was forecast an hour
    later, and four days on six half-hours of another forecast. They err by 10, 70 and 30 g."""
    whole = [(START + MINUTE, START + step * HALF_HOUR, 10) for step in range(96)]
    later = [(START + 2 * HALF_HOUR, START + 20 * HALF_HOUR, 70)]
    again = [
        (START + timedelta(days=4), START + timedelta(days=4) + step * HALF_HOUR, 30)
        for step in range(0, 96, 16)
    ]
    return [
        Forecast(at, start, published(start) + away) for at, start, away in whole + later + again
    ]


def write_vintages(file: Path) -> Path:
    with file.open("w", newline="") as text:
        lines = csv.writer(text)
        lines.writerow(["issued_at_utc", "period_start_utc", "forecast"])
        for each in made():
            lines.writerow([api_time(each.issued_at), api_time(each.period_start), each.value])
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def compared(folder: Path) -> Comparison:
    return compare(made(), ["seasonal_naive", "persistence"], folder)


def test_the_forecasts_that_ship_are_whole() -> None:
    nine, twelve = (read_vintages([file]) for file in SHIPPED)
    assert (len(nine), len(twelve)) == (864, 1019)
    assert list(Counter(each.issued_at for each in nine).values()) == [96] * 9
    assert len({each.period_start for each in twelve}) == 12
    assert len({(each.our_issue, each.period_start) for each in nine + twelve}) == 864 + 1019
    for each in nine + twelve:
        assert each.period_start in SET_ASIDE
        assert 0 <= (each.period_start - each.our_issue) // HALF_HOUR < 96


def test_ours_is_never_issued_later_than_nesos() -> None:
    forecasts = read_vintages() + made()
    for each in forecasts:
        assert each.our_issue <= each.issued_at < each.our_issue + HALF_HOUR
    assert {each.issued_at - each.our_issue for each in forecasts} == {timedelta(0), MINUTE}


def test_the_newest_actual_is_one_half_hour_late(compared: Comparison) -> None:
    for question in compared.questions:
        end = question.problem.start + CONTEXT * HALF_HOUR
        assert end == question.issued_at - HALF_HOUR
        assert question.problem.context[0, -1] == published(end - HALF_HOUR)


def test_only_half_hours_that_neso_forecast_at_that_issue_count(compared: Comparison) -> None:
    counted = [int((~np.isnan(each.actual)).sum()) for each in compared.questions]
    assert counted == [96, 1, 6]  # at the second, the first forecast is an hour old
    neso, *ours = compared.measure(compared.questions)
    starts = {each.period_start for each in made() if each.issued_at == START + MINUTE}
    assert len(starts) == 96
    for bucket, (first, end) in LEAD_BUCKETS.items():
        steps = [step for step in range(0, 96, 16) if first <= step < end]
        late = 1 if first <= 18 < end else 0
        score = neso.score(INTENSITY, bucket)
        assert score is not None
        assert score.n == end - first + late + len(steps)
        error = 10 * (end - first) + 70 * late + 30 * len(steps)
        assert score.mae == pytest.approx(error / score.n, abs=1e-4)
        assert [each.score(INTENSITY, bucket).n for each in ours] == [score.n] * 2  # type: ignore[union-attr]


def test_errors_of_our_models_are_those_of_the_written_predictions(
    compared: Comparison, folder: Path
) -> None:
    known = {(each.our_issue, each.period_start) for each in made()}
    errors: dict[str, list[float]] = {"neso": [], "seasonal_naive": [], "persistence": []}
    with gzip.open(folder / "predictions.csv.gz", "rt") as text:
        for row in csv.DictReader(text):
            assert row["series"] == INTENSITY
            issued, start = map(
                datetime.fromisoformat, (row["issued_at_utc"], row["period_start_utc"])
            )
            if (issued, start) in known:
                errors[row["model"]].append(abs(float(row["p50"]) - published(start)))
    for each in compared.measure(compared.questions):
        score = each.score(INTENSITY)
        assert score is not None
        assert score.n == len(errors[each.model]) == 103
        assert score.mae == pytest.approx(np.mean(errors[each.model]), abs=1e-3)


def test_intensity_is_labelled_as_it_was_published(tmp_path: Path) -> None:
    """The record that models learn from moves that of January to March 2023 by a half-hour."""
    at = datetime(2023, 2, 20, tzinfo=UTC)
    history, outlook = write_files([Forecast(at, at, 100)], tmp_path)
    [question] = ask([at], history, outlook)
    start = question.problem.start
    expected = read_recorded(start, at - HALF_HOUR)[0]
    np.testing.assert_allclose(question.problem.context[0], expected)
    assert question.actual[0, 0] == published(at)


def test_only_the_forecast_of_an_issue_counts_and_of_two_captures_the_later(
    tmp_path: Path,
) -> None:
    file = tmp_path / "outlook.csv"
    issued = [(START, 100), (START, 200), (START - 2 * HALF_HOUR, 300)]
    lines = [f"{api_time(at)},{api_time(START)},{NESO_SERIES},{value}" for at, value in issued]
    file.write_text("\n".join(["issued_at_utc,period_start_utc,series,value", *lines]))
    known = OfThisIssue(read_outlook(file).series)
    assert known.neso_at(START, START, 2).tolist()[0] == 200
    assert [(at, values[0]) for at, values in known.neso_lines(START)] == [
        (START - 2 * HALF_HOUR, 300),
        (START, 200),
    ]
    assert np.isnan(known.neso_at(START - HALF_HOUR, START, 2)).all()
    assert known.neso_lines(START - HALF_HOUR) == []  # that of half an hour before does not count


def test_the_report_has_all_spells_and_what_was_left_out_apart(
    compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    bogus = Window(START + 2 * HALF_HOUR, START + 3 * HALF_HOUR)
    monkeypatch.setattr(against_neso, "BOGUS", bogus)
    lines = list(compared.report())
    assert lines[0] == (
        "NESO's forecasts as issued: 2 issues on 2 days in 2 spells, of 102 half-hours on 6 days."
    )
    assert any(line.startswith(f"Left out are 1 issues from {bogus}") for line in lines)
    [row] = [line.split() for line in lines if line.startswith("6-12h   neso")][:1]
    assert row[2:4] == ["13", "11.54"]  # 12 half-hours of the first, one of the last
    by_spell = lines[lines.index("MAE less NESO's by days of issue, all leads, all half-hours") :]
    found = {line[:26].strip(): line[26:].split()[:2] for line in by_spell[1:6]}
    assert found == {
        "issued": ["n", "neso"],
        "all of the table": ["102", "11.18"],
        "2023-11-06 to 2023-11-06": ["96", "10.00"],
        "2023-11-10 to 2023-11-10": ["6", "30.00"],
        "all and what was left out": ["103", "11.75"],
    }
    [reached] = [line for line in by_spell[6:] if line.startswith("all of the table")]
    assert 0 < int(reached.split()[4]) < 102


class Counting:
    """Seasonal naive, and how many problems it was given."""

    name = "counting"

    def __init__(self) -> None:
        self.given = 0

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        self.given += len(problems)
        return SeasonalNaive().predict(problems, steps)


def test_a_model_forecasts_each_issue_once_whatever_is_reported(compared: Comparison) -> None:
    model = Counting()
    again = Comparison([NesoForecast(), Once(model)], compared.questions)
    whole = again.measure(again.questions)
    list(again.report())
    assert model.given == len(again.questions) == 3
    assert again.measure(again.questions) == whole


@pytest.mark.slow
def test_the_command_measures_the_bundled_models_and_keeps_its_files(tmp_path: Path) -> None:
    vintages = write_vintages(tmp_path / "neso.csv")
    options = ["--vintages", str(vintages), "--folder", str(tmp_path / "kept")]
    ran = CliRunner().invoke(against_neso.main, options, catch_exceptions=False)
    assert ran.exit_code == 0
    for model in ("neso", "chronos:", "gradient_boosting", "seasonal_naive"):
        assert f"\n0-3h    {model}" in ran.output
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {
        "history.csv.gz",
        "outlook.csv.gz",
        "predictions.csv.gz",
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2030-01-01T00:00Z,2030-01-01T00:30Z,9", "None of NESO's forecasts can be compared: "),
        ("2023-11-06T12:00Z,2023-11-06T12:10Z,9", "line 2, column period_start_utc: 2023-11-06T12"),
    ],
)
def test_forecasts_that_cannot_be_compared_are_refused_in_one_sentence(
    tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "neso.csv").write_text(f"issued_at_utc,period_start_utc,forecast\n{line}\n")
    options = ["--vintages", str(tmp_path / "neso.csv"), "--model", "persistence"]
    ran = CliRunner().invoke(against_neso.main, options)
    assert ran.exit_code == 1
    assert reason in ran.output

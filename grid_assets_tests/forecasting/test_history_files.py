"""The files of `grid evaluate`: what is read, what counts as missing, and what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grid_assets.forecasting.csv_files import FileRefused
from grid_assets.forecasting.history_files import read_history, read_outlook
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.model_values import accepted_mixes
from grid_assets.halfhours import HALF_HOUR
from grid_assets.mix import MixRefused, complete
from grid_assets.series import FUELS, SERIES
from grid_assets_tests.forecasting.made_files import HALF_HOURS, START, write_history

AT = datetime(2024, 1, 1, tzinfo=UTC)
HEADER = "period_start_utc,carbon_intensity"
OUTLOOK_HEADER = "issued_at_utc,period_start_utc,series,value"
MIX = ",".join(FUELS)


def history(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "history.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def outlook(tmp_path: Path, *lines: str) -> Path:
    return history(tmp_path, OUTLOOK_HEADER, *lines)


def test_values_are_read_by_half_hour_and_what_is_not_there_is_missing(tmp_path: Path) -> None:
    file = history(
        tmp_path,
        "\ufeffwind, carbon_intensity ,period_start_utc",
        "12.5,100,2024-01-01T00:00Z",
        ",101.25,2024-01-01T00:30:00+00:00",
        "",
        "13,,2024-01-01 03:00:00+01:00",
    )
    values = read_history(file).read(AT, AT + 5 * HALF_HOUR)
    assert values.shape == (len(SERIES), 5)
    np.testing.assert_array_equal(values[0], [100, 101.25, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(values[SERIES.index("wind")], [12.5, np.nan, np.nan, np.nan, 13])
    assert np.isnan(values[1:-1]).all()


def test_a_file_is_unzipped_whatever_it_is_called(tmp_path: Path) -> None:
    plain = write_history(tmp_path / "plain.csv")
    zipped = tmp_path / "zipped"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    end = START + HALF_HOURS * HALF_HOUR
    read = [read_history(file).read(START, end) for file in (plain, zipped)]
    np.testing.assert_array_equal(read[0], read[1])
    assert not np.isnan(read[0]).any()


def test_a_line_that_is_repeated_counts_once(tmp_path: Path) -> None:
    line = "2024-01-01T00:00Z,100"
    read = read_history(history(tmp_path, HEADER, line, line))
    assert read.periods.size == 1


def test_what_the_product_would_not_use_counts_as_missing_and_is_told(tmp_path: Path) -> None:
    file = history(
        tmp_path,
        f"{HEADER},{MIX}",
        "2024-01-01T00:00Z,0,0,0,0,60,0,0,0,0,39.9",
        "2024-01-01T00:30Z,100,0,0,0,60,0,0,0,0,60",
        "2024-01-01T01:00Z,100,0,0,0,60,0,0,0,0,10",
        "2024-01-01T01:30Z,100,,,,,,,,,",
    )
    read = read_history(file)
    values = read.read(AT, AT + 4 * HALF_HOUR)
    assert np.isnan(values[0]).tolist() == [True, False, False, False]
    assert np.isnan(values[1:]).all(axis=0).tolist() == [False, True, True, True]
    assert values[SERIES.index("wind"), 0] == pytest.approx(39.9)  # as given
    assert len(read.notes) == 2
    assert "1 values of carbon_intensity" in read.notes[0]
    assert "2 mixes" in read.notes[1]
    assert "the first at 2024-01-01T00:30Z" in read.notes[1]


def test_a_mix_is_accepted_as_the_product_accepts_it() -> None:
    random = np.random.default_rng(3)
    shares = (
        random.dirichlet(np.full(9, 0.4), 3000)
        * random.choice([60, 80, 99, 100, 104], 3000)[:, None]
    )
    shares = np.round(shares, 1)
    shares[random.random(shares.shape) < 0.1] = np.nan
    shares = shares[~np.isnan(shares).all(axis=1)]

    def accepts(row: list[float]) -> bool:
        given = {
            fuel: Decimal(str(share))
            for fuel, share in zip(FUELS, row, strict=True)
            if share == share
        }
        try:
            complete(given)
        except MixRefused:
            return False
        return True

    expected = [accepts(row) for row in shares.tolist()]
    assert accepted_mixes(shares.astype(np.float32), all_columns=True).tolist() == expected
    assert 300 < sum(expected) < 2700


def test_fuels_that_a_file_lacks_do_not_make_its_mixes_incomplete(tmp_path: Path) -> None:
    file = history(
        tmp_path,
        f"{HEADER},wind,gas",
        "2024-01-01T00:00Z,100,20,30",
        "2024-01-01T00:30Z,100,70,50",
    )
    values = read_history(file).read(AT, AT + 2 * HALF_HOUR)
    assert values[SERIES.index("wind")].tolist()[0] == 20
    assert np.isnan(values[SERIES.index("wind"), 1])  # 120 % is too much, whatever is missing


def test_an_outlook_gives_the_newest_value_known_at_a_time(tmp_path: Path) -> None:
    file = outlook(
        tmp_path,
        "2024-01-01T05:00Z,2024-01-01T06:00Z,wind_mw,3",
        "2023-12-31T09:00Z,2024-01-01T06:00Z,wind_mw,1",
        "2024-01-01T04:59:58.5Z,2024-01-01T06:00Z,wind_mw,2",
        "2024-01-01T06:00Z,2024-01-01T06:00Z,wind_mw,4",
        "2024-01-01T08:00Z,2024-01-01T06:00Z,wind_mw,5",
        "2024-01-01T03:00Z,2024-01-01T06:30Z,wind_mw,",
    )
    wind = read_outlook(file).series["wind_mw"]
    begins = datetime(2024, 1, 1, 6, tzinfo=UTC)

    def known(at: datetime) -> float:
        value, nothing = wind.known_at(at, begins, 2)
        assert np.isnan(nothing)
        return float(value)

    assert np.isnan(known(datetime(2023, 12, 31, 8, 59, tzinfo=UTC)))
    assert known(datetime(2023, 12, 31, 9, tzinfo=UTC)) == 1
    assert known(datetime(2024, 1, 1, 4, 59, 58, tzinfo=UTC)) == 1
    assert known(datetime(2024, 1, 1, 4, 59, 59, tzinfo=UTC)) == 2
    assert known(datetime(2024, 1, 1, 5, tzinfo=UTC)) == 3
    assert known(begins) == 4  # it begins now, and what is published now is known
    assert known(begins + HALF_HOUR) == 4  # later, only what was known when it began
    assert known(begins + timedelta(days=1)) == 4


def test_the_later_line_of_one_publication_counts(tmp_path: Path) -> None:
    line = "2024-01-01T00:00Z,2024-01-01T06:00Z,wind_mw,"
    read = read_outlook(outlook(tmp_path, f"{line}2", f"{line}1"))
    assert read.series["wind_mw"].known_at(AT, AT + 12 * HALF_HOUR, 1).tolist() == [1]


def test_each_forecast_of_neso_is_a_line_of_its_own(tmp_path: Path) -> None:
    """Those of the day before, the newest last; what they say of half-hours that have begun, or of
    those after the next 96, is not in them."""
    at = datetime(2024, 1, 1, 12, tzinfo=UTC)
    file = outlook(
        tmp_path,
        *(
            f"{issued},{begins},neso_carbon_intensity,{value}"
            for issued, begins, value in (
                ("2024-01-01T12:00Z", "2024-01-01T12:30Z", 5),
                ("2024-01-01T12:00:01Z", "2024-01-01T12:30Z", 9),  # not known yet
                ("2023-12-31T12:00Z", "2024-01-01T12:00Z", 9),  # a day old
                ("2023-12-31T12:00:01Z", "2024-01-03T11:30Z", 1),
                ("2024-01-01T11:59:59Z", "2024-01-01T12:00Z", 3),
                ("2024-01-01T11:59:59Z", "2024-01-01T12:00Z", 4),  # said twice
                ("2024-01-01T11:59:59Z", "2024-01-01T11:30Z", 9),
                ("2024-01-01T11:30Z", "2024-01-03T12:00Z", 9),
            )
        ),
    )
    lines = read_outlook(file).neso_lines(at)
    assert [published for published, _ in lines] == [
        at - timedelta(hours=24) + timedelta(seconds=1),
        at - timedelta(seconds=1),
        at,
    ]
    expected = np.full((3, HORIZON), np.nan, np.float32)
    expected[0, -1], expected[1, 0], expected[2, 1] = 1, 4, 5
    np.testing.assert_array_equal([values for _, values in lines], expected)


def test_without_forecasts_of_neso_there_are_no_lines(tmp_path: Path) -> None:
    wind = "2024-01-01T00:00Z,2024-01-01T06:00Z,wind_mw,1"
    assert read_outlook(outlook(tmp_path, wind)).neso_lines(AT) == []
    neso = "2024-01-01T00:00Z,2024-01-01T06:00Z,neso_carbon_intensity,1"
    assert read_outlook(outlook(tmp_path, neso)).neso_lines(AT + timedelta(days=3)) == []


def test_what_was_published_too_late_is_counted(tmp_path: Path) -> None:
    file = outlook(
        tmp_path,
        "2024-01-01T06:01Z,2024-01-01T06:00Z,wind_mw,1",
        "2024-01-01T05:00Z,2024-01-01T06:00Z,wind_mw,1",
    )
    [note] = read_outlook(file).notes
    assert note.startswith("1 values of ")
    assert (
        read_outlook(outlook(tmp_path, "2024-01-01T00:00Z,2024-01-01T06:00Z,wind_mw,1")).notes == ()
    )


GOOD = "2024-01-01T00:00Z,100"

BAD_HISTORIES = {
    "nothing at all": ([], "is empty"),
    "no header": ([GOOD], "line 1: '2024-01-01T00:00Z' is not a column of this file"),
    "another header": (["<html>"], "line 1: '<html>' is not a column of this file"),
    "no intensity": (["period_start_utc,wind", GOOD], "line 1: column carbon_intensity is missing"),
    "an unknown series": ([f"{HEADER},tidal", f"{GOOD},1"], "line 1: 'tidal' is not a column"),
    "a column twice": ([f"{HEADER},wind,wind", f"{GOOD},1,1"], "line 1: column wind appears twice"),
    "no half-hour": ([HEADER], "has no half-hour below its header"),
    "a short line": ([HEADER, GOOD, "2024-01-01T00:30Z"], "line 3: 1 fields, but the header has 2"),
    "a word": ([HEADER, "2024-01-01T00:00Z,low"], "line 2, column carbon_intensity: 'low' is not"),
    "NaN": ([HEADER, "2024-01-01T00:00Z,nan"], "column carbon_intensity: 'nan' is not a number"),
    "infinity": ([HEADER, "2024-01-01T00:00Z,-inf"], "'-inf' is not a number. Correct it"),
    "an underscore": ([HEADER, "2024-01-01T00:00Z,1_0"], "'1_0' is not a number"),
    "negative": ([HEADER, "2024-01-01T00:00Z,-1"], "line 2, column carbon_intensity: -1 is out"),
    "absurd": ([HEADER, "2024-01-01T00:00Z,13579"], "13579 is outside 0 to 1,000"),
    "an absurd share": ([f"{HEADER},wind", f"{GOOD},101"], "column wind: 101 is outside 0 to 100"),
    "no zone": ([HEADER, "2024-01-01T00:00,1"], "column period_start_utc: '2024-01-01T00:00' is"),
    "no time": ([HEADER, ",1"], "column period_start_utc: '' is not a time with its zone"),
    "no such day": ([HEADER, "2024-02-30T00:00Z,1"], "'2024-02-30T00:00Z' is not a time"),
    "another century": ([HEADER, "1924-01-01T00:00Z,1"], "is not between 2000 and 2100"),
    "not on a half-hour": ([HEADER, "2024-01-01T00:05Z,1"], "2024-01-01T00:05Z is not on a half"),
    "unsorted": (
        [HEADER, "2024-01-01T00:30Z,100", GOOD],
        "line 3, column period_start_utc: 2024-01-01T00:00Z comes after 2024-01-01T00:30Z. Sort",
    ),
    "twice": (
        [HEADER, GOOD, "2024-01-01T00:00Z,101"],
        "line 3, column carbon_intensity: 2024-01-01T00:00Z appears twice, with different values",
    ),
    "an open quotation mark": ([HEADER, '2024-01-01T00:00Z,"1'], "this is not CSV"),
}  # fmt: skip

BAD_OUTLOOKS = {
    "no value": (["2024-01-01T00:00Z,2024-01-01T00:00Z,wind_mw,"], "has no value below its header"),
    "an unknown series": (
        ["2024-01-01T00:00Z,2024-01-01T00:00Z,tide_mw,1"],
        "line 2, column series: 'tide_mw' is not a series of this file. Use one of demand_mw",
    ),
    "a fuel": (["2024-01-01T00:00Z,2024-01-01T00:00Z,wind,1"], "'wind' is not a series"),
    "negative": (
        ["2024-01-01T00:00Z,2024-01-01T00:00Z,wind_mw,-5"],
        "line 2, column value: -5 is outside 0 to 100,000",
    ),
    "no zone": (
        ["2024-01-01T00:00,2024-01-01T00:00Z,wind_mw,5"],
        "line 2, column issued_at_utc: '2024-01-01T00:00' is not a time with its zone",
    ),
    "not on a half-hour": (
        ["2024-01-01T00:01Z,2024-01-01T00:01Z,wind_mw,5"],
        "line 2, column period_start_utc: 2024-01-01T00:01Z is not on a half-hour",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_HISTORIES)
def test_a_bad_history_is_refused_with_its_place_and_the_cure(tmp_path: Path, kind: str) -> None:
    lines, said = BAD_HISTORIES[kind]
    with pytest.raises(FileRefused) as refused:
        read_history(history(tmp_path, *lines))
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "history.csv"))


@pytest.mark.parametrize("kind", BAD_OUTLOOKS)
def test_a_bad_outlook_is_refused_with_its_place_and_the_cure(tmp_path: Path, kind: str) -> None:
    lines, said = BAD_OUTLOOKS[kind]
    with pytest.raises(FileRefused) as refused:
        read_outlook(outlook(tmp_path, *lines))
    assert said in str(refused.value)


def test_a_file_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(write_history(tmp_path / "whole.csv").read_bytes())
    file = tmp_path / "bad"
    for content, said in (
        (whole[: len(whole) // 2], "is cut off or damaged after line"),
        (whole[:3], "is cut off or damaged after line 0"),
        (whole[:100] + b"\0\0\0" + whole[103:], "is cut off or damaged after line"),
        (b"PAR1\x15\x04\xff\xfe", "is not CSV: after line 0 comes something that is not text"),
    ):
        file.write_bytes(content)
        with pytest.raises(FileRefused, match=said):
            read_history(file)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path):
        with pytest.raises(FileRefused, match=f"{file} cannot be read: .*Name a CSV file"):
            read_history(file)

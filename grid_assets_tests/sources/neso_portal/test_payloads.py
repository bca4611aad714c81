"""Parsing of recorded tables, and of every kind of record that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.neso_portal.collecting import Parsed
from grid_assets.sources.neso_portal.labels import london_instants, settlement_start
from grid_assets.sources.neso_portal.payloads import (
    EmbeddedOutturn,
    parse_day_ahead_wind,
    parse_demand_2_14_days,
    parse_embedded,
    parse_embedded_outturn,
)
from grid_assets.sources.neso_portal.tables import Table, table_of_csv
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import TWICE
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import at, csv_of, recorded, starts, table

NOW = at("2026-08-16T18:25")
NIGHT = "2026-08-16T20:00"


def reasons(parsed: Parsed[Any]) -> list[str]:
    return [reject.reason for reject in parsed.rejected]


def outturn_of(rows: Table, _: datetime) -> Parsed[EmbeddedOutturn]:
    return parse_embedded_outturn(rows)


Parse = Callable[[Table, datetime], Parsed[Any]]
Make = Callable[..., dict[str, Any]]

DATASETS: list[Any] = [
    pytest.param(parse_embedded, bodies.embedded, "EMBEDDED_WIND_FORECAST", id="embedded"),
    pytest.param(parse_day_ahead_wind, bodies.wind, "Incentive_forecast", id="wind"),
    pytest.param(parse_demand_2_14_days, bodies.demand, "NATIONALDEMAND", id="demand"),
    pytest.param(outturn_of, bodies.outturn, "EMBEDDED_WIND_GENERATION", id="outturn"),
]
every_dataset = pytest.mark.parametrize(("parse", "make", "value"), DATASETS)


PARSE_OF: dict[Any, Parse] = {
    bodies.embedded: parse_embedded,
    bodies.wind: parse_day_ahead_wind,
    bodies.demand: parse_demand_2_14_days,
    bodies.outturn: outturn_of,
}


def half_hours(parsed: Parsed[Any]) -> list[datetime]:
    """The half-hours of the first series, or of the rows."""
    if not parsed.rows or isinstance(parsed.rows[0], EmbeddedOutturn):
        return [row.period_start for row in parsed.rows]
    return list(parsed.rows[0].values)


# Recorded


def test_a_recorded_embedded_forecast_gives_two_publications_by_true_start() -> None:
    parsed = parse_embedded(recorded("embedded_2026-08-16T1825.csv"), NOW)
    assert parsed.rejected == []
    wind, solar = parsed.rows
    assert (wind.source, wind.series, wind.published_at) == (
        "neso_embedded",
        "embedded_wind_mw",
        NOW,
    )
    assert solar.series == "embedded_solar_mw"
    # The first row says 18:30, the end of settlement period 39.
    assert next(iter(wind.values)) == at("2026-08-16T18:00")
    assert list(wind.values.values())[:3] == [468, 445, 434]
    assert list(solar.values.values())[:3] == [1323, 562, 204]
    assert list(wind.values) == starts("2026-08-16T18:00", 20)


def test_the_datastore_and_the_csv_are_read_alike() -> None:
    parsed = parse_embedded(recorded("datastore_search_embedded_limit3_2024-01-26.json"), NOW)
    assert [dict(row.values) for row in parsed.rows] == [
        dict(zip(starts("2024-01-26T11:30", 3), values, strict=True))
        for values in ([3984, 3908, 3832], [4678, 4693, 4606])
    ]


def test_a_recorded_day_ahead_wind_forecast_is_labelled_by_its_start() -> None:
    parsed = parse_day_ahead_wind(recorded("day_ahead_wind_current_2026-10-08.csv"), NOW)
    [row] = parsed.rows
    assert (row.source, row.series, row.published_at) == ("neso_day_ahead_wind", "wind_mw", NOW)
    assert list(row.values) == starts("2026-10-08T23:00", 48)  # the London day
    assert row.values[at("2026-10-08T23:00")] == 16757


def test_a_recorded_demand_forecast_is_labelled_by_its_start() -> None:
    parsed = parse_demand_2_14_days(recorded("demand_2_14_days_2026-10-08.csv"), NOW)
    [row] = parsed.rows
    assert (row.source, row.series) == ("neso_demand_2_14_days", "demand_mw")
    assert list(row.values) == starts("2026-10-09T23:00", 48)  # GDATETIME says 23:30, the end
    assert row.values[at("2026-10-09T23:00")] == 20660
    assert parsed.rejected == []


def test_of_the_recorded_demand_update_only_what_has_happened_counts() -> None:
    """Rows of the future, and the first ones after the last good one, are not values."""
    parsed = parse_embedded_outturn(recorded("daily_demand_update_2026-10-08.csv"))
    assert [row.period_start for row in parsed.rows] == [
        *starts("2026-08-31T23:00", 2),
        *starts("2026-10-08T05:30", 2),
    ]
    assert parsed.rows[-1] == EmbeddedOutturn(at("2026-10-08T06:00"), 1535, 0, 5906, 23963)
    assert (parsed.rejected, parsed.skipped) == ([], 6)


# Columns


@every_dataset
def test_a_missing_column_is_named(parse: Parse, make: Make, value: str) -> None:
    records = [make(start) for start in starts(NIGHT, 3)]
    for record in records:
        del record[value]
    parsed = parse(table(*records), NOW)
    assert parsed.rows == []
    [reason] = reasons(parsed)
    assert reason.startswith(f"body: the column {value} is missing; there are ")


def test_an_answer_without_the_columns_of_the_recorded_file_says_which() -> None:
    [reason] = reasons(parse_embedded_outturn(recorded("historic_demand_2023.json")))
    assert "EMBEDDED_WIND_GENERATION is missing" in reason


@every_dataset
def test_capacities_and_marks_may_be_missing(parse: Parse, make: Make, value: str) -> None:
    optional = {"EMBEDDED_WIND_CAPACITY", "EMBEDDED_SOLAR_CAPACITY", "Capacity"}
    optional |= {"FORECAST_ACTUAL_INDICATOR", "TSD"}
    records = [
        {name: cell for name, cell in make(start).items() if name not in optional}
        for start in starts(NIGHT, 3)
    ]
    parsed = parse(table(*records), NOW)
    assert (half_hours(parsed), parsed.rejected) == (starts(NIGHT, 3), [])


@every_dataset
def test_names_of_columns_may_change_their_case(parse: Parse, make: Make, value: str) -> None:
    records = [make(start) for start in starts(NIGHT, 3)]
    renamed = [{f" {name.swapcase()}": cell for name, cell in row.items()} for row in records]
    assert parse(table(*renamed), NOW) == parse(table(*records), NOW)
    assert half_hours(parse(table(*renamed), NOW)) == starts(NIGHT, 3)


def test_a_column_that_appears_twice_is_refused() -> None:
    record = bodies.embedded(at(NIGHT)) | {"Date_GMT": "2026-08-16"}
    [reason] = reasons(parse_embedded(table(record), NOW))
    assert reason == "body: the column 'Date_GMT' appears twice"


# Cells


@every_dataset
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_csv_and_json_give_the_same_whatever_ends_the_lines(
    parse: Parse, make: Make, value: str, line_end: str
) -> None:
    records = [make(start) for start in starts(NIGHT, 3)]
    assert parse(table_of_csv(csv_of(records, line_end).decode()), NOW) == parse(
        table(*records), NOW
    )


@every_dataset
@pytest.mark.parametrize("empty", [None, "", "NA", " "])
def test_an_empty_cell_is_no_value(parse: Parse, make: Make, value: str, empty: object) -> None:
    first, second = starts(NIGHT, 2)
    parsed = parse(table(make(first, **{value: empty}), make(second)), NOW)
    assert parsed.rejected == []
    assert half_hours(parsed) == [first, second]
    row = parsed.rows[0]
    shown = row.values[first] if isinstance(row, Publication) else row.embedded_wind_mw
    assert shown is None


BAD_MW: list[object] = [-1, 1e9, "12 MW", "1,234", "Om", True, [], {}, "nan", float("nan")]


@every_dataset
@pytest.mark.parametrize("bad", BAD_MW, ids=str)
def test_a_value_that_cannot_be_is_rejected_alone(
    parse: Parse, make: Make, value: str, bad: object
) -> None:
    first, second = starts(NIGHT, 2)
    parsed = parse(table(make(first, **{value: bad}), make(second)), NOW)
    assert half_hours(parsed) == [second]
    [reject] = parsed.rejected
    assert reject.reason.startswith(f"{value}: ")
    assert json.loads(reject.payload)[value] == bad or bad != bad


@pytest.mark.parametrize(
    ("column", "most"), [("EMBEDDED_WIND_FORECAST", 30_000), ("EMBEDDED_SOLAR_FORECAST", 60_000)]
)
def test_embedded_plants_have_a_limit(column: str, most: int) -> None:
    rows = [
        bodies.embedded(start, **{column: most + extra})
        for extra, start in enumerate(starts(NIGHT, 2))
    ]
    parsed = parse_embedded(table(*rows), NOW)
    assert half_hours(parsed) == starts(NIGHT, 1)
    assert reasons(parsed) == [f"{column}: {most + 1} is not from 0 to {most:,}"]


def test_no_demand_at_all_is_not_a_demand() -> None:
    parsed = parse_demand_2_14_days(table(bodies.demand(at(NIGHT), 0)), NOW)
    assert parsed.rows == []
    assert reasons(parsed) == ["NATIONALDEMAND: 0 MW is not a demand of Great Britain"]


def test_a_row_with_too_few_cells_is_rejected_alone() -> None:
    """The last line of a file that was cut off."""
    text = csv_of([bodies.embedded(start) for start in starts(NIGHT, 3)]).decode()
    parsed = parse_embedded(table_of_csv(text[: text.rindex("2000") + 2]), NOW)
    assert half_hours(parsed) == starts(NIGHT, 2)
    assert reasons(parsed) == ["record: it is not a row with a value for each column"]


# Times


@pytest.mark.parametrize(
    ("day", "count"), [("2024-03-31", 46), ("2024-10-27", 50), ("2024-10-28", 48)]
)
@every_dataset
def test_days_of_46_48_and_50_half_hours_are_whole(
    parse: Parse, make: Make, value: str, day: str, count: int
) -> None:
    first = settlement_start(date.fromisoformat(day), 1)
    times = [first + step * HALF_HOUR for step in range(count)]
    parsed = parse(table(*map(make, times)), NOW)
    assert (half_hours(parsed), parsed.rejected) == (times, [])


@pytest.mark.parametrize("period", [0, 47, 51, 1.5, None, "x", -3])
@pytest.mark.parametrize("make", [bodies.embedded, bodies.outturn, bodies.wind])
def test_a_settlement_period_that_the_day_does_not_have_is_rejected(
    make: Make, period: object
) -> None:
    record = make(at("2024-03-31T10:00"))
    name = next(name for name in record if name.upper() == "SETTLEMENT_PERIOD")
    parsed = PARSE_OF[make](table(record | {name: period}), NOW)
    assert parsed.rows == []
    assert reasons(parsed)[0].casefold().startswith("settlement")


CONTRADICTIONS: list[Any] = [
    (bodies.embedded, {"TIME_GMT": "20:00"}),
    (bodies.embedded, {"TIME_GMT": "21:30"}),  # London's clocks
    (bodies.embedded, {"DATE_GMT": "2026-08-17T00:00:00"}),
    (bodies.embedded, {"DATE_GMT": "2026-08-16T20:00:00"}),
    (bodies.embedded, {"SETTLEMENT_DATE": "2026-08-16T21:30:00"}),
    (bodies.embedded, {"SETTLEMENT_PERIOD": 44}),
    (bodies.wind, {"Datetime_GMT": "2026-08-16T20:30:00"}),
    (bodies.wind, {"Datetime_GMT": "2026-08-16T20:00:30"}),
    (bodies.wind, {"Settlement_period": 44}),
    (bodies.demand, {"GDATETIME": "2026-08-16T20:00:00"}),
    (bodies.demand, {"CTIME": 2030}),
    (bodies.demand, {"CTIME": 2075}),
    (bodies.demand, {"DATE": "2026-08-17"}),
]


@pytest.mark.parametrize(("make", "other"), CONTRADICTIONS)
def test_a_row_whose_times_contradict_each_other_is_rejected_alone(
    make: Make, other: dict[str, Any]
) -> None:
    bad, good = starts(NIGHT, 2)
    parsed = PARSE_OF[make](table(make(bad, **other), make(good)), NOW)
    assert half_hours(parsed) == [good]
    assert len(parsed.rejected) == 1


@pytest.mark.parametrize(
    "text",
    ["", "01/02/2026", "2026-13-01", "1026-08-16T00:00:00", "2026-08-16T00:00:00+01:00", 20260816],
)
def test_a_date_that_can_be_read_in_two_ways_or_none_is_rejected(text: object) -> None:
    record = bodies.embedded(at(NIGHT), SETTLEMENT_DATE=text)
    [reason] = reasons(parse_embedded(table(record), NOW))
    assert reason.startswith("SETTLEMENT_DATE: ")


@pytest.mark.parametrize("form", ["2026-08-16", "16-Aug-26", "16-AUG-2026", "2026-08-16T00:00:00Z"])
def test_dates_have_a_form_for_each_year(form: str) -> None:
    parsed = parse_embedded_outturn(table(bodies.outturn(at(NIGHT), SETTLEMENT_DATE=form)))
    assert half_hours(parsed) == [at(NIGHT)]


@pytest.mark.parametrize("end", ["", "Z", ".000Z"])
def test_a_false_z_behind_a_time_changes_nothing(end: str) -> None:
    plain = bodies.wind(at(NIGHT))
    parsed = parse_day_ahead_wind(table(plain | {"Datetime_GMT": plain["Datetime_GMT"] + end}), NOW)
    assert half_hours(parsed) == [at(NIGHT)]


def test_dates_that_carry_times_as_on_2026_06_12_are_read() -> None:
    slip = {"DATE_GMT": "2026-08-16T20:30:00", "SETTLEMENT_DATE": "2026-08-16T21:00:00"}
    parsed = parse_embedded(table(bodies.embedded(at(NIGHT), **slip)), NOW)
    assert half_hours(parsed) == [at(NIGHT)]


@every_dataset
def test_a_half_hour_that_appears_twice_counts_once_if_the_values_agree(
    parse: Parse, make: Make, value: str
) -> None:
    first, second = starts(NIGHT, 2)
    same, other = make(first), make(second, **{value: 777})
    parsed = parse(table(same, same, make(second), other), NOW)
    assert half_hours(parsed) == [first]
    [reject] = parsed.rejected
    assert reject.reason == TWICE
    assert [row[value] for row in json.loads(reject.payload)] == [make(second)[value], 777]


def test_a_mark_that_is_neither_a_nor_f_is_rejected() -> None:
    rows = [
        bodies.outturn(start, FORECAST_ACTUAL_INDICATOR=mark)
        for start, mark in zip(starts(NIGHT, 3), ("A", "F", "X"), strict=True)
    ]
    parsed = parse_embedded_outturn(table(*rows))
    assert half_hours(parsed) == starts(NIGHT, 1)
    assert reasons(parsed) == ["FORECAST_ACTUAL_INDICATOR: 'X' is neither A nor F"]


# Units


def day_of(make: Make, factor: float, columns: Mapping[str, float]) -> Table:
    """48 half-hours whose values, which are given in MW, are multiplied."""
    rows = []
    for step, start in enumerate(starts(NIGHT, 48)):
        values = {name: base * (1 + step / 100) * factor for name, base in columns.items()}
        rows.append(make(start, **values))
    return table(*rows)


UNITS: list[Any] = [
    pytest.param(
        parse_embedded,
        bodies.embedded,
        {"EMBEDDED_WIND_FORECAST": 3000, "EMBEDDED_SOLAR_FORECAST": 9000},
        id="embedded",
    ),
    pytest.param(parse_day_ahead_wind, bodies.wind, {"Incentive_forecast": 9000}, id="wind"),
    pytest.param(parse_demand_2_14_days, bodies.demand, {"NATIONALDEMAND": 30000}, id="demand"),
    pytest.param(outturn_of, bodies.outturn, {"EMBEDDED_SOLAR_GENERATION": 9000}, id="outturn"),
]


@pytest.mark.parametrize(("parse", "make", "columns"), UNITS)
def test_gigawatts_are_rejected_as_a_whole(
    parse: Parse, make: Make, columns: dict[str, float]
) -> None:
    assert parse(day_of(make, 1, columns), NOW).rejected == []
    parsed = parse(day_of(make, 1 / 1000, columns), NOW)
    assert parsed.rows == []
    assert len(parsed.rejected) in (1, 2)
    for reject in parsed.rejected:
        assert reject.reason.startswith("body: ")
        assert "the unit must have changed" in reject.reason
        assert len(json.loads(reject.payload)["records"]) == 48


def test_gigawatts_of_capacity_and_kilowatts_are_rejected_too() -> None:
    wind, capacity = "EMBEDDED_WIND_FORECAST", "EMBEDDED_WIND_CAPACITY"
    both = parse_embedded(day_of(bodies.embedded, 1 / 1000, {wind: 3000, capacity: 4000}), NOW)
    assert [row.series for row in both.rows] == ["embedded_solar_mw"]
    assert "the capacity of 5.88 MW is too small" in reasons(both)[0]
    dawn = {"EMBEDDED_SOLAR_FORECAST": 38}  # in kW a value that would pass the limit of one row
    kilowatts = parse_embedded(day_of(bodies.embedded, 1000, dawn), NOW)
    assert [row.series for row in kilowatts.rows] == ["embedded_wind_mw"]
    assert reasons(kilowatts)[0].startswith("body: the highest of 48 values is 55860 MW with")


def test_a_night_and_a_calm_day_are_not_another_unit() -> None:
    dark = [bodies.embedded(start, solar=0) for start in starts(NIGHT, 16)]
    assert len(parse_embedded(table(*dark), NOW).rows) == 2
    # The darkest and the calmest 24 hours of ten years had 1.5 and 5 % of the capacity.
    calm = [bodies.embedded(start, 0.05 * 6417, 0.015 * 23301) for start in starts(NIGHT, 48)]
    assert len(parse_embedded(table(*calm), NOW).rows) == 2


def test_a_series_that_ends_keeps_its_last_values_and_its_holes() -> None:
    rows = [bodies.embedded(start, solar=None) for start in starts(NIGHT, 3)]
    wind, solar = parse_embedded(table(*rows), NOW).rows
    assert list(wind.values.values()) == [2000] * 3
    assert list(solar.values.values()) == [None] * 3
    assert parse_embedded(Table(tuple(rows[0]), ()), NOW) == Parsed()


def test_an_answer_that_is_a_web_page_names_the_missing_column() -> None:
    [reason] = reasons(parse_embedded(table_of_csv("<html>\n<p>Down</p>\n"), NOW))
    assert reason == "body: the column DATE_GMT is missing; there are <html>"


@pytest.mark.parametrize(
    ("wall", "instants"),
    [
        ("2024-03-31T01:30", []),  # clocks go from 01:00 to 02:00
        ("2024-10-27T01:30", ["2024-10-27T00:30", "2024-10-27T01:30"]),
        ("2024-07-01T00:00", ["2024-06-30T23:00"]),
    ],
)
def test_londons_clocks_show_a_time_never_once_or_twice(wall: str, instants: list[str]) -> None:
    found = london_instants(datetime.fromisoformat(wall))
    assert list(found) == [at(instant) for instant in instants]


def test_a_settlement_day_begins_at_midnight_in_london() -> None:
    assert settlement_start(date(2026, 7, 1), 1) == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert settlement_start(date(2026, 1, 1), 48) == datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert settlement_start(date(2026, 7, 1), 2) - settlement_start(
        date(2026, 7, 1), 1
    ) == timedelta(minutes=30)

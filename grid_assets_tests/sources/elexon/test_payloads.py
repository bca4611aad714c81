"""Parsing of recorded responses, and of every kind of invalid record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window, days_window, london_midnight, settlement
from grid_assets.sources.elexon import ATTRIBUTION, queries
from grid_assets.sources.elexon.client import read_json
from grid_assets.sources.elexon.payloads import (
    CLOCK_TOLERANCE,
    GenerationRow,
    Parsed,
    parse_demand_forecasts,
    parse_demand_outturn,
    parse_generation,
    parse_wind_forecasts,
)
from grid_assets.sources.elexon.queries import Query
from grid_assets.sources.publication import Publication
from grid_assets.sources.records import TWICE
from grid_assets_tests.sources.elexon.records import (
    NEVER,
    as_received,
    at,
    demand,
    fuel,
    outturn,
    seconds,
    wind,
    window,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "elexon"
MAY = days_window(date(2026, 5, 5), date(2026, 5, 5))
ISSUE = "2026-05-05T05:30:00Z"

Parse = Callable[..., Parsed[Any]]


def recorded(name: str) -> Any:
    """A recorded body, read the way the client reads it."""
    return read_json(name, (FIXTURES / name).read_text(encoding="utf-8"))


def wind_query(published: Window = MAY) -> Query:
    return next(queries.wind_forecasts(published))


def demand_query(published: Window = MAY) -> Query:
    return next(queries.demand_forecasts(published))


def generation_query(wanted: Window = MAY) -> Query:
    return next(queries.generation(wanted))


def outturn_query(wanted: Window = MAY) -> Query:
    return next(queries.demand_outturn(wanted))


def only_reason(parsed: Parsed[Any]) -> str:
    (rejected,) = parsed.rejected
    return rejected.reason


# Recorded bodies


def test_generation_of_a_summer_day_is_read_as_published() -> None:
    document = recorded("fuelhh_2026-08-08.json")
    wanted = Window(london_midnight(date(2026, 8, 8)), london_midnight(date(2026, 8, 9)))
    parsed = parse_generation(document, generation_query(wanted), NEVER)
    assert (parsed.rejected, parsed.skipped) == ([], 0)
    first, last = parsed.rows
    assert first.period_start == at("2026-08-07T23:00Z")
    assert first.published_at == at("2026-08-07T23:30Z")
    assert first.generation_mw == {"BIOMASS": 2552, "CCGT": 8046, "NUCLEAR": 3994, "WIND": 5441}
    assert last.period_start == at("2026-08-08T22:30Z")
    assert all(type(mw) is int for mw in last.generation_mw.values())


def test_a_london_day_of_46_periods_is_read_whole() -> None:
    document = recorded("fuelhh_clock_change_2026-03-29.json")
    wanted = Window(london_midnight(date(2026, 3, 29)), london_midnight(date(2026, 3, 30)))
    assert wanted.half_hours == 46
    parsed = parse_generation(document, generation_query(wanted), NEVER)
    assert (parsed.rejected, parsed.skipped) == ([], 0)
    assert [row.period_start for row in parsed.rows] == [
        at("2026-03-29T00:00Z"),
        at("2026-03-29T22:30Z"),
    ]


def test_half_hours_come_in_time_order_whatever_the_order_of_the_response() -> None:
    document = recorded("fuelhh_wind_2026-03-15.json")
    wanted = days_window(date(2026, 3, 15), date(2026, 3, 15))
    parsed = parse_generation(document, generation_query(wanted), NEVER)
    starts = [row.period_start for row in parsed.rows]
    assert len(starts) == len(document["data"]) == 23
    assert starts == sorted(starts)
    assert starts == [wanted.start + n * HALF_HOUR for n in range(23)]
    assert parsed.rows[-1].generation_mw == {"WIND": 14_997}


def test_demand_is_read_as_published() -> None:
    parsed = parse_demand_outturn(
        recorded("indo_2026-08-19.json"),
        outturn_query(window("2026-08-19T09:30Z", "2026-08-19T10:30Z")),
        NEVER,
    )
    assert [(row.period_start, row.demand_mw) for row in parsed.rows] == [
        (at("2026-08-19T09:30Z"), 23_803),
        (at("2026-08-19T10:00Z"), 23_134),
    ]
    assert (parsed.rejected, parsed.skipped) == ([], 1)  # the last belongs to the next request


def test_two_publications_of_one_response_stay_apart() -> None:
    wanted = days_window(date(2026, 8, 19), date(2026, 8, 19))
    document = recorded("ndf_two_publications_2026-08-19.json")
    parsed = parse_demand_forecasts(document, demand_query(wanted), NEVER)
    assert parsed.rejected == []
    assert parsed.rows == [
        Publication(
            "elexon_ndf",
            "demand_mw",
            at("2026-08-19T10:16Z"),
            30,
            {at("2026-08-19T10:30Z"): 22_939, at("2026-08-19T11:00Z"): 22_700},
        ),
        Publication(
            "elexon_ndf",
            "demand_mw",
            at("2026-08-19T10:49Z"),
            30,
            {
                at("2026-08-19T11:00Z"): 22_700,
                at("2026-08-19T11:30Z"): 22_694,
                at("2026-08-19T23:00Z"): 21_930,
                at("2026-08-19T23:30Z"): 21_464,
            },
        ),
    ]


def test_a_wind_forecast_keeps_its_hours_from_before_its_publication() -> None:
    issue = "2026-05-05T23:30:00Z"
    records = [wind(issue, "2026-05-04T20:00:00Z", 2983), wind(issue, "2026-05-04T21:00:00Z", 3046)]
    assert parse_wind_forecasts(as_received(*records), wind_query(), NEVER).rows == [
        Publication(
            "elexon_windfor",
            "wind_mw",
            at(issue),
            60,
            {at("2026-05-04T20:00Z"): 2983, at("2026-05-04T21:00Z"): 3046},
        )
    ]


def test_no_publication_in_the_window_is_an_ordinary_answer() -> None:
    document = recorded("windfor_empty.json")
    for parse, query in PARSERS:
        assert parse(document, query(), NEVER) == Parsed()


PARSERS: tuple[tuple[Parse, Callable[[], Query]], ...] = (
    (parse_wind_forecasts, wind_query),
    (parse_demand_forecasts, demand_query),
    (parse_generation, generation_query),
    (parse_demand_outturn, outturn_query),
)
GOOD: tuple[tuple[Parse, Callable[[], Query], dict[str, Any]], ...] = (
    (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:00:00Z")),
    (parse_demand_forecasts, demand_query, demand(ISSUE, "2026-05-05T06:00:00Z")),
    (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z")),
    (parse_demand_outturn, outturn_query, outturn("2026-05-05T06:00:00Z")),
)


# Envelopes and times


@pytest.mark.parametrize(("parse", "query", "record"), GOOD)
def test_the_three_envelopes_hold_the_same(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any]
) -> None:
    plain, bare = {"data": [record]}, [record]
    described = {"metadata": {"datasets": ["X"]}, "data": [record]}
    found = [parse(document, query(), NEVER) for document in (plain, bare, described)]
    assert len(found[0].rows) == 1
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    "document", [{}, {"data": None}, {"data": {"a": 1}}, {"data": "none"}, {"errors": []}]
)
def test_an_answer_without_a_list_is_rejected_whole(document: Any) -> None:
    for parse, query in PARSERS:
        parsed = parse(document, query(), NEVER)
        assert only_reason(parsed) == "body: the answer has no list of data"
        assert json.loads(parsed.rejected[0].payload) == document


@pytest.mark.parametrize(("parse", "query", "record"), GOOD)
@pytest.mark.parametrize("form", ["{}", "{}.000", "{}Z", "{}.000Z", "{}+00:00"])
def test_a_time_without_a_zone_is_utc(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any], form: str
) -> None:
    plain = parse(as_received(record), query(), NEVER)
    times = {name: form.format(record[name][:-1]) for name in ("publishTime", "startTime")}
    assert parse(as_received({**record, **times}), query(), NEVER) == plain


@pytest.mark.parametrize(("parse", "query", "record"), GOOD)
def test_a_record_without_the_settlement_date_is_read_by_its_start(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any]
) -> None:
    plain = parse(as_received(record), query(), NEVER)
    without = {**record, "settlementDate": None}
    without.pop("settlementPeriod", None)
    without.pop("dataset")
    assert parse(as_received(without), query(), NEVER) == plain


@pytest.mark.parametrize(
    ("day", "periods"),
    [(date(2026, 1, 5), 48), (date(2026, 3, 29), 46), (date(2026, 10, 25), 50)],
)
def test_settlement_periods_of_every_length_of_day(day: date, periods: int) -> None:
    begins, ends = london_midnight(day), london_midnight(day + DAY)
    starts = [begins + n * HALF_HOUR for n in range((ends - begins) // HALF_HOUR)]
    assert [settlement(start) for start in starts] == [(day, n + 1) for n in range(periods)]
    records = [fuel(seconds(start)) for start in starts]
    parsed = parse_generation(as_received(*records), generation_query(Window(begins, ends)), NEVER)
    assert len(parsed.rows) == periods
    assert parsed.rejected == []


# Overlaps, order and other windows


def test_neighbouring_windows_share_no_publication_and_miss_none() -> None:
    records = [
        wind(f"2026-05-{day}T00:00:00Z", f"2026-05-{day}T06:00:00Z") for day in ("05", "06", "07")
    ]
    days = list(days_window(date(2026, 5, 5), date(2026, 5, 7)).split(DAY))
    published = []
    for piece in days:
        within = [
            record for record in records if piece.start <= at(record["publishTime"]) <= piece.end
        ]
        parsed = parse_wind_forecasts(as_received(*within), wind_query(piece), NEVER)
        assert parsed.rejected == []
        published += [row.published_at for row in parsed.rows]
    assert published == [piece.start for piece in days]


@pytest.mark.parametrize(("parse", "query", "record"), GOOD)
def test_an_answer_for_another_time_is_rejected_whole(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any]
) -> None:
    """The API ignores a parameter that it does not know and answers for now."""
    moved = {
        name: seconds(at(record[name]) + timedelta(days=30))
        for name in ("publishTime", "startTime")
    }
    other = {**record, **moved, "settlementDate": None, "settlementPeriod": None}
    parsed = parse(as_received(other, other), query(), NEVER)
    assert parsed.rows == []
    assert only_reason(parsed).startswith("body: all of its 2 records are outside 2026-05-0")
    assert json.loads(parsed.rejected[0].payload) == [[other, other]]
    # Beside what was asked for, they are only skipped.
    parsed = parse(as_received(other, record), query(), NEVER)
    assert (len(parsed.rows), parsed.rejected, parsed.skipped) == (1, [], 1)


def test_a_response_with_only_the_edge_of_the_next_window_is_no_fault() -> None:
    edge = wind("2026-05-06T00:00:00Z", "2026-05-06T06:00:00Z")
    assert parse_wind_forecasts(as_received(edge), wind_query(), NEVER) == Parsed(skipped=1)


def test_an_older_publication_that_comes_later_is_kept_as_what_it_is() -> None:
    new, old = "2026-05-05T10:30:00Z", "2026-05-05T08:30:00Z"
    hour = "2026-05-05T12:00:00Z"
    records = [wind(new, hour, 2000), wind(old, hour, 1000)]
    parsed = parse_wind_forecasts(as_received(*records), wind_query(), NEVER)
    assert [(row.published_at, row.values) for row in parsed.rows] == [
        (at(old), {at(hour): 1000}),
        (at(new), {at(hour): 2000}),
    ]


def test_a_publication_with_holes_has_holes() -> None:
    hours = ["2026-05-05T06:00:00Z", "2026-05-05T09:00:00Z"]
    records = [wind(ISSUE, hours[0], None), wind(ISSUE, hours[1], 7)]
    [row] = parse_wind_forecasts(as_received(*records), wind_query(), NEVER).rows
    assert row.values == {at(hours[0]): None, at(hours[1]): 7}


@pytest.mark.parametrize(("parse", "query", "record"), GOOD)
def test_the_same_record_twice_is_one_and_two_versions_are_none(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any]
) -> None:
    once = parse(as_received(record), query(), NEVER)
    assert parse(as_received(record, record), query(), NEVER) == once
    name = "demand" if "demand" in record else "generation"
    other = {**record, name: record[name] + 1}
    parsed = parse(as_received(record, other, record), query(), NEVER)
    assert parsed.rows == []
    assert only_reason(parsed) == TWICE
    assert json.loads(parsed.rejected[0].payload) == [record, other]


def test_an_hour_with_two_values_does_not_cost_the_rest_of_its_publication() -> None:
    records = [
        wind(ISSUE, "2026-05-05T06:00:00Z", 1),
        wind(ISSUE, "2026-05-05T06:00:00Z", 2),
        wind(ISSUE, "2026-05-05T07:00:00Z", 3),
    ]
    parsed = parse_wind_forecasts(as_received(*records), wind_query(), NEVER)
    assert only_reason(parsed) == TWICE
    assert [row.values for row in parsed.rows] == [{at("2026-05-05T07:00Z"): 3}]


def test_of_a_half_hour_that_was_published_again_the_last_counts() -> None:
    start, again = "2026-05-05T06:00:00Z", "2026-05-05T11:00:00Z"
    records = [
        fuel("2026-05-05T07:00:00Z", "WIND", 14_000),
        fuel(start, "WIND", 15_000, publishTime=again),
        fuel(start, "WIND", 0),
    ]
    parsed = parse_generation(as_received(*records), generation_query(), NEVER)
    assert [(row.period_start, row.published_at, row.generation_mw) for row in parsed.rows] == [
        (at(start), at(again), {"WIND": 15_000}),
        (at("2026-05-05T07:00Z"), at("2026-05-05T07:30Z"), {"WIND": 14_000}),
    ]
    assert parsed.skipped == 1
    records = [outturn(start, 2000, publishTime=again), outturn(start, 1000)]
    [found] = parse_demand_outturn(as_received(*records), outturn_query(), NEVER).rows
    assert (found.demand_mw, found.published_at) == (2000, at(again))


def test_unknown_fuels_and_nulls_are_kept() -> None:
    start = "2026-05-05T06:00:00Z"
    records = [fuel(start, "INTNEW", -500), fuel(start, "PS", None), fuel(start, "Wave 2", 1)]
    [row] = parse_generation(as_received(*records), generation_query(), NEVER).rows
    assert row.generation_mw == {"INTNEW": -500, "PS": None, "Wave 2": 1}


def test_fuels_of_rejected_records_are_named_so_that_they_are_not_taken_for_0() -> None:
    start, later = "2026-05-05T06:00:00Z", "2026-05-05T06:30:00Z"
    sound = [fuel(start, "WIND", 15_000), fuel(later, "WIND", 15_100)]
    parsed = parse_generation(as_received(*sound), generation_query(), NEVER)
    assert [row.refused for row in parsed.rows] == [None, None]
    bad = [
        fuel(start, "INTFR", 200_000),
        fuel(start, "COAL", 1),
        fuel(start, "COAL", 2),
        {"startTime": start},
        "no record",
    ]
    parsed = parse_generation(as_received(*sound, *bad), generation_query(), NEVER)
    assert [(row.generation_mw, row.refused) for row in parsed.rows] == [
        ({"WIND": 15_000}, {"INTFR", "COAL"}),
        ({"WIND": 15_100}, set()),
    ]


def test_another_boundary_than_the_whole_country_is_skipped() -> None:
    records = [
        demand(ISSUE, "2026-05-05T06:00:00Z"),
        demand(ISSUE, "2026-05-05T06:00:00Z", 1500, boundary="B10"),
    ]
    parsed = parse_demand_forecasts(as_received(*records), demand_query(), NEVER)
    assert [list(row.values.values()) for row in parsed.rows] == [[22_700]]
    assert (parsed.rejected, parsed.skipped) == ([], 1)


# Faults of one record


@pytest.mark.parametrize(("parse", "query", "good"), GOOD)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"publishTime": None}, "publishTime: None is not a UTC time"),
        ({"publishTime": 7}, "publishTime: 7 is not"),
        ({"publishTime": "2026-05-05"}, "publishTime: '2026-05-05' is not a UTC time"),
        ({"publishTime": "2026-13-05T00:00:00Z"}, "publishTime: "),
        ({"startTime": "soon"}, "startTime: 'soon' is not a UTC time"),
        ({"startTime": "2026-05-05T06:05:00Z"}, "startTime: '2026-05-05T06:05:00Z' is not a step"),
        ({"startTime": "2026-05-05T06:00:01Z"}, "is not a step"),
        ({"startTime": "0001-01-01T00:00:00Z"}, ""),
        ({"startTime": "9999-12-31T23:30:00Z"}, ""),
        ({"startTime": "9999-12-31T23:30:00-05:00"}, "not a date of our calendar"),
        ({"settlementDate": "2026-05-04"}, "settlement: '2026-05-04', period"),
        ({"settlementDate": 20260505}, "settlement: 20260505"),
        ({"settlementPeriod": 14}, "period 14, is not 2026-05-05T06:00Z, which is in 2026-05-05"),
        ({"settlementPeriod": "15"}, "period '15'"),
        ({"settlementPeriod": True}, "period True"),
        ({"dataset": "FREQ"}, "dataset: 'FREQ' is not "),
        ({"dataset": None}, "dataset: None is not "),
    ],
)
def test_a_record_with_a_fault_is_rejected_alone(
    parse: Parse,
    query: Callable[[], Query],
    good: dict[str, Any],
    change: dict[str, Any],
    reason: str,
) -> None:
    bad = {**good, **change}
    parsed = parse(as_received(bad, good), query(), NEVER)
    assert len(parsed.rows) == 1
    assert reason in only_reason(parsed)
    assert len(only_reason(parsed)) < 200
    assert json.loads(parsed.rejected[0].payload) == bad
    [row], [alone] = parsed.rows, parse(as_received(good), query(), NEVER).rows
    assert alone == (replace(row, refused=None) if isinstance(row, GenerationRow) else row)


def test_a_settlement_period_of_true_is_not_1() -> None:
    first = fuel(seconds(london_midnight(date(2026, 5, 5))), settlementPeriod=True)
    wanted = window("2026-05-04T23:00Z", "2026-05-04T23:30Z")
    parsed = parse_generation(as_received(first), generation_query(wanted), NEVER)
    assert "period True" in only_reason(parsed)


@pytest.mark.parametrize(("parse", "query", "good"), GOOD)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "True is not a number"),
        ("6644", "'6644' is not a number"),
        ([6644], "[6644] is not a number"),
        (float("nan"), "nan is not a finite number"),
        (float("-inf"), "-inf is not a finite number"),
        (10**40, "is too large or too long for a number"),
        (Decimal("1e400"), "is too large or too long"),
        (-10_001, "MW is not between"),
        (100_001, "MW is not between"),
        (6_644_000, "MW is not between"),  # kW
        (Decimal("6644.5"), "6644.5 is not a whole number of MW"),
        (Decimal("22.7"), "22.7"),  # GW
    ],
)
def test_a_value_that_is_no_measurement_is_rejected_alone(
    parse: Parse, query: Callable[[], Query], good: dict[str, Any], value: Any, reason: str
) -> None:
    name = "demand" if "demand" in good else "generation"
    later = {**good, "startTime": "2026-05-05T07:00:00Z", "publishTime": "2026-05-05T07:30:00Z"}
    for field in ("settlementDate", "settlementPeriod"):
        later.pop(field, None)
    parsed = parse({"data": [{**good, name: value}, later]}, query(), NEVER)
    assert len(parsed.rows) == 1
    assert only_reason(parsed).startswith(f"{name}: ")
    assert reason in only_reason(parsed)
    assert len(only_reason(parsed)) < 200


@pytest.mark.parametrize(("parse", "query", "good"), GOOD)
def test_a_missing_value_is_a_fault_and_a_null_is_not(
    parse: Parse, query: Callable[[], Query], good: dict[str, Any]
) -> None:
    name = "demand" if "demand" in good else "generation"
    renamed = {**good, "quantity": good[name]}
    del renamed[name]
    assert only_reason(parse([renamed], query(), NEVER)) == f"{name}: the field is missing"
    assert len(parse([{**good, name: None}], query(), NEVER).rows) == 1


@pytest.mark.parametrize(
    ("parse", "query", "record", "accepted"),
    [
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:00:00Z", -1), False),
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:00:00Z", 0), True),
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:00:00Z", 60_000), True),
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:00:00Z", 60_001), False),
        (parse_demand_forecasts, demand_query, demand(ISSUE, "2026-05-05T06:00:00Z", -1), False),
        (parse_demand_forecasts, demand_query, demand(ISSUE, "2026-05-05T06:00:00Z", 25), False),
        (parse_demand_outturn, outturn_query, outturn("2026-05-05T06:00:00Z", 0), False),
        (parse_demand_outturn, outturn_query, outturn("2026-05-05T06:00:00Z", 100_000), True),
        (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z", "PS", -2_500), True),
        (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z", "WIND", 0), True),
        # A wind forecast is hourly, and the others are half-hourly.
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-05T06:30:00Z"), False),
        (parse_demand_forecasts, demand_query, demand(ISSUE, "2026-05-05T06:30:00Z"), True),
        # 73 hours from 27 hours before to 45 after, and nothing far beyond.
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-02T06:00:00Z"), True),
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-02T05:00:00Z"), False),
        (parse_wind_forecasts, wind_query, wind(ISSUE, "2026-05-21T00:00:00Z"), False),
        # An outturn cannot be known before its half-hour has ended.
        (
            parse_demand_outturn,
            outturn_query,
            outturn("2026-05-05T06:00:00Z", publishTime="2026-05-05T06:29:00Z"),
            False,
        ),
        (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z", ""), False),
        (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z", "x" * 101), False),
        (parse_generation, generation_query, fuel("2026-05-05T06:00:00Z", "\x07"), False),
        (
            parse_generation,
            generation_query,
            {**fuel("2026-05-05T06:00:00Z"), "fuelType": 7},
            False,
        ),
    ],
)
def test_limits_of_each_dataset(
    parse: Parse, query: Callable[[], Query], record: dict[str, Any], accepted: bool
) -> None:
    parsed = parse(as_received(record), query(), NEVER)
    assert (len(parsed.rows), len(parsed.rejected)) == ((1, 0) if accepted else (0, 1))


@pytest.mark.parametrize(("parse", "query", "good"), GOOD)
def test_what_was_published_after_its_receipt_is_rejected(
    parse: Parse, query: Callable[[], Query], good: dict[str, Any]
) -> None:
    published = at(good["publishTime"])
    just = parse(as_received(good), query(), published - CLOCK_TOLERANCE)
    assert len(just.rows) == 1
    early = parse(as_received(good), query(), published - CLOCK_TOLERANCE - timedelta(seconds=1))
    assert only_reason(early).startswith("publishTime: '2026-05-05T0")
    assert "is later than its receipt at 2026-05-05T0" in only_reason(early)


@pytest.mark.parametrize("record", [None, 7, "text", [], [{}]])
def test_what_is_no_record_is_rejected_alone(record: Any) -> None:
    for parse, query, good in GOOD:
        parsed = parse(as_received(record, good), query(), NEVER)
        assert only_reason(parsed) == "record: it is not a JSON object"
        assert len(parsed.rows) == 1


def test_bogus_zeros_of_wind_are_kept_as_published() -> None:
    """What is impossible is rejected here; what is only odd is judged from the tables."""
    starts = [at("2026-05-05T10:30Z") + n * HALF_HOUR for n in range(4)]
    records = [
        fuel(seconds(start), "WIND", mw)
        for start, mw in zip(starts, (2469, 0, 0, 12_439), strict=True)
    ]
    parsed = parse_generation(as_received(*records), generation_query(), NEVER)
    assert [row.generation_mw["WIND"] for row in parsed.rows] == [2469, 0, 0, 12_439]


def test_the_attribution_is_that_of_the_licence() -> None:
    assert ATTRIBUTION == (
        "Contains BMRS data © Elexon Limited copyright and database right [year]"
    )


def test_a_row_is_immutable() -> None:
    [row] = parse_generation(as_received(GOOD[2][2]), generation_query(), NEVER).rows
    with pytest.raises(AttributeError):
        row.period_start = NEVER  # type: ignore[misc]

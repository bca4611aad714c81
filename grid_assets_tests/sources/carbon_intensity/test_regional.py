"""Parsing of recorded regional responses, and of every kind of invalid record."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_assets.halfhours import HALF_HOUR, Window, api_time, days_window, parse_api_time
from grid_assets.regions import REGIONS, region_named
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import (
    MOST_TOGETHER,
    ParsedRegions,
    RegionalRow,
    parse_regional,
)
from grid_assets.sources.http.body import json_object
from grid_assets.sources.records import TWICE
from grid_assets.telemetry.quarantine import ALWAYS
from grid_assets_tests.properties import PROPERTY
from grid_assets_tests.sources.carbon_intensity.test_payload_properties import any_json, as_received

FIXTURES: Final = Path(__file__).parents[2] / "fixtures" / "regional"
FEW: Final = settings(PROPERTY, max_examples=20)
DAY: Final = days_window(date(2026, 1, 1), date(2026, 1, 1))
SHARES: Final = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True))

Record = dict[str, Any]


def recorded(name: str) -> dict[str, Any]:
    """A recorded body, read the way the API client reads it."""
    return json_object(name, (FIXTURES / name).read_text(encoding="utf-8"))


def region(number: int = 13, **changed: Any) -> Record:
    return {
        "regionid": number,
        "dnoregion": REGIONS[number - 1].dno_name,
        "shortname": REGIONS[number - 1].short_name,
        "intensity": {"forecast": 100, "index": "low"},
        "generationmix": mix(),
        **changed,
    }


def mix(**shares: Any) -> list[Record]:
    return [{"fuel": fuel, "perc": share} for fuel, share in {**SHARES, **shares}.items()]


def half_hour(step: int = 0, *regions: Any) -> Record:
    start = DAY.start + step * HALF_HOUR
    return {
        "from": api_time(start),
        "to": api_time(start + HALF_HOUR),
        "regions": list(regions) or [region(one.region_id) for one in REGIONS],
    }


def parsed(*records: Any, window: Window = DAY) -> ParsedRegions:
    return parse_regional(as_received({"data": list(records)}), window)


def kept(found: ParsedRegions) -> Counter[int]:
    """How many half-hours each region has."""
    return Counter(row.region_id for row in found.rows)


# Recorded bodies


@pytest.mark.parametrize(
    ("name", "regions", "half_hours", "edge"),
    [
        ("fw24h_2026-05-05.json", 18, 2, 0),
        ("now_2021-04-30.json", 18, 1, 0),
        ("range_2020-01-01_first_two.json", 18, 1, 1),
        ("range_2026-05-31_three_regions.json", 3, 2, 0),
    ],
)
def test_every_region_of_a_recorded_body_is_read_as_published(
    name: str, regions: int, half_hours: int, edge: int
) -> None:
    document = recorded(name)
    first = parse_api_time(document["data"][edge]["from"])
    found = parse_regional(document, Window(first, first + timedelta(days=1)))
    assert found.rejected == []
    assert found.outside == edge
    assert len(found.rows) == regions * half_hours
    assert set(kept(found).values()) == {half_hours}
    published = {
        (region_named(one["shortname"]), parse_api_time(record["from"])): one
        for record in document["data"]
        for one in record["regions"]
    }
    for row in found.rows:
        known = REGIONS[row.region_id - 1]
        source = published[known, row.period_start]
        assert source["regionid"] == row.region_id
        assert source["dnoregion"] == known.dno_name
        assert "actual" not in source["intensity"]
        assert (row.forecast_gco2_kwh, row.actual_gco2_kwh, row.intensity_index) == (
            source["intensity"]["forecast"],
            None,
            source["intensity"]["index"],
        )
        assert row.shares_pct == {one["fuel"]: one["perc"] for one in source["generationmix"]}
        assert row.unknown_pct == {}
        assert all(isinstance(share, Decimal) for share in row.shares_pct.values())
    order = [(row.region_id, row.period_start) for row in found.rows]
    assert order == sorted(order)


def test_shares_are_exact_decimals_whole_or_not() -> None:
    body = recorded("fw24h_2026-05-05.json")
    [scotland] = [row for row in parse_regional(body, ALWAYS).rows if row.region_id == 2][:1]
    assert str(scotland.shares_pct["nuclear"]) == "48.3"
    assert str(scotland.shares_pct["gas"]) == "0"
    assert scotland.forecast_gco2_kwh == 0  # a true value


def test_the_spelling_of_2020_is_the_same_region() -> None:
    body = recorded("range_2020-01-01_first_two.json")
    names = {one["shortname"] for record in body["data"] for one in record["regions"]}
    assert "North Wales and Merseyside" in names
    assert kept(parse_regional(body, ALWAYS))[6] == 2


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("postcode_EN2_now_2021-04-30.json", 9),
        ("postcode_EN2_range_2019-01-01_first.json", 10),
    ],
)
def test_the_name_in_an_answer_by_postcode_is_right_where_its_number_is_one_too_small(
    name: str, number: int
) -> None:
    data = recorded(name)["data"]
    answered = data[0] if isinstance(data, list) else data
    assert answered["regionid"] == number
    found = region_named(answered["shortname"])
    assert found is not None
    assert found.region_id == 10
    # the same off-by-one in the form that the client reads changes nothing
    record = {**answered["data"][0], "regions": [{**answered, **answered["data"][0]}]}
    [row] = parse_regional({"data": [record]}, ALWAYS).rows
    assert row.region_id == 10


@pytest.mark.parametrize("region", REGIONS, ids=lambda one: one.short_name)
def test_a_region_is_known_by_each_of_its_names_however_it_is_written(region: Any) -> None:
    for name in (region.short_name, *region.former_names):
        for written in (name, f" {name.upper()} ", name.replace(" ", "  ")):
            assert region_named(written) == region
    assert region_named(f"{region.short_name}s") is None


# Records of one region


REJECTED: dict[str, tuple[Any, str]] = {
    "nineteenth region": (
        region(shortname="Orkney", regionid=19),
        "shortname: 'Orkney' (regionid 19) is none of the 18 regions",
    ),
    "another name": (
        region(shortname="Greater London"),
        "shortname: 'Greater London' (regionid 13) is none of the 18 regions",
    ),
    "no name": (region(shortname=None), "shortname: None is not short printable text"),
    "no object": ("London", "region: it is not a JSON object"),
    "nothing in it": (
        {"regionid": 13, "shortname": "London"},
        "region: it has neither intensity nor generationmix",
    ),
    "nan": (
        region(intensity={"forecast": float("nan")}),
        "intensity.forecast: nan is not a finite number",
    ),
    "absurd": (
        region(intensity={"forecast": 1e308}),
        "intensity.forecast: 1E+308 is too large or too long for a number",
    ),
    "a million": (
        region(intensity={"forecast": 1e7}),
        "intensity.forecast: 1.00e+7 gCO2/kWh is not a measurement",
    ),
    "text": (
        region(intensity={"forecast": "100"}),
        "intensity.forecast: '100' is not a number",
    ),
    "intensity is a number": (region(intensity=100), "intensity: it is not a JSON object"),
    "share of 101": (
        region(generationmix=mix(wind=101)),
        "mix: the share of 'wind' is 101, outside 0 to 100",
    ),
    "negative share": (
        region(generationmix=mix(wind=-5)),
        "mix: the share of 'wind' is -5, outside 0 to 100",
    ),
    "big fuels absent": (
        region(generationmix=mix(wind=None, gas=None)),
        "mix: 'other' would have to be 60.0, but 0.0 was published",
    ),
    "a fuel twice": (
        region(generationmix=[*mix(), {"fuel": "Wind ", "perc": 1}]),
        "generationmix: 'wind' appears twice",
    ),
    "mix is an object": (region(generationmix={"wind": 100}), "generationmix: it is not a list"),
    "mix is an empty object": (region(generationmix={}), "generationmix: it is not a list"),
    "mix is false": (region(generationmix=False), "generationmix: it is not a list"),
}


@pytest.mark.parametrize(("bad", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_record_of_one_region_is_rejected_alone(bad: Any, reason: str) -> None:
    others = [region(one.region_id) for one in REGIONS if one.region_id != 13]
    found = parsed(half_hour(0, *others, bad), half_hour(1))
    assert kept(found) == Counter({one.region_id: 2 for one in REGIONS}) - Counter([13])
    [rejected] = found.rejected
    assert rejected.reason == reason
    [record] = json.loads(rejected.payload)
    assert record["from"] == api_time(DAY.start)
    assert len(record["regions"]) == 1
    # what was kept can be parsed again, as a replay of the quarantine does
    assert parsed(record).rejected == [rejected]


@pytest.mark.parametrize(
    ("changed", "forecast", "shares"),
    [
        ({"intensity": None}, None, 9),
        ({"generationmix": None}, 100, 0),
        ({"generationmix": []}, 100, 0),
        ({"generationmix": [{**one, "perc": None} for one in mix()]}, 100, 0),
        ({"intensity": {"forecast": None, "index": None}}, None, 9),
        ({"generationmix": mix(coal=None, hydro=None)}, 100, 7),
    ],
)
def test_what_is_absent_stays_null_and_costs_nothing_else(
    changed: Record, forecast: Any, shares: int
) -> None:
    found = parsed(half_hour(0, region(**changed)))
    [row] = found.rows
    assert found.rejected == []
    assert row.forecast_gco2_kwh == forecast
    assert sum(share is not None for share in row.shares_pct.values()) == shares


def test_a_field_that_is_left_out_is_the_same_as_a_null() -> None:
    bare = region()
    del bare["intensity"]["index"], bare["generationmix"], bare["regionid"], bare["dnoregion"]
    [row] = parsed(half_hour(0, bare)).rows
    assert (row.region_id, row.forecast_gco2_kwh, row.intensity_index) == (13, 100, None)


def test_an_actual_is_read_where_one_appears() -> None:
    [row] = parsed(half_hour(0, region(intensity={"forecast": 1, "actual": 2.5}))).rows
    assert row.actual_gco2_kwh == Decimal("2.5")


def test_a_fuel_of_another_name_is_kept_beside_the_nine() -> None:
    tenth = [*mix(wind=29.6), {"fuel": "Tidal", "perc": 0.4}]
    [row] = parsed(half_hour(0, region(generationmix=tenth))).rows
    assert row.unknown_pct == {"tidal": Decimal("0.4")}


def test_missing_regions_are_missing_and_nothing_is_filled_in() -> None:
    found = parsed(half_hour(0, region(1), region(18)), half_hour(1))
    assert found.rejected == []
    assert kept(found) == {one.region_id: 2 if one.region_id in (1, 18) else 1 for one in REGIONS}


def test_the_same_region_twice_is_one_row_and_with_other_values_none() -> None:
    other = region(intensity={"forecast": 101, "index": "low"})
    assert kept(parsed(half_hour(0, region(), region()))) == {13: 1}
    found = parsed(half_hour(0, region(), region(1), other), half_hour(0, region()))
    assert kept(found) == {1: 1}
    [rejected] = found.rejected
    assert rejected.reason == TWICE
    versions = json.loads(rejected.payload)
    assert len(versions) == 2
    assert parsed(*versions).rows == []  # a replay cannot accept just one of them


# Half-hours


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"from": "2026-01-01T00:17Z"}, "is not the start of a half-hour"),
        ({"to": "2026-01-01T01:00Z"}, "is not a half-hour"),
        ({"from": "2026-01-01T00:00"}, "is not a UTC time"),
        ({"from": None}, "time: "),
        ({"regions": {"13": region()}}, "regions: it is not a list"),
        ({"regions": None}, "regions: it is not a list"),
    ],
)
def test_a_half_hour_that_cannot_be_told_is_rejected_alone(change: Record, reason: str) -> None:
    found = parsed({**half_hour(0), **change}, half_hour(1))
    assert kept(found) == Counter(one.region_id for one in REGIONS)
    [rejected] = found.rejected
    assert reason in rejected.reason
    assert parsed(*json.loads(rejected.payload)).rejected == [rejected]


def test_a_record_that_is_no_object_is_rejected_alone() -> None:
    found = parsed("not a record", half_hour(1))
    assert [one.reason for one in found.rejected] == ["record: it is not a JSON object"]
    assert len(found.rows) == 18


@pytest.mark.parametrize("to", [True, False])
def test_the_half_hour_that_ends_where_the_window_begins_is_left_aside(to: bool) -> None:
    edge = half_hour(-1)
    if not to:
        del edge["to"]
    found = parsed(edge, half_hour(0), half_hour(48))
    assert (len(found.rows), found.outside, found.rejected) == (18, 2, [])


# Answers of which nothing can be used


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": []},
        {"data": None},
        {"data": {"regionid": 13, "data": []}},
        {"data": [half_hour(0) | {"regions": []}]},
        {"error": {"code": "400 Bad Request"}},
    ],
    ids=json.dumps,
)
def test_an_answer_without_any_value_of_the_window_is_rejected_as_a_body(document: Record) -> None:
    found = parse_regional(as_received(document), DAY)
    assert found.rows == []
    [rejected] = found.rejected
    assert rejected.reason.startswith("body: ")
    assert "outside" not in rejected.reason
    assert json.loads(rejected.payload) == document


def test_an_answer_for_other_times_is_rejected_and_kept_in_a_form_that_no_replay_accepts() -> None:
    old = [half_hour(-48), half_hour(-47)]
    found = parsed(*old)
    assert found.rows == []
    [rejected] = found.rejected
    assert rejected.reason.startswith("body: all of its 2 half-hours are outside ")
    assert json.loads(rejected.payload) == [old]


# Many records with one fault


def test_records_of_one_region_with_one_fault_are_few_entries_and_all_of_them_are_kept() -> None:
    steps = 2 * MOST_TOGETHER + 1
    orkney = region(shortname="Orkney", regionid=19)
    found = parsed(*(half_hour(n, orkney, region()) for n in range(steps)), window=ALWAYS)
    assert kept(found) == {13: steps}
    sizes = [len(json.loads(one.payload)) for one in found.rejected]
    assert sizes == [MOST_TOGETHER, MOST_TOGETHER, 1]
    assert [one.records for one in found.rejected] == sizes
    assert all(len(one.payload) < 32_000 for one in found.rejected)  # the quarantine keeps 65,536


def test_half_hours_of_all_regions_with_one_fault_are_kept_whole() -> None:
    others = {str(one.region_id): region(one.region_id) for one in REGIONS}
    found = parsed(*(half_hour(n) | {"regions": others} for n in range(48)))
    assert [one.records for one in found.rejected] == [1] * 48
    assert all(len(one.payload) < 32_000 for one in found.rejected)


def test_two_regions_with_the_same_fault_are_two_entries() -> None:
    bad = {"intensity": {"forecast": "x"}}
    found = parsed(half_hour(0, region(1, **bad), region(2, **bad), region(3)))
    assert [one.records for one in found.rejected] == [1, 1]


# Any JSON


GOOD: Final = half_hour(0, region(1), region(13))
PLACES: Final = [
    (),
    ("from",),
    ("to",),
    ("regions",),
    ("regions", 0),
    *(("regions", 0, key) for key in region()),
    ("regions", 0, "intensity", "forecast"),
    ("regions", 0, "intensity", "index"),
    ("regions", 0, "generationmix", 8),
    ("regions", 0, "generationmix", 8, "fuel"),
    ("regions", 0, "generationmix", 8, "perc"),
]


@FEW
@given(st.sampled_from(PLACES), any_json)
def test_whatever_stands_in_one_place_costs_no_other_region_of_another_half_hour(
    place: tuple[Any, ...], value: Any
) -> None:
    damaged: Any = deepcopy(GOOD)
    if place:
        holder = damaged
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = value
    else:
        damaged = value
    document = as_received({"data": [damaged, half_hour(5)]})
    found = parse_regional(document, DAY)
    other = {row.region_id for row in found.rows if row.period_start == DAY.start + 5 * HALF_HOUR}
    assert other == {one.region_id for one in REGIONS}
    first = {row.region_id for row in found.rows if row.period_start == DAY.start}
    if place[:2] == ("regions", 0) and value != "London":
        assert 13 in first
    if place != ("regions",):  # a list without any region says nothing
        assert len(first) + sum(one.records for one in found.rejected) + found.outside >= 1
    for row in found.rows:
        assert isinstance(row, RegionalRow)
        for number in (row.forecast_gco2_kwh, *row.shares_pct.values()):
            assert number is None or number.is_finite()
    for rejected in found.rejected:
        json.loads(rejected.payload)


@FEW
@given(st.dictionaries(st.sampled_from(["data", "error"]), any_json))
def test_any_document_is_parsed_without_an_exception(document: Any) -> None:
    found = parse_regional(as_received(document), DAY)
    assert found.rows == []
    assert found.rejected

"""Parsing of recorded responses, and of every kind of invalid record."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window, days_window, parse_api_time
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.payloads import (
    MAX_TEXT,
    TWICE,
    GenerationRow,
    IntensityRow,
    Parsed,
    parse_generation,
    parse_intensity,
    reject_other_times,
)
from grid_assets.sources.http.body import json_object
from grid_assets.sources.http.errors import ApiMalformedBody

FIXTURES = Path(__file__).parents[2] / "fixtures"
ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
DAY_ONE = days_window(date(2026, 1, 1), date(2026, 1, 1))


def published(document: dict[str, Any]) -> int:
    """How many records an answer holds; the "now" endpoints give one without a list."""
    data = document["data"]
    return len(data) if isinstance(data, list) else 1


def recorded(name: str) -> dict[str, Any]:
    """A recorded body, read the way the API client reads it."""
    return json_object(name, (FIXTURES / name).read_text(encoding="utf-8"))


def at(text: str) -> datetime:
    return parse_api_time(text)


def times(start: str = "2026-01-01T00:00Z") -> dict[str, Any]:
    return {"from": start, "to": f"{at(start) + HALF_HOUR:%Y-%m-%dT%H:%MZ}"}


def intensity(start: str = "2026-01-01T00:00Z", **values: Any) -> dict[str, Any]:
    return {
        **times(start),
        "intensity": {"forecast": 100, "actual": 101, "index": "low", **values},
    }


def mix(start: str = "2026-01-01T00:00Z", /, **values: Any) -> dict[str, Any]:
    shares = {
        **dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True)),
        **values,
    }
    return {
        **times(start),
        "generationmix": [{"fuel": fuel, "perc": share} for fuel, share in shares.items()],
    }


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def as_received(*records: Any) -> dict[str, Any]:
    """The document after a trip through the client's own JSON reader."""
    return json_object("/test", json.dumps({"data": list(records)}))


def only_reason(parsed: Parsed[Any]) -> str:
    (rejected,) = parsed.rejected
    return rejected.reason


# Recorded bodies


@pytest.mark.parametrize(
    ("name", "window", "rows", "outside", "nulls"),
    [
        ("intensity_now.json", ALWAYS, 1, 0, 1),
        (
            "intensity_range_2020-01-01.json",
            days_window(date(2020, 1, 1), date(2020, 1, 2)),
            95,
            1,
            0,
        ),
        ("intensity_date_2026-06-30_null_actuals.json", ALWAYS, 48, 0, 21),
        ("intensity_date_2026-10-05_pending_actual.json", ALWAYS, 48, 0, 22),
        (
            "intensity_range_clockchange_2024-10-27.json",
            Window(at("2024-10-26T23:00Z"), at("2024-10-27T02:00Z")),
            6,
            1,
            0,
        ),
    ],
)
def test_every_record_of_a_recorded_intensity_body_is_read_as_published(
    name: str, window: Window, rows: int, outside: int, nulls: int
) -> None:
    document = recorded(name)
    parsed = parse_intensity(document, window)
    assert parsed.rejected == []
    assert (len(parsed.rows), parsed.outside) == (rows, outside)
    assert published(document) == rows + outside
    assert sum(row.actual_gco2_kwh is None for row in parsed.rows) == nulls
    by_start = {at(record["from"]): record["intensity"] for record in document["data"]}
    for row in parsed.rows:
        source = by_start[row.period_start]
        assert (row.forecast_gco2_kwh, row.actual_gco2_kwh, row.intensity_index) == (
            source["forecast"],
            source["actual"],
            source["index"],
        )
    starts = [row.period_start for row in parsed.rows]
    assert starts == [starts[0] + n * HALF_HOUR for n in range(rows)]


@pytest.mark.parametrize(
    ("name", "window", "rows", "outside"),
    [
        ("generation_now.json", ALWAYS, 1, 0),
        ("generation_now_2026-07.json", ALWAYS, 1, 0),
        (
            "generation_range_2019-04-01.json",
            days_window(date(2019, 4, 1), date(2019, 4, 7)),
            335,
            1,
        ),
        (
            "generation_range_clockchange_2024-10-27.json",
            Window(at("2024-10-26T23:00Z"), at("2024-10-27T02:00Z")),
            6,
            1,
        ),
    ],
)
def test_every_record_of_a_recorded_generation_body_is_read_as_published(
    name: str, window: Window, rows: int, outside: int
) -> None:
    document = recorded(name)
    parsed = parse_generation(document, window)
    assert parsed.rejected == []
    assert (len(parsed.rows), parsed.outside) == (rows, outside)
    assert published(document) == rows + outside
    data = document["data"] if isinstance(document["data"], list) else [document["data"]]
    by_start = {at(record["from"]): record["generationmix"] for record in data}
    for row in parsed.rows:
        source = {entry["fuel"]: entry["perc"] for entry in by_start[row.period_start]}
        assert row.shares_pct == source
        assert tuple(row.shares_pct) == FUELS
        assert row.unknown_pct == {}


def test_a_pending_actual_is_null_and_not_0() -> None:
    rows = parse_intensity(recorded("intensity_now.json"), ALWAYS).rows
    assert rows == [IntensityRow(at("2021-04-30T22:30Z"), Decimal(255), None, "moderate")]


def test_the_night_on_which_clocks_change_has_every_half_hour_once() -> None:
    window = Window(at("2024-10-26T23:00Z"), at("2024-10-27T02:00Z"))
    parsed = parse_intensity(recorded("intensity_range_clockchange_2024-10-27.json"), window)
    assert [row.actual_gco2_kwh for row in parsed.rows] == [88, 85, 81, 82, 82, 87]
    assert {row.period_start.utcoffset() for row in parsed.rows} == {timedelta(0)}


def test_decimals_arrive_exactly_as_they_were_printed() -> None:
    (row,) = parse_generation(recorded("generation_now.json"), ALWAYS).rows
    assert row.shares_pct["gas"] == Decimal("58.6")
    assert str(row.shares_pct["biomass"]) == "7.8"


@pytest.mark.parametrize("name", ["error_400_intensity_date.json"])
def test_an_error_body_is_one_rejected_body(name: str) -> None:
    for parse in (parse_intensity, parse_generation):
        parsed: Parsed[Any] = parse(recorded(name), ALWAYS)
        assert parsed.rows == []
        assert only_reason(parsed) == "body: the answer has no list of data"
        assert json.loads(parsed.rejected[0].payload) == recorded(name)


@pytest.mark.parametrize("name", ["intensity_stats.json", "intensity_factors_2026.json"])
def test_the_answer_of_another_endpoint_gives_no_row(name: str) -> None:
    for parse in (parse_intensity, parse_generation):
        parsed: Parsed[Any] = parse(recorded(name), ALWAYS)
        assert parsed.rows == []
        assert len(parsed.rejected) == 1


# Whole bodies


@pytest.mark.parametrize("parse", [parse_intensity, parse_generation])
@pytest.mark.parametrize(
    "body", ["{}", '{"data":null}', '{"data":"none"}', '{"data":7}', '{"error":{"code":"400"}}']
)
def test_an_answer_without_a_list_of_data_is_rejected_whole(
    parse: Callable[..., Parsed[Any]], body: str
) -> None:
    parsed = parse(json_object("/test", body), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed) == "body: the answer has no list of data"
    assert json.loads(parsed.rejected[0].payload) == json.loads(body)


@pytest.mark.parametrize("parse", [parse_intensity, parse_generation])
def test_an_empty_list_of_data_is_no_fault_and_no_row(parse: Callable[..., Parsed[Any]]) -> None:
    assert parse({"data": []}, DAY_ONE) == Parsed()


def test_an_object_in_place_of_the_list_is_one_record() -> None:
    parsed = parse_intensity({"data": intensity()}, DAY_ONE)
    assert [row.forecast_gco2_kwh for row in parsed.rows] == [100]


# Single records

NOT_A_NUMBER = ["12", "", True, False, [], {}, "NaN"]
NOT_FINITE = [float("nan"), float("inf"), float("-inf")]
OUT_OF_ALL_BOUNDS = ["1e308", "-1e308", "1000001", "1e1000000", "1e-20000", "0." + "1" * 20_000]


@pytest.mark.parametrize("field", ["forecast", "actual"])
@pytest.mark.parametrize("value", [*NOT_A_NUMBER, *NOT_FINITE], ids=repr)
def test_an_intensity_that_is_no_number_rejects_its_record(field: str, value: Any) -> None:
    parsed = parse_intensity(as_received(intensity(**{field: value})), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith(f"intensity.{field}: ")
    assert "number" in only_reason(parsed)


@pytest.mark.parametrize("value", OUT_OF_ALL_BOUNDS, ids=lambda value: value[:12])
def test_a_number_beyond_all_measure_rejects_its_record_alone(value: str) -> None:
    for field, parse, bad, good in (
        ("forecast", parse_intensity, intensity(), intensity("2026-01-01T00:30Z")),
        ("perc", parse_generation, mix(), mix("2026-01-01T00:30Z")),
    ):
        text = json.dumps({"data": [good, bad]})
        head, _, tail = text.rpartition(f'"{field}": ')
        number = tail.split(",")[0].split("}")[0]
        body = head + f'"{field}": {value}' + tail[len(number) :]
        parsed: Parsed[Any] = parse(json_object("/test", body), DAY_ONE)
        assert [row.period_start for row in parsed.rows] == [at("2026-01-01T00:30Z")]
        assert len(only_reason(parsed)) < 300
        # Read again, the payload is as unusable as it was; it was not rounded into a good value.
        again: Parsed[Any] = parse(
            json_object("/test", f'{{"data":[{parsed.rejected[0].payload}]}}'), DAY_ONE
        )
        assert again.rows == []


@pytest.mark.parametrize("value", [0, -5, 13_579, 1_000_000, Decimal("0.1"), None])
def test_an_odd_intensity_is_kept_as_published(value: Any) -> None:
    # A later check decides whether it is plausible.
    parsed = parse_intensity({"data": [intensity(actual=value)]}, DAY_ONE)
    assert [row.actual_gco2_kwh for row in parsed.rows] == [value]


def test_absent_values_are_as_null_as_null_ones() -> None:
    record = {**times(), "intensity": {}}
    assert parse_intensity({"data": [record]}, DAY_ONE).rows == [
        IntensityRow(at("2026-01-01T00:00Z"), None, None, None)
    ]


@pytest.mark.parametrize(
    "index", [7, True, [], "", "x" * (MAX_TEXT + 1), "lo\0w", "lo\nw", "\ud800"], ids=ascii
)
def test_an_index_that_is_no_short_printable_text_rejects_its_record(index: Any) -> None:
    parsed = parse_intensity(as_received(intensity(index=index)), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith("intensity.index: ")


@pytest.mark.parametrize("value", [None, [], "low", 7])
def test_an_intensity_that_is_no_object_rejects_its_record(value: Any) -> None:
    parsed = parse_intensity({"data": [{**times(), "intensity": value}]}, DAY_ONE)
    assert only_reason(parsed) == "intensity: it is not a JSON object"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (intensity() | {"from": "2026-01-01T00:17Z"}, "is not the start of a half-hour"),
        (intensity() | {"from": "2026-01-01T00:00:07Z"}, "is not the start of a half-hour"),
        (intensity() | {"from": "2026-01-01T00:00"}, "is not a UTC time"),
        (intensity() | {"from": "2026-01-01T00:30+01:00"}, "is not a half-hour"),
        (intensity() | {"from": None}, "None is not a UTC time"),
        (intensity() | {"from": "2026-02-30T00:00Z"}, "day is out of range"),
        (without(intensity(), "from"), "None is not a UTC time"),
        (intensity() | {"to": "2026-01-01T01:00Z"}, "is not a half-hour"),
        (intensity() | {"to": "2025-12-31T23:30Z"}, "is not a half-hour"),
        (intensity() | {"to": None}, "None is not a UTC time"),
    ],
)
def test_a_time_that_is_no_utc_half_hour_rejects_its_record(
    record: dict[str, Any], reason: str
) -> None:
    parsed = parse_intensity({"data": [record]}, DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith("time: ")
    assert reason in only_reason(parsed)


def test_a_record_without_an_end_is_a_half_hour() -> None:
    parsed = parse_intensity({"data": [without(intensity(), "to")]}, DAY_ONE)
    assert len(parsed.rows) == 1


@pytest.mark.parametrize("record", [None, [], "row", 7, True])
def test_a_record_that_is_no_object_is_rejected(record: Any) -> None:
    parsed = parse_intensity({"data": [record, intensity()]}, DAY_ONE)
    assert len(parsed.rows) == 1
    assert only_reason(parsed) == "record: it is not a JSON object"


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, *NOT_FINITE], ids=repr)
def test_a_share_that_is_no_number_rejects_its_mix(value: Any) -> None:
    parsed = parse_generation(as_received(mix(gas=value)), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith("generationmix.gas: ")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"gas": -0.1}, "mix: the share of 'gas' is -0.1, outside 0 to 100"),
        ({"gas": 101}, "mix: the share of 'gas' is 101, outside 0 to 100"),
        ({"gas": 31.6}, "mix: the named fuels sum to 101.6"),
        ({"gas": 0}, "mix: 'other' would have to be 30.0, but 0.0 was published"),
    ],
)
def test_shares_that_cannot_be_a_mix_reject_it(values: dict[str, Any], reason: str) -> None:
    parsed = parse_generation(as_received(mix(**values)), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith(reason)


def test_two_missing_fuels_are_unknown_and_not_0() -> None:
    record = mix()
    record["generationmix"] = [
        entry for entry in record["generationmix"] if entry["fuel"] not in ("coal", "hydro")
    ]
    (row,) = parse_generation(as_received(record), DAY_ONE).rows
    assert row.shares_pct["coal"] is row.shares_pct["hydro"] is None
    assert row.shares_pct["gas"] == 30
    assert tuple(row.shares_pct) == FUELS


def test_a_null_share_is_unknown_and_not_0() -> None:
    (row,) = parse_generation(as_received(mix(coal=None)), DAY_ONE).rows
    assert row.shares_pct["coal"] is None


@pytest.mark.parametrize(
    "fuel", ["geothermal", "<script>alert(1)</script>", "g\u00e4s", "kraft 🔥"]
)
def test_a_tenth_fuel_is_kept_by_its_name(fuel: str) -> None:
    (row,) = parse_generation(as_received(mix(gas=29, **{fuel: 1})), DAY_ONE).rows
    assert row.unknown_pct == {fuel: 1}
    assert fuel not in row.shares_pct
    (null,) = parse_generation(as_received(mix(**{fuel: None})), DAY_ONE).rows
    assert null.unknown_pct == {}


@pytest.mark.parametrize(
    "fuel", [None, 7, "", "x" * (MAX_TEXT + 1), "ga\0s", "\udfff", ["gas"]], ids=ascii
)
def test_a_fuel_that_is_no_short_printable_text_rejects_its_mix(fuel: Any) -> None:
    record = mix()
    record["generationmix"].append({"fuel": fuel, "perc": 0})
    parsed = parse_generation(as_received(record), DAY_ONE)
    assert parsed.rows == []
    assert only_reason(parsed).startswith("generationmix.fuel: ")


@pytest.mark.parametrize("spelled", [str.upper, str.title, "{} ".format, "\t\u00a0{}\n".format])
def test_the_case_of_fuels_and_the_spaces_around_them_do_not_matter(
    spelled: Callable[[str], str],
) -> None:
    record = mix(geothermal=0)
    for entry in record["generationmix"]:
        entry["fuel"] = spelled(entry["fuel"])
    plain = parse_generation(as_received(mix(geothermal=0)), DAY_ONE)
    assert parse_generation(as_received(record), DAY_ONE) == plain
    assert len(plain.rows) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wind": None, "windy": 30}, "mix: unknown fuels ('windy') have 30.0, too much"),
        ({"gas": 24.9, "tidal": 2.5, "wave": 2.6}, "mix: unknown fuels ('tidal', 'wave') have 5.1"),
        ({"gas": 25, "tidal": 2.5, "wave": 2.5}, None),
    ],
)
def test_unknown_fuels_with_a_share_too_large_to_be_new_reject_their_mix(
    changes: dict[str, Any], reason: str | None
) -> None:
    parsed = parse_generation(as_received(mix(**changes)), DAY_ONE)
    assert [bool(parsed.rows), bool(parsed.rejected)] == [reason is None, reason is not None]
    assert reason is None or only_reason(parsed).startswith(reason)


def test_all_fuels_under_other_names_reject_their_mix() -> None:
    record = mix()
    for entry in record["generationmix"]:
        entry["fuel"] += "_v2"
    assert "have 100.0, too much" in only_reason(parse_generation(as_received(record), DAY_ONE))


@pytest.mark.parametrize("again", ["gas", "Gas ", "GAS"])
def test_a_fuel_that_appears_twice_rejects_its_mix(again: str) -> None:
    record = mix()
    record["generationmix"].append({"fuel": again, "perc": 30})
    parsed = parse_generation(as_received(record), DAY_ONE)
    assert only_reason(parsed) == "generationmix: 'gas' appears twice"


@pytest.mark.parametrize(
    ("generationmix", "reason"),
    [
        (None, "generationmix: it is not a list"),
        ({"gas": 100}, "generationmix: it is not a list"),
        (["gas"], "generationmix: an entry is not a JSON object"),
        ([], "mix: no fuel has a share"),
        ([{"perc": 100}], "generationmix.fuel: None is not short printable text"),
        ([{"fuel": "gas"}], "mix: no fuel has a share"),
    ],
)
def test_a_list_of_shares_of_the_wrong_shape_rejects_its_mix(
    generationmix: Any, reason: str
) -> None:
    parsed = parse_generation({"data": [{**times(), "generationmix": generationmix}]}, DAY_ONE)
    assert only_reason(parsed) == reason


# Several records


def test_one_bad_record_leaves_the_good_ones() -> None:
    good = [intensity(f"2026-01-01T{hour:02}:00Z", actual=hour) for hour in range(24)]
    bad = [intensity("2026-01-01T00:30Z", actual="12"), None, {"from": 7}, {}]
    parsed = parse_intensity(as_received(*good[:12], *bad, *good[12:]), DAY_ONE)
    assert [row.actual_gco2_kwh for row in parsed.rows] == list(range(24))
    assert len(parsed.rejected) == 4


def test_rows_come_in_the_order_of_time_whatever_the_order_of_records() -> None:
    starts = ["2026-01-01T03:00Z", "2026-01-01T01:00Z", "2026-01-01T02:00Z"]
    parsed = parse_intensity(as_received(*map(intensity, starts)), DAY_ONE)
    assert [row.period_start for row in parsed.rows] == sorted(map(at, starts))


def test_a_half_hour_that_appears_twice_with_equal_values_is_one_row() -> None:
    parsed = parse_generation(as_received(mix(), mix()), DAY_ONE)
    assert len(parsed.rows) == 1
    assert parsed.rejected == []


def test_a_half_hour_that_appears_twice_with_different_values_is_rejected_whole() -> None:
    parsed = parse_intensity(
        as_received(intensity(actual=1), intensity("2026-01-01T00:30Z"), intensity(actual=2)),
        DAY_ONE,
    )
    assert [row.period_start for row in parsed.rows] == [at("2026-01-01T00:30Z")]
    (reject,) = parsed.rejected
    assert reject.reason == TWICE
    assert [record["intensity"]["actual"] for record in json.loads(reject.payload)] == [1, 2]


def test_a_bad_twin_does_not_take_the_good_record_with_it() -> None:
    parsed = parse_intensity(as_received(intensity(actual="x"), intensity()), DAY_ONE)
    assert len(parsed.rows) == 1
    assert len(parsed.rejected) == 1


def test_records_outside_the_window_are_counted_and_not_judged() -> None:
    before = intensity("2025-12-31T23:30Z", actual="not judged")
    parsed = parse_intensity(
        as_received(before, intensity(), intensity("2026-01-02T00:00Z")), DAY_ONE
    )
    assert (len(parsed.rows), parsed.outside, parsed.rejected) == (1, 2, [])


def test_an_answer_with_nothing_but_other_days_is_rejected_whole() -> None:
    before = as_received(intensity("2025-12-30T23:30Z"), intensity("2025-12-31T00:00Z"))
    parsed = reject_other_times(parse_intensity(before, DAY_ONE), before, DAY_ONE)
    assert only_reason(parsed).startswith(
        "body: all of its 2 records are outside 2026-01-01T00:00Z"
    )
    assert "2025-12-30T23:30Z" in parsed.rejected[0].payload
    for usual in (as_received(), as_received(intensity("2025-12-31T23:30Z"), intensity())):
        found = parse_intensity(usual, DAY_ONE)
        assert reject_other_times(found, usual, DAY_ONE) is found


@pytest.mark.parametrize(
    ("start", "is_usual"), [("2025-12-31T23:30Z", True), ("2025-12-31T23:00Z", False)]
)
def test_just_after_midnight_the_half_hour_before_may_be_all_there_is(
    start: str, is_usual: bool
) -> None:
    window = Window(DAY_ONE.start, DAY_ONE.start + timedelta(minutes=30))
    answer = as_received(intensity(start))
    found = parse_intensity(answer, window)
    assert (reject_other_times(found, answer, window) is found) == is_usual


# The payload of a reject


@pytest.mark.parametrize(
    ("parse", "record"),
    [
        (parse_intensity, intensity(actual=float("nan"))),
        (parse_intensity, intensity(forecast=Decimal("1e308"))),
        (parse_intensity, intensity(forecast=Decimal("123.45"), actual="x")),
        (parse_intensity, intensity(index="\ud800 \0 <script>")),
        (parse_generation, mix(gas=Decimal("101.5"), wind=Decimal(20), solar=Decimal("1e20"))),
        (parse_generation, mix(gas=Decimal("-0.5"))),
    ],
)
def test_the_payload_of_a_reject_is_json_again_with_the_same_values(
    parse: Callable[..., Parsed[Any]], record: dict[str, Any]
) -> None:
    (rejected,) = parse({"data": [record]}, DAY_ONE).rejected
    assert rejected.payload.isascii()
    again = json.loads(rejected.payload, parse_float=Decimal)
    assert repr(again) == repr(json.loads(json.dumps(record, default=_number), parse_float=Decimal))
    judged_again = parse({"data": [again]}, DAY_ONE)
    assert judged_again.rows == []
    assert judged_again.rejected[0].payload == rejected.payload


def _number(value: object) -> float:
    assert isinstance(value, Decimal)
    return int(value) if value == int(value) and value < 1e15 else float(value)


def test_a_deeply_nested_record_is_a_reject_like_any_other() -> None:
    for depth in range(200, sys.getrecursionlimit(), 20):
        try:
            document = json_object("/test", f'{{"data":[{{"from":{"[" * depth}{"]" * depth}}}]}}')
        except ApiMalformedBody:  # too deep for Python's reader of JSON
            assert depth > 400
            break
        parsed = parse_intensity(document, DAY_ONE)
        assert only_reason(parsed).startswith("time: ")
        assert len(only_reason(parsed)) < 200
        assert json.loads(parsed.rejected[0].payload)


def test_the_reason_for_a_number_of_a_thousand_digits_is_short() -> None:
    parsed = parse_generation(as_received(mix(gas=10**1000)), DAY_ONE)
    assert only_reason(parsed).startswith("generationmix.gas: ")
    assert len(only_reason(parsed)) < 200


def test_a_window_of_one_day_takes_48_rows_of_a_longer_answer() -> None:
    starts = [DAY_ONE.start - DAY + n * HALF_HOUR for n in range(3 * 48)]
    document = as_received(*(intensity(f"{start:%Y-%m-%dT%H:%MZ}") for start in starts))
    parsed = parse_intensity(document, DAY_ONE)
    assert (len(parsed.rows), parsed.outside) == (48, 96)
    assert all(isinstance(row, IntensityRow) for row in parsed.rows)


def test_a_row_is_immutable() -> None:
    (row,) = parse_generation(as_received(mix()), DAY_ONE).rows
    assert isinstance(row, GenerationRow)
    with pytest.raises(AttributeError):
        row.period_start = DAY_ONE.end  # type: ignore[misc]

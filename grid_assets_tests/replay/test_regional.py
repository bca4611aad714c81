"""The simulated regions, as a client of the recorded API sees them, and their faults."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from grid_assets.halfhours import HALF_HOUR, Window, parse_api_time
from grid_assets.regions import REGIONS
from grid_assets.replay import regional
from grid_assets.replay.simulated import index
from grid_assets.series import FUELS
from grid_assets.sources.carbon_intensity.regional import parse_regional
from grid_assets_tests.replay.conftest import Caller
from grid_assets_tests.replay.test_faults import OF_REGIONS

NOW: Final = datetime(2026, 11, 22, 13, 17, tzinfo=UTC)
"""The time of the tests' replay."""

CURRENT: Final = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
PAST: Final = "/regional/intensity/2026-11-22T10:00Z/2026-11-22T11:00Z"
FW48H: Final = "/regional/intensity/2026-11-22T13:00Z/fw48h"
PT24H: Final = "/regional/intensity/2026-11-22T13:00Z/pt24h"

Record = dict[str, Any]


def starts(records: list[Record]) -> list[datetime]:
    return [parse_api_time(record["from"]) for record in records]


def named(records: list[Record], number: int = 13) -> list[Record]:
    """The records of one region."""
    return [one for record in records for one in record["regions"] if one["regionid"] == number]


def shares(region: Record) -> dict[str, float]:
    return {entry["fuel"]: entry["perc"] for entry in region["generationmix"]}


# What it answers


def test_every_half_hour_has_all_regions_in_the_form_of_the_api(replay: Caller) -> None:
    records = replay.data(FW48H)
    assert starts(records) == [CURRENT + n * HALF_HOUR for n in range(-1, 96)]
    for record in records:
        assert list(record) == ["from", "to", "regions"]
        assert parse_api_time(record["to"]) - parse_api_time(record["from"]) == HALF_HOUR
        for region, known in zip(record["regions"], REGIONS, strict=True):
            assert (region["regionid"], region["dnoregion"], region["shortname"]) == (
                known.region_id,
                known.dno_name,
                known.short_name,
            )
            assert region["intensity"].keys() == {"forecast", "index"}
            value = region["intensity"]["forecast"]
            assert isinstance(value, int)
            assert 0 <= value <= 937
            assert region["intensity"]["index"] == index(value, 2025)
            assert tuple(shares(region)) == FUELS
            assert 99.4 < math.fsum(shares(region).values()) < 100.6
            # whole shares have no decimal point
            assert all(isinstance(p, int) or not p.is_integer() for p in shares(region).values())
    parsed = parse_regional({"data": records}, Window(CURRENT, CURRENT + timedelta(hours=48)))
    assert (len(parsed.rows), parsed.rejected, parsed.outside) == (96 * 18, [], 1)


def test_regions_differ_and_follow_the_weather(replay: Caller) -> None:
    records = replay.data("/regional/intensity/2026-11-20T00:00Z/2026-11-22T00:00Z")
    means = {
        one.region_id: math.fsum(r["intensity"]["forecast"] for r in named(records, one.region_id))
        / len(records)
        for one in REGIONS
    }
    assert len(set(means.values())) > 14
    assert means[1] < means[18] < means[13]  # windy North Scotland, London
    assert len({one["intensity"]["forecast"] for one in named(records)}) > 10


def test_great_britain_is_the_national_value_and_mix(replay: Caller) -> None:
    window = "/2026-11-20T00:00Z/2026-11-21T00:00Z"
    britain = named(replay.data(f"/regional/intensity{window}"), 18)
    national = replay.data(f"/intensity{window}")
    values = [record["intensity"] for record in national]
    assert [one["intensity"]["forecast"] for one in britain] == [one["actual"] for one in values]
    for region, mix in zip(britain, replay.data(f"/generation{window}"), strict=True):
        published = {entry["fuel"]: entry["perc"] for entry in mix["generationmix"]}
        assert shares(region) == pytest.approx(published, abs=0.21)  # scaled to 100, then rounded
    ahead = named(replay.data(FW48H), 18)
    expected = [
        one["intensity"]["forecast"] for one in replay.data("/intensity/2026-11-22T13:00Z/fw48h")
    ]
    assert [one["intensity"]["forecast"] for one in ahead] == expected


def test_a_past_forecast_is_replaced_by_the_estimate_after_a_day(replay: Caller) -> None:
    window = "/2026-11-22T00:00Z/2026-11-22T11:00Z"
    path, national = f"/regional/intensity{window}", replay.data(f"/intensity{window}")

    def britain() -> list[int]:
        return [one["intensity"]["forecast"] for one in named(replay.data(path), 18)]

    assert britain() == [one["intensity"]["forecast"] for one in national]
    replay.clock.instant = NOW + regional.REPLACED_AFTER
    assert britain() == [one["intensity"]["actual"] for one in national]


def test_what_is_not_recorded_is_always_the_same(replay: Caller) -> None:
    assert replay.get(FW48H).content == replay.get(FW48H).content


@pytest.mark.parametrize(
    "path", ["/regional", PAST, FW48H, "/regional/intensity/2026-11-22T13:00Z/pt24h"]
)
def test_every_answer_says_that_it_is_simulated(replay: Caller, path: str) -> None:
    assert replay.get(path).headers["X-Grid-Simulated"] == "regional"


def test_every_region_has_a_weight_for_every_fuel() -> None:
    weights = regional.weights()
    assert list(weights) == [one.region_id for one in REGIONS]
    assert {len(ratios) for ratios in weights.values()} == {len(FUELS)}
    assert all(ratio >= 0 for ratios in weights.values() for ratio in ratios)
    assert weights[18] == (1,) * len(FUELS)


# Windows


@pytest.mark.parametrize(
    ("window", "first", "count"),
    [
        ("", CURRENT, 1),
        ("/intensity/2026-11-22T10:00Z/2026-11-22T11:00Z", CURRENT - 7 * HALF_HOUR, 3),
        ("/intensity/2026-11-22T10:01Z/2026-11-22T11:00Z", CURRENT - 6 * HALF_HOUR, 2),
        ("/intensity/2026-11-22T13:00Z/fw24h", CURRENT - HALF_HOUR, 49),
        ("/intensity/2026-11-22T13:00Z/pt24h", CURRENT - 49 * HALF_HOUR, 49),
        # nothing is forecast beyond 48 hours
        ("/intensity/2026-11-24T11:00Z/2026-11-25T11:00Z", CURRENT + 91 * HALF_HOUR, 6),
    ],
)
def test_the_edge_rows_are_those_of_the_national_endpoints(
    replay: Caller, window: str, first: datetime, count: int
) -> None:
    assert starts(replay.data(f"/regional{window}")) == [
        first + n * HALF_HOUR for n in range(count)
    ]


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-11-01T00:00Z", "2026-11-15T00:00Z", 400),
        ("2010-11-01T00:00Z", "2010-11-14T23:30Z", 200),
        ("2026-11-01T00:00Z", "yesterday", 400),
        ("0001-01-01T00:00Z", "pt24h", 400),
    ],
)
def test_a_window_of_exactly_14_days_is_refused_and_a_shorter_one_is_not(
    replay: Caller, start: str, end: str, status: int
) -> None:
    answer = replay.get(f"/regional/intensity/{start}/{end}")
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status == 400)


def test_what_is_withheld_is_withheld_of_the_regions_too_but_no_forecast(replay: Caller) -> None:
    replay.control("withhold", half_hours=6)
    assert starts(replay.data(PAST)) == [CURRENT - 7 * HALF_HOUR, CURRENT - 6 * HALF_HOUR]
    assert len(replay.data(FW48H)) == len(replay.data("/intensity/2026-11-22T13:00Z/fw48h")) == 97


def test_requests_are_counted_by_endpoint(replay: Caller) -> None:
    for path in ("/regional", PAST, FW48H, FW48H):
        replay.get(path)
    assert replay.get("/replay/status").json()["requests"] == {
        "/regional": 1,
        "/regional/intensity": 1,
        "/regional/intensity/fw48h": 2,
    }


# Faults

CHANGED: Final[dict[str, Callable[[list[Record], list[Record]], bool]]] = {
    "region_missing": lambda new, old: not named(new) and len(new[0]["regions"]) == 17,
    "region_unknown": lambda new, old: (
        named(new) == named(old) and [r["shortname"] for r in named(new, 19)] == ["Orkney"] * 3
    ),
    "region_renamed": lambda new, old: {r["shortname"] for r in named(new)} == {"Elsewhere"},
    "region_no_mix": lambda new, old: all("generationmix" not in r for r in named(new)),
    "region_actual": lambda new, old: {r["intensity"].get("actual") for r in named(new)} == {42},
}
"""Whether the records of London are right in all half-hours, given the good ones."""


def test_every_fault_of_regions_is_here() -> None:
    assert CHANGED.keys() == OF_REGIONS


def others(records: list[Record]) -> list[Record]:
    return [r for record in records for r in record["regions"] if r["regionid"] not in (13, 19)]


@pytest.mark.parametrize("name", CHANGED)
def test_a_fault_of_a_region_concerns_all_of_its_half_hours_and_no_other_region(
    replay: Caller, name: str
) -> None:
    good = replay.data(PAST)
    replay.control("fault", name=name, times=1)
    changed = replay.data(PAST)
    assert CHANGED[name](changed, good)
    assert others(changed) == others(good)
    assert replay.data(PAST) == good


def test_a_region_and_a_half_hour_can_be_chosen(replay: Caller) -> None:
    replay.control("fault", name="region_missing", region=1, period="2026-11-22T10:00Z")
    found = [len(named([record], 1)) for record in replay.data(PAST)]
    assert found == [1, 0, 1]


OF_A_RECORD: Final[dict[str, Callable[[Record, Record], bool]]] = {
    "nan": lambda new, old: math.isnan(new["intensity"]["forecast"]),
    "1e308": lambda new, old: new["intensity"]["forecast"] == 1e308,
    "string_value": lambda new, old: isinstance(new["intensity"]["forecast"], str),
    "missing_field": lambda new, old: "forecast" not in new["intensity"],
    "negative_share": lambda new, old: shares(new)["wind"] == -5,
    "share_101": lambda new, old: shares(new)["wind"] == 101,
    "drop_fuels": lambda new, old: "coal" not in shares(new),
    "tenth_fuel": lambda new, old: shares(new) == {**shares(old), "tidal": 0.4},
    "forecast_13579": lambda new, old: new["intensity"]["forecast"] == 13579,
    "revision": lambda new, old: new["intensity"]["forecast"] == old["intensity"]["forecast"] + 3,
}
"""Whether the newest record of one region is right, given the good one."""


@pytest.mark.parametrize("name", OF_A_RECORD)
def test_a_fault_of_a_record_can_be_that_of_one_region(replay: Caller, name: str) -> None:
    good = replay.data(PAST)
    replay.control("fault", name=name, region=6)
    changed = replay.data(PAST)
    assert changed[:-1] == good[:-1]
    [new], [old] = named(changed[-1:], 6), named(good[-1:], 6)
    assert OF_A_RECORD[name](new, old)
    rest = [one for one in changed[-1]["regions"] if one["regionid"] != 6]
    assert rest == [one for one in good[-1]["regions"] if one["regionid"] != 6]


@pytest.mark.parametrize(
    ("name", "count"), [("duplicate", 2), ("duplicate_conflict", 2), ("not_a_dict", 0)]
)
def test_a_region_can_be_there_twice_or_be_no_record(replay: Caller, name: str, count: int) -> None:
    replay.control("fault", name=name, region=6)
    [*_, newest] = replay.data(PAST)
    found = [one for one in newest["regions"] if isinstance(one, dict) and one["regionid"] == 6]
    assert len(found) == count
    assert newest["regions"].count("not a record") == (name == "not_a_dict")


def test_faults_of_several_regions_of_one_half_hour_add_up(replay: Caller) -> None:
    for region in (1, 2, 3):
        replay.control("fault", name="not_a_dict", region=region)
    assert replay.data(PAST)[-1]["regions"][:3] == ["not a record"] * 3


@pytest.mark.parametrize("name", ["off_grid", "no_zone", "not_a_dict", "duplicate"])
def test_without_a_region_a_fault_of_a_record_is_that_of_the_half_hour(
    replay: Caller, name: str
) -> None:
    good = replay.data(PAST)
    replay.control("fault", name=name)
    changed = replay.data(PAST)
    assert changed[:2] == good[:2]
    assert changed[2:] != good[2:]


@pytest.mark.parametrize(("name", "region"), [("nan", 6), ("region_missing", 6)])
def test_a_fault_of_a_region_waits_for_an_answer_with_regions(
    replay: Caller, name: str, region: int
) -> None:
    replay.control("fault", name=name, region=region, times=1)
    national = "/intensity/2026-11-22T10:00Z/2026-11-22T11:00Z"
    assert all(record["intensity"]["actual"] for record in replay.data(national))
    assert replay.get("/replay/status").json()["faults"][0]["times"] == 1
    replay.data(PAST)
    assert replay.get("/replay/status").json()["faults"] == []


@pytest.mark.parametrize("region", [0, 19, "London", None])
def test_a_region_that_does_not_exist_is_refused(replay: Caller, region: Any) -> None:
    answer = replay.session.post(
        f"{replay.server.url}/replay/fault", json={"name": "nan", "region": region}, timeout=5
    )
    assert answer.status_code == 400
    assert "'region'" in answer.json()["error"]["message"]

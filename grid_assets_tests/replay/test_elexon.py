"""The recorded Elexon API, without HTTP: shapes, order, windows, refusals and publication times."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from grid_assets.replay.elexon import ElexonApi
from grid_assets.replay.outlook_recording import (
    FUEL_TYPES,
    OutlookView,
    load_outlook_recording,
)
from grid_assets.replay.replies import Reply

BODIES = Path(__file__).parent.parent / "fixtures" / "elexon"
WEEKS = 48
NOW = datetime(2026, 11, 5, 13, 17, tzinfo=UTC)
DAY = {"publishDateTimeFrom": "2026-11-04T00:00Z", "publishDateTimeTo": "2026-11-05"}


@pytest.fixture(scope="module")
def api() -> ElexonApi:
    return ElexonApi(OutlookView(load_outlook_recording(), WEEKS))


def ask(api: ElexonApi, path: str, now: datetime = NOW, /, **query: str | list[str]) -> Reply:
    lists = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    return api.answer(path, lists, now)[1]


def rows(
    api: ElexonApi, dataset: str, now: datetime = NOW, /, **query: str | list[str]
) -> list[Any]:
    reply = ask(api, f"/datasets/{dataset}", now, **query)
    assert reply.status == 200, reply.document
    found: list[Any] = reply.document["data"]
    return found


def body(name: str) -> Any:
    return json.loads((BODIES / f"{name}.json").read_text())


def kinds(row: dict[str, Any]) -> list[tuple[str, type]]:
    return [(name, type(value)) for name, value in row.items()]


@pytest.mark.parametrize(
    ("dataset", "recorded"),
    [
        ("FUELHH", "fuelhh_wind_latest_2026-03-15"),
        ("INDO", "indo_dataset_2026-08-20"),
        ("NDF", "ndf_two_vintages_truncated_2026-08-20"),
    ],
)
def test_rows_have_the_fields_types_and_order_of_recorded_bodies(
    api: ElexonApi, dataset: str, recorded: str
) -> None:
    document = ask(api, f"/datasets/{dataset}", **DAY).document
    known = body(recorded)
    assert list(document) == list(known) == ["data"]
    assert kinds(document["data"][0]) == kinds(known["data"][0])
    for found in (document["data"], known["data"]):
        published = [row["publishTime"] for row in found]
        assert published == sorted(published, reverse=True)
        assert all(row["publishTime"].endswith(":00Z") for row in found)
    stream = ask(api, f"/datasets/{dataset}/stream", **DAY).document
    assert stream == document["data"]


def test_a_wind_forecast_has_the_fields_of_recorded_rows(api: ElexonApi) -> None:
    [first, *_] = found = rows(api, "WINDFOR")
    assert kinds(first) == [
        ("dataset", str),
        ("publishTime", str),
        ("startTime", str),
        ("generation", int),
    ]
    assert {row["publishTime"] for row in found} == {"2026-11-05T11:30:00Z"}
    assert [row["startTime"] for row in found] == sorted(row["startTime"] for row in found)


def test_an_empty_window_is_a_success_with_the_recorded_body(api: ElexonApi) -> None:
    between = {"publishDateTimeFrom": "2026-11-05T00:00Z", "publishDateTimeTo": "2026-11-05T02:00Z"}
    reply = ask(api, "/datasets/WINDFOR", **between)
    recorded = (BODIES / "empty_200_windfor_between_publishes.json").read_bytes()
    assert (reply.status, reply.body) == (200, recorded)


def test_windows_include_both_ends(api: ElexonApi) -> None:
    three_hours = {
        "publishDateTimeFrom": "2026-11-05T06:00:00.000Z",
        "publishDateTimeTo": "2026-11-05T09:00:00Z",
    }
    assert len(rows(api, "INDO", **three_hours)) == 7
    assert len(rows(api, "FUELHH", **three_hours)) == 7 * 20
    exact = {"publishDateTimeFrom": "2026-11-05T11:30Z", "publishDateTimeTo": "2026-11-05T11:30Z"}
    assert {row["publishTime"] for row in rows(api, "WINDFOR", **exact)} == {"2026-11-05T11:30:00Z"}


def test_a_date_alone_means_its_first_instant(api: ElexonApi) -> None:
    found = rows(api, "INDO", publishDateTimeFrom="2026-11-03", publishDateTimeTo="2026-11-04")
    assert (found[0]["publishTime"], len(found)) == ("2026-11-04T00:00:00Z", 49)


def test_a_day_of_demand_forecasts_is_allowed_and_a_minute_more_is_refused(api: ElexonApi) -> None:
    assert rows(api, "NDF", publishDateTimeFrom="2026-11-03", publishDateTimeTo="2026-11-04")
    longer = {"publishDateTimeFrom": "2026-11-03", "publishDateTimeTo": "2026-11-04T00:01Z"}
    reply = ask(api, "/datasets/NDF", **longer)
    assert (reply.status, reply.document) == (400, body("error_400_range_1_day"))
    assert ask(api, "/datasets/NDF/stream", **longer).status == 200


def test_settlement_dates_are_capped_at_seven_days_and_exclude_publish_dates(
    api: ElexonApi,
) -> None:
    week = {"settlementDateFrom": "2026-10-26", "settlementDateTo": "2026-11-01"}
    assert len(rows(api, "FUELHH", **week, fuelType="WIND")) == 7 * 48
    longer = {**week, "settlementDateTo": "2026-11-02"}
    [[message]] = ask(api, "/datasets/FUELHH", **longer).document["errors"].values()
    assert message == (
        "The date range between SettlementDateFrom and SettlementDateTo inclusive must not "
        "exceed 7 days"
    )
    assert ask(api, "/datasets/FUELHH", **week, **DAY).status == 400


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "0001-01-01T00:00+09:00"])
def test_a_time_that_is_none_is_refused_by_its_parameter(api: ElexonApi, value: str) -> None:
    reply = ask(api, "/datasets/INDO", publishDateTimeFrom=value)
    assert (reply.status, list(reply.document["errors"])) == (400, ["publishDateTimeFrom"])


def test_unknown_parameters_are_ignored_and_the_latest_publication_returned(
    api: ElexonApi,
) -> None:
    assert rows(api, "INDO", **{"from": "2026-10-01", "page": "7"}) == rows(api, "INDO")
    assert [row["publishTime"] for row in rows(api, "INDO")] == ["2026-11-05T13:00:00Z"]
    assert [row["fuelType"] for row in rows(api, "FUELHH")] == list(FUEL_TYPES)


def test_fuels_and_periods_can_be_chosen(api: ElexonApi) -> None:
    found = rows(api, "FUELHH", **DAY, fuelType=["WIND", "CCGT"], settlementPeriod=["3"])
    assert [(row["fuelType"], row["settlementPeriod"]) for row in found] == [
        ("CCGT", 3),
        ("WIND", 3),
    ]


def test_an_outturn_appears_five_minutes_after_its_half_hour(api: ElexonApi) -> None:
    end = datetime(2026, 11, 5, 13, tzinfo=UTC)
    for minutes, newest in ((4.9, "12:30"), (5, "13:00")):
        for dataset in ("FUELHH", "INDO"):
            found = rows(api, dataset, end + timedelta(minutes=minutes))
            assert found[0]["publishTime"] == f"2026-11-05T{newest}:00Z"


@pytest.mark.parametrize("dataset", ["WINDFOR", "NDF", "FUELHH", "INDO"])
def test_nothing_is_published_ahead_of_the_clock(api: ElexonApi, dataset: str) -> None:
    far = {"publishDateTimeFrom": "2026-11-05T00:00Z", "publishDateTimeTo": "2027-11-05T00:00Z"}
    found = ask(api, f"/datasets/{dataset}/stream", **far).document
    assert max(row["publishTime"] for row in found) <= "2026-11-05T13:17:00Z"


def test_eight_wind_forecasts_a_day_have_their_recorded_times(api: ElexonApi) -> None:
    day = {"publishDateTimeFrom": "2026-11-03T00:00Z", "publishDateTimeTo": "2026-11-03T23:59Z"}
    times = Counter(row["publishTime"][11:16] for row in rows(api, "WINDFOR", **day))
    assert sorted(times) == [
        "02:30",
        "04:30",
        "07:30",
        "09:30",
        "11:30",
        "15:30",
        "18:30",
        "22:30",
    ]


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-05T11:40Z", "11:30:00Z", "2026-11-06T04:30:00Z"),
        ("2026-11-05T12:10Z", "12:00:00Z", "2026-11-06T23:30:00Z"),
    ],
)
def test_demand_is_forecast_to_five_and_from_noon_to_the_end_of_the_next_day(
    api: ElexonApi, now: str, first: str, last: str
) -> None:
    reply = ask(api, "/datasets/NDF", datetime.fromisoformat(now))
    found = reply.document["data"]
    assert found[0]["startTime"].endswith(first)
    assert found[-1]["startTime"] == last
    assert reply.headers["X-Grid-Simulated"] == "NDF"
    assert "X-Grid-Simulated" not in ask(api, "/datasets/WINDFOR").headers


@pytest.mark.parametrize(
    ("sunday", "weeks", "periods"),
    [("2026-10-25", 48, 50), ("2026-03-29", 24, 46), ("2026-10-18", 48, 48)],
)
def test_a_recorded_day_takes_the_periods_of_the_day_that_it_is_moved_to(
    sunday: str, weeks: int, periods: int
) -> None:
    api = ElexonApi(OutlookView(load_outlook_recording(), weeks))
    found = rows(
        api,
        "FUELHH",
        settlementDateFrom=sunday,
        settlementDateTo=sunday,
        fuelType="WIND",
    )
    assert [row["settlementPeriod"] for row in found] == list(range(periods, 0, -1))
    midnight = datetime.fromisoformat(sunday).replace(tzinfo=ZoneInfo("Europe/London"))
    assert datetime.fromisoformat(found[-1]["startTime"]) == midnight


def test_the_recording_ends_without_inventing_more(api: ElexonApi) -> None:
    after = datetime(2026, 12, 3, 12, tzinfo=UTC)  # the outturn ends at 00:00 of this day
    today = {"publishDateTimeFrom": "2026-12-03T00:30Z", "publishDateTimeTo": "2026-12-03T12:00Z"}
    for dataset in ("FUELHH", "INDO", "NDF"):
        assert rows(api, dataset, after, **today) == []
    assert rows(api, "WINDFOR", after, **today)


@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/BOD", "/datasets/INDO/x", "/demand"])
def test_other_paths_are_not_found(api: ElexonApi, path: str) -> None:
    assert ask(api, path).status == 404

"""The recorded NESO Data Portal, without HTTP: envelopes, tables, labels, queries and downloads."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.faulty_rows import start_of
from grid_assets.replay.neso_portal import NesoPortalApi
from grid_assets.replay.outlook_recording import OutlookView, load_outlook_recording
from grid_assets.replay.replies import Reply

BODIES = Path(__file__).parent.parent / "fixtures" / "neso_portal"
NOW = datetime(2026, 11, 5, 13, 17, tzinfo=UTC)
BASE = "http://127.0.0.1:1/neso-portal"

EMBEDDED = "db6c038f-98af-4570-ab60-24d71ebd0ae5"
EMBEDDED_ARCHIVE = "31861619-0b86-47ba-bac2-d008a760af54"
WIND = "b2f03146-f05d-4824-a663-3a4f36090c71"
WIND_ARCHIVE = "7524ec65-f782-4258-aaf8-5b926c17b966"
TWO_WEEKS = "7c0411cd-2714-4bb5-a408-adb065edf34d"
PERFORMANCE = "08e41551-80f8-4e28-a416-ea473a695db9"
UPDATE = "177f6fa4-ae49-4182-81ea-0c6b35f26ca6"
HISTORIC = "8a4a771c-3929-4e56-93ad-cdf13219dea5"
EVERY = (EMBEDDED, EMBEDDED_ARCHIVE, WIND, WIND_ARCHIVE, TWO_WEEKS, PERFORMANCE, UPDATE, HISTORIC)


@pytest.fixture(scope="module")
def view() -> OutlookView:
    return OutlookView(load_outlook_recording(), weeks=48)


@pytest.fixture(scope="module")
def portal(view: OutlookView) -> NesoPortalApi:
    return NesoPortalApi(view, BASE)


def act(portal: NesoPortalApi, action: str, now: datetime = NOW, /, **query: str) -> Reply:
    lists = {name: [value] for name, value in query.items()}
    return portal.answer(f"/api/3/action/{action}", lists, now)[1]


def result(portal: NesoPortalApi, action: str, now: datetime = NOW, /, **query: str) -> Any:
    reply = act(portal, action, now, **query)
    assert reply.status == 200, reply.document
    assert reply.document["success"] is True
    return reply.document["result"]


def records(
    portal: NesoPortalApi, resource: str, now: datetime = NOW, /, **query: str
) -> list[Any]:
    query = {"resource_id": resource, "limit": "32000", **query}
    found: list[Any] = result(portal, "datastore_search", now, **query)["records"]
    return found


def follow(portal: NesoPortalApi, url: str, now: datetime = NOW) -> Reply:
    parts = urlsplit(url)
    path = parts.path.removeprefix("/neso-portal")
    return portal.answer(path, parse_qs(parts.query), now)[1]


def select(columns: str, resource: str, rest: str) -> str:
    return " ".join(("SELECT", columns, "FROM", f'"{resource}"', rest))


def recorded_lines(name: str) -> list[list[str]]:
    text = (BODIES / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))


def shape(value: Any) -> Any:
    """Keys in their order, and kinds of values; lists by their first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value)


def test_an_answer_of_the_datastore_has_the_recorded_shape(portal: NesoPortalApi) -> None:
    query = {"resource_id": EMBEDDED, "limit": "3", "offset": "1"}
    document = act(portal, "datastore_search", **query).document
    known = json.loads((BODIES / "datastore_search_embedded_limit3_2024-01-26.json").read_text())
    assert shape(document) == shape(known)
    assert list(document["result"]) == list(known["result"])
    assert list(document["result"]["records"][0]) == list(known["result"]["records"][0])
    assert [(f["id"], f["type"]) for f in document["result"]["fields"]] == [
        (f["id"], f["type"]) for f in known["result"]["fields"]
    ]
    assert [row["_id"] for row in document["result"]["records"]] == [2, 3, 4]
    assert document["result"]["total"] == known["result"]["total"] == 602
    links = document["result"]["_links"]
    assert links["next"].endswith(f"resource_id={EMBEDDED}&limit=3&offset=4")


@pytest.mark.parametrize(
    ("resource", "recorded"),
    [
        (EMBEDDED, "embedded_forecast_extract_2026-08-16T1825"),
        (WIND, "day_ahead_wind_current_2026-10-08"),
        (TWO_WEEKS, "demand_2_14_days_half_hourly_extract_2026-10-08"),
        (UPDATE, "daily_demand_update_extract_2026-10-08"),
    ],
)
def test_a_download_redirects_to_a_file_with_the_recorded_columns(
    portal: NesoPortalApi, resource: str, recorded: str
) -> None:
    described = result(portal, "resource_show", id=resource)
    assert described["url"].startswith(f"{BASE}/dataset/")
    redirect = follow(portal, described["url"])
    assert redirect.status == 302
    location = redirect.headers["Location"]
    file = follow(portal, location)
    assert (file.status, file.content_type) == (200, "application/octet-stream")
    header, first, *_ = csv.reader(io.StringIO(file.body.decode(), newline=""))
    known_header, known_first, *_ = recorded_lines(recorded)
    assert header == known_header
    assert [len(cell) > 5 for cell in first[:3]] == [len(cell) > 5 for cell in known_first[:3]]
    assert len(file.body.splitlines()) - 1 == len(records(portal, resource))
    assert follow(portal, location.replace("Signature=", "Signature=x")).status == 403


def test_the_archive_has_the_recorded_columns(portal: NesoPortalApi) -> None:
    known = recorded_lines("embedded_archive_2026_extract")[0]
    sql = select("*", EMBEDDED_ARCHIVE, """WHERE "Forecast_Datetime" >= '2026-11-03' LIMIT 1""")
    [record] = result(portal, "datastore_search_sql", sql=sql)["records"]
    assert ["_id", *known, "_full_text"] == list(record)


def test_labels_are_those_of_the_portal(portal: NesoPortalApi, view: OutlookView) -> None:
    embedded = records(portal, EMBEDDED)[0]  # issued 11:52, uploaded 12:25
    assert (embedded["DATE_GMT"], embedded["TIME_GMT"]) == ("2026-11-05T00:00:00", "12:30")
    assert (embedded["SETTLEMENT_DATE"], embedded["SETTLEMENT_PERIOD"]) == (
        "2026-11-05T00:00:00",
        25,
    )
    wind = records(portal, WIND)
    assert (wind[0]["Datetime_GMT"], wind[0]["Settlement_period"]) == ("2026-11-06T00:00:00", 1)
    demand = records(portal, TWO_WEEKS)
    assert len(demand) == 13 * 48
    assert (demand[0]["DATE"], demand[0]["CTIME"]) == ("2026-11-07", 30)
    assert (demand[47]["CTIME"], demand[47]["GDATETIME"]) == (2400, "2026-11-08T00:00:00")
    starts = [start_of(row) for row in demand]
    assert starts == [starts[0] + step * HALF_HOUR for step in range(13 * 48)]


def test_labels_follow_londons_clocks_in_summer(portal: NesoPortalApi) -> None:
    now = datetime(2026, 10, 8, 10, tzinfo=UTC)  # when the bodies below were recorded
    demand = records(portal, TWO_WEEKS, now)[0]
    known = _first("demand_2_14_days_half_hourly_extract_2026-10-08")
    assert [demand["DATE"], str(demand["CTIME"]), demand["GDATETIME"]] == known[:3]
    wind = records(portal, WIND, now)[0]
    known = _first("day_ahead_wind_current_2026-10-08")
    assert [wind["Datetime_GMT"], wind["Date"], str(wind["Settlement_period"])] == known[:3]


def _first(name: str) -> list[str]:
    return recorded_lines(name)[1]


def test_a_demand_update_has_outturn_placeholders_and_forecasts(portal: NesoPortalApi) -> None:
    found = records(portal, UPDATE)  # issued at 10:35
    settled = [row for row in found if row["ND"]]
    waiting = [row for row in found if row["FORECAST_ACTUAL_INDICATOR"] == "A" and not row["ND"]]
    ahead = [row for row in found if row["FORECAST_ACTUAL_INDICATOR"] == "F"]
    assert found == settled + waiting + ahead
    assert [row["SETTLEMENT_PERIOD"] for row in waiting] == [20, 21]
    assert {row["TSD"] for row in waiting} == {600}
    assert {row["TSD"] for row in ahead} == {0}
    assert (found[0]["SETTLEMENT_DATE"], found[-1]["SETTLEMENT_DATE"]) == (
        "2026-09-29",
        "2026-11-11",
    )
    only = json.dumps({"FORECAST_ACTUAL_INDICATOR": "A", "SETTLEMENT_DATE": "2026-11-04"})
    measured = act(portal, "datastore_search", resource_id=UPDATE, filters=only)
    assert len(measured.document["result"]["records"]) == 48
    assert "X-Grid-Simulated" not in measured.headers
    everything = act(portal, "datastore_search", resource_id=UPDATE, limit="32000")
    assert everything.headers["X-Grid-Simulated"] == "demand_data_update"


def test_outturn_of_the_update_and_the_yearly_file_is_the_recorded_one(
    portal: NesoPortalApi, view: OutlookView
) -> None:
    for resource in (UPDATE, HISTORIC):
        day = json.dumps({"SETTLEMENT_DATE": "2026-11-04"})
        for row in records(portal, resource, filters=day):
            embedded, outturn = view.embedded(start_of(row)), view.outturn(start_of(row))
            assert embedded is not None
            assert outturn is not None
            assert row["EMBEDDED_WIND_GENERATION"] == embedded.wind
            assert row["EMBEDDED_SOLAR_GENERATION"] == embedded.solar
            assert row["ND"] == outturn.demand
    assert "X-Grid-Simulated" not in act(portal, "datastore_search", resource_id=HISTORIC).headers


@pytest.mark.parametrize("resource", [EMBEDDED, EMBEDDED_ARCHIVE, WIND, TWO_WEEKS, PERFORMANCE])
def test_simulated_resources_are_marked(portal: NesoPortalApi, resource: str) -> None:
    assert "X-Grid-Simulated" in act(portal, "datastore_search", resource_id=resource).headers


@pytest.mark.parametrize("resource", EVERY)
def test_nothing_is_published_ahead_of_the_clock(portal: NesoPortalApi, resource: str) -> None:
    modified = datetime.fromisoformat(result(portal, "resource_show", id=resource)["last_modified"])
    assert modified.replace(tzinfo=UTC) <= NOW


def test_a_new_issue_appears_with_its_upload(portal: NesoPortalApi) -> None:
    upload = datetime(2026, 11, 5, 13, 25, 3, tzinfo=UTC)
    before, after = upload - timedelta(seconds=1), upload
    assert result(portal, "resource_show", before, id=EMBEDDED)["last_modified"] == (
        "2026-11-05T12:25:03.000000"
    )
    assert records(portal, EMBEDDED, before)[0]["TIME_GMT"] == "12:30"
    assert result(portal, "resource_show", after, id=EMBEDDED)["last_modified"] == (
        "2026-11-05T13:25:03.000000"
    )
    assert records(portal, EMBEDDED, after)[0]["TIME_GMT"] == "13:30"


def test_the_archive_has_each_issue_as_it_was(portal: NesoPortalApi) -> None:
    current = records(portal, EMBEDDED)
    rest = """WHERE "Forecast_Datetime" >= '2026-11-05T11:00:00'
        AND "Forecast_Datetime" < '2026-11-05T12:00:00' ORDER BY "_id" LIMIT 32000 OFFSET 0"""
    sql = select("*", EMBEDDED_ARCHIVE, rest)
    archived = result(portal, "datastore_search_sql", sql=sql)["records"]
    added = {"_id", "Forecast_Datetime", "_full_text"}
    stripped = [{k: v for k, v in row.items() if k not in added} for row in archived]
    assert stripped == [{k: v for k, v in row.items() if k != "_id"} for row in current]
    assert {row["Forecast_Datetime"] for row in archived} == {"2026-11-05T11:52:26"}
    newest = records(portal, EMBEDDED_ARCHIVE, sort="Forecast_Datetime desc", limit="1")
    assert newest[0]["Forecast_Datetime"] == "2026-11-05T11:52:26"


def test_pages_follow_one_another_and_end_at_the_total(portal: NesoPortalApi) -> None:
    whole = records(portal, WIND)
    pages = [records(portal, WIND, limit="20", offset=str(offset)) for offset in (0, 20, 40, 60)]
    assert [row for page in pages for row in page] == whole
    assert [len(page) for page in pages] == [20, 20, 8, 0]
    last = result(portal, "datastore_search", resource_id=WIND, limit="20", offset="40")
    assert last["_links"]["next"].endswith("offset=60")
    assert last["total"] == 48
    assert len(result(portal, "datastore_search", resource_id=UPDATE)["records"]) == 100


def test_an_answer_without_rows_still_has_its_columns_and_total(portal: NesoPortalApi) -> None:
    empty = result(portal, "datastore_search", resource_id=EMBEDDED, limit="0")
    assert (empty["records"], empty["total"], len(empty["fields"])) == ([], 602, 9)


def test_rows_are_sorted_and_filtered(portal: NesoPortalApi) -> None:
    by_value = records(portal, WIND, sort="Incentive_forecast desc, Settlement_period")
    values = [row["Incentive_forecast"] for row in by_value]
    assert values == sorted(values, reverse=True)
    periods = records(portal, WIND, filters='{"Settlement_period": [3, 5]}')
    assert [row["Settlement_period"] for row in periods] == [3, 5]
    rest = """where "Date" IN ('2026-11-06', '07-Nov-26')
        and "Settlement_period" >= 10 and "Datetime_GMT" < '2026-11-06 06:00:00'
        order by "Settlement_period" desc, "Date" limit 3 offset 1"""
    sql = select('"Settlement_period"', WIND, rest)
    found = result(portal, "datastore_search_sql", sql=sql)
    assert found["records"] == [{"Settlement_period": period} for period in (11, 10)]
    assert found["fields"] == [{"type": "int4", "id": "Settlement_period"}]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE x",
        select("*", WIND, "WHERE Date = 1"),
        select('"nothing"', WIND, ""),
        select("*", WIND, """WHERE "Settlement_period" = 'many'"""),
        select("*", WIND, """WHERE "Date" >= '2026-11-05' OR "Date" = '2026-11-01'"""),
        select("*", WIND, 'ORDER BY "Date" SIDEWAYS'),
        "",
    ],
)
def test_other_sql_is_refused_with_a_reason(portal: NesoPortalApi, sql: str) -> None:
    reply = act(portal, "datastore_search_sql", sql=sql)
    assert (reply.status, reply.document["success"]) == (409, False)
    assert reply.document["error"]["__type"] == "Validation Error"


def test_a_query_that_would_read_all_of_an_archive_times_out(portal: NesoPortalApi) -> None:
    query = {"resource_id": EMBEDDED_ARCHIVE, "sort": "SETTLEMENT_DATE"}
    reply = act(portal, "datastore_search", **query)
    assert reply.status == 409
    assert "statement timeout" in reply.document["error"]["query"][0]


def test_what_does_not_exist_is_refused_as_recorded(portal: NesoPortalApi) -> None:
    known = json.loads((BODIES / "error_404_package_show.json").read_text())
    for action, query in (
        ("package_show", {"id": "none"}),
        ("resource_show", {"id": "none"}),
        ("resource_show", {}),
        ("datastore_search", {"resource_id": "none"}),
        ("datastore_search_sql", {"sql": select("*", "none", "")}),
    ):
        reply = act(portal, action, **query)
        assert reply.status == 404
        assert reply.document["error"] == known["error"]
        assert list(reply.document) == list(known)
    unknown = act(portal, "nonexistent_action")
    assert unknown.status == 400
    assert unknown.document == json.loads((BODIES / "error_400_unknown_action.json").read_text())
    assert act(portal, "datastore_search").status == 409
    assert follow(portal, f"{BASE}/dataset/x/resource/none/download/x.csv").status == 404


def test_a_package_lists_its_resources_by_name(portal: NesoPortalApi) -> None:
    package = "embedded-wind-and-solar-forecasts"
    described = result(portal, "package_show", id=package)
    by_name = {resource["name"]: resource for resource in described["resources"]}
    assert by_name["embedded_solar_and_wind_forecast"]["id"] == EMBEDDED
    assert by_name["embedded_archive_2026_2"]["id"] == EMBEDDED_ARCHIVE
    assert described["license_id"] == "ESO"
    assert result(portal, "package_show", id=described["id"]) == described
    for resource in described["resources"]:
        shown = result(portal, "resource_show", id=resource["id"])
        assert {**shown, "position": 0} == {**resource, "position": 0}


def test_the_day_ahead_demand_appears_after_its_day_in_londons_time(portal: NesoPortalApi) -> None:
    rows = records(portal, PERFORMANCE, filters='{"Date": "2026-10-24"}')
    assert len(rows) == 48
    assert rows[0]["Datetime"] == "2026-10-24T00:30:00"
    assert rows[0]["Publish_Datetime"] == "2026-10-23T09:45:00"
    assert rows[0]["Absolute_Error"] == abs(rows[0]["Demand_Forecast"] - rows[0]["Demand_Outturn"])
    assert max(row["Date"] for row in records(portal, PERFORMANCE)) == "2026-11-04"

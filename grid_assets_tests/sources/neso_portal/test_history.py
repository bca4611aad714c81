"""A backfill from the archives: bounded requests, whole publications, failures that stay alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window, days_window
from grid_assets.sources.http.errors import ApiError, ApiServerError, ApiWrongKind
from grid_assets.sources.neso_portal import datasets, history
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets_tests.http_stub import Reply, Stub
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import answer, at

ONE_DAY = days_window(date(2025, 7, 1), date(2025, 7, 1))


def statements(stub: Stub) -> list[str]:
    queries = [parse_qs(urlsplit(path).query) for path in stub.paths]
    return [query["sql"][0] for query in queries if "sql" in query]


class Archive:
    """Answers any statement with the rows that its condition selects, as CKAN would."""

    def __init__(self, stub: Stub, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.columns = list(rows[0])
        self.fail: Callable[[str], Reply | None] = lambda sql: None
        stub.script = self.reply

    def reply(self, path: str) -> Reply:
        query = parse_qs(urlsplit(path).query)
        fields = [{"id": name} for name in self.columns]
        if "sql" not in query:
            return answer([], fields=fields)
        sql = query["sql"][0]
        if failure := self.fail(sql):
            return failure
        return answer([row for row in self.rows if self.selects(sql, row)], fields=fields)

    def selects(self, sql: str, row: dict[str, Any]) -> bool:
        if found := re.search(r'WHERE "(\w+)" >= \'(.+?)\' AND "\1" < \'(.+?)\' ORDER', sql):
            return bool(found[2] <= row[found[1]] < found[3])
        found = re.search(r'WHERE "(\w+)" IN \((.+?)\) ORDER', sql)
        assert found, sql
        return f"'{row[found[1]]}'" in found[2].split(", ")


def issue(stamp: str, first: str, wind: int = 2000) -> list[dict[str, Any]]:
    return [
        bodies.embedded(at(first) + step * HALF_HOUR, wind, Forecast_Datetime=stamp)
        for step in range(3)
    ]


def test_embedded_issues_are_those_published_in_the_window(stub: Stub, portal: NesoPortal) -> None:
    """In summer London's stamps reach an hour beyond the UTC day."""
    Archive(
        stub,
        [
            *issue("2025-07-01T00:12:00Z", "2025-06-30T23:00"),  # published the day before
            *issue("2025-07-01T00:40:00Z", "2025-06-30T23:30"),  # issued the day before
            *issue("2025-07-01T01:12:00Z", "2025-07-01T00:00"),
            *issue("2025-07-02T00:12:00Z", "2025-07-01T23:00"),
            *issue("2025-07-02T01:12:00Z", "2025-07-02T00:00"),
        ],
    )
    [(piece, taken)] = history.embedded(portal, ONE_DAY)
    assert piece == ONE_DAY
    assert not isinstance(taken, ApiError)
    assert {row.published_at for row in taken.parsed.rows} == {
        at("2025-07-01T00:13"),
        at("2025-07-01T00:45"),
        at("2025-07-01T23:45"),
    }
    [sql] = statements(stub)
    assert "\"Forecast_Datetime\" >= '2025-06-30T23:27:00' AND" in sql
    assert "< '2025-07-02T01:00:00' ORDER" in sql
    assert 'FROM "fc13df13-2dad-4a1c-b9e3-4569efba4955"' in sql
    assert "*" not in sql


def test_names_of_columns_are_the_portals_own_in_sql(stub: Stub, portal: NesoPortal) -> None:
    rows = [
        {name.lower(): value for name, value in row.items()}
        for row in issue("2025-07-01T10:12:00", "2025-07-01T09:00")
    ]
    Archive(stub, rows)
    [(_, taken)] = history.embedded(portal, ONE_DAY)
    assert not isinstance(taken, ApiError)
    assert len(taken.parsed.rows) == 2
    assert '"forecast_datetime" >= ' in statements(stub)[0]


def test_a_missing_column_is_said_before_anything_is_selected(
    stub: Stub, portal: NesoPortal
) -> None:
    rows = issue("2025-07-01T10:12:00", "2025-07-01T09:00")
    Archive(stub, rows).columns.remove("Forecast_Datetime")
    [(_, taken)] = history.embedded(portal, ONE_DAY)
    assert not isinstance(taken, ApiError)
    [reject] = taken.parsed.rejected
    assert reject.reason.startswith("body: the column Forecast_Datetime is missing")
    assert statements(stub) == []


def test_a_year_that_is_not_listed_is_found_by_name_once(stub: Stub, portal: NesoPortal) -> None:
    archive = Archive(stub, issue("2027-01-01T00:12:00", "2027-01-01T00:00"))
    named = {
        "id": "new-id",
        "name": "embedded_archive_2027",
        "url": "https://x",
        "last_modified": "2027-01-03T00:00:00",
    }
    package = {"success": True, "result": {"resources": [named]}}
    stub.script = lambda path: (
        Reply(json.dumps(package).encode()) if "package_show" in path else archive.reply(path)
    )
    window = days_window(date(2027, 1, 1), date(2027, 1, 3))
    outcomes = [taken for _, taken in history.embedded(portal, window)]
    assert [len(one.parsed.rows) for one in outcomes if not isinstance(one, ApiError)] == [2, 0, 0]
    assert [path for path in stub.paths if "package_show" in path] == [
        "/api/3/action/package_show?id=embedded-wind-and-solar-forecasts"
    ]
    assert 'FROM "new-id"' in statements(stub)[0]


def test_a_long_backfill_asks_for_bounded_pieces(stub: Stub, portal: NesoPortal) -> None:
    rows = [
        bodies.wind(start, Forecast_Timestamp=f"{start - DAY:%Y-%m-%dT08:45:00}")
        for start in (at("2024-01-01T12:00"), at("2025-12-31T23:30"))
    ]
    Archive(stub, rows)
    window = days_window(date(2024, 1, 1), date(2025, 12, 31))
    outcomes = list(history.day_ahead_wind(portal, window))
    values = {
        start
        for _, taken in outcomes
        if not isinstance(taken, ApiError)
        for row in taken.parsed.rows
        for start in row.values
    }
    assert values == {at("2024-01-01T12:00"), at("2025-12-31T23:30")}
    assert len(statements(stub)) == 3  # 731 days, up to 300 each
    assert len(stub.paths) == 4  # and once the names of the columns
    assert [piece.start for piece, _ in outcomes[1:]] == [piece.end for piece, _ in outcomes[:-1]]


def test_the_days_of_half_hours_are_londons(stub: Stub, portal: NesoPortal) -> None:
    """The last half-hours of a UTC day in summer belong to the next day in London."""
    Archive(stub, [bodies.performance(at("2025-07-01T23:00"))])
    [(_, taken)] = history.day_ahead_demand(portal, ONE_DAY)
    assert not isinstance(taken, ApiError)
    [row] = taken.parsed.rows
    assert row.published_at == at("2025-07-01T08:15")
    assert "\"Date\" >= '2025-07-01' AND \"Date\" < '2025-07-03'" in statements(stub)[0]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d-%b-%y", "%d-%b-%Y", "%Y-%m-%dT00:00:00"])
def test_outturn_is_found_whatever_the_form_of_its_dates(
    stub: Stub, portal: NesoPortal, form: str
) -> None:
    rows = [bodies.outturn(at("2023-12-31T00:00") + step * HALF_HOUR) for step in range(96)]
    for row in rows:
        row["SETTLEMENT_DATE"] = date.fromisoformat(row["SETTLEMENT_DATE"][:10]).strftime(form)
    Archive(stub, rows)
    window = Window(at("2023-12-31T12:00"), at("2024-01-01T12:00"))
    found = [
        row.period_start
        for _, taken in history.embedded_outturn(portal, window)
        if not isinstance(taken, ApiError)
        for row in taken.parsed.rows
    ]
    assert found == [window.start + step * HALF_HOUR for step in range(48)]
    files = [re.search(r'FROM "(.*?)"', sql) for sql in statements(stub)]
    assert [found[1] for found in files if found] == [
        "bf5ab335-9b40-4ea4-b93a-ab4af7bce003",
        "f6d02c0f-957b-48cb-82ee-09003f2ba759",
    ]
    assert all(len(path) < 8000 for path in stub.paths)


def test_a_month_of_outturn_fits_into_an_address(stub: Stub, portal: NesoPortal) -> None:
    Archive(stub, [bodies.outturn(at("2025-01-01T00:00"))])
    list(history.embedded_outturn(portal, days_window(date(2025, 1, 1), date(2025, 3, 3))))
    assert len(statements(stub)) == 2
    assert max(len(path) for path in stub.paths) < 5000


def test_a_failing_piece_does_not_stop_the_others(stub: Stub, portal: NesoPortal) -> None:
    archive = Archive(stub, issue("2025-01-03T10:12:00", "2025-01-03T10:00"))
    archive.fail = lambda sql: Reply(b"x", 500) if ">= '2025-01-01T23:27:00'" in sql else None
    window = days_window(date(2025, 1, 1), date(2025, 1, 3))
    outcomes = [taken for _, taken in history.embedded(portal, window)]
    assert [isinstance(one, ApiServerError) for one in outcomes] == [False, True, False]
    assert not isinstance(outcomes[2], ApiError)
    assert len(outcomes[2].parsed.rows) == 2


def test_three_failing_pieces_in_a_row_end_the_backfill(stub: Stub, portal: NesoPortal) -> None:
    archive = Archive(stub, issue("2025-01-03T10:12:00", "2025-01-03T10:00"))
    archive.fail = lambda sql: Reply(b"x", 500)
    window = days_window(date(2025, 1, 1), date(2025, 12, 31))
    pieces = history.embedded(portal, window)
    outcomes = [outcome for _, outcome in islice(pieces, 2)]
    with pytest.raises(ApiServerError):
        next(pieces)
    assert all(isinstance(outcome, ApiServerError) for outcome in outcomes)
    assert len(statements(stub)) == 3


def test_recorded_data_ends_it_at_once(stub: Stub, make_portal: Any) -> None:
    stub.replies(Reply(headers={"X-Grid-Replay": "shift_weeks=1"}))
    with pytest.raises(ApiWrongKind):
        list(history.embedded(make_portal(kind="live"), ONE_DAY))


def test_an_empty_window_asks_for_nothing(stub: Stub, portal: NesoPortal) -> None:
    nothing = Window(ONE_DAY.start, ONE_DAY.start)
    for load in (
        history.embedded,
        history.day_ahead_wind,
        history.day_ahead_demand,
        history.embedded_outturn,
    ):
        assert list(load(portal, nothing)) == []
    assert stub.paths == []


def test_listed_files_of_a_year_do_not_overlap_except_in_june_2026() -> None:
    day = date(2019, 1, 1)
    while day <= date(2026, 12, 31):
        count = 2 if (day.year, day.month) == (2026, 6) else 1
        assert len(datasets.EMBEDDED_ARCHIVE.files_of(day)) == count
        day += timedelta(days=1)

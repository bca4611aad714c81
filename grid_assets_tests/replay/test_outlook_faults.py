"""Every fault of the Elexon and portal APIs, each as it changes a good answer."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.replay.addresses import ELEXON_PATH, NESO_ACTIONS, NESO_PORTAL_PATH
from grid_assets.replay.control import Control
from grid_assets.replay.endpoints import Endpoints
from grid_assets.replay.faults import OF_ANY_API
from grid_assets.replay.faulty_rows import rows_of, start_of
from grid_assets.replay.outlook_faults import FAULTS_OF
from grid_assets.replay.recording import View, load_recording
from grid_assets.replay.replies import Reply
from grid_assets.replay.routes import Routes, Source

NOW = datetime(2026, 11, 5, 13, 17, tzinfo=UTC)
WEEKS = 48

FUELHH = (f"{ELEXON_PATH}/datasets/FUELHH", "")
TWO_ISSUES = "publishDateTimeFrom=2026-11-05T09:00Z&publishDateTimeTo=2026-11-05T12:00Z"
WINDFOR = (f"{ELEXON_PATH}/datasets/WINDFOR", TWO_ISSUES)
STREAM = (f"{ELEXON_PATH}/datasets/WINDFOR/stream", TWO_ISSUES)
EMBEDDED_ID = "db6c038f-98af-4570-ab60-24d71ebd0ae5"
EMBEDDED = (f"{NESO_ACTIONS}/datastore_search", f"resource_id={EMBEDDED_ID}&limit=32000")
SHOW = (f"{NESO_ACTIONS}/resource_show", f"id={EMBEDDED_ID}")
PACKAGE = (f"{NESO_ACTIONS}/package_show", "id=embedded-wind-and-solar-forecasts")

Row = dict[str, Any]
Rows = list[Any]


@pytest.fixture(scope="module")
def routes() -> Routes:
    endpoints = Endpoints(View(load_recording(), WEEKS))
    return Routes(endpoints, WEEKS, "http://127.0.0.1:1")


class Faulty:
    """The answers of one server without HTTP, with its faults applied."""

    def __init__(self, routes: Routes) -> None:
        self.routes, self.control = routes, Control()

    def fault(self, source: str, name: str, **options: Any) -> None:
        self.control.fault({"source": source, "name": name, **options})

    def __call__(self, path: str, query: str = "") -> Reply:
        source, _, reply = self.routes.answer(path, query, NOW, None)
        return self.control.apply_faults(reply, path, source)


@pytest.fixture
def faulty(routes: Routes) -> Faulty:
    return Faulty(routes)


def value(row: Row) -> Any:
    return row["generation"] if "generation" in row else row["EMBEDDED_SOLAR_FORECAST"]


def wind(row: Row) -> Any:
    return row["generation"] if "generation" in row else row["EMBEDDED_WIND_FORECAST"]


def newest(rows: Rows) -> Rows:
    """The rows of the newest publication in an answer."""
    if "publishTime" not in rows[0]:
        return rows
    last = max(row["publishTime"] for row in rows)
    return [row for row in rows if row["publishTime"] == last]


def all_but_last(new: Rows, old: Rows, last: Callable[[Rows], bool]) -> bool:
    return new[: len(old) - 1] == old[:-1] and last(new[len(old) - 1 :])


def one(check: Callable[[Row, Row], bool]) -> Callable[[Rows, Rows], bool]:
    """One row, the last, is changed and no other."""
    return lambda new, old: all_but_last(
        new, old, lambda end: len(end) == 1 and check(end[0], old[-1])
    )


def each(check: Callable[[Row, Row], bool]) -> Callable[[Rows, Rows], bool]:
    """All rows of the newest publication are changed and no others."""

    def holds(new: Rows, old: Rows) -> bool:
        count = len(newest(old))
        pairs = zip(new[:count], newest(old), strict=True)
        return new[count:] == old[count:] and all(check(*pair) for pair in pairs)

    return holds


# Whether the rows of an answer with the fault are right, given those without.
OF_ROWS: dict[str, Callable[[Rows, Rows], bool]] = {
    "nan": one(lambda new, old: math.isnan(value(new))),
    "null_value": one(lambda new, old: value(new) is None),
    "string_value": one(lambda new, old: value(new) == str(value(old))),
    "negative": one(lambda new, old: value(new) == -500),
    "absurd": one(lambda new, old: value(new) == 1_000_000),
    "missing_field": one(lambda new, old: len(new) == len(old) - 1),
    "not_a_dict": one(lambda new, old: new == "not a row"),
    "duplicate": lambda new, old: new == [*old, old[-1]],
    "duplicate_conflict": lambda new, old: (
        new[:-1] == old and value(new[-1]) == value(old[-1]) + 100
    ),
    "off_grid": one(lambda new, old: label(new) - label(old) == timedelta(minutes=17)),
    "zeros": each(lambda new, old: wind(new) == value(new) == 0),
    "halved": each(lambda new, old: wind(new) == wind(old) // 2),
    "gigawatts": each(lambda new, old: wind(new) == wind(old) / 1000),
    "holes": lambda new, old: (
        new == [row for row in old if row not in newest(old)[1::3]] and len(new) < len(old)
    ),
    "overlap": lambda new, old: (
        [row for row in new if row in old] == old
        and len(new) == len(old) + len(newest(old))
        and {label(row) for row in newest(new)} > {label(row) for row in newest(old)}
    ),
    "older": each(
        lambda new, old: (
            instant(old, "publishTime") - instant(new, "publishTime") == timedelta(days=1)
        )
    ),
    "wrong_window": each(lambda new, old: start_of(old) - start_of(new) == timedelta(days=7)),
    "renamed": lambda new, old: (
        all("generation" not in row for row in new)
        and [list(row.values()) for row in new] == [list(row.values()) for row in old]
    ),
    "recased": lambda new, old: (
        [[key.swapcase() for key in row] for row in new] == [list(row) for row in old]
    ),
    "series_ends": lambda new, old: (
        len(new) < len(old)
        or all(
            value(row) is None and wind(row) == wind(was) for row, was in zip(new, old, strict=True)
        )
    ),
    "periods": lambda new, old: (
        {period(row) - period(was) for row, was in zip(new, old, strict=True)} <= {0, 2}
    ),
    "no_zone": one(lambda new, old: new["startTime"] + "Z" == old["startTime"]),
}


def period(row: Row) -> int:
    return int(row.get("settlementPeriod") or row["SETTLEMENT_PERIOD"])


def instant(row: Row, name: str) -> datetime:
    return datetime.fromisoformat(row[name])


def label(row: Row) -> datetime:
    if "startTime" in row:
        return instant(row, "startTime")
    return datetime.strptime(row["DATE_GMT"][:10] + row["TIME_GMT"], "%Y-%m-%d%H:%M").replace(
        tzinfo=UTC
    )


WHOLE: dict[tuple[Source, str], Callable[[Reply], bool]] = {
    ("elexon", "400"): lambda r: r.status == 400 and "must not exceed" in str(r.document),
    ("elexon", "404"): lambda r: r.status == 404,
    ("elexon", "429"): lambda r: r.status == 429 and r.headers["Retry-After"] == "1",
    ("elexon", "500"): lambda r: r.status == 500,
    ("elexon", "empty_list"): lambda r: r.body == b'{"data":[]}',
    ("neso_portal", "400"): lambda r: r.status == 400 and isinstance(r.document, str),
    ("neso_portal", "404"): lambda r: r.status == 404 and r.document["success"] is False,
    ("neso_portal", "409"): lambda r: (
        r.status == 409 and r.document["error"]["__type"] == "Validation Error"
    ),
    ("neso_portal", "429"): lambda r: r.status == 429 and r.headers["Retry-After"] == "1",
    ("neso_portal", "500"): lambda r: r.status == 500 and b"<html>" in r.body,
    ("neso_portal", "success_false"): lambda r: r.status == 200 and r.document["success"] is False,
}
BY_HAND = {"empty_datastore"}
ANSWERS: dict[Source, tuple[str, str]] = {"elexon": WINDFOR, "neso_portal": EMBEDDED}

# Where a fault needs another answer than those, or applies to one API only.
ON_ROWS = [
    *(
        (source, name, ANSWERS[source])
        for source in ANSWERS
        for name in OF_ROWS
        if name not in ("older", "no_zone", "periods")
    ),
    ("elexon", "older", WINDFOR),
    ("elexon", "no_zone", WINDFOR),
    ("elexon", "periods", FUELHH),
    ("elexon", "series_ends", FUELHH),
    ("elexon", "halved", STREAM),
    ("neso_portal", "periods", EMBEDDED),
]


def test_every_fault_is_tested_and_described() -> None:
    assert list(FAULTS_OF) == ["carbon_intensity", "elexon", "neso_portal"]
    for source in ANSWERS:
        whole = {name for at, name in WHOLE if at == source}
        known = {*whole, *OF_ROWS, *OF_ANY_API, *BY_HAND}
        assert set(FAULTS_OF[source]) <= known
        tested = {name for at, name, _ in ON_ROWS if at == source} | whole | {*OF_ANY_API}
        assert set(FAULTS_OF[source]) - BY_HAND - tested <= {"older"}
        assert all(f.summary and "\n" not in f.summary for f in FAULTS_OF[source].values())


@pytest.mark.parametrize(("source", "name", "request_"), ON_ROWS)
def test_rows_are_changed_the_given_number_of_times(
    faulty: Faulty, source: Source, name: str, request_: tuple[str, str]
) -> None:
    good = faulty(*request_)
    faulty.fault(source, name, times=1)
    changed = faulty(*request_)
    assert changed != good
    assert OF_ROWS[name](rows_of(changed), rows_of(good))
    assert faulty(*request_) == good


@pytest.mark.parametrize(("source", "name"), WHOLE)
def test_a_whole_answer_is_replaced(faulty: Faulty, source: Source, name: str) -> None:
    good = faulty(*ANSWERS[source])
    faulty.fault(source, name, times=1)
    assert WHOLE[source, name](faulty(*ANSWERS[source]))
    assert faulty(*ANSWERS[source]) == good


@pytest.mark.parametrize("source", list(ANSWERS))
@pytest.mark.parametrize("name", OF_ANY_API)
def test_the_faults_of_any_api_exist_for_each(faulty: Faulty, source: Source, name: str) -> None:
    good = faulty(*ANSWERS[source])
    faulty.fault(source, name)
    assert faulty(*ANSWERS[source]) != good


@pytest.mark.parametrize("source", list(ANSWERS))
def test_a_refusal_for_too_many_requests_may_lack_the_wait(faulty: Faulty, source: Source) -> None:
    faulty.fault(source, "429", retry_after=None)
    assert "Retry-After" not in faulty(*ANSWERS[source]).headers


def test_a_fault_concerns_one_api_only(faulty: Faulty) -> None:
    paths = {"carbon_intensity": ("/intensity", ""), **ANSWERS}
    good = {source: faulty(*request) for source, request in paths.items()}
    for source in paths:
        faulty.control.heal()
        faulty.fault(source, "500")
        for other, request in paths.items():
            assert (faulty(*request) == good[other]) == (other != source)


def test_a_row_is_chosen_by_its_half_hour(faulty: Faulty) -> None:
    for source in ANSWERS:
        period = "2026-11-05T15:00Z"
        faulty.fault(source, "absurd", period=period)
        [row] = [row for row in rows_of(faulty(*ANSWERS[source])) if value(row) == 1_000_000]
        assert start_of(row) == datetime.fromisoformat(period)


def test_faults_of_rows_add_up(faulty: Faulty) -> None:
    faulty.fault("elexon", "negative", period="2026-11-05T15:00Z")
    faulty.fault("elexon", "not_a_dict")
    faulty.fault("elexon", "halved")
    found = rows_of(faulty(*WINDFOR))
    assert found[-1] == "not a row"
    assert -500 in [row["generation"] for row in found[:-1]]


def test_an_empty_datastore_leaves_the_file_whole(faulty: Faulty) -> None:
    url = faulty(*SHOW).document["result"]["url"]
    faulty.fault("neso_portal", "empty_datastore")
    result = faulty(*EMBEDDED).document["result"]
    assert (result["records"], result["total"]) == ([], 0)
    _, _, location = (
        faulty(url.removeprefix("http://127.0.0.1:1")).headers["Location"].partition(":1/")
    )
    path, _, query = f"/{location}".partition("?")
    assert path.startswith(NESO_PORTAL_PATH)
    assert len(rows_of(faulty(path, query))) == 602


def test_a_file_has_the_faults_of_rows_too(faulty: Faulty) -> None:
    url = faulty(*SHOW).document["result"]["url"]
    faulty.fault("neso_portal", "renamed")
    faulty.fault("neso_portal", "not_a_dict", times=1)
    _, _, location = (
        faulty(url.removeprefix("http://127.0.0.1:1")).headers["Location"].partition(":1/")
    )
    path, _, query = f"/{location}".partition("?")
    header, *_, last = csv.reader(io.StringIO(faulty(path, query).body.decode(), newline=""))
    assert "EMBEDDED_WIND_FORECAST_MW" in header
    assert last == ["not a row"]


def test_columns_are_renamed_in_the_list_of_fields(faulty: Faulty) -> None:
    faulty.fault("neso_portal", "recased")
    result = faulty(*EMBEDDED).document["result"]
    assert [field["id"] for field in result["fields"]] == list(result["records"][0])


def test_an_older_publication_of_the_portal_is_an_older_file(faulty: Faulty) -> None:
    show, package = (faulty(*request).document["result"] for request in (SHOW, PACKAGE))
    faulty.fault("neso_portal", "older")
    older = faulty(*SHOW).document["result"]
    assert instant(show, "last_modified") - instant(older, "last_modified") == timedelta(days=1)
    assert older["url"] == show["url"]
    [first, *_] = faulty(*PACKAGE).document["result"]["resources"]
    assert first["last_modified"] < package["resources"][0]["last_modified"]


def test_periods_can_be_those_of_the_short_day(faulty: Faulty) -> None:
    good = rows_of(faulty(*EMBEDDED))
    faulty.fault("neso_portal", "periods", periods=46)
    changed = rows_of(faulty(*EMBEDDED))
    moved = {period(row) - period(was) for row, was in zip(changed, good, strict=True)}
    assert moved == {0, -2}


def test_a_series_that_ends_can_be_chosen(faulty: Faulty) -> None:
    faulty.fault("elexon", "series_ends", series="CCGT")
    fuels = {row["fuelType"] for row in rows_of(faulty(*FUELHH))}
    assert "CCGT" not in fuels
    assert "WIND" in fuels

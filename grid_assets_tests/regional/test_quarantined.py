"""Rejected regional records and bodies that can be used after a fix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import pytest
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, Window, api_time
from grid_assets.regional import quarantined
from grid_assets.regional.load import STEPS, load_regional, load_regional_forecast
from grid_assets.regions import REGIONS
from grid_assets.sources.carbon_intensity.regional import RegionalRow, parse_regional
from grid_assets.sources.records import Rejected, as_json
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection, connect, write_transaction
from grid_assets_tests.regional.conftest import LATER, SEEN
from grid_assets_tests.sources.carbon_intensity.test_regional import region

FORECAST: Final = "raw.regional_forecast"
AHEAD: Final = Window(SEEN, SEEN + STEPS * HALF_HOUR)
"""The 48 hours of a forecast that is captured at `SEEN`."""

SPOILED: Final = {"forecast": "99"}
"""An intensity that `mend` can repair: a number in quotes."""


@pytest.fixture
def connection(warehouse: SecretStr) -> Iterator[Connection]:
    with connect(warehouse) as opened:
        yield opened


def half_hour(step: int, *regions: Any) -> dict[str, Any]:
    start = SEEN + step * HALF_HOUR
    times = {"from": api_time(start), "to": api_time(start + HALF_HOUR)}
    return {**times, "regions": list(regions) or [region(one.region_id) for one in REGIONS]}


def keep(connection: Connection, asset: str, rejected: list[Rejected], at: datetime = SEEN) -> None:
    quarantine.keep(
        connection, asset, "/regional/intensity", rejected, captured_at=at, run_id="a run"
    )


def receive(
    connection: Connection, asset: str, *records: dict[str, Any], at: datetime = SEEN
) -> list[RegionalRow]:
    """Load what can be used of an answer, and quarantine the rest, as an asset does."""
    parsed = parse_regional({"data": list(records)}, AHEAD)
    keep(connection, asset, parsed.rejected, at)
    with write_transaction(connection, asset):
        if asset == FORECAST:
            load_regional_forecast(connection, parsed.rows, at, False)
        else:
            load_regional(connection, [Capture(parsed.rows, at)], simulated=False)
    return parsed.rows


def mend(connection: Connection) -> None:
    """As if the code had been mended, for which a number in quotes is no number."""
    connection.execute("UPDATE ops.quarantine SET payload = replace(payload, '\"99\"', '99')")


def replay(connection: Connection, *, simulated: bool = False) -> tuple[int, int]:
    """How many entries a replay accepts, and how many it still rejects."""
    done = quarantined.replay(connection, simulated=simulated)
    return done.accepted, done.still_rejected


def half_hours(connection: Connection, table: str = FORECAST) -> dict[tuple[int, datetime], Any]:
    found = connection.execute(
        f"SELECT region_id, period_start, forecast_gco2_kwh FROM {table}".encode()  # noqa: S608
    ).fetchall()
    return {(one[0], one[1]): one[2] for one in found}


def test_a_record_takes_its_place_before_what_was_published_later(connection: Connection) -> None:
    receive(connection, "raw.regional", half_hour(0, region(1), region(intensity=SPOILED)))
    receive(connection, "raw.regional", half_hour(0, region(1), region()), at=LATER)
    assert replay(connection) == (0, 1)
    mend(connection)
    assert replay(connection) == (1, 0)
    assert replay(connection) == (0, 0)
    assert connection.execute(
        "SELECT region_id, captured_at, forecast_gco2_kwh FROM raw.regional "
        "ORDER BY region_id, arrival, captured_at"
    ).fetchall() == [(1, SEEN, 100), (13, SEEN, 99), (13, LATER, 100)]


def test_a_region_completes_the_forecast_that_it_was_rejected_from(connection: Connection) -> None:
    records = [half_hour(n, region(1), region(intensity=SPOILED)) for n in range(STEPS)]
    rows = receive(connection, FORECAST, *records)
    assert {one.region_id for one in rows} == {1}
    receive(connection, FORECAST, half_hour(3, region(18)), at=LATER)  # another forecast
    mend(connection)
    entries = len(quarantine.open_entries(connection))
    assert entries == STEPS // 24
    assert replay(connection) == (entries, 0)
    found = half_hours(connection)
    assert {key[1] for key in found if key[0] == 13} == {SEEN + n * HALF_HOUR for n in range(STEPS)}
    assert {found[key] for key in found if key[0] == 13} == {99}
    at = "SELECT issued_at, count(*) FROM raw.regional_forecast GROUP BY 1 ORDER BY 1"
    assert connection.execute(at).fetchall() == [(SEEN, 2 * STEPS), (LATER, 1)]
    shares = "SELECT DISTINCT wind_pct, coal_pct FROM raw.regional_forecast WHERE region_id = 13"
    assert connection.execute(shares).fetchall() == [(30, 0)]


@pytest.mark.parametrize("step", [0, STEPS - 1])
def test_a_half_hour_without_any_region_is_completed_wherever_it_is(
    connection: Connection, step: int
) -> None:
    others = [half_hour(n) for n in (1, STEPS - 2)]
    bad = half_hour(step, *(region(one.region_id, intensity=SPOILED) for one in REGIONS))
    receive(connection, FORECAST, bad, *others)
    mend(connection)
    assert replay(connection) == (18, 0)
    found = half_hours(connection)
    assert len(found) == 3 * 18
    assert found[18, SEEN + step * HALF_HOUR] == 99


def test_what_a_forecast_has_is_never_overwritten(connection: Connection) -> None:
    receive(connection, FORECAST, half_hour(0))
    other = [half_hour(0, region(intensity={"forecast": 1}))]
    keep(connection, FORECAST, [Rejected("region: mended since", as_json(other))])
    assert replay(connection) == (1, 0)
    assert half_hours(connection)[13, SEEN] == 100


def test_a_forecast_that_was_rejected_whole_is_added_without_its_edge_row(
    connection: Connection,
) -> None:
    body = {"data": [half_hour(n) for n in (-1, 0, 1, STEPS - 1, STEPS)]}
    keep(connection, FORECAST, [Rejected("body: it was too large", as_json(body))])
    assert replay(connection) == (1, 0)
    starts = {start for _, start in half_hours(connection)}
    assert starts == {SEEN, SEEN + HALF_HOUR, SEEN + (STEPS - 1) * HALF_HOUR}
    mark = "SELECT issued_at, starts_at, simulated FROM raw.regional_vintages"
    assert connection.execute(mark).fetchall() == [(SEEN, SEEN, False)]


def test_two_entries_of_one_forecast_make_one(connection: Connection) -> None:
    for step in (0, 5):
        keep(
            connection,
            FORECAST,
            [Rejected("region: mended since", as_json([half_hour(step, region())]))],
        )
    assert replay(connection) == (2, 0)
    assert len(half_hours(connection)) == 2
    assert connection.execute("SELECT count(*) FROM raw.regional_vintages").fetchall() == [(1,)]


STILL_BAD: dict[str, Any] = {
    "one of two": json.dumps([half_hour(0, region()), half_hour(1, region(intensity=SPOILED))]),
    "two versions": json.dumps(
        [half_hour(0, region()), half_hour(0, region(intensity={"forecast": 1}))]
    ),
    "cut": json.dumps([half_hour(0)])[:-9],
    "a text": '"not a record"',
    "nothing": "",
    "nothing in it": "[]",
    "an object": json.dumps(half_hour(0)),
    "too large": json.dumps([half_hour(0, region(intensity={"forecast": 13579}))]),
}


@pytest.mark.parametrize("payload", STILL_BAD.values(), ids=STILL_BAD)
def test_an_entry_of_which_any_part_cannot_be_used_stays_whole(
    connection: Connection, payload: str
) -> None:
    keep(connection, FORECAST, [Rejected("region: some fault", payload)])
    assert replay(connection) == (0, 1)
    assert half_hours(connection) == {}
    assert len(quarantine.open_entries(connection)) == 1


def test_entries_of_other_assets_are_left_alone_and_ours_are_left_to_us(
    connection: Connection,
) -> None:
    keep(connection, "raw.intensity", [Rejected("record: x", "{}")])
    keep(connection, "core.regional_mix", [Rejected("mix: x", "{}")])
    assert replay(connection) == (0, 0)
    keep(connection, "raw.regional", [Rejected("region: x", "[]")])
    replayed = quarantine.replay(connection, leave_out=quarantined.ASSETS)
    assert (replayed.accepted, replayed.still_rejected) == (0, 2)


def test_replayed_rows_of_recorded_data_are_marked_as_simulated(connection: Connection) -> None:
    for asset in quarantined.ASSETS:
        keep(connection, asset, [Rejected("region: x", as_json([half_hour(0, region())]))])
    assert replay(connection, simulated=True) == (2, 0)
    marks = (
        "SELECT simulated FROM raw.regional UNION ALL SELECT simulated FROM raw.regional_forecast"
    )
    assert connection.execute(marks).fetchall() == [(True,), (True,)]


def test_a_half_hour_far_from_its_capture_makes_no_forecast(connection: Connection) -> None:
    far = {"from": "2199-01-01T00:00Z", "to": "2199-01-01T00:30Z", "regions": [region()]}
    keep(connection, FORECAST, [Rejected("region: x", as_json([far]))])
    assert replay(connection) == (1, 0)
    assert connection.execute("SELECT count(*) FROM raw.regional_vintages").fetchall() == [(0,)]

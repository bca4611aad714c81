"""Which days of the regions a cycle fetches or publishes, decided from the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, day_start
from grid_assets.regional.due import (
    FIRST_DAY,
    days_core_lacks,
    days_due,
    newest_failed,
    with_regions,
)
from grid_assets.regions import REGIONS
from grid_assets.telemetry.due import Range
from grid_assets.telemetry.publish import Published
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.regional.conftest import LATER, SEEN, T0, Load, Publish, row

TODAY: Final = date(2026, 3, 31)
NOW: Final = datetime(2026, 3, 31, 12, 12, tzinfo=UTC)
TABLES: Final = ("core.regional_intensity", "core.regional_mix")

Fill = Callable[..., None]


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def fill(connection: Connection) -> Fill:
    """Fills `core` with whole days of all regions."""

    def fill(*days: date) -> None:
        for table in TABLES:
            connection.execute(
                f"INSERT INTO {table} (region_id, period_start) "  # noqa: S608
                "SELECT region_id, day + n * interval '30 minutes' FROM core.regions, "
                "unnest(%s::timestamptz[]) AS day, generate_series(0, 47) AS n".encode(),
                [[day_start(day) for day in days]],
            )

    return fill


@pytest.fixture
def attempt(connection: Connection) -> Callable[..., None]:
    """Records an attempt over days, some time before now."""

    def attempt(
        first: date,
        last: date,
        before_now: timedelta = timedelta(minutes=30),
        *,
        status: str = "success",
        asset: str = "raw.regional",
    ) -> None:
        connection.execute(
            "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
            "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
            "SELECT gen_random_uuid(), %(asset)s, 1, 'schedule', %(first)s, %(last)s, %(at)s, "
            "CASE WHEN %(status)s <> 'running' THEN %(at)s END, %(status)s, "
            "CASE WHEN %(status)s IN ('failed', 'crashed') THEN 'Error' END, 'host', 1, %(at)s",
            {
                "asset": asset,
                "first": first,
                "last": last,
                "at": NOW - before_now,
                "status": status,
            },
        )

    return attempt


# Fetching


def test_every_day_of_an_empty_history_is_due_but_yesterday_and_today(
    connection: Connection,
) -> None:
    assert days_due(connection, ago(5), NOW) == [ago(5), ago(4), ago(3), ago(2)]
    for start in (ago(1), TODAY, TODAY + DAY):
        assert days_due(connection, start, NOW) == []


def test_a_history_that_begins_before_the_regions_do_is_asked_for_from_their_first_day(
    connection: Connection,
) -> None:
    now = datetime(2018, 5, 15, 12, tzinfo=UTC)
    found = days_due(connection, date(2017, 9, 11), now)
    assert found == [FIRST_DAY + n * DAY for n in range(4)]


def test_days_before_the_regions_begin_are_left_out() -> None:
    first = FIRST_DAY
    assert with_regions(Range(first - 9 * DAY, first - DAY)) is None
    assert with_regions(Range(first - 9 * DAY, first)) == Range(first, first)
    assert with_regions(Range(first + DAY, TODAY)) == Range(first + DAY, TODAY)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("region", [1, 18])
def test_an_old_day_that_lacks_one_half_hour_of_one_region_is_due(
    connection: Connection, fill: Fill, table: str, region: int
) -> None:
    fill(*(ago(n) for n in range(8, 13)))
    connection.execute(
        f"DELETE FROM {table} WHERE region_id = %s AND period_start = %s".encode(),  # noqa: S608
        [region, day_start(ago(10)) + 47 * HALF_HOUR],
    )
    assert [day for day in days_due(connection, ago(12), NOW) if day < ago(7)] == [ago(10)]


def test_half_hours_are_counted_by_day_whatever_becomes_of_them(
    connection: Connection, fill: Fill
) -> None:
    def count() -> list[Any]:
        counted = connection.execute(
            "SELECT day, relation, half_hours FROM core.regional_days WHERE half_hours > 0"
        ).fetchall()
        held = connection.execute(
            "SELECT (period_start AT TIME ZONE 'UTC')::date, relation, count(*) FROM "
            "(SELECT 'regional_intensity' AS relation, period_start FROM core.regional_intensity "
            "UNION ALL SELECT 'regional_mix', period_start FROM core.regional_mix) AS held "
            "GROUP BY 1, 2"
        ).fetchall()
        assert sorted(counted) == sorted(held)
        return counted

    assert count() == []
    fill(ago(9), ago(8))
    assert {half_hours for _, _, half_hours in count()} == {48 * len(REGIONS)}
    connection.execute(
        "INSERT INTO core.regional_mix (region_id, period_start) "
        "SELECT 13, %s::timestamptz + n * interval '30 minutes' FROM generate_series(-9, 9) AS n "
        "ON CONFLICT (region_id, period_start) DO UPDATE SET simulated = true",
        [day_start(ago(9))],
    )
    assert len(count()) == 5
    connection.execute("UPDATE core.regional_mix SET simulated = false")
    connection.execute(
        "DELETE FROM core.regional_intensity WHERE period_start < %s AND region_id > 9",
        [day_start(ago(9)) + 30 * HALF_HOUR],
    )
    assert len(count()) == 5
    connection.execute("TRUNCATE core.regional_mix")
    assert len(count()) == 2


def test_a_day_that_lacks_something_is_asked_for_again_when_a_tenth_of_its_age_has_passed(
    connection: Connection, attempt: Callable[..., None]
) -> None:
    age = NOW - day_start(ago(20))
    attempt(ago(20), ago(20), age / 10 - HALF_HOUR)
    assert ago(20) not in days_due(connection, ago(20), NOW)
    assert ago(20) in days_due(connection, ago(20), NOW + 2 * HALF_HOUR)


@pytest.mark.parametrize("status", ["success", "failed"])
def test_a_complete_day_within_the_last_seven_is_asked_for_once_a_day(
    connection: Connection, fill: Fill, attempt: Callable[..., None], status: str
) -> None:
    fill(*(ago(n) for n in range(2, 9)))
    recent = [ago(n) for n in range(6, 1, -1)]
    assert days_due(connection, ago(8), NOW) == recent
    attempt(ago(6), ago(2), timedelta(hours=23), status=status)
    assert days_due(connection, ago(8), NOW) == []
    assert days_due(connection, ago(8), NOW + timedelta(hours=2)) == recent


@pytest.mark.parametrize(
    ("attempts", "failed"),
    [
        ([], False),
        ([("failed", 60), ("success", 30)], False),
        ([("success", 60), ("failed", 30)], True),
    ],
)
def test_no_old_day_is_asked_for_while_the_newest_cannot_be_had(
    connection: Connection,
    attempt: Callable[..., None],
    attempts: list[tuple[str, int]],
    failed: bool,
) -> None:
    for status, minutes in attempts:
        attempt(ago(1), TODAY, timedelta(minutes=minutes), status=status)
    attempt(ago(9), ago(5), timedelta(minutes=5), status="failed")  # old days say nothing
    attempt(ago(1), TODAY, timedelta(minutes=1), status="failed", asset="raw.intensity")
    assert newest_failed(connection, TODAY) == failed


# Publishing


@pytest.fixture
def lacking(connection: Connection) -> Callable[..., list[date]]:
    def lacking(**options: Any) -> list[date]:
        days = Range(T0.date() - DAY, T0.date() + DAY)
        return days_core_lacks(connection, days, T0 + 30 * DAY, **options)

    return lacking


def test_a_day_is_published_once_raw_has_newer_values_of_any_region(
    load: Load, publish: Publish, lacking: Callable[..., list[date]]
) -> None:
    assert lacking() == []
    load(*(row(region=one.region_id) for one in REGIONS))
    for relation in TABLES:
        assert lacking() == [T0.date()]
        publish(relation)
    assert lacking() == []
    load(row(region=18, forecast=101), at=LATER)
    assert lacking() == [T0.date()]
    publish(TABLES[0])
    assert lacking() == [T0.date()]  # the mix has the stamp of the older capture
    publish(TABLES[1])
    assert lacking() == []


def test_a_value_that_is_left_out_makes_nothing_due(
    load: Load, publish: Publish, lacking: Callable[..., list[date]]
) -> None:
    load(row())
    for relation in TABLES:
        publish(relation)
    load(row(forecast=None, mix=False), at=LATER)
    assert lacking() == []


def test_a_mix_that_a_run_has_refused_is_not_tried_again_until_another_came(
    connection: Connection, load: Load, publish: Publish, lacking: Callable[..., list[date]]
) -> None:
    def publish_both() -> Published:
        publish(TABLES[0])
        return publish(TABLES[1])

    load(row(), row(region=1))
    publish_both()
    load(row(biomass=None, other=7), at=LATER)
    [reject] = publish_both().refused
    assert lacking() == [T0.date()]
    connection.execute(
        "INSERT INTO ops.quarantine (captured_at, asset, endpoint, reason, payload, is_body, "
        "run_id, last_seen_at) VALUES (%s, 'core.regional_mix', 'raw', %s, %s, false, 'x', %s)",
        [LATER, reject.reason, reject.payload, LATER],
    )
    assert lacking() == []
    # what is refused of one region says nothing of another, whose row came before
    connection.execute("DELETE FROM core.regional_mix WHERE region_id = 1")
    assert lacking() == [T0.date()]
    publish_both()
    assert lacking() == []
    load(row(), at=LATER + HALF_HOUR)
    assert lacking() == [T0.date()]


@pytest.mark.parametrize(
    ("asset", "status", "minutes", "pause", "due"),
    [
        ("raw.regional", "running", 1, 0, False),
        ("core.regional_mix", "running", 1, 0, False),
        ("raw.intensity", "running", 1, 0, True),
        ("core.regional_intensity", "failed", 5, 0, True),
        ("core.regional_intensity", "failed", 5, 10, True),  # the mix is still due
        ("raw.regional", "failed", 5, 10, True),
    ],
)
def test_what_a_run_has_in_hand_or_has_just_failed_at_waits(
    connection: Connection,
    load: Load,
    lacking: Callable[..., list[date]],
    asset: str,
    status: str,
    minutes: int,
    pause: int,
    due: bool,
) -> None:
    load(row(SEEN))
    connection.execute(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, host, pid, heartbeat_at) "
        "VALUES ('a run', %(asset)s, 1, 'schedule', %(day)s, %(day)s, %(at)s, "
        "CASE WHEN %(status)s <> 'running' THEN %(at)s::timestamptz END, %(status)s, "
        "CASE WHEN %(status)s = 'failed' THEN 'Error' END, 'host', 1, %(at)s)",
        {
            "asset": asset,
            "day": T0.date(),
            "at": T0 + 30 * DAY - timedelta(minutes=minutes),
            "status": status,
        },
    )
    assert lacking(pause=timedelta(minutes=pause)) == ([T0.date()] if due else [])

"""Archives of forecasts as issued: above all, that nothing is known before it was published."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.sources.neso_portal.archives import (
    DEMAND_AFTER,
    EMBEDDED_AFTER,
    parse_day_ahead_demand,
    parse_day_ahead_wind_archive,
    parse_embedded_archive,
)
from grid_assets.sources.records import TWICE
from grid_assets_tests.sources.neso_portal import bodies
from grid_assets_tests.sources.neso_portal.bodies import at, recorded, starts, table


def test_the_stamps_of_2024_follow_london_with_a_false_z() -> None:
    parsed = parse_embedded_archive(recorded("embedded_archive_2024.csv"))
    wind = [row for row in parsed.rows if row.series == "embedded_wind_mw"]
    assert [row.published_at - EMBEDDED_AFTER for row in wind] == [
        at("2024-01-01T00:12"),
        at("2024-03-31T00:12"),
        at("2024-03-31T01:12"),  # 02:12
        at("2024-07-01T11:12"),  # 12:12
        at("2024-10-26T23:12"),  # 00:12
        at("2024-10-27T00:12"),  # 01:12, which there is twice
        at("2024-10-27T02:12"),
    ]
    # Each begins with the half-hour in which it was issued.
    assert [min(row.values) for row in wind] == [
        row.published_at - EMBEDDED_AFTER - timedelta(minutes=12) for row in wind
    ]
    assert max(wind[4].values) == at("2024-10-27T23:30")  # settlement period 50
    assert (parsed.rejected, parsed.skipped) == ([], 0)


def test_the_stamps_of_summer_2026_are_utc_and_its_faults_are_read() -> None:
    parsed = parse_embedded_archive(recorded("embedded_archive_2026.csv"))
    wind = [row for row in parsed.rows if row.series == "embedded_wind_mw"]
    solar = [row for row in parsed.rows if row.series == "embedded_solar_mw"]
    assert [(row.published_at - EMBEDDED_AFTER).isoformat() for row in wind] == [
        "2026-01-01T00:12:00+00:00",
        "2026-03-29T00:12:10+00:00",
        "2026-03-29T01:12:11+00:00",  # 02:12:11
        "2026-06-12T11:54:02+00:00",  # the format slip
        "2026-08-07T22:53:25+00:00",  # solar is empty; the last rows only
        "2026-10-08T06:52:26+00:00",
    ]
    assert list(wind[3].values) == starts("2026-06-12T12:00", 3)
    assert list(solar[4].values.values()) == [None] * 3
    assert parsed.rejected == []


@pytest.mark.parametrize(
    ("stamp", "first", "issued"),
    [
        ("2025-07-01T10:12:00", "2025-07-01T09:00", "2025-07-01T09:12"),
        ("2025-07-01T10:12:00", "2025-07-01T10:00", "2025-07-01T10:12"),
        ("2026-07-01T10:52:00", "2026-07-01T11:00", "2026-07-01T10:52"),
        ("2026-07-01T10:25:00", "2026-07-01T10:00", "2026-07-01T10:25"),
        # The data does not say: the later reading.
        ("2025-07-01T10:12:00", "2025-07-01T20:00", "2025-07-01T10:12"),
        ("2025-07-01T10:12:00", "2025-07-01T06:00", "2025-07-01T10:12"),
    ],
)
def test_the_first_half_hour_says_which_clock_a_stamp_follows(
    stamp: str, first: str, issued: str
) -> None:
    parsed = parse_embedded_archive(table(bodies.embedded(at(first), Forecast_Datetime=stamp)))
    assert {row.published_at for row in parsed.rows} == {at(issued) + EMBEDDED_AFTER}


def test_an_issue_is_known_once_its_file_was_there() -> None:
    """The file of the issue stamped 17:52:26 was last modified at 18:25:03."""
    record = bodies.embedded(at("2026-08-16T18:00"), Forecast_Datetime="2026-08-16T17:52:26")
    stamps = {row.published_at for row in parse_embedded_archive(table(record)).rows}
    assert stamps == {at("2026-08-16T18:25:26")}


def test_issues_keep_their_own_values_for_the_same_half_hour() -> None:
    rows = [
        bodies.embedded(at("2026-01-05T10:00"), wind, Forecast_Datetime=stamp)
        for wind, stamp in ((1000, "2026-01-05T08:52:00"), (1100, "2026-01-05T09:52:00"))
    ]
    wind = [row for row in parse_embedded_archive(table(*rows)).rows if "wind" in row.series]
    assert [(row.published_at, list(row.values.values())) for row in wind] == [
        (at("2026-01-05T09:25"), [1000]),
        (at("2026-01-05T10:25"), [1100]),
    ]


def test_an_archive_in_gigawatts_is_rejected_with_one_payload() -> None:
    rows = [
        bodies.embedded(start, 3.1, 0, Forecast_Datetime=stamp)
        for stamp in ("2026-01-05T08:52:00", "2026-01-05T09:52:00")
        for start in starts("2026-01-05T10:00", 48)
    ]
    parsed = parse_embedded_archive(table(*rows))
    assert parsed.rows == []
    [reject] = parsed.rejected
    assert reject.reason.endswith("(embedded_wind_mw); publications like this: 4")


def test_a_wind_forecast_counts_from_its_earliest_stamp_and_never_after_its_target() -> None:
    parsed = parse_day_ahead_wind_archive(recorded("day_ahead_wind_archive.csv"))
    assert [(row.published_at, dict(row.values)) for row in parsed.rows] == [
        (
            at("2026-07-28T08:45"),
            {at("2026-07-28T22:00"): 9513, at("2026-07-28T22:30"): 9423},
        ),
        (
            at("2026-10-08T08:45"),
            {
                at("2026-10-08T21:30"): 13394,
                at("2026-10-08T22:00"): 13962,
                at("2026-10-08T22:30"): 14574,
            },
        ),
    ]
    # 2018-04-17 is stamped two days late, 2026-07-29 is there twice, both times after its start.
    assert (parsed.rejected, parsed.skipped) == ([], 9)


def test_a_repaired_copy_does_not_replace_what_was_known_first() -> None:
    target = at("2026-01-06T12:00")
    rows = [
        bodies.wind(target, value, Forecast_Timestamp=stamp)
        for value, stamp in (
            (9100, "2026-01-06T07:00:00"),
            (9000, "2026-01-05T08:45:00"),
            (9200, "2026-01-06T12:00:01"),
        )
    ]
    [row] = parse_day_ahead_wind_archive(table(*rows)).rows
    assert (row.published_at, dict(row.values)) == (at("2026-01-05T08:45"), {target: 9000})


def test_a_recorded_day_of_50_half_hours_of_demand() -> None:
    parsed = parse_day_ahead_demand(recorded("day_ahead_demand_2023-10-29.json"))
    [row] = parsed.rows
    assert (row.source, row.series) == ("neso_day_ahead_demand", "demand_mw")
    assert row.published_at == at("2023-10-28T08:15")  # 08:45 in London, and a half-hour
    assert list(row.values) == starts("2023-10-28T23:00", 50)
    assert list(row.values.values())[-2:] == [21909, 21020]
    assert parsed.rejected == []


@pytest.mark.parametrize("end", ["", "Z"])
def test_london_times_with_a_false_z_are_london_times(end: str) -> None:
    record = bodies.performance(at("2026-07-01T10:00"))
    record |= {name: record[name] + end for name in ("Datetime", "Publish_Datetime")}
    [row] = parse_day_ahead_demand(table(record)).rows
    assert (row.published_at, list(row.values)) == (
        at("2026-06-30T08:15"),  # 08:45 in London, and NESO publishes until 09:15
        [at("2026-07-01T10:00")],
    )


def test_settlement_periods_that_repeat_contradict_their_time() -> None:
    """On the 50-period days of 2021 and 2022: nothing is guessed, the rest of the day is left."""
    times = starts("2021-10-30T23:00", 8)
    rows = [
        bodies.performance(start, 30_000 + place, Settlement_Period=period)
        for place, (start, period) in enumerate(zip(times, (1, 2, 3, 4, 3, 4, 5, 6), strict=True))
    ]
    parsed = parse_day_ahead_demand(table(*rows))
    [row] = parsed.rows
    # The third and the fifth row both say period 3, and London's clocks show its end twice.
    assert dict(row.values) == {times[place]: 30_000 + place for place in (0, 1, 3)}
    reasons = [reject.reason for reject in parsed.rejected]
    assert [reason for reason in reasons if reason == TWICE] == [TWICE]
    assert all(
        reason == TWICE or "is not the end of settlement period" in reason for reason in reasons
    )


@pytest.mark.parametrize("late", [timedelta(0), HALF_HOUR])
def test_a_demand_forecast_published_after_its_target_is_skipped(late: timedelta) -> None:
    target = at("2026-01-06T12:00")
    stamp: datetime = target - DEMAND_AFTER + late
    record = bodies.performance(target, Publish_Datetime=f"{stamp:%Y-%m-%dT%H:%M:%S}")
    parsed = parse_day_ahead_demand(table(record))
    assert (len(parsed.rows), parsed.skipped) == ((1, 0) if late == timedelta(0) else (0, 1))

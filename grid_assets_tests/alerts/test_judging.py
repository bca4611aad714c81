"""Alerts in a database: which are refused, what counts as one event, and what is on record."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.stamp import Stamp
from grid_assets_tests.alerts.conftest import FIRST, HOUR, KINDS, Alerts, T
from grid_assets_tests.forecasting.regions.captured import capture

REPLAY = Stamp("replay", 4)
LOW, HIGH = 70.0, 90.0


def night(start: int, half_hours: int = 6, length: int = 96) -> list[float]:
    """High, but for a low stretch that starts so many half-hours on."""
    return [LOW if start <= step < start + half_hours else HIGH for step in range(length)]


# What a person may ask.


def test_each_kind_of_alert_is_accepted_of_great_britain_and_of_a_region(alerts: Alerts) -> None:
    for kind in KINDS:
        alerts.add(kind, kind)
    alerts.add("below", "London", region_id=13)
    alerts.add("greenest_window", "Great Britain as consumed", region_id=18)


@pytest.mark.parametrize(
    ("kind", "columns", "constraint"),
    [
        ("bellow", {}, "alerts_kind_is_below_greenest_window_or_no_telemetry"),
        ("below", {"name": " "}, "alerts_name_is_one_line_of_up_to_80_characters"),
        ("below", {"name": "a\nb"}, "alerts_name_is_one_line_of_up_to_80_characters"),
        ("below", {"region_id": 19}, "alerts_region_known"),
        ("below", {"below_gco2_kwh": None}, "alerts_only_below_has_below_gco2_kwh"),
        ("below", {"below_gco2_kwh": 0}, "alerts_below_gco2_kwh_above_0_up_to_1000"),
        ("below", {"below_gco2_kwh": 1001}, "alerts_below_gco2_kwh_above_0_up_to_1000"),
        (
            "below",
            {"duration_minutes": None},
            "alerts_forecasts_have_duration_minutes_and_within_hours",
        ),
        (
            "greenest_window",
            {"within_hours": None},
            "alerts_forecasts_have_duration_minutes_and_within_hours",
        ),
        ("below", {"duration_minutes": 45}, "alerts_duration_minutes_in_whole_half_hours"),
        ("below", {"duration_minutes": 0}, "alerts_duration_minutes_in_whole_half_hours"),
        ("below", {"duration_minutes": 750}, "alerts_duration_minutes_fit_into_within_hours"),
        ("below", {"within_hours": 49}, "alerts_within_hours_from_1_to_48"),
        ("below", {"notice_minutes": 30}, "alerts_only_greenest_window_has_notice_minutes"),
        (
            "greenest_window",
            {"notice_minutes": None},
            "alerts_only_greenest_window_has_notice_minutes",
        ),
        ("greenest_window", {"notice_minutes": 29}, "alerts_notice_minutes_from_30_to_1440"),
        (
            "greenest_window",
            {"duration_minutes": 1410},
            "alerts_notice_and_duration_leave_hours_to_choose_from",
        ),
        ("greenest_window", {"below_gco2_kwh": 80}, "alerts_only_below_has_below_gco2_kwh"),
        ("below", {"silent_minutes": 90}, "alerts_only_no_telemetry_has_silent_minutes"),
        ("no_telemetry", {"silent_minutes": 59}, "alerts_silent_minutes_from_60_to_10080"),
        ("no_telemetry", {"region_id": 13}, "alerts_no_telemetry_is_of_no_region"),
        (
            "no_telemetry",
            {"within_hours": 12},
            "alerts_forecasts_have_duration_minutes_and_within_hours",
        ),
        ("below", {"quiet_minutes": -1}, "alerts_quiet_minutes_from_0_to_10080"),
        ("below", {"url_number": 0}, "alerts_url_number_from_1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value) or "none",
)
def test_a_senseless_alert_is_refused_by_a_rule_whose_name_says_why(
    alerts: Alerts, kind: str, columns: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(errors.IntegrityError) as refused:
        alerts.add(kind, **columns)
    assert refused.value.diag.constraint_name == constraint


def test_two_alerts_of_one_name_are_refused(alerts: Alerts) -> None:
    alerts.add()
    with pytest.raises(errors.UniqueViolation):
        alerts.add()


# What is one event.


def test_what_was_told_is_not_told_again_by_the_same_forecast_or_the_next(alerts: Alerts) -> None:
    alerts.add()
    alerts.forecast(night(10))
    assert alerts.judge().new_events == 1
    assert alerts.events() == [(FIRST + 5 * HOUR, FIRST + 8 * HOUR, "pending")]
    alerts.told()
    for cycle in range(1, 12):
        alerts.forecast(night(10 - cycle), FIRST + cycle * HALF_HOUR)
        assert alerts.judge(T + cycle * HALF_HOUR).new_events == 0
    assert alerts.events() == [(FIRST + 5 * HOUR, FIRST + 8 * HOUR, "delivered")]


def test_a_forecast_that_flickers_around_the_limit_is_one_event(alerts: Alerts) -> None:
    """A day of forecasts, each with noise of its own around the limit in the same night."""
    alerts.add("below", quiet_minutes=120)
    dice = random.Random(26)
    start = FIRST + 20 * HOUR
    found = 0
    for cycle in range(60):
        at = FIRST + cycle * HALF_HOUR
        alerts.forecast(
            [
                80 + dice.gauss(-1, 2) if start <= at + step * HALF_HOUR < start + 6 * HOUR else 120
                for step in range(96)
            ],
            at,
        )
        found += alerts.judge(T + cycle * HALF_HOUR).new_events
        alerts.told()
    outcomes = [outcome for (outcome,) in alerts.outcomes("outcome")]
    assert len(outcomes) > 6  # it did flicker
    assert found == 1


def test_a_window_that_moves_with_each_forecast_is_one_event(alerts: Alerts) -> None:
    alerts.add("greenest_window")
    found = 0
    for cycle in range(20):
        alerts.forecast(night(0), FIRST + cycle * HALF_HOUR)
        found += alerts.judge(T + cycle * HALF_HOUR).new_events
        alerts.told()
    assert found == 1
    assert alerts.outcomes() == [("met", 20)]


def test_a_window_is_told_before_it_begins_and_the_next_one_again(alerts: Alerts) -> None:
    alerts.add("greenest_window")
    told = []
    for cycle in range(96):
        at = FIRST + cycle * HALF_HOUR
        # each night from 01:30 to 04:30 UTC
        alerts.forecast(
            [
                LOW if 3 <= int((at + step * HALF_HOUR).timestamp()) // 1800 % 48 < 9 else HIGH
                for step in range(96)
            ],
            at,
        )
        alerts.judge(T + cycle * HALF_HOUR)
        alerts.told()
    told = alerts.events("event_start, found_at")
    assert [(f"{start:%H:%M}", start - found) for start, found in told] == [
        ("01:30", timedelta(minutes=18))
    ] * 2


def test_two_lows_are_two_events_unless_they_are_within_the_quiet_minutes(alerts: Alerts) -> None:
    two = [LOW if step in range(4, 8) or step in range(14, 18) else HIGH for step in range(96)]
    alerts.forecast(two)
    for quiet, events in ((0, 2), (179, 2), (180, 1)):
        alerts.add("below", f"quiet {quiet}", quiet_minutes=quiet)
        assert alerts.judge().new_events == events, quiet


def test_lows_that_are_told_together_are_told_by_the_first_which_names_the_others(
    alerts: Alerts,
) -> None:
    alerts.add()
    lows = *range(4, 8), *range(10, 18)
    alerts.forecast([LOW if step in lows else HIGH for step in range(96)])
    alerts.judge()
    assert alerts.events("event_start, event_end") == [(FIRST + 2 * HOUR, FIRST + 9 * HOUR)]
    [(title, body)] = alerts.events("title, body")
    assert "14:30" in title
    for part in ("2 hours", "Sat 28 Mar 14:30 to 16:30 GMT", "Sat 28 Mar 17:30 to 21:30 GMT"):
        assert part in body
    alerts.told()
    for cycle in range(1, 11):  # until the second one has begun
        assert alerts.judge(T + cycle * HALF_HOUR).new_events == 0


def test_an_earlier_low_than_the_one_that_was_told_is_an_event_of_its_own(alerts: Alerts) -> None:
    alerts.add()
    alerts.forecast(night(18))
    alerts.judge()
    alerts.told()
    alerts.forecast(
        [LOW if step < 4 or 17 <= step < 23 else HIGH for step in range(96)], FIRST + HALF_HOUR
    )
    assert alerts.judge(T + HALF_HOUR).new_events == 1
    alerts.told()
    for cycle in range(2, 12):
        assert alerts.judge(T + cycle * HALF_HOUR).new_events == 0


def test_an_earlier_low_is_told_though_another_lies_between_it_and_what_was_told(
    alerts: Alerts,
) -> None:
    alerts.add()
    alerts.forecast(night(20))
    assert alerts.judge().new_events == 1
    alerts.told()
    lows = *range(4, 8), *range(12, 16), *range(20, 26)
    alerts.forecast([LOW if step in lows else HIGH for step in range(96)], FIRST + HALF_HOUR)
    assert alerts.judge(T + HALF_HOUR).new_events == 1
    first = FIRST + HALF_HOUR + 2 * HOUR
    assert alerts.events("event_start, event_end, status")[1:] == [
        (first, first + 2 * HOUR, "pending")
    ]


def test_what_nobody_heard_of_is_withdrawn_once_it_no_longer_holds_and_told_if_it_does_again(
    alerts: Alerts,
) -> None:
    alerts.add()
    for cycle, values in enumerate((night(12), [HIGH] * 96, night(10))):
        alerts.forecast(values, FIRST + cycle * HALF_HOUR)
        alerts.judge(T + cycle * HALF_HOUR)
    assert [status for *_, status in alerts.events()] == ["withdrawn", "pending"]


def test_what_is_not_yet_told_is_told_as_the_newest_forecast_has_it(alerts: Alerts) -> None:
    alerts.add()
    alerts.forecast(night(10))
    alerts.judge()
    alerts.forecast(night(11, 8), FIRST + HALF_HOUR)
    alerts.judge(T + HALF_HOUR)
    start = FIRST + 6 * HOUR
    assert alerts.events() == [(start, start + 4 * HOUR, "pending")]
    [(title,)] = alerts.events("title")
    assert f"{start:%H:%M}" in title


def test_what_could_not_be_delivered_before_it_was_over_expires(alerts: Alerts) -> None:
    alerts.add()
    alerts.forecast(night(0))
    alerts.judge()
    alerts.judge(T + 4 * HOUR)
    assert [status for *_, status in alerts.events()] == ["expired"]


def test_another_question_is_told_anew_and_another_name_is_not(alerts: Alerts) -> None:
    number = alerts.add()
    alerts.forecast(night(10))
    alerts.judge()
    alerts.told()
    change = "UPDATE ops.alerts SET {} WHERE alert_id = %s"
    for column, new in (("name = 'other', quiet_minutes = 60", 0), ("below_gco2_kwh = 75", 1)):
        alerts.connection.execute(change.format(column).encode(), [number])
        assert alerts.judge().new_events == new


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE ops.alerts SET is_on = false",
        "DELETE FROM ops.alerts",
        "UPDATE ops.alerts SET below_gco2_kwh = 60",
    ],
    ids=["off", "deleted", "changed"],
)
def test_what_a_person_took_back_is_withdrawn_and_stays_on_record(alerts: Alerts, act: str) -> None:
    alerts.add()
    alerts.forecast(night(10))
    alerts.judge()
    alerts.connection.execute(act.encode())
    alerts.judge(T + HALF_HOUR)
    assert alerts.events("alert_name, status") == [("Charge the car", "withdrawn")]


# Silence.


@pytest.mark.parametrize(("quiet", "again"), [(0, 1), (60, 0)])
def test_a_silence_is_one_event_however_long_and_the_next_one_another(
    alerts: Alerts, quiet: int, again: int
) -> None:
    alerts.add("no_telemetry", quiet_minutes=quiet)
    alerts.telemetry(FIRST - 2 * HOUR)
    found = []
    for cycle in range(12):
        if cycle == 6:  # telemetry is back, for one cycle
            alerts.telemetry(FIRST + 2 * HOUR)
        found.append(alerts.judge(T + cycle * HALF_HOUR).new_events)
        alerts.told()
    assert found == [0, 1, 0, 0, 0, 0, 0, 0, 0, again, 0, 0]
    assert [outcome for outcome, _ in alerts.outcomes()] == ["not_met", "met"] * 2


# What could not be judged.


def test_an_alert_without_forecast_is_on_record_and_keeps_no_other_from_being_judged(
    alerts: Alerts,
) -> None:
    alerts.add()
    alerts.add("greenest_window", "window", region_id=13)
    alerts.add("no_telemetry", "silence")
    alerts.telemetry(FIRST - 3 * HOUR)
    for cycle in range(3):
        judged = alerts.judge(T + cycle * HALF_HOUR)
        assert len(judged.not_judged) == 2
    assert alerts.outcomes() == [("no_data", 3), ("no_data", 3), ("met", 3)]
    alerts.forecast(night(10), FIRST + HOUR)
    alerts.judge(T + 3 * HALF_HOUR)
    since = T, T + HOUR
    rows = alerts.outcomes("alert_id, first_at, last_at, outcome, reason IS NOT NULL")
    of_first = [row[1:] for row in rows if row[0] == rows[0][0]]
    next_at = T + 3 * HALF_HOUR
    assert of_first == [(*since, "no_data", True), (next_at, next_at, "met", False)]


def test_an_old_forecast_is_none(alerts: Alerts) -> None:
    alerts.add()
    alerts.add("greenest_window", "window")
    alerts.forecast(night(20))
    for hours in (5, 7):
        alerts.judge(FIRST + hours * HOUR + timedelta(minutes=12))
    assert [outcome for outcome, _ in alerts.outcomes()] == ["met", "no_data", "not_met", "no_data"]


def test_an_alert_that_meets_an_error_is_on_record_and_the_others_are_judged(
    alerts: Alerts,
) -> None:
    alerts.add("greenest_window", "window")
    alerts.add()
    alerts.forecast(night(10))
    with alerts.connection.transaction(force_rollback=True):
        alerts.connection.execute("DROP FUNCTION reporting.greenest_window CASCADE")
        alerts.judge()
        assert alerts.outcomes() == [("failed", 1), ("met", 1)]
        assert alerts.outcomes("reason")[0][0].startswith("UndefinedFunction")


def test_a_lost_connection_is_not_the_fault_of_an_alert(alerts: Alerts) -> None:
    alerts.add()
    alerts.connection.execute("SELECT 1")
    with psycopg.connect(alerts.connection.info.dsn, password=alerts.connection.info.password) as c:
        c.execute("SELECT pg_terminate_backend(%s)", [alerts.connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        alerts.judge()


# The demo.


def test_the_demo_tells_only_those_who_ask_and_says_that_its_data_is_recorded(
    alerts: Alerts,
) -> None:
    alerts.add()
    alerts.forecast(night(10))
    assert alerts.judge(stamp=REPLAY).new_events == 0
    assert alerts.outcomes() == [("demo", 1)]
    alerts.connection.execute("UPDATE ops.alerts SET in_demo = true")
    assert alerts.judge(T + HALF_HOUR, REPLAY).new_events == 1
    [(title, body)] = alerts.events("title, body")
    assert "RECORDED" in title
    assert "recorded" in body


# Regions.


def test_an_alert_of_a_region_is_judged_by_the_forecast_of_that_region(alerts: Alerts) -> None:
    now = datetime.now(UTC)
    first = floor(now) + HALF_HOUR
    for region in (12, 13, 18):
        alerts.add("below", f"region {region}", region_id=region)
    alerts.add("greenest_window", "window", region_id=13)
    alerts.forecast([LOW] * 96, first)  # of Great Britain
    capture(
        alerts.connection,
        floor(now) + timedelta(minutes=1),
        lambda region, at: LOW if region == 13 and first <= at < first + 3 * HOUR else HIGH,
    )
    alerts.judge(first - timedelta(seconds=1))
    assert [outcome for outcome, _ in alerts.outcomes()] == ["not_met", "met", "not_met", "met"]
    found = alerts.events("alert_name, event_start, event_end")
    assert found == [
        ("region 13", first, first + 3 * HOUR),
        ("window", first, first + 3 * HOUR),
    ]
    [title, _] = [title for (title,) in alerts.events("title")]
    assert "London" in title


def test_the_first_model_that_has_a_half_hour_is_judged_by(alerts: Alerts) -> None:
    alerts.add()
    alerts.forecast([HIGH] * 3 + [None] * 4 + [HIGH] * 40)
    alerts.forecast([LOW] * 96, model="seasonal_naive")
    alerts.judge()
    start = FIRST + 3 * HALF_HOUR
    assert alerts.events("event_start, event_end") == [(start, start + 4 * HALF_HOUR)]


def test_a_model_that_no_longer_forecasts_leaves_every_kind_to_the_next_one(
    alerts: Alerts,
) -> None:
    alerts.add()
    alerts.add("greenest_window", "window")
    alerts.forecast(night(20), T - 8 * HOUR - timedelta(minutes=12))
    alerts.forecast(night(0), model="seasonal_naive")
    alerts.judge()
    assert alerts.outcomes() == [("met", 1), ("met", 1)]
    assert alerts.events("event_start, event_end") == [(FIRST, FIRST + 3 * HOUR)] * 2
    assert all("seasonal_naive" in body for (body,) in alerts.events("body"))

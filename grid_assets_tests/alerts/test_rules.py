"""When an alert is met, equal to a search by hand; and what its message says."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product

import pytest

from grid_assets.alerts import rules, texts
from grid_assets.alerts.rules import Alert, Event, Forecast
from grid_assets.halfhours import HALF_HOUR
from grid_assets_tests.alerts.conftest import FIRST, HOUR, T

BELOW = Alert(
    alert_id=7,
    name="Charge the car",
    kind="below",
    region_id=13,
    region_name="London",
    below_gco2_kwh=Decimal("80.0"),
    duration=2 * HOUR,
    within=12 * HOUR,
    notice=None,
    silent=None,
    quiet=3 * HOUR,
    in_demo=False,
    changed_at=T,
)
WINDOW = replace(BELOW, kind="greenest_window", below_gco2_kwh=None, notice=HALF_HOUR)
SILENCE = replace(
    BELOW, kind="no_telemetry", region_id=None, region_name=None, silent=timedelta(minutes=90)
)


def forecasts(*values: float | None, first: datetime = FIRST) -> list[Forecast]:
    return [
        Forecast(first + step * HALF_HOUR, Decimal(str(value)), "blend", FIRST)
        for step, value in enumerate(values)
        if value is not None
    ]


def by_hand(alert: Alert, known: list[Forecast]) -> set[tuple[datetime, datetime]]:
    """Every pair of a start and an end is looked at."""
    assert alert.below_gco2_kwh is not None
    assert alert.duration is not None
    assert alert.within is not None
    low = {each.period_start for each in known if each.gco2_kwh < alert.below_gco2_kwh}
    found = set()
    for start, end in product(low, {at + HALF_HOUR for at in low}):
        half_hours = (end - start) // HALF_HOUR
        is_longest = start - HALF_HOUR not in low and end not in low
        fits = start + alert.duration <= FIRST + alert.within and end - start >= alert.duration
        if is_longest and fits and {start + n * HALF_HOUR for n in range(half_hours)} <= low:
            found.add((start, end))
    return found


def test_stretches_below_a_limit_are_those_of_a_search_by_hand() -> None:
    dice = random.Random(26)
    met = 0
    for _ in range(400):
        known = forecasts(
            *(
                dice.choice([None, 60, 79, 79.9, 80, 90])
                if dice.random() < 0.3
                else dice.choice([70, 75, 85])
                for _ in range(dice.randint(0, 96))
            )
        )
        alert = replace(
            BELOW,
            duration=dice.randint(1, 8) * HALF_HOUR,
            within=dice.randint(4, 48) * HOUR,
            below_gco2_kwh=Decimal(dice.choice(["76", "80", "86"])),
        )
        judgement = rules.judge_below(alert, known, T)
        told = [(event.start, event.end) for event in judgement.events]
        if judgement.outcome == "no_data":
            until = FIRST + (alert.within or HOUR)
            half_hours = sum(each.period_end <= until for each in known)
            assert alert.duration is not None
            assert half_hours * HALF_HOUR < alert.duration
            continue
        assert set(told) == by_hand(alert, known)
        assert judgement.outcome == ("met" if told else "not_met")
        assert all(one[1] < two[0] for one, two in pairwise(told))
        met += bool(told)
    assert met > 50


def test_a_limit_is_to_be_fallen_below_and_a_stretch_is_told_to_its_end() -> None:
    judged = rules.judge_below(BELOW, forecasts(*[80] * 10, *[79.9] * 30), T)
    assert [(each.start, each.end) for each in judged.events] == [
        (FIRST + 5 * HOUR, FIRST + 20 * HOUR)
    ]
    assert rules.judge_below(BELOW, forecasts(*[80] * 40), T).outcome == "not_met"


def test_a_stretch_must_lie_within_the_hours() -> None:
    late = [90] * 20 + [70] * 4
    assert rules.judge_below(BELOW, forecasts(*late), T).outcome == "met"
    assert rules.judge_below(BELOW, forecasts(90, *late), T).outcome == "not_met"


def test_a_window_is_told_within_its_notice_and_never_by_an_old_forecast() -> None:
    window = forecasts(70, 70, first=FIRST + HALF_HOUR)
    start = window[0].period_start
    for minutes, outcome in ((31, "not_met"), (30, "met"), (0, "met")):
        now = start - timedelta(minutes=minutes)
        assert rules.judge_window(WINDOW, window, None, now).outcome == outcome
    old = [replace(each, issued_at=start - rules.OLDEST - HALF_HOUR) for each in window]
    assert rules.judge_window(WINDOW, old, None, start - HALF_HOUR / 2).outcome == "no_data"
    assert rules.judge_window(WINDOW, [], None, T).outcome == "no_data"


def test_a_silence_begins_when_the_newest_half_hour_ended() -> None:
    for minutes, outcome in ((89, "not_met"), (90, "met"), (5000, "met")):
        end = T - timedelta(minutes=minutes)
        judged = rules.judge_silence(SILENCE, end, T)
        assert judged.outcome == outcome
        assert [(each.start, each.end) for each in judged.events] in ([], [(end, T)])
    unknown = rules.judge_silence(SILENCE, None, T)
    assert unknown.outcome == "no_data"
    assert unknown.reason


def test_a_message_says_what_where_when_by_whom_and_how_to_stop_it() -> None:
    known = tuple(forecasts(*[72] * 5, 64, *[73] * 3))
    event = Event(known[0].period_start, known[-1].period_end, known)
    title, body = texts.message(BELOW, event, recorded=False)
    assert title == "Charge the car: London below 80 g from Sat 12:30 GMT"
    for part in (
        *("London (region 13)", "80 gCO2/kWh", "4.5 hours", "Sat 28 Mar 12:30 to 17:00 GMT"),
        *("64 g (Sat 15:00 GMT)", "71 g", "blend", "alert_id = 7"),
    ):
        assert part in body
    assert "RECORDED" in texts.message(BELOW, event, recorded=True)[0]


@pytest.mark.parametrize(
    ("start", "hours", "text"),
    [
        ("2026-03-29T00:00Z", 2, "Sun 29 Mar 00:00 GMT to 03:00 BST"),
        ("2026-10-25T00:00Z", 2, "Sun 25 Oct 01:00 BST to 02:00 GMT"),
        ("2026-06-30T22:30Z", 1, "Tue 30 Jun 23:30 to Wed 1 Jul 00:30 BST"),
    ],
    ids=["spring", "autumn", "midnight"],
)
def test_times_are_londons_with_their_zone(start: str, hours: int, text: str) -> None:
    at = datetime.fromisoformat(start).astimezone(UTC)
    assert texts.span(at, at + hours * HOUR) == text


def test_the_message_of_a_window_says_what_it_saves() -> None:
    known = tuple(forecasts(70, 72))
    event = Event(FIRST, FIRST + HOUR, known, Decimal("25.4"))
    title, body = texts.message(replace(WINDOW, duration=HOUR), event, recorded=False)
    assert title == "Charge the car: the greenest hour begins Sat 12:30 GMT"
    for part in ("71 gCO2/kWh", "25 g less", "next 12 hours"):
        assert part in body


def test_the_message_of_a_silence_names_the_newest_half_hour() -> None:
    title, body = texts.message(SILENCE, Event(T - timedelta(minutes=102), T), recorded=False)
    assert "102 minutes" in title
    assert "Sat 28 Mar 10:00 to 10:30 GMT" in body

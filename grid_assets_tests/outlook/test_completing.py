"""How a record that was refused completes the states that are held. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grid_assets.outlook.completing import TICK, TOGETHER, Seen, completed

T = datetime(2026, 5, 5, 5, 42, tzinfo=UTC)
HALF = timedelta(minutes=30)
GAS = {"CCGT": 5000}

Values = dict[str, Any]


def fuels(values: Mapping[str, Any]) -> Values:
    return {fuel: mw for fuel, mw in values.items() if fuel != "demand"}


def states(*values: Values) -> list[tuple[datetime, Values]]:
    """One state every half-hour from T on."""
    return [(T + place * HALF, one) for place, one in enumerate(values)]


def newest(held: list[tuple[datetime, Values]], part: Values, seen: Seen, **options: Any) -> Any:
    return max(held + list(completed(held, part, seen, **options)), key=lambda state: state[0])[1]


def test_each_state_while_the_record_was_seen_gets_it() -> None:
    held = states({"WIND": 1}, {"WIND": 1, "demand": 9}, {"WIND": 2, "demand": 9})
    assert list(completed(held, GAS, Seen(T, T + 2 * HALF))) == [
        (stamp + TICK, {**values, **GAS}) for stamp, values in held
    ]


def test_a_fuel_that_is_null_because_its_record_was_refused_is_lacking() -> None:
    held = states({"WIND": 1, "CCGT": None}, {"WIND": 2, "CCGT": None}, {"WIND": 3, "CCGT": None})
    added = list(completed(held, GAS, Seen(T, T + 2 * HALF)))
    assert [values["CCGT"] for _, values in added] == [5000] * 3


@pytest.mark.parametrize(
    ("later", "last", "kept"),
    [
        pytest.param({"WIND": 2, "CCGT": 4000}, 2, 4000, id="published since"),
        pytest.param({"WIND": 2, "CCGT": None}, 2, None, id="published as null since"),
        pytest.param({"WIND": 2}, 0, "absent", id="withdrawn since"),
    ],
)
def test_what_the_source_has_said_since_stays(later: Values, last: int, kept: Any) -> None:
    held = states({"WIND": 1}, {"WIND": 1}, later)
    seen = Seen(T, T + (HALF if last else timedelta(0)))
    assert newest(held, GAS, seen).get("CCGT", "absent") == kept


def test_a_state_that_only_carries_the_fuels_on_gets_it_too() -> None:
    held = states({"WIND": 1}, {"WIND": 1, "demand": 9}, {"WIND": 2, "demand": 9})
    added = list(completed(held, GAS, Seen(T, T), own=fuels))
    assert [values for _, values in added] == [{**values, **GAS} for _, values in held[:2]]


def test_the_state_of_the_same_capture_may_be_stamped_with_a_later_answer() -> None:
    seconds = timedelta(seconds=20)
    held = [(T - HALF, {"WIND": 1, "CCGT": 4000}), (T + seconds, {"WIND": 2})]
    assert newest(held, GAS, Seen(T, T), together=TOGETHER, own=fuels) == {"WIND": 2, **GAS}


@pytest.mark.parametrize("later", [timedelta(seconds=20), HALF], ids=["same capture", "demand"])
def test_a_fuel_that_was_only_kept_from_before_the_record_is_lacking(later: timedelta) -> None:
    """A response with a refused record leaves its fuel as it was held."""
    whole = {"WIND": 1, "CCGT": 4000}
    held = [
        (T - HALF, whole),
        (T + later, {**whole, "demand": 9} if later == HALF else {**whole, "WIND": 2}),
    ]
    found = newest(held, GAS, Seen(T, T), together=TOGETHER, own=fuels)
    assert found == {**held[1][1], **GAS}


def test_of_two_records_the_one_that_was_seen_last_is_the_newest() -> None:
    held = states({"WIND": 1})
    for part, seen in (({"CCGT": 5100}, Seen(T + HALF, T + HALF)), (GAS, Seen(T, T + 2 * HALF))):
        held = sorted([*held, *completed(held, part, seen)], key=lambda state: state[0])
    assert [values["CCGT"] for _, values in held[1:]] == [5000, 5100, 5000]


def test_what_was_completed_already_is_not_completed_again() -> None:
    held = states({"WIND": 1}, {"WIND": 2})
    seen = Seen(T, T + HALF)
    held = sorted([*held, *completed(held, GAS, seen)], key=lambda state: state[0])
    assert list(completed(held, GAS, seen)) == []


def test_without_any_state_the_record_is_one() -> None:
    assert list(completed([], GAS, Seen(T, T + HALF))) == [(T, GAS)]

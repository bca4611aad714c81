"""The views of London days and months are what Python makes of recorded half-hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any, Final

import pytest

from grid_assets.halfhours import HALF_HOUR, LONDON, london_midnight
from grid_assets.mix import complete_row
from grid_assets.replay.recording import load_recording
from grid_assets.series import COMBINED_SHARES, FUELS, NAMED_FUELS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse
from grid_assets_tests.warehouse.half_hours import (
    Row,
    add_intensity,
    add_mix,
    add_power,
    rows,
)

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection

SPANS: Final = {
    "a month's end in summer": (date(2025, 6, 24), date(2025, 7, 8)),
    "a clock change": (date(2025, 10, 20), date(2025, 11, 5)),
    "a year's end": (date(2025, 12, 25), date(2026, 1, 8)),
}


@dataclass(frozen=True)
class HalfHour:
    """What is known of a half-hour; MW are made from the recorded shares."""

    actual: int | None
    shares: Mapping[str, Decimal]
    power: Mapping[str, int]
    grams: Decimal
    demand: int | None


def recorded(start: date, end: date) -> Iterator[tuple[datetime, HalfHour]]:
    """Recorded half-hours with a few more holes, of each kind at another place."""
    recording = load_recording()
    at, number = london_midnight(start), 0
    while at < london_midnight(end):
        number += 1
        known = recording.intensity.get(at)
        actual = known.actual if known and number % 23 else None
        published = [Decimal(str(share)) for share in recording.mix.get(at, ())]
        exact = dict(
            zip(FUELS, complete_row(published, {}).shares, strict=True) if published else {}
        )
        shares = {fuel: share or Decimal(0) for fuel, share in exact.items()}
        power = {fuel: int(300 * share) for fuel, share in shares.items()} if number % 211 else {}
        yield (
            at,
            HalfHour(
                actual,
                shares if number % 31 else {},
                power,
                Decimal(100 + number % 97) / 2,
                20_000 + 13 * number if number % 37 else None,
            ),
        )
        at += HALF_HOUR


def store(connection: Connection, at: datetime, half_hour: HalfHour) -> None:
    if half_hour.actual is not None:
        add_intensity(connection, at, half_hour.actual)
    if half_hour.shares:
        add_mix(connection, at, **{fuel: half_hour.shares[fuel] for fuel in NAMED_FUELS})
    power: Row = {**half_hour.power} or {"wind": None}
    add_power(connection, at, half_hour.grams, half_hour.demand, **power)


def cut(value: Fraction) -> Decimal:
    exact = Decimal(value.numerator) / value.denominator
    return exact.quantize(Decimal("0.0001"), ROUND_DOWN)


def mean(values: Iterable[Any], weights: Iterable[Any] | None = None) -> Fraction:
    listed = [Fraction(value) for value in values]
    weighed = [Fraction(weight) for weight in weights or [1] * len(listed)]
    pairs = zip(listed, weighed, strict=True)
    return sum((value * weight for value, weight in pairs), Fraction()) / sum(weighed)


def close(found: Decimal, expected: Fraction, decimals: int = 3) -> bool:
    return abs(Fraction(found) - expected) <= Fraction(1, 2 * 10**decimals)


def assert_shares(found: Row, ending: str, shares: Mapping[str, Fraction]) -> None:
    named = {fuel: cut(shares[fuel]) for fuel in NAMED_FUELS}
    assert {fuel: found[f"{fuel}{ending}"] for fuel in NAMED_FUELS} == named
    assert found[f"other{ending}"] == 100 - sum(named.values())
    for column, fuels in COMBINED_SHARES.items():
        assert found[column.replace("_pct", ending)] == sum(named[fuel] for fuel in fuels)


@pytest.mark.parametrize("over", SPANS)
def test_recorded_weeks(connection: Connection, over: str) -> None:
    days: dict[date, list[HalfHour]] = {}
    for at, half_hour in recorded(*SPANS[over]):
        store(connection, at, half_hour)
        days.setdefault(at.astimezone(LONDON).date(), []).append(half_hour)
    months: dict[date, list[HalfHour]] = {}
    for day, half_hours in days.items():
        months.setdefault(day.replace(day=1), []).extend(half_hours)
    for spans, key, view in ((days, "settlement_date", "daily"), (months, "month", "monthly")):
        found = {row[key]: row for row in rows(connection, view)}
        assert found.keys() == spans.keys()
        for first_day, row in found.items():
            assert_telemetry(row, spans[first_day])
        energy = {row[key]: row for row in rows(connection, f"{view}_energy")}
        assert energy.keys() == spans.keys()
        for first_day, row in energy.items():
            assert_energy(row, spans[first_day], is_whole=view == "daily")


def assert_telemetry(found: Row, half_hours: list[HalfHour]) -> None:
    actuals = [each.actual for each in half_hours if each.actual is not None]
    assert found["half_hours"] == len(actuals)
    assert close(found["mean_gco2_kwh"], mean(actuals))
    assert (found["min_gco2_kwh"], found["max_gco2_kwh"]) == (min(actuals), max(actuals))
    mixes = [each.shares for each in half_hours if each.shares]
    assert found["mix_half_hours"] == len(mixes)
    assert_shares(found, "_pct", {fuel: mean(mix[fuel] for mix in mixes) for fuel in FUELS})


def assert_energy(found: Row, half_hours: list[HalfHour], *, is_whole: bool) -> None:
    known = [each for each in half_hours if each.power]
    assert found["half_hours"] == len(known)
    totals = [sum(each.power.values()) for each in known]
    total = sum(totals)
    sums = {fuel: sum(each.power[fuel] for each in known) for fuel in FUELS}
    weighted = mean((each.grams for each in known), totals)
    assert close(found["generation_weighted_gco2_kwh"], weighted)
    assert_shares(found, "_energy_pct", {fuel: Fraction(100 * sums[fuel], total) for fuel in FUELS})
    assert found["half_hours_expected"] == len(half_hours) or not is_whole
    if len(known) == found["half_hours_expected"]:
        assert [found[f"{fuel}_gwh"] * 2000 for fuel in FUELS] == list(sums.values())
        assert found["generation_gwh"] * 2000 == total
        assert close(found["emissions_t"], weighted * total / 2000, decimals=1)
    else:
        assert found["generation_gwh"] is found["wind_gwh"] is found["emissions_t"] is None
    both = [each for each in half_hours if each.demand and each.actual is not None]
    assert found["demand_half_hours"] == len(both)
    demand = [each.demand for each in both]
    assert close(found["demand_weighted_gco2_kwh"], mean((each.actual for each in both), demand))
    assert close(found["mean_demand_mw"], mean(demand), decimals=1)

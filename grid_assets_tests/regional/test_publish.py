"""From `raw.regional` to `core`: newest values, cleaned, and mixes of exactly 100."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import psycopg
import pytest

from grid_assets import mix
from grid_assets.halfhours import DAY as ONE_DAY
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.regional.checks import BLOCKING
from grid_assets.regions import REGIONS
from grid_assets.series import FUELS
from grid_assets.telemetry.checks import Verdict, judge
from grid_assets.telemetry.publish import Published
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.regional.conftest import (
    DAY,
    LATER,
    LONDON,
    NOW,
    SEEN,
    T0,
    Load,
    Publish,
    row,
)

INTENSITY: Final = "core.regional_intensity"
MIX: Final = "core.regional_mix"
NAMED: Final = tuple(fuel for fuel in FUELS if fuel != "other")


def values(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT region_id, period_start, intensity_gco2_kwh, intensity_reason, captured_at "
        "FROM core.regional_intensity ORDER BY 1, 2"
    ).fetchall()


def shares(connection: Connection) -> list[dict[str, Any]]:
    columns = ", ".join(f"{fuel}_pct" for fuel in FUELS)
    found = connection.execute(
        f"SELECT {columns} FROM core.regional_mix ORDER BY region_id, period_start".encode()  # noqa: S608
    ).fetchall()
    return [dict(zip(FUELS, line, strict=True)) for line in found]


def refused(verdicts: list[Verdict]) -> Callable[[Connection], None]:
    """A judge that keeps the verdicts of the blocking checks."""

    def judged(connection: Connection) -> None:
        verdicts.extend(judge(connection, BLOCKING[MIX], DAY, NOW))

    return judged


# Carbon intensity


def test_the_newest_value_of_each_region_is_published_and_a_repetition_writes_nothing(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(*(row(T0, one.region_id, one.region_id) for one in REGIONS))
    load(row(T0, LONDON, 200), at=LATER)
    assert publish(INTENSITY) == Published(18, 18, [])
    assert publish(INTENSITY) == Published(18, 0, [])
    expected = {one.region_id: (one.region_id, SEEN) for one in REGIONS} | {LONDON: (200, LATER)}
    assert {one[0]: (one[2], one[4]) for one in values(connection)} == expected
    load(row(T0, 18, 0), at=LATER)
    assert publish(INTENSITY) == Published(18, 1, [])
    assert values(connection)[-1][2] == 0  # a true value


def test_a_value_that_a_later_capture_leaves_out_stays(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(), row(region=1))
    publish(INTENSITY)
    before = values(connection)
    assert load(row(forecast=None), at=LATER) == 1
    assert publish(INTENSITY).written == 0
    assert values(connection) == before


def test_an_impossible_value_is_null_with_the_reason_and_stays_in_raw(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(forecast=13579), row(region=1, forecast=-1), row(region=2, forecast=1000))
    publish(INTENSITY)
    assert [(one[0], one[2], one[3]) for one in values(connection)] == [
        (1, None, "published -1 gCO2/kWh is outside 0 to 1000"),
        (2, 1000, None),
        (LONDON, None, "published 13579 gCO2/kWh is outside 0 to 1000"),
    ]


def test_an_actual_is_not_yet_used(connection: Connection, load: Load, publish: Publish) -> None:
    load(row(forecast=100, actual=50))
    publish(INTENSITY)
    assert values(connection)[0][2] == 100


@pytest.mark.parametrize("relation", [INTENSITY, MIX])
def test_a_half_hour_that_has_not_begun_is_not_published_and_one_in_core_is_removed(
    connection: Connection, load: Load, publish: Publish, relation: str
) -> None:
    load(row(), row(T0 + HALF_HOUR))
    assert publish(relation, now=T0 + timedelta(minutes=29)).read == 1
    future = NOW.replace(year=2100)
    table = psycopg.sql.Identifier(*relation.split("."))
    for region in (1, 18):
        connection.execute(
            psycopg.sql.SQL("INSERT INTO {} (region_id, period_start) VALUES (%s, %s)").format(
                table
            ),
            [region, future],
        )
    assert publish(relation).written == 1 + 2
    count = psycopg.sql.SQL("SELECT count(*) FROM {}").format(table)
    assert connection.execute(count).fetchall() == [(2,)]


def test_what_is_simulated_stays_marked_until_it_was_published(
    connection: Connection, load: Load, publish: Publish
) -> None:
    marks = (
        "SELECT bool_and(i.simulated), bool_and(m.simulated), bool_and(t.simulated) "
        "FROM core.regional_intensity AS i "
        "JOIN core.regional_mix AS m USING (region_id, period_start) "
        "JOIN reporting.regional_telemetry AS t USING (region_id, period_start)"
    )
    for simulated, at in ((True, SEEN), (False, LATER)):
        assert load(row(), simulated=simulated, at=at) == 1
        publish(INTENSITY)
        publish(MIX)
        assert connection.execute(marks).fetchall() == [(simulated,) * 3]


# The mix


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_a_published_mix_of_99_8_to_100_2_sums_to_exactly_100_in_core(
    connection: Connection, load: Load, publish: Publish, off: int
) -> None:
    load(row(gas=30 + off / 10), row(region=18, gas=30 + off / 10, other=0.5, wind=29.5))
    publish(MIX)
    totals = "SELECT published_total_pct, adjustment FROM core.regional_mix ORDER BY region_id"
    found = connection.execute(totals).fetchall()
    assert {total for total, _ in found} == {100 + Decimal(off) / 10}
    assert all(sum(line.values()) == 100 for line in shares(connection))
    assert found[0][1] == (
        "none" if off == 0 else "other_completed" if off < 0 else "scaled_to_100"
    )


def test_the_database_lets_no_mix_of_another_sum_in(connection: Connection) -> None:
    insert = "INSERT INTO core.regional_mix (region_id, period_start, gas_pct, wind_pct) VALUES "
    connection.execute(f"{insert} (1, %s, 40, 59.9)".encode(), [T0])
    assert shares(connection)[0]["other"] == Decimal("0.1")
    for bad in ("60, 41", "-1, 50", "'NaN', 1"):
        with pytest.raises(psycopg.Error), connection.transaction():
            connection.execute(f"{insert} (2, %s, {bad})".encode(), [T0])
    with pytest.raises(psycopg.errors.GeneratedAlways), connection.transaction():
        connection.execute("UPDATE core.regional_mix SET other_pct = 1")


def test_a_mix_that_a_later_capture_leaves_out_stays(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(), row(region=1))
    assert publish(MIX).written == 2
    before = shares(connection)
    load(row(mix=False), at=LATER)
    assert publish(MIX) == Published(2, 0, [])
    assert shares(connection) == before


def test_a_mix_that_lacks_a_fuel_never_replaces_a_fuller_one_and_costs_no_other_region(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(), row(region=1))
    publish(MIX)
    load(row(biomass=None, other=7), row(region=1, gas=31, wind=29), at=LATER)
    done = publish(MIX)
    assert (done.read, done.written) == (2, 1)
    [reject] = done.refused
    kept = json.loads(reject.payload)
    assert (kept["region_id"], kept["period_start"], kept["biomass"]) == (
        LONDON,
        T0.isoformat(),
        None,
    )
    scotland, london = shares(connection)
    assert (scotland["gas"], london["biomass"]) == (31, 7)


def test_a_mix_of_another_program_that_is_none_is_refused_and_costs_no_other_region(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(region=1))
    connection.execute(
        "INSERT INTO raw.regional (region_id, period_start, captured_at, wind_pct, gas_pct) "
        "VALUES (13, %s, %s, 'NaN', 40)",
        [T0, SEEN],
    )
    done = publish(MIX)
    assert (done.read, done.written) == (2, 1)
    assert [json.loads(one.payload)["region_id"] for one in done.refused] == [LONDON]


# Blocking checks


def test_a_mix_that_a_fault_of_ours_spoils_fails_its_check(
    connection: Connection, load: Load, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = mix.complete

    def wrong(*given: Any) -> mix.Mix:
        exact = complete(*given)
        return replace(exact, other=exact.other + 1)

    monkeypatch.setattr(mix, "complete", wrong)
    load(row(), row(region=1))
    verdicts: list[Verdict] = []
    publish(MIX, judge=refused(verdicts))
    assert {one.check.name: one.total for one in verdicts} == {"sums_to_100": 2, "fuels_kept": 0}


@pytest.mark.parametrize(
    ("regions", "fails"),
    [
        pytest.param(1, False, id="one-region"),
        pytest.param(9, False, id="half-of-them"),
        pytest.param(10, True, id="most-of-them"),
    ],
)
def test_a_fuel_that_vanishes_from_most_half_hours_of_the_regions_fails_its_check(
    load: Load, publish: Publish, regions: int, fails: bool
) -> None:
    half_hours = [(T0 + n * HALF_HOUR, one.region_id) for n in range(7) for one in REGIONS]
    load(*(row(*key) for key in half_hours))
    publish(MIX)
    load(*(row(*key, biomass=None, other=7) for key in half_hours if key[1] <= regions), at=LATER)
    verdicts: list[Verdict] = []
    publish(MIX, judge=refused(verdicts))
    found = {one.check.name: one.total for one in verdicts}
    assert found == {"sums_to_100": 0, "fuels_kept": 7 * regions if fails else 0}


def test_a_window_has_its_days_and_no_other(load: Load, publish: Publish) -> None:
    load(row(), row(T0 - HALF_HOUR), row(T0 + ONE_DAY))
    for relation in (INTENSITY, MIX):
        assert publish(relation).read == 1
        assert publish(relation, Window(T0 - ONE_DAY, T0 + 2 * ONE_DAY)).read == 3

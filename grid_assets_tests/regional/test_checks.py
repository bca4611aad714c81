"""The warnings about regions, once on data that passes them and once on data that does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.regional.checks import (
    BLOCKING,
    NO_ACTUALS,
    REACHES_48_HOURS,
    REGIONS_COMPLETE,
    WARNING,
    judge_actuals,
    judge_complete,
)
from grid_assets.regions import REGIONS
from grid_assets.telemetry.checks import Verdict, judge
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.regional.conftest import DAY, LATER, LONDON, T0, Load, Publish, row

SOON: Final = DAY.end + timedelta(minutes=30)
WHOLE_DAY: Final = [
    row(T0 + n * HALF_HOUR, one.region_id, 0 if one.region_id == 1 else 100)
    for one in REGIONS
    for n in range(48)
]


def verdicts(connection: Connection, relation: str) -> dict[str, Verdict]:
    return {one.check.name: one for one in judge(connection, WARNING[relation], DAY, SOON)}


def failed(connection: Connection) -> dict[tuple[str, str], int]:
    return {
        (relation, name): one.total
        for relation in WARNING
        for name, one in verdicts(connection, relation).items()
        if not one.passed
    }


@pytest.fixture
def published(load: Load, publish: Publish) -> None:
    """A whole day of all regions, in which North Scotland is at 0."""
    load(*WHOLE_DAY)
    for relation in WARNING:
        publish(relation)


@pytest.mark.usefixtures("published")
def test_a_good_day_raises_no_warning(connection: Connection) -> None:
    assert failed(connection) == {}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("relation", WARNING)
def test_a_region_that_lacks_half_hours_is_named_and_no_other(
    connection: Connection, relation: str
) -> None:
    connection.execute(
        f"DELETE FROM {relation} WHERE region_id = 13 AND period_start < %s".encode(),  # noqa: S608
        [T0 + 3 * HALF_HOUR],
    )
    assert failed(connection) == {(relation, "half_hours_complete"): 1}
    found = verdicts(connection, relation)["half_hours_complete"]
    assert found.examples == ["2026-01-01T00:00Z London: 3 missing"]
    # a day that is not over is not judged
    day = judge(connection, WARNING[relation], DAY, DAY.end - timedelta(minutes=1))
    assert all(one.passed for one in day if one.check.name == "half_hours_complete")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("relation", WARNING)
def test_a_region_whose_newest_half_hour_is_old_is_named(
    connection: Connection, relation: str
) -> None:
    at = SOON - timedelta(hours=2)
    connection.execute(
        f"DELETE FROM {relation} WHERE region_id = 13 AND period_start >= %s "  # noqa: S608
        "OR region_id = 18".encode(),
        [at],
    )
    found = verdicts(connection, relation)["is_recent"]
    assert found.total == 2
    assert [example.partition(": ")[0] for example in found.examples] == [
        "- GB",
        "2026-01-01T22:00Z London",
    ]


def test_of_an_empty_warehouse_every_region_lacks_everything(connection: Connection) -> None:
    assert failed(connection) == {
        (relation, name): 18
        for relation in WARNING
        for name in ("half_hours_complete", "is_recent")
    }


@pytest.mark.usefixtures("published")
def test_values_outside_0_to_1000_are_reported_and_0_is_not(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(row(forecast=13579), row(region=18, forecast=-1), at=LATER)
    publish("core.regional_intensity")
    assert failed(connection) == {("core.regional_intensity", "values_plausible"): 2}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("changed", "totals"),
    [
        ({"gas": 30.3}, {}),
        ({"gas": 29.6}, {"published_total_near_100": 1}),
        ({"gas": 30.4}, {"published_total_near_100": 1}),
        ({"unknown": {"tidal": 0.2}}, {"fuels_known": 1}),
        ({"coal": None}, {"fuels_known": 1}),
    ],
    ids=str,
)
def test_odd_mixes_are_reported(
    connection: Connection, load: Load, publish: Publish, changed: dict, totals: dict
) -> None:
    load(row(T0 + 5 * HALF_HOUR, **changed), at=LATER)
    publish("core.regional_mix")
    assert failed(connection) == {("core.regional_mix", name): n for name, n in totals.items()}
    found = verdicts(connection, "core.regional_mix")
    for name in totals:
        assert found[name].examples[0].startswith("2026-01-01T02:30Z London: ")


# On what was received


def test_all_half_hours_of_all_regions_are_expected() -> None:
    window = Window(T0, T0 + 2 * HALF_HOUR)
    rows = [row(T0 + n * HALF_HOUR, one.region_id) for one in REGIONS for n in range(2)]
    for check in (REGIONS_COMPLETE, REACHES_48_HOURS):
        assert judge_complete(check, rows, window).passed
        empty = judge_complete(check, [], window)
        assert (empty.total, len(empty.examples)) == (36, 10)
    lacking = [one for one in rows if one.region_id != LONDON] + [row(forecast=None), row()]
    found = judge_complete(REGIONS_COMPLETE, lacking, window)
    assert (found.total, found.examples) == (1, ["London: 1 of 2 half-hours are missing"])


def test_a_region_twice_does_not_make_up_for_one_that_is_missing() -> None:
    window = Window(T0, T0 + HALF_HOUR)
    rows = [row(region=one.region_id) for one in REGIONS if one.region_id != 1]
    found = judge_complete(REGIONS_COMPLETE, [*rows, row()], window)
    assert found.examples == ["North Scotland: 1 of 1 half-hours are missing"]


def test_actuals_are_reported_where_they_appear() -> None:
    assert judge_actuals([row(), row(region=1)]).passed
    found = judge_actuals([row(actual=0), row(region=18, actual=5), row(region=1)])
    assert (found.check, found.total, found.examples) == (NO_ACTUALS, 2, ["GB", "London"])


def test_every_check_is_a_sentence_and_named_once() -> None:
    for relation in (*BLOCKING, *WARNING):
        checks = [*BLOCKING.get(relation, ()), *WARNING.get(relation, ())]
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.description.endswith(".") for check in checks)

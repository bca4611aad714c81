"""From `raw` to `core.generation_mw`, and its checks, in a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.outlook.checks import judge_warnings
from grid_assets.outlook.generation import together
from grid_assets.outlook.load import load_elexon_generation, load_embedded_generation
from grid_assets.outlook.publish import publish_generation_mw
from grid_assets.sources.elexon.payloads import GenerationRow
from grid_assets.telemetry.checks import Verdict
from grid_assets.telemetry.load import Capture
from grid_assets.telemetry.publish import Published
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR, NOW, T0, Half, Load, Publish, publication

SEEN = T0 + 2 * DAY
SPAN = Window(T0, T0 + DAY)
FUELS = {"CCGT": 10_000, "NUCLEAR": 4000, "BIOMASS": 2000, "OTHER": 500, "NPSHYD": 500}
FUELS |= {"WIND": 8000, "INTFR": 1000}

LoadHalves = Callable[..., None]
PublishMw = Callable[..., Published]


@pytest.fixture
def load_mw(connection: Connection) -> LoadHalves:
    """Loads half-hours from `T0` on by their wind, with embedded estimates unless refused."""

    def load(
        wind: list[int], *, start: datetime = T0, embedded: bool = True, at: datetime = SEEN
    ) -> None:
        halves = [
            Half(start + n * HALF_HOUR, FUELS | {"WIND": mw}, 30_000 + n, None, 1000, n)
            for n, mw in enumerate(wind)
        ]
        load_elexon_generation(connection, [Capture(halves, at)])
        connection.execute("DROP TABLE staged")
        if embedded:
            load_embedded_generation(connection, [Capture(halves, at)])
            connection.execute("DROP TABLE staged")

    return load


@pytest.fixture
def publish_mw(connection: Connection) -> PublishMw:
    def publish(window: Window = SPAN, now: datetime = NOW) -> Published:
        done = publish_generation_mw(connection, window, now, lambda _: None)
        connection.execute("DROP TABLE staged")
        return done

    return publish


def column(connection: Connection, name: str) -> list[Any]:
    query = psycopg.sql.SQL("SELECT {} FROM core.generation_mw ORDER BY period_start")
    return [value for (value,) in connection.execute(query.format(psycopg.sql.Identifier(name)))]


def test_a_half_hour_is_published_once_and_rewritten_only_if_it_changes(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([8000, 8100, 8200])
    assert publish_mw().written == 3
    assert publish_mw().written == 0
    assert column(connection, "wind_mw") == [9000, 9100, 9200]
    assert column(connection, "solar_mw") == [0, 1, 2]
    assert column(connection, "demand_mw") == [30_000, 30_001, 30_002]
    grams = 10_000 * 394 + 2000 * 120 + 500 * 300 + 1000 * 53
    assert column(connection, "recomputed_gco2_kwh")[0] == round(Decimal(grams) / 27_000, 1)
    load_mw([8000, 8100, 8300], at=SEEN + HOUR)
    assert publish_mw().written == 1
    assert column(connection, "metered_wind_mw") == [8000, 8100, 8300]


def test_a_fuel_that_was_published_as_null_stays_unknown_from_raw_to_core(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([8000])
    rows = [GenerationRow(T0, SEEN, {**FUELS, "COAL": None})]
    load_elexon_generation(connection, [Capture(together(connection, rows, []), SEEN + HOUR)])
    connection.execute("DROP TABLE staged")
    publish_mw()
    assert column(connection, "coal_mw") == [None]
    assert column(connection, "recomputed_gco2_kwh") == [None]
    assert column(connection, "demand_mw") == [30_000]


def test_half_hours_that_have_not_begun_are_not_published(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([8000] * 4)
    assert publish_mw(now=T0 + HALF_HOUR).written == 2
    far = datetime.now(tz=T0.tzinfo).replace(minute=0, second=0, microsecond=0) + DAY
    connection.execute("INSERT INTO core.generation_mw (period_start) VALUES (%s)", [far])
    assert publish_mw(now=T0 + HALF_HOUR).written == 1  # removed
    assert len(column(connection, "period_start")) == 2


def test_without_an_estimate_the_last_embedded_forecast_counts_until_there_is_one(
    connection: Connection, load: Load, publish: Publish, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    for series, mw in (("embedded_wind_mw", 1500), ("embedded_solar_mw", 300)):
        source = {"source": "neso_embedded", "series": series}
        load(publication(T0 + HALF_HOUR, mw, **source), publication(T0 + HOUR, mw + 1, **source))  # type: ignore[arg-type]
    publish()
    load_mw([8000] * 4, embedded=False)
    publish_mw()
    assert column(connection, "embedded_known_by") == [None, "forecast", "forecast", "forecast"]
    assert column(connection, "wind_mw") == [None, 9500, 9501, 9501]
    assert column(connection, "solar_mw") == [None, 300, 301, 301]
    assert [mw is None for mw in column(connection, "recomputed_gco2_kwh")] == [True, *[False] * 3]
    assert column(connection, "metered_wind_mw") == [8000] * 4
    load_mw([8000] * 3)
    publish_mw()
    assert column(connection, "embedded_known_by") == [*["estimate"] * 3, "forecast"]
    assert column(connection, "solar_mw") == [0, 1, 2, 301]


def test_wind_that_vanished_becomes_null_when_it_is_back_also_before_the_window(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([14_747, 14_552, 2469, 0])
    publish_mw(Window(T0, T0 + 2 * HOUR))
    assert column(connection, "metered_wind_mw") == [14_747, 14_552, None, None]
    load_mw([7000, 14_000], start=T0 + 2 * HOUR)
    publish_mw(Window(T0 + 2 * HOUR, T0 + 3 * HOUR))
    assert column(connection, "metered_wind_mw") == [14_747, 14_552, None, None, None, 14_000]
    assert column(connection, "gas_mw") == [10_000] * 6
    assert column(connection, "recomputed_gco2_kwh")[2] is None
    assert column(connection, "reason")[2:5] == [
        f"published wind of {mw} MW after 14552 MW is bogus" for mw in (2469, 0, 7000)
    ]


def test_a_long_window_is_published_whole(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([8000] * 48 * 20)
    assert publish_mw(Window(T0, T0 + 20 * DAY), NOW).written == 960


# Checks


def warnings(connection: Connection, relation: str, now: datetime) -> dict[str, Verdict]:
    verdicts = judge_warnings(relation, (), connection, Window(T0, T0 + 40 * DAY), now)
    return {verdict.check.name: verdict for verdict in verdicts}


@pytest.fixture
def month(connection: Connection) -> Callable[..., dict[str, Verdict]]:
    """29 days of both measurements; `published` gives the API's actual of a half-hour from the
    recomputed ones of that half-hour and the next, and whether it is on the last day."""

    def fill(published: str, days: int = 29) -> dict[str, Verdict]:
        end = T0 + days * DAY
        connection.execute("DELETE FROM core.generation_mw")
        connection.execute(
            "INSERT INTO core.generation_mw (period_start, biomass_mw, coal_mw, imports_mw, "
            "gas_mw, nuclear_mw, other_mw, hydro_mw, solar_mw, wind_mw, recomputed_gco2_kwh) "
            "SELECT at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 150 + 40 * sin(n / 5.0) + (n * 7919) %% 23 "
            "FROM generate_series(0, 48 * %(days)s) AS n, "
            "LATERAL (SELECT %(start)s + n * interval '30 minutes') AS half_hour (at)",
            {"start": T0, "days": days},
        )
        connection.execute("DELETE FROM core.intensity")
        connection.execute(
            "INSERT INTO core.intensity (period_start, actual_gco2_kwh) SELECT period_start, "  # noqa: S608
            f"{published} FROM (SELECT period_start, recomputed_gco2_kwh AS same, "
            "lead(recomputed_gco2_kwh) OVER (ORDER BY period_start) AS next, "
            "period_start >= %s - interval '1 day' AS is_late FROM core.generation_mw) AS known "
            "WHERE next IS NOT NULL".encode(),
            [end],
        )
        return warnings(connection, "core.generation_mw", end)

    return fill


@pytest.mark.parametrize(
    ("published", "found"),
    [
        ("next - 12", []),  # a steady difference says nothing
        ("same + 3", []),
        ("next - 12 + 4 * is_late::integer", []),
        ("next - 12 + 8 * is_late::integer", ["is -4.0 gCO2/kWh over the last day, -12.0 in the"]),
        ("next - 8 * is_late::integer", ["is -8.0 gCO2/kWh over the last day, 0.0 in the"]),
        (
            "CASE WHEN is_late THEN same ELSE next END",
            ["fit the recomputed ones of the same half-hour best over the last day (0."],
        ),
    ],
)
def test_drift_of_the_two_measurements_is_a_warning(
    month: Callable[..., dict[str, Verdict]], published: str, found: list[str]
) -> None:
    verdict = month(published)["recomputed_drift"]
    assert verdict.total == len(found)
    for example, text in zip(verdict.examples, found, strict=True):
        assert text in example


@pytest.mark.parametrize("days", [1, 6])
def test_too_little_to_compare_is_no_warning(
    month: Callable[..., dict[str, Verdict]], days: int
) -> None:
    assert month("next - 8 * is_late::integer", days)["recomputed_drift"].passed


def test_half_hours_with_values_that_are_not_used_are_a_warning(
    connection: Connection, load_mw: LoadHalves, publish_mw: PublishMw
) -> None:
    load_mw([8000, 100, 8000, 50_000])
    publish_mw()
    verdict = warnings(connection, "core.generation_mw", NOW)["values_plausible"]
    assert verdict.examples == [
        "2026-01-10T01:30Z published WIND 50000 MW is impossible",
        "2026-01-10T00:30Z published wind of 100 MW after 8000 MW is bogus",
    ]


def test_publications_that_are_passed_over_are_a_warning(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(publication(T0, 30_000), publication(T0 + HOUR, 10_000))
    publish()
    verdict = warnings(connection, "core.outlook", NOW)["no_suspects"]
    assert verdict.examples == [
        "2026-01-10T01:00Z elexon_ndf demand_mw differs by 67 % from that of 2026-01-10T00:00Z"
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"gas_mw": -1},
        {"wind_mw": 100_001},
        {"recomputed_gco2_kwh": 200},  # without fuels
        {"embedded_known_by": "guess"},
    ],
)
def test_another_program_can_publish_no_impossible_value(
    connection: Connection, row: dict[str, Any]
) -> None:
    insert = psycopg.sql.SQL("INSERT INTO core.generation_mw (period_start, {}) VALUES (%s, %s)")
    [(name, value)] = row.items()
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(insert.format(psycopg.sql.Identifier(name)), [T0, value])

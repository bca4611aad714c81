"""What another program may write into the views of the archive, and `forecast.latest`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR
from grid_assets.warehouse.connection import Connection, connect, copy_rows
from grid_assets_tests import shared_warehouse
from grid_assets_tests.running import wait_until

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]

T = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = (
    *("model", "series", "period_start", "issued_at", "created_at"),
    *("p10", "p50", "p90", "simulated"),
)
SELECT = "SELECT * FROM forecast.predictions ORDER BY 1, 2, 3, 4"
INSERT = b"INSERT INTO forecast.predictions VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
LATEST = "SELECT period_start, issued_at, p50 FROM forecast.latest ORDER BY 1"
NESO = "SELECT * FROM raw.neso_forecast ORDER BY 1, 2"

Forecast = tuple[Any, ...]


def one(
    lead: timedelta = timedelta(0),
    *,
    at: datetime = T,
    model: str = "other",
    series: str = "wind",
    created: datetime | None = None,
    band: bool = True,
    p50: str = "20.5",
    simulated: bool = False,
) -> Forecast:
    """A row of `forecast.predictions`."""
    first = at + (T - at) % HALF_HOUR
    low, high = (Decimal("10.1"), Decimal("30.3")) if band else (None, None)
    return (model, series, first + lead, at, created or at, low, Decimal(p50), high, simulated)


def put(url: SecretStr, *forecasts: Forecast) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(INSERT, forecasts)


def copy(url: SecretStr, *forecasts: Forecast) -> None:
    with connect(url) as connection:
        copy_rows(connection, "forecast.predictions", COLUMNS, forecasts)


ODD = T - timedelta(minutes=17, seconds=5)

WRITTEN = {
    "a whole issue": [one(n * HALF_HOUR) for n in range(96)],
    "with holes": [one(n * HALF_HOUR) for n in (3, 50, 4, 95)],
    "without a band": [one(band=False), one(HALF_HOUR, band=False)],
    "some with a band": [one(band=False), one(HALF_HOUR)],
    "issued at an odd minute": [one(n * HALF_HOUR, at=ODD, band=False) for n in range(3)],
    "made at two times": [one(), one(HALF_HOUR, created=T + HOUR), one(HOUR, created=T + HOUR)],
    "simulated in part": [one(), one(HALF_HOUR, simulated=True)],
    "longer than 48 hours": [one(n * HOUR) for n in (0, 47, 48, 100, 1000)],
    "several series and models": [
        one(model=model, series=series, p50="0" if series == "coal" else "20.5", band=False)
        for model in ("other", "neso", "chronos:x")
        for series in ("carbon_intensity", "coal", "wind")
    ],
    "an intensity above 100": [one(series="carbon_intensity", p50="999.9", band=False)],
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("at_once", [True, False], ids=["copied", "one by one"])
def test_what_another_program_writes_is_read_back_as_it_was(
    warehouse: SecretStr, rows: Rows, name: str, at_once: bool
) -> None:
    forecasts = WRITTEN[name]
    (copy if at_once else put)(warehouse, *forecasts)
    assert sorted(rows(SELECT), key=str) == sorted(forecasts, key=str)
    assert rows("SELECT * FROM forecast.incoming") == []
    # each half-hour has one forecast here, so it is the newest
    assert rows("SELECT count(*) FROM forecast.latest") == [(len(forecasts),)]
    later = T + timedelta(days=60)
    known = rows("SELECT count(*) FROM reporting.forecast_as_known_at(%s)", later)
    assert known == [(len(forecasts),)]


def test_a_row_says_when_it_was_made_by_the_time_of_its_statement_alone(
    warehouse: SecretStr, rows: Rows
) -> None:
    put(warehouse, one(), one(HOUR), one(2 * HOUR, created=T + HOUR), one(3 * HOUR))
    assert rows("SELECT part, array_length(p50, 2) FROM forecast.archive ORDER BY part") == [
        (0, 7),
        (1, 5),
    ]


@pytest.mark.parametrize(
    "again",
    [one(), one(created=T + HOUR), one(p50="20.6"), one(simulated=True)],
    ids=["the same", "made later", "with another value", "simulated"],
)
def test_the_same_key_again_is_refused_as_by_a_table(
    warehouse: SecretStr, rows: Rows, again: Forecast
) -> None:
    put(warehouse, one(), one(HOUR))
    before = rows(SELECT)
    with pytest.raises(psycopg.errors.UniqueViolation, match="predictions_pk") as refused:
        put(warehouse, again)
    assert refused.value.diag.constraint_name == "predictions_pk"
    with pytest.raises(psycopg.errors.UniqueViolation, match="predictions_pk"):
        copy(warehouse, one(2 * HOUR), one(2 * HOUR))
    assert rows(SELECT) == before


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        (one(at=T + timedelta(minutes=10), lead=-HALF_HOUR), "predictions_not_before_issue"),
        (one(timedelta(minutes=7)), "predictions_on_the_half_hour"),
        (one(p50="30.4"), "predictions_quantiles_ordered"),
        (one(p50="100.1", band=False), "predictions_in_range"),
        (one(series="tidal"), "predictions_series_known"),
        (one(p50="-0.1", band=False), "predictions_in_range"),
        (one(p50="NaN", band=False), "predictions_in_range"),
    ],
)
def test_the_rules_of_a_forecast_hold_for_every_writer(
    warehouse: SecretStr, rows: Rows, wrong: Forecast, constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        put(warehouse, wrong)
    assert refused.value.diag.constraint_name == constraint
    assert rows(SELECT) == rows(LATEST) == []


ARRAYS = (
    "INSERT INTO forecast.archive (model, starts_at, issued_at, created_at, below, p50, above) "
    "VALUES ('m', '2026-01-01Z', '2026-01-01Z', now(), %s, %s, %s)"
)


def filled(value: Any, steps: int = 2, series: int = 10) -> list[list[Any]]:
    return [[value] * steps for _ in range(series)]


@pytest.mark.parametrize(
    ("below", "median", "above"),
    [
        (filled(-1), filled(5), filled(0)),
        (filled(6), filled(5), filled(0)),
        (filled(0), filled(5), filled(-1)),
        (filled(0), filled(5), filled(996)),
        (None, filled(1001), None),
        (filled(1), filled(None), filled(1)),
        (filled(None), filled(5), filled(1)),
        (None, filled(5), filled(1)),
        (filled(1, 3), filled(5), filled(1, 3)),
        (None, filled(5, series=11), None),
        (None, filled(5, steps=97), None),
    ],
)
def test_the_archive_holds_no_impossible_forecast(
    warehouse: SecretStr, rows: Rows, below: Any, median: Any, above: Any
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        rows(ARRAYS, below, median, above)
    rows(ARRAYS, filled(5), filled(5), filled(995))


def test_two_programs_that_write_the_same_issue_take_turns(
    warehouse: SecretStr, rows: Rows
) -> None:
    waiting = "SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    second = threading.Thread(target=put, args=(warehouse, one(series="gas")))
    with psycopg.connect(warehouse.get_secret_value()) as first:
        first.execute(INSERT, one())
        second.start()
        wait_until(lambda: rows(waiting) != [], 60, "the second waits")
    second.join()
    assert [row[1] for row in rows(SELECT)] == ["gas", "wind"]


# NESO's vintages


def test_vintages_that_another_program_writes_are_read_back_as_they_were(
    warehouse: SecretStr, rows: Rows
) -> None:
    vintages = [
        (ODD, T + n * HALF_HOUR, Decimal(value), simulated)
        for n, value, simulated in [
            (-1, "180.26", False),
            (0, "-5", False),
            (3, "1200", True),
            (95, "190", False),
            (2000, "1e-7", False),
            (-500, "3", False),
        ]
    ]
    columns = ("issued_at", "period_start", "forecast_gco2_kwh", "simulated")
    with connect(warehouse) as connection:
        copy_rows(connection, "raw.neso_forecast", columns, vintages)
    assert rows(NESO) == sorted(vintages)
    insert = "INSERT INTO raw.neso_forecast VALUES (%s, %s, 7)"
    with pytest.raises(psycopg.errors.UniqueViolation, match="neso_forecast_pk"):
        rows(insert, ODD, T)
    with pytest.raises(psycopg.errors.CheckViolation, match="neso_forecast_finite"):
        rows("INSERT INTO raw.neso_forecast VALUES (%s, %s, 'NaN')", T, T)
    rows(insert, ODD, T + HALF_HOUR)
    added = (ODD, T + HALF_HOUR, Decimal(7), False)
    assert rows(NESO) == sorted([*vintages, added])
    assert rows("SELECT * FROM raw.incoming_neso_forecast") == []


# forecast.latest


def test_the_newest_issue_of_a_half_hour_is_the_latest_no_matter_when_it_is_written(
    warehouse: SecretStr, rows: Rows
) -> None:
    put(warehouse, one(2 * HOUR, p50="11"), one(3 * HOUR, p50="12"))
    put(warehouse, one(HOUR, at=T + HOUR, p50="21"))
    put(warehouse, one(3 * HOUR, at=T - HOUR, p50="15"), one(4 * HOUR, at=T - HOUR, p50="16"))
    assert rows(LATEST) == [
        (T + 2 * HOUR, T + HOUR, Decimal("21.0")),
        (T + 3 * HOUR, T, Decimal("12.0")),
    ]
    assert rows("SELECT DISTINCT lead_minutes, unit FROM reporting.forecast_latest ORDER BY 1") == [
        (60, "%"),
        (180, "%"),
    ]
    rows("UPDATE forecast.archive SET p50 = forecast.archive.p50 WHERE false")
    rows("DELETE FROM forecast.archive WHERE issued_at = %s", T + HOUR)
    assert rows(LATEST)[0] == (T + 2 * HOUR, T, Decimal("11.0"))
    rows("DELETE FROM forecast.archive")
    assert rows(LATEST) == []


def test_an_issue_that_is_made_again_is_the_latest_in_its_new_form(
    warehouse: SecretStr, rows: Rows
) -> None:
    put(warehouse, one(2 * HOUR, p50="11"), one(3 * HOUR, p50="12"))
    put(warehouse, one(HOUR, at=T + HOUR, p50="21"))
    rows("UPDATE forecast.archive SET p50[10][5] = 130, p50[10][7] = 140 WHERE issued_at = %s", T)
    assert [row[2] for row in rows(LATEST)] == [Decimal("21.0"), Decimal("14.0")]


def test_an_issue_later_than_now_is_not_shown_and_hides_no_other(
    warehouse: SecretStr, rows: Rows, connection: Connection
) -> None:
    [(now,)] = rows("SELECT date_bin('30 minutes', now(), 'epoch')")
    day = timedelta(days=1)
    target = now + day
    put(warehouse, one(day, at=now), one(at=target, p50="29"))  # by a clock a day ahead
    assert rows(LATEST) == [(target, now, Decimal("20.5"))]
    rows("UPDATE forecast.latest SET issued_at = period_start")  # as that server's clock had it
    assert rows("SELECT * FROM reporting.forecast_latest") == []
    put(warehouse, one(day + HALF_HOUR, at=now - HALF_HOUR, p50="15"))
    assert rows(LATEST) == [(target, now - HALF_HOUR, Decimal("15.0"))]

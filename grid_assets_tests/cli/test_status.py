"""`grid status`, and back-tests that are refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql
from pydantic import SecretStr

from grid_assets.halfhours import floor
from grid_assets.warehouse.connection import Connection, connect
from grid_assets_tests.reading import ask, days_ago, one_sentence
from grid_assets_tests.running import (
    GridCommand,
)


def test_status_tells_an_empty_warehouse_from_a_stale_one(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    empty = recorded.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is missing" in empty
    assert re.search(r"^  raw\.intensity +has never run$", empty, re.MULTILINE)
    period = floor(datetime.now(UTC)) - timedelta(hours=5)
    with connect(warehouse) as connection:
        for relation, columns in {
            "core.intensity": {"forecast_gco2_kwh": 1, "actual_gco2_kwh": 1},
            "core.generation_mix": {"wind_pct": 100, "published_total_pct": 100},
        }.items():
            insert(connection, relation, {"period_start": period, **columns})
    stale = recorded.run("status", code=1).out
    assert "NOT HEALTHY   newest actual is 5 h old" in stale
    assert "NOT HEALTHY   newest mix is 5 h old" in stale


def test_status_ends_with_housekeeping_and_the_size_of_the_database(recorded: GridCommand) -> None:
    said = recorded.run("status", code=1).out
    assert "housekeeping  not run yet; it runs once a day" in said
    assert re.search(r"^database      \d+ [kM]B \(telemetry \d+ kB, forecasts ", said, re.MULTILINE)


def test_a_back_test_of_days_that_were_never_loaded_fails_and_says_what_to_load(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    day = str(days_ago(3))
    failed = recorded.run(
        "backtest", "--from", day, "--to", day, code=1, GRID_BACKTEST_STRIDE_HOURS="12"
    )
    sentence = one_sentence(failed.text)
    assert f"{day}: no forecast could be made. No forecast at 2 issue times. " in sentence
    assert sentence.endswith(f"grid backfill --from {days_ago(10)} --to {day}")
    assert ask(warehouse, "SELECT count(*) FROM forecast.predictions") == [(0,)]
    refused = ask(
        warehouse, "SELECT issued_at, refused_reason FROM forecast.issues ORDER BY issued_at"
    )
    assert len(refused) == 2
    assert all("missing" in reason for _, reason in refused)


def test_a_back_test_of_thinned_days_is_refused_with_the_first_that_is_possible(
    recorded: GridCommand, warehouse: SecretStr
) -> None:
    with connect(warehouse) as connection:
        connection.execute("INSERT INTO forecast.thinning (thinned_to) VALUES ('2024-03-04')")
    days = ("--from", "2024-03-03", "--to", "2024-03-05")
    refused = one_sentence(recorded.run("backtest", *days, code=1).text)
    assert "Of the forecasts before 2024-03-04 an earlier version kept only chosen leads" in refused
    assert refused.endswith("Start at 2024-03-04 or later.")
    assert ask(warehouse, "SELECT * FROM ops.etl_runs") == []


def insert(connection: Connection, relation: str, values: dict[str, Any]) -> None:
    """One row; numbers that must be there and are not given are 0, times are now."""
    needed = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND adbin IS NULL",
        [relation],
    ).fetchall()
    defaults = {
        name: datetime.now(UTC) if kind.startswith("timestamp") else "none" if kind == "text" else 0
        for name, kind in needed
    }
    row = {**defaults, **values}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*relation.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )

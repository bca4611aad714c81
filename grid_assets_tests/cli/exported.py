"""Views and half-hours for the tests of `grid export`, and the command in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from grid_assets.cli.export import export
from grid_assets.warehouse.connection import Connection, connect

VIEWS: Final = {
    "odd": """SELECT period_start, local, note, small, large, share, ratio, is_true, document, list
        FROM (VALUES
            (timestamptz '2026-01-05 10:30:00.25Z', timestamp '2026-01-05 10:30', E'a,"b"\\nc',
             1::smallint, 9007199254740993, 0.1, 0.1::real, true, '{"a": 1}'::jsonb,
             '{1,2}'::integer[]),
            ('2026-01-05 10:00Z', NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            ('2026-01-05 09:30Z', NULL, NULL, 2::smallint, 5, 100.0, 1e-7, false, 'null', '{}')
        ) AS v (period_start, local, note, small, large, share, ratio, is_true, document, list)""",
    "london": "SELECT (date '2026-03-27' + n) AS settlement_date FROM generate_series(0, 4) AS n",
    "months": """SELECT (date '2026-01-01' + n * interval '1 month')::date AS month, n
        FROM generate_series(0, 4) AS n""",
    "long": """SELECT n, repeat('x', 30) || E'\\n' || n AS note
        FROM generate_series(1, 60000) AS n""",
    "timeless": "SELECT 1 AS one",
    "forever": "SELECT date 'infinity' AS until",
    "endless": """SELECT n FROM (SELECT generate_series(100000000000001, 100000999999999) AS n) AS s
        WHERE pg_sleep(0.0001)::text = ''""",
    "writes": "SELECT nextval('reporting.counter') AS n",
}
"""Views as an analyst may add them."""

HALF_HOURS: Final = ("2026-01-04 23:30Z", "2026-01-05 00:00Z", "2026-01-06 23:30Z", "2026-01-07Z")
DAYS: Final = ("--from", "2026-01-05", "--to", "2026-01-06")


@pytest.fixture(scope="module")
def filled(one_warehouse: SecretStr) -> SecretStr:
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        connection.execute("CREATE SEQUENCE reporting.counter")
        for name, query in VIEWS.items():
            connection.execute(f"CREATE VIEW reporting.{name} AS {query}".encode())
        connection.execute("COMMENT ON COLUMN reporting.odd.share IS 'A share, %.'")
        for start in HALF_HOURS:
            connection.execute(
                "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, 80)",
                [start],
            )
        connection.execute(
            "INSERT INTO core.generation_mix (period_start, wind_pct, gas_pct, published_total_pct)"
            " VALUES ('2026-01-05 00:00Z', 62.5, 30, 99.9)"
        )
    return one_warehouse


@pytest.fixture
def connection(filled: SecretStr) -> Iterator[Connection]:
    with connect(filled) as opened:
        yield opened


@pytest.fixture
def at(filled: SecretStr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files, with settings that name the warehouse."""
    monkeypatch.setenv("GRID_DATABASE_URL", filled.get_secret_value())
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: object) -> Result:
    ran = CliRunner().invoke(export, [*map(str, arguments)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran

"""A database of a version without `forecast.value` gets the values of its past, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.forecasting.scoring import value_days
from grid_assets.halfhours import DAY
from grid_assets.warehouse import past_values
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.migrate import is_current, migrate
from grid_assets.warehouse.roles import create_roles
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import statement
from grid_assets_tests.forecasting.issues import T
from grid_assets_tests.warehouse.old_database import migrate_before

LIVE = Stamp("live")
DAYS = 20
PAST = (
    "INSERT INTO ops.warehouse (kind) VALUES ('live')",
    "INSERT INTO core.intensity (period_start, actual_gco2_kwh) "
    "SELECT at, 100 + (extract(epoch FROM at) / 1800)::bigint %% 37 "
    "FROM generate_series(%(start)s::timestamptz, %(end)s, '30 minutes') AS at",
    "INSERT INTO forecast.archive (model, starts_at, issued_at, created_at, p50) "
    "SELECT model, at, at, at, ARRAY[ARRAY(SELECT (1000 + (step * 7) %% 90)::smallint "
    "FROM generate_series(1, 96) AS step)] "
    "FROM generate_series(%(start)s::timestamptz, %(end)s, '6 hours') AS at, "
    "unnest(ARRAY['chronos:old', 'neso']) AS model",
)


@pytest.fixture
def old(new_database: Callable[..., SecretStr]) -> SecretStr:
    """Twenty days of forecasts and actuals, before migration 0018."""
    url = new_database()
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA ops")
        create_roles(connection)
        connection.execute(statement("locks"))
    migrate_before(url, "0018")
    with connect(url) as connection:
        for text in PAST:
            connection.execute(text.encode(), {"start": T, "end": T + DAYS * DAY})
    return url


def ask(url: SecretStr, query: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def whole_and_not_computed_again(url: SecretStr) -> None:
    assert is_current_now(url)
    assert ask(url, "SELECT to_regclass('forecast.value_due')") == [(None,)]
    cases = ask(
        url,
        "SELECT model, wait_hours, count(*), sum(n)::integer FROM reporting.forecast_value "
        "GROUP BY 1, 2 ORDER BY 1, 2",
    )
    # an issue every six hours; the newest have not come true
    expected = {12: DAYS * 4 - 1, 24: DAYS * 4 - 3}
    assert [(model, hours, n) for model, hours, _, n in cases] == [
        (model, hours, expected[hours]) for model in ("chronos:old", "neso") for hours in (12, 24)
    ]
    with connect(url) as connection:
        assert value_days(connection, T.date(), T.date() + DAYS * DAY) == 0
    assert migrate(url, LIVE).applied == []


def is_current_now(url: SecretStr) -> bool:
    with connect(url) as connection:
        return is_current(connection)


def test_an_upgrade_computes_the_past(old: SecretStr) -> None:
    said: list[str] = []
    assert "0018_value" in migrate(old, LIVE, said.append).applied
    assert any(f"Computing what forecasts were worth: {T:%Y-%m-%d} to " in line for line in said)
    whole_and_not_computed_again(old)


def test_an_interrupted_upgrade_goes_on_where_it_was(
    old: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_values, "SAY_EVERY_S", 0)
    said: list[str] = []

    def interrupt(line: str) -> None:
        said.append(line)
        if "s left" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(old, LIVE, interrupt)
    assert not is_current_now(old)  # so that the next start migrates
    assert ask(old, "SELECT count(*) > 0 FROM forecast.value") == [(True,)]
    [(left,)] = ask(old, "SELECT min(target_date) FROM forecast.value_due")
    assert left == T.date() + past_values.AT_ONCE * DAY

    migrate(old, LIVE)
    whole_and_not_computed_again(old)


def test_a_new_database_has_no_past(new_database: Callable[..., SecretStr]) -> None:
    said: list[str] = []
    url = new_database()
    migrate(url, LIVE, said.append)
    assert not any("worth" in line for line in said)
    assert ask(url, "SELECT to_regclass('forecast.value_due')") == [(None,)]

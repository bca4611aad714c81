"""Through a pooler in transaction mode, on whatever port: each transaction has another session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from grid_assets.replay.server import ReplayServer
from grid_assets.runtime.environment import Environment
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import (
    Connection,
    WarehouseError,
    connect,
    write_transaction,
)
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import sql_dir
from grid_assets.warehouse.urls import read, to_url
from grid_assets_tests.pooler import needs_pgbouncer, pooler
from grid_assets_tests.reading import ask
from grid_assets_tests.running import grid_in_a_new_folder

pytestmark = [needs_pgbouncer, pytest.mark.slow]

LIVE = Stamp("live")
MIGRATIONS = sql_dir() / "migrations"


def test_migrations_at_once_through_a_pooler_do_the_work_once(
    new_database: Callable[[], SecretStr],
) -> None:
    with pooler(new_database()) as url:
        with ThreadPoolExecutor(3) as pool:
            done = [one.result(120) for one in [pool.submit(migrate, url, LIVE) for _ in range(3)]]
        assert sorted(one.views_renewed for one in done) == [False, False, True]
        # another one may apply the last: the lock is free for a moment before it
        applied = [name for one in done for name in one.applied]
        assert sorted(applied) == sorted({path.stem for path in MIGRATIONS.glob("*.sql")})
        with connect(url) as connection, write_transaction(connection, "raw.intensity"):
            pass


def test_telemetry_is_loaded_through_a_pooler_and_dagsters_history_beside_it(
    warehouse: SecretStr, replay: ReplayServer
) -> None:
    day = str(datetime.now(UTC).date() - timedelta(days=2))
    with pooler(warehouse) as url, grid_in_a_new_folder(is_forked=True) as grid:
        grid.environment |= {
            "GRID_DATABASE_URL": url.get_secret_value(),
            "GRID_DAGSTER_DATABASE_URL": warehouse.get_secret_value(),
            "GRID_API_URL": replay.url,
            "GRID_API_RETRY_BUDGET_S": "0",
        }
        grid.run("backfill", "--from", day, "--to", day)
    assert ask(warehouse, "SELECT count(*) FROM core.intensity") == [(48,)]


@pytest.mark.parametrize("ignored", ["", "options"])
def test_a_user_who_begins_in_dagsters_schema_needs_no_other_connection(
    warehouse: SecretStr, replay: ReplayServer, connection: Connection, ignored: str
) -> None:
    """Whether the pooler refuses the option or ignores it, as Supabase's is said to."""
    connection.execute(
        "CREATE ROLE grid_pooled LOGIN SUPERUSER PASSWORD 'pooled'; "
        "ALTER ROLE grid_pooled SET search_path = dagster"
    )
    try:
        with (
            pooler(
                to_url(read(warehouse) | {"user": "grid_pooled", "password": "pooled"}), ignored
            ) as url,
            grid_in_a_new_folder(is_forked=True) as grid,
        ):
            grid.environment |= {
                "GRID_DATABASE_URL": url.get_secret_value(),
                "GRID_API_URL": replay.url,
                "GRID_HISTORY_START": str(datetime.now(UTC).date() - timedelta(days=1)),
                "GRID_BACKTEST_DAYS": "0",
            }
            grid.run("tick", "--telemetry-only")
        assert ask(warehouse, "SELECT count(*) > 0 FROM dagster.runs") == [(True,)]
        assert ask(warehouse, "SELECT to_regclass('public.runs')") == [(None,)]
        assert ask(warehouse, "SELECT count(*) > 48 FROM core.intensity") == [(True,)]
    finally:
        connection.execute("DROP OWNED BY grid_pooled; DROP ROLE grid_pooled")


@pytest.mark.parametrize("ignored", ["", "options"])
def test_a_pooler_that_loses_dagsters_schema_is_refused_with_the_cure(
    warehouse: SecretStr, tmp_path: Path, ignored: str
) -> None:
    """It refuses the option, or it ignores it: Dagster's tables would then be in `public`."""
    with pooler(warehouse, ignored) as url:
        environment = Environment(Settings(home=tmp_path), tmp_path, url)
        with pytest.raises(WarehouseError, match="or set GRID_DAGSTER_DATABASE_URL to a direct"):
            environment.prepare_dagster()
    assert ask(warehouse, "SELECT to_regclass('public.runs')") == [(None,)]

"""`grid` with addresses that have typos, hang or work, and a database that is full: telemetry goes
on, and the operator hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from grid_assets.warehouse.connection import connect
from grid_assets_tests.alarms.healthchecks import Healthchecks
from grid_assets_tests.alarms.test_looking import titles
from grid_assets_tests.alerts.conftest import Service
from grid_assets_tests.http_stub import Reply, Stub
from grid_assets_tests.live import STAMP
from grid_assets_tests.reading import ask, counts, days_ago
from grid_assets_tests.running import GridCommand

FULL = """
CREATE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
DO $$ DECLARE relation regclass; BEGIN
    FOR relation IN SELECT oid FROM pg_class
        WHERE relnamespace IN ('raw'::regnamespace, 'core'::regnamespace, 'ops'::regnamespace)
          AND relkind = 'r' LOOP
        EXECUTE format('CREATE TRIGGER full_disk BEFORE INSERT ON %s '
                       'EXECUTE FUNCTION public.full_disk()', relation);
    END LOOP;
END $$
"""


@pytest.fixture
def live(
    grid: GridCommand,
    new_database: Callable[[str | None], SecretStr],
    template: str,
    api: Stub,
    service: Service,
    healthchecks: Healthchecks,
) -> SecretStr:
    """`grid` on a live warehouse without any data, with both kinds of addresses."""
    url = new_database(template)
    with connect(url) as connection:
        connection.execute(STAMP)
    grid.environment |= {
        "GRID_DATABASE_URL": url.get_secret_value(),
        "GRID_API_URL": api.url,
        "GRID_API_RETRY_BUDGET_S": "0",
        "GRID_HISTORY_START": str(days_ago(0)),
        "GRID_BACKTEST_DAYS": "0",
        "GRID_ALARM_URLS": service.address().get_secret_value(),
        "GRID_HEARTBEAT_URL": healthchecks.address.get_secret_value(),
    }
    return url


def test_a_typo_is_said_at_the_start_and_telemetry_goes_on(
    grid: GridCommand, live: SecretStr, service: Service
) -> None:
    urls = f"{service.address().get_secret_value()} jsn://user:s3cret-word@127.0.0.1/"
    wrong: dict[str, Any] = {
        "GRID_ALARM_URLS": urls,
        "GRID_HEARTBEAT_URL": "htps://hc-ping.com/s3cret-uuid",
    }
    ran = grid.run("tick", "--telemetry-only", **wrong)
    assert "Warning: URL 2 (jsn) of GRID_ALARM_URLS" in ran.out.splitlines()[0]
    assert "GRID_HEARTBEAT_URL" in ran.out.splitlines()[1]
    assert counts(live)["core.intensity"] > 0
    found = grid.run("doctor", code=None, **wrong)
    assert "MEND  alarms" in found.out
    tested = grid.run("alarm", "test", code=1, **wrong)
    assert titles(service) == ["test"]
    for said in (ran, found, tested):
        assert "s3cret" not in said.text


def test_a_code_server_whose_sensor_sends_alarms_says_a_typo_too(grid: GridCommand) -> None:
    ran = grid.run(
        *("start", "code-server"),
        code=1,  # there is no database
        GRID_DATABASE_URL="",
        GRID_ALARM_URLS="jsn://user:s3cret-word@127.0.0.1/",
    )
    assert ran.out.startswith("Warning: URL 1 (jsn) of GRID_ALARM_URLS")
    assert "s3cret" not in ran.text


def test_a_test_says_which_address_took_it(
    grid: GridCommand, live: SecretStr, service: Service, healthchecks: Healthchecks
) -> None:
    ran = grid.run("alarm", "test")
    named = [line.partition(":")[0] for line in ran.out.splitlines()]
    assert named == ["URL 1 (json)", "Heartbeat"]
    assert (titles(service), healthchecks.kinds) == (["test"], "+")
    assert (
        "GRID_ALARM_URLS"
        in grid.run("alarm", "test", code=1, GRID_ALARM_URLS="", GRID_HEARTBEAT_URL="").err
    )


def test_a_heartbeat_that_hangs_does_not_stop_telemetry(
    grid: GridCommand, live: SecretStr, healthchecks: Healthchecks
) -> None:
    healthchecks.script = lambda path: Reply(wait_s=120)
    ran = grid.run("tick", "--telemetry-only")
    [(kind, message)] = ask(live, "SELECT error_type, error_message FROM ops.heartbeat")
    assert kind == "TimedOut"
    assert f"Warning: {message}" in ran.text
    assert counts(live)["core.intensity"] > 0
    assert f"warning: {message}" in grid.run("status", code=None).out


def test_a_full_database_is_told_once_and_its_recovery(
    grid: GridCommand, live: SecretStr, service: Service, healthchecks: Healthchecks
) -> None:
    with connect(live) as connection:
        connection.execute(FULL.encode())
    for _ in range(2):
        grid.run("tick", "--telemetry-only", code=1)
    assert titles(service) == ["database"]
    assert "No space left" in service.taken[0]["message"]
    assert set(healthchecks.kinds) == {"-"}
    with connect(live) as connection:
        connection.execute("DROP FUNCTION public.full_disk CASCADE")
    grid.run("tick", "--telemetry-only")
    assert titles(service) == ["database", "over: database"]
    assert healthchecks.kinds.endswith("-+")
    assert ask(live, "SELECT count(*) FROM core.intensity") != [(0,)]

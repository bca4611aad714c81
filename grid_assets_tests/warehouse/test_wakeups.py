"""Starts of the model from outside: one claim for many wake-ups, and none lost, whatever dies."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.models.forecaster import CONTEXT
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.health import wakeups as in_status
from grid_assets.warehouse import wakeups
from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.migrate import migrate
from grid_assets.warehouse.roles import create_roles
from grid_assets.warehouse.stamp import Stamp
from grid_assets.warehouse.statements import statement
from grid_assets_tests.running import within_a_half_hour
from grid_assets_tests.warehouse.old_database import migrate_before

Rows = Callable[..., list[tuple[Any, ...]]]

MIX = (5, 0, 10, 30, 15, 1, 1, 38, "none", 100)


def land(rows: Rows, table: str = "both", ago: timedelta = HALF_HOUR) -> None:
    """The half-hour that began `ago` before the current one, published now."""
    start = floor(datetime.now(UTC)) - ago
    if table in ("intensity", "both"):
        rows(
            "INSERT INTO core.intensity (period_start, actual_gco2_kwh, captured_at) "
            "VALUES (%s, 150, now()) ON CONFLICT (period_start) DO UPDATE SET captured_at = now()",
            start,
        )
    if table in ("mix", "both"):
        rows(
            "INSERT INTO core.generation_mix (period_start, biomass_pct, coal_pct, imports_pct, "
            "gas_pct, nuclear_pct, hydro_pct, solar_pct, wind_pct, adjustment, "
            "published_total_pct, captured_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now()) "
            "ON CONFLICT (period_start) DO UPDATE SET captured_at = now()",
            *(start, *MIX),
        )


def forecast(rows: Rows) -> None:
    """A forecast that has used everything."""
    rows(
        "INSERT INTO forecast.models (model, revision, source) VALUES ('m', 'r', 's') "
        "ON CONFLICT DO NOTHING"
    )
    rows(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, intensity_to, "
        "mix_to, recomputed_to, known_by, context_missing, context_assumed, calibrated_on) "
        "SELECT 'm', latest, clock_timestamp(), 'r', intensity_to, mix_to, "
        "forecast.recomputed_ends(now()), 'capture', 0, 0, 0 "
        "FROM forecast.telemetry_ends(now()) "
        "ON CONFLICT (model, issued_at) DO UPDATE SET created_at = excluded.created_at, "
        "intensity_to = excluded.intensity_to, mix_to = excluded.mix_to, "
        "recomputed_to = excluded.recomputed_to"
    )


def generate(rows: Rows, ago: timedelta = 2 * HALF_HOUR) -> None:
    """Generation of the half-hour that began `ago` before the current one, published now."""
    rows(
        "INSERT INTO core.generation_mw (period_start, biomass_mw, coal_mw, imports_mw, gas_mw, "
        "nuclear_mw, other_mw, hydro_mw, solar_mw, wind_mw, recomputed_gco2_kwh, captured_at) "
        "VALUES (%s, 1, 1, 1, 1, 1, 1, 1, 1, 1, 150, now())",
        floor(datetime.now(UTC)) - ago,
    )


def fall_silent(rows: Rows) -> None:
    """The API has said nothing for hours and a forecast has used that; generation goes on."""
    land(rows, ago=10 * HALF_HOUR)
    forecast(rows)
    rows("UPDATE forecast.issues SET created_at = created_at - interval '12 hours'")
    assert claim(rows) == "up_to_date"
    generate(rows)


def claim(rows: Rows, token: uuid.UUID | None = None, by: str = "webhook") -> str:
    [(decision, *_)] = rows("SELECT * FROM ops.claim_forecast(%s, %s)", token or uuid.uuid4(), by)
    return str(decision)


def states(rows: Rows) -> list[tuple[str, str | None]]:
    return [
        (status, error)
        for status, error in rows("SELECT status, error_type FROM ops.wakeups ORDER BY woken_at")
    ]


def test_one_of_many_wake_ups_starts_the_model_and_the_forecast_ends_the_claim(
    rows: Rows, warehouse: SecretStr
) -> None:
    assert claim(rows) == "up_to_date"
    land(rows)

    def wake(_: int) -> str:
        with connect(warehouse) as connection:
            row = connection.execute(
                "SELECT decision FROM ops.claim_forecast(gen_random_uuid(), 'webhook')"
            ).fetchone()
            assert row is not None
            return str(row[0])

    with ThreadPoolExecutor(10) as pool:
        decisions = list(pool.map(wake, range(30)))
    assert sorted(decisions) == ["claimed"] * 29 + ["start"]
    [(token,)] = rows("SELECT wakeup FROM ops.wakeups")
    rows("SELECT ops.report_start(%s, 'github')", token)
    assert claim(rows) == "claimed"
    forecast(rows)
    assert claim(rows) == "up_to_date"
    assert states(rows) == [("answered", None)]
    land(rows, ago=timedelta(0))
    assert claim(rows, by="cron") == "start"


def test_claims_that_began_before_the_first_one_ended_find_it(
    rows: Rows, warehouse: SecretStr
) -> None:
    """Also where the database has another isolation level than usual."""
    land(rows)
    with connect(warehouse) as late:
        late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with late.transaction():
            late.execute("SELECT 1 FROM core.intensity")  # it sees the tables as they are now
            assert claim(rows) == "start"
            found = late.execute(
                "SELECT decision FROM ops.claim_forecast(gen_random_uuid(), 'cron')"
            ).fetchone()
    assert found == ("claimed",)


def test_a_lost_answer_can_be_asked_for_again_and_a_used_token_starts_nothing(rows: Rows) -> None:
    land(rows)
    token = uuid.uuid4()
    assert [claim(rows, token), claim(rows, token), claim(rows)] == ["start", "start", "claimed"]
    rows("SELECT ops.report_start(%s, 'github')", token)
    assert claim(rows, token) == "claimed"
    rows("UPDATE ops.wakeups SET lease_until = now()")
    assert claim(rows, token) == "backing_off"
    rows("UPDATE ops.wakeups SET retry_at = now()")
    assert claim(rows, token) == "claimed"


def test_a_claim_of_a_function_that_died_is_free_after_its_lease_without_a_pause(
    rows: Rows,
) -> None:
    land(rows)
    assert claim(rows) == "start"
    rows("UPDATE ops.wakeups SET lease_until = clock_timestamp()")
    assert claim(rows) == "start"
    assert states(rows) == [("expired", "NotStarted"), ("claimed", None)]


@pytest.mark.parametrize("become_due", [land, fall_silent])
def test_a_start_of_which_nothing_comes_is_repeated_after_a_pause_that_doubles(
    become_due: Callable[[Rows], None], rows: Rows, connection: Connection
) -> None:
    become_due(rows)
    pauses = []
    for number in range(7):
        assert claim(rows) == "start"
        rows("SELECT ops.report_start(wakeup, 'github') FROM ops.wakeups WHERE status = 'claimed'")
        rows("UPDATE ops.wakeups SET lease_until = now() WHERE status = 'started'")
        assert claim(rows) == "backing_off"
        [(seconds,)] = rows(
            "SELECT extract(epoch FROM retry_at - finished_at)::integer FROM ops.wakeups "
            "ORDER BY woken_at DESC LIMIT 1"
        )
        pauses.append(seconds / 60)
        rows("UPDATE ops.wakeups SET retry_at = now(), woken_at = woken_at - interval '1 hour'")
        assert len(states(rows)) == number + 1
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert set(states(rows)) == {("expired", "NoForecast")}
    _, [fault] = status(connection)
    assert "The model could not be started (NoForecast)" in fault
    # one answered start, and the pauses begin again
    assert claim(rows) == "start"
    forecast(rows)
    assert claim(rows) == "up_to_date"
    land(rows, ago=timedelta(0))
    assert claim(rows) == "start"
    rows(
        "SELECT ops.report_start(wakeup, 'github', 'Unauthorized', 'a new token is needed') "
        "FROM ops.wakeups WHERE status = 'claimed'"
    )
    [(pause,)] = rows(
        "SELECT extract(epoch FROM retry_at - finished_at)::integer FROM ops.wakeups "
        "ORDER BY woken_at DESC LIMIT 1"
    )
    assert pause == 60


def test_while_the_api_is_silent_generation_starts_the_model_once_until_a_forecast_uses_it(
    rows: Rows,
) -> None:
    fall_silent(rows)
    for again in (False, True):
        if again:
            generate(rows, ago=HALF_HOUR)
        assert claim(rows, by="cron") == "start"
        rows("SELECT ops.report_start(wakeup, 'github') FROM ops.wakeups WHERE status = 'claimed'")
        assert [claim(rows, by="cron") for _ in range(3)] == ["claimed"] * 3
        forecast(rows)
        assert claim(rows, by="cron") == "up_to_date"
    assert states(rows) == [("answered", None)] * 2


def test_a_forecast_from_what_the_api_publishes_after_its_silence_answers_the_claim(
    rows: Rows,
) -> None:
    fall_silent(rows)
    assert claim(rows) == "start"
    land(rows, ago=3 * HALF_HOUR)  # it ends where generation did, so nothing is recomputed
    forecast(rows)
    assert rows("SELECT DISTINCT recomputed_to FROM forecast.issues") == [(None,)]
    assert claim(rows) == "up_to_date"
    assert states(rows) == [("answered", None)]


def test_a_start_that_is_open_during_the_upgrade_still_waits_for_its_forecast(
    new_database: Callable[..., SecretStr],
) -> None:
    """From the version in which the forecast before answered a start that generation had caused."""
    url = new_database()
    with connect(url) as connection:
        connection.execute("CREATE SCHEMA ops")
        create_roles(connection)
        connection.execute(statement("locks"))
    migrate_before(url, "0021")

    def rows(text: str, *values: Any) -> list[tuple[Any, ...]]:
        with connect(url) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    fall_silent(rows)
    assert [claim(rows), claim(rows)] == ["start", "start"]
    rows("SELECT ops.report_start(wakeup, 'github') FROM ops.wakeups WHERE status = 'claimed'")
    migrate(url, Stamp("live"))
    assert claim(rows) == "claimed"
    assert states(rows) == [("answered", None), ("started", None)]
    rows("UPDATE ops.wakeups SET lease_until = now() WHERE status = 'started'")
    assert claim(rows) == "backing_off"
    rows("UPDATE ops.wakeups SET retry_at = now()")
    assert claim(rows) == "start"
    forecast(rows)
    assert claim(rows) == "up_to_date"
    assert states(rows) == [("answered", None), ("expired", "NoForecast"), ("answered", None)]


def test_what_a_clock_of_the_future_has_left_delays_nothing(rows: Rows) -> None:
    land(rows)
    assert claim(rows) == "start"
    rows(
        "UPDATE ops.wakeups SET woken_at = woken_at + interval '1 day', "
        "lease_until = lease_until + interval '1 day'"
    )
    assert claim(rows) == "start"
    rows("SELECT ops.report_start(wakeup, 'github', 'E', '') FROM ops.wakeups")
    assert claim(rows) == "backing_off"
    rows("UPDATE ops.wakeups SET woken_at = woken_at + interval '1 day'")
    assert claim(rows) == "start"


def test_a_forecast_that_comes_after_its_claim_has_ended_ends_the_pauses(
    rows: Rows, connection: Connection
) -> None:
    land(rows)
    for _ in range(5):
        assert claim(rows) == "start"
        rows("SELECT ops.report_start(wakeup, 'github') FROM ops.wakeups WHERE status = 'claimed'")
        rows("UPDATE ops.wakeups SET lease_until = now() WHERE status = 'started'")
        assert claim(rows) == "backing_off"
        rows("UPDATE ops.wakeups SET retry_at = now()")
    forecast(rows)
    rows("UPDATE ops.wakeups SET retry_at = now() + interval '30 minutes'")
    _, faults = status(connection)
    assert faults == []  # nothing is due, whatever failed
    land(rows, ago=timedelta(0))
    assert claim(rows) == "start"


def test_a_back_test_neither_answers_nor_fails_nor_delays_a_claim(rows: Rows) -> None:
    past = "UPDATE ops.etl_runs SET partition_start = '2026-01-01', partition_end = '2026-01-09'"
    land(rows)
    attempt(rows, "forecast.predictions", "running")
    rows(past)
    assert claim(rows) == "start"
    attempt(rows, "forecast.predictions", "failed")  # it starts after the claim
    rows(past)
    forecast(rows)
    rows("UPDATE forecast.issues SET intensity_to = intensity_to - interval '6 hours'")
    assert claim(rows) == "claimed"
    assert states(rows) == [("claimed", None)]


def test_a_rate_limit_sets_the_pause(rows: Rows) -> None:
    land(rows)
    token = uuid.uuid4()
    claim(rows, token)
    rows("SELECT ops.report_start(%s, 'github', 'RateLimited', 'wait', 600)", token)
    [(seconds,)] = rows("SELECT retry_after_s FROM ops.claim_forecast(gen_random_uuid(), 'cron')")
    assert 590 < seconds <= 600


@pytest.mark.parametrize("status", ["failed", "crashed"])
def test_a_forecast_that_fails_ends_the_claim_with_its_error(status: str, rows: Rows) -> None:
    land(rows)
    assert claim(rows) == "start"
    rows("SELECT ops.report_start(wakeup, 'dagster') FROM ops.wakeups")
    attempt(rows, "forecast.predictions", status)
    decision = claim(rows)
    assert states(rows) == [("failed", "ForecastFailed")]
    assert decision == ("failed_lately" if status == "failed" else "backing_off")


def attempt(rows: Rows, asset: str, status: str, written: int = 0) -> None:
    rows(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, rows_written, status, error_type, error_message, "
        "host, pid, heartbeat_at) SELECT gen_random_uuid(), %s, 1, 'tick', current_date, "
        "current_date, now(), "
        "CASE WHEN %s <> 'running' THEN now() END, %s, %s, "
        "CASE WHEN %s IN ('failed', 'crashed') THEN 'E' END, 'no memory', 'here', 1, now()",
        *(asset, status, written, status, status),
    )


def test_half_of_the_telemetry_waits_for_the_other_while_it_is_being_published(rows: Rows) -> None:
    land(rows)
    forecast(rows)
    attempt(rows, "core.intensity", "success", written=1)
    land(rows, "intensity", ago=timedelta(0))
    assert claim(rows) == "settling"
    land(rows, "mix", ago=timedelta(0))
    assert claim(rows) == "start"


def test_half_of_the_telemetry_starts_the_model_if_the_other_does_not_come(rows: Rows) -> None:
    land(rows)
    forecast(rows)
    attempt(rows, "core.intensity", "success", written=1)
    land(rows, "intensity", ago=timedelta(0))
    rows("UPDATE ops.etl_runs SET finished_at = now() - interval '11 seconds', started_at = now()")
    assert claim(rows) == "start"


def test_a_forecast_in_the_making_is_waited_for_and_answers_the_claim_before_it(rows: Rows) -> None:
    land(rows)
    assert claim(rows) == "start"
    rows("DELETE FROM ops.wakeups")
    attempt(rows, "forecast.predictions", "running")
    assert claim(rows) == "settling"
    rows("UPDATE ops.etl_runs SET heartbeat_at = now() - interval '4 minutes'")
    assert claim(rows) == "start"
    forecast(rows)  # by the run that was in the making, before the claim by its clock
    rows("UPDATE forecast.issues SET created_at = now() - interval '1 minute'")
    land(rows, ago=timedelta(0))
    assert claim(rows) == "start"
    assert states(rows) == [("answered", None), ("claimed", None)]


def test_refused_requests_are_one_row_an_hour_for_each_reason(rows: Rows) -> None:
    for times in (1, 500, 2_000_000_000, 2_000_000_000):
        rows("SELECT ops.refuse_wakeups('wrong_secret', %s)", times)
    rows("SELECT ops.refuse_wakeups('no_secret', -5)")
    for number in range(3):
        rows("SELECT ops.refuse_wakeups(%s, 1)", f"\x1b[31m {number}")
    found = rows("SELECT status, error_type, times FROM ops.wakeups ORDER BY 2")
    assert found == [
        ("refused", "no_secret", 1),
        ("refused", "other", 3),
        ("refused", "wrong_secret", 2_147_483_647),
    ]


def test_the_sql_function_reaches_as_far_back_as_a_context(rows: Rows) -> None:
    def claim_of_the_oldest() -> str:
        rows("DELETE FROM ops.wakeups")
        rows("DELETE FROM core.intensity")
        rows("DELETE FROM core.generation_mix")
        land(rows, ago=CONTEXT * HALF_HOUR - HALF_HOUR)
        return claim(rows)

    assert within_a_half_hour(claim_of_the_oldest) == "start"
    rows("DELETE FROM ops.wakeups")
    rows("UPDATE core.intensity SET period_start = period_start - interval '1 hour'")
    rows("UPDATE core.generation_mix SET period_start = period_start - interval '1 hour'")
    assert claim(rows) == "up_to_date"


def test_the_sensor_and_the_claim_have_the_same_answer(rows: Rows, connection: Connection) -> None:
    def both() -> tuple[str, str]:
        return due.state(connection, "m", datetime.now(UTC)), claim(rows)

    assert both() == ("up_to_date", "up_to_date")
    land(rows)
    assert both() == ("due", "start")
    forecast(rows)
    assert both() == ("up_to_date", "up_to_date")


# What the webhook is made of. A stand-in has the name and the signature of Supabase's function.

STAND_IN = """
CREATE SCHEMA supabase_functions;
CREATE TABLE supabase_functions.sent (url text, method text, headers jsonb, body jsonb);
CREATE FUNCTION supabase_functions.http_request() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER AS $$
BEGIN
    INSERT INTO supabase_functions.sent VALUES (TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]::jsonb,
        jsonb_build_object('type', TG_OP, 'table', TG_TABLE_NAME, 'schema', TG_TABLE_SCHEMA,
                           'record', NEW, 'old_record', OLD));
    RETURN NEW;
END $$;
"""

URL = "https://project.example/functions/v1/forecast-on-telemetry"
SECRET = SecretStr("a-secret-of-'many'-characters")


@pytest.fixture
def webhook(rows: Rows, connection: Connection) -> list[str]:
    said: list[str] = []
    rows(STAND_IN)
    wakeups.install(connection, URL, SECRET, said.append)
    wakeups.install(connection, URL, SECRET, lambda _: None)  # once more changes nothing
    return said


def test_each_publication_sends_one_webhook_with_the_secret(rows: Rows, webhook: list[str]) -> None:
    assert "wakes https://project" in webhook[0]
    now = datetime.now(UTC)
    rows(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh, captured_at) "
        "SELECT at, 1, now() FROM generate_series(%s::timestamptz, %s, '30 minutes') AS at",
        *(floor(now) - timedelta(days=1), floor(now)),
    )
    land(rows, "mix")
    rows("INSERT INTO core.intensity (period_start) VALUES ('2020-01-01 00:00Z')")  # a backfill
    rows("INSERT INTO core.intensity (period_start) VALUES (%s)", floor(now) + HALF_HOUR)
    found = rows(
        "SELECT url, method, headers ->> 'x-grid-secret', body FROM supabase_functions.sent"
    )
    assert [row[:3] for row in found] == [
        (f"{URL}?source=webhook", "POST", SECRET.get_secret_value())
    ] * 2
    payload = found[0][3]
    assert (payload["type"], payload["schema"], payload["table"]) == (
        "INSERT",
        "ops",
        "telemetry_landed",
    )
    assert payload["record"]["relation"] == "core.intensity"


def test_a_webhook_that_cannot_be_queued_stops_no_telemetry_and_is_recorded(
    rows: Rows, connection: Connection, webhook: list[str]
) -> None:
    rows("DROP TABLE supabase_functions.sent")
    for _ in range(2):
        land(rows)
    assert rows("SELECT count(*) FROM core.intensity") == [(1,)]
    assert rows("SELECT status, error_type, times FROM ops.wakeups") == [("unsent", "42P01", 4)]
    lines = list(in_status.report(connection, datetime.now(UTC), []))
    assert "4 wake-ups unsent (42P01)" in "\n".join(lines)


def test_without_supabases_parts_migrate_says_which_are_missing(
    rows: Rows, connection: Connection
) -> None:
    said: list[str] = []
    wakeups.install(connection, URL, SECRET, said.append)
    assert "enable Database Webhooks" in said[0]
    assert "pg_cron or pg_net" in said[1]
    assert rows("SELECT count(*) FROM pg_trigger WHERE tgname = 'note_new_telemetry'") == [(0,)]


def test_the_functions_login_may_wake_and_nothing_else(
    rows: Rows, connection: Connection, webhook: list[str], warehouse: SecretStr
) -> None:
    land(rows)
    refused = psycopg.errors.InsufficientPrivilege
    with connection.transaction():
        connection.execute("SET LOCAL ROLE grid_waker")
        token = uuid.uuid4()
        claimed = connection.execute(
            "SELECT decision FROM ops.claim_forecast(%s, 'webhook')", [token]
        ).fetchone()
        assert claimed == ("start",)
        connection.execute("SELECT ops.report_start(%s, 'github')", [token])
        connection.execute("SELECT ops.refuse_wakeups('no_secret', 1)")
        for statement in (
            "SELECT FROM ops.wakeups",
            "SELECT FROM core.intensity",
            "SELECT FROM reporting.telemetry",
            "SELECT ops.close_wakeup()",
            "SELECT ops.count_wakeups('refused', 'a', 'b', 'c', 1)",
            "SELECT forecast.due()",
            "DELETE FROM ops.wakeups",
        ):
            with pytest.raises(refused), connection.transaction():
                connection.execute(statement.encode())


def test_a_user_who_may_not_install_it_is_told_who_may(
    rows: Rows, connection: Connection, webhook: list[str]
) -> None:
    rows("REVOKE ALL ON FUNCTION supabase_functions.http_request() FROM PUBLIC")
    rows("DROP TRIGGER forecast_on_telemetry ON ops.telemetry_landed")
    connection.execute("SET ROLE grid_owner")
    with pytest.raises(WarehouseError, match="on Supabase, postgres"):
        wakeups.install(connection, URL, SECRET, lambda _: None)


# What `grid status` says.


def status(connection: Connection, now: datetime | None = None) -> tuple[list[str], list[str]]:
    connection.execute("SELECT ops.close_wakeup()")
    faults: list[str] = []
    return list(in_status.report(connection, now or datetime.now(UTC), faults)), faults


def test_status_says_nothing_where_nothing_wakes(connection: Connection) -> None:
    assert status(connection) == ([], [])


def test_status_shows_the_last_start_and_what_came_of_it(
    rows: Rows, connection: Connection, webhook: list[str]
) -> None:
    land(rows)
    _, faults = status(connection)
    assert faults == []
    _, faults = status(connection, datetime.now(UTC) + timedelta(minutes=6))
    assert "nothing has started a forecast" in faults[0]
    token = uuid.uuid4()
    claim(rows, token)
    rows("SELECT ops.report_start(%s, 'github', 'Unauthorized', 'The token has expired.')", token)
    lines, [fault] = status(connection)
    assert "failed by github" in lines[0]
    assert "1 failed" in lines[1]
    assert "Unauthorized): The token has expired. It is tried again from" in fault
    rows("UPDATE ops.wakeups SET retry_at = now()")
    claim(rows)
    forecast(rows)
    lines, faults = status(connection)
    assert "wake-ups      answered" in lines[0]
    assert "s after the telemetry), forecast after 0 s" in lines[0]
    assert faults == []


def test_while_the_api_is_silent_status_counts_from_the_newest_generation(
    rows: Rows, connection: Connection, webhook: list[str]
) -> None:
    fall_silent(rows)
    rows("UPDATE ops.telemetry_landed SET landed_at = landed_at - interval '5 hours'")
    attempt(rows, "core.generation_mw", "success", written=1)
    _, faults = status(connection)
    assert faults == []
    _, [fault] = status(connection, datetime.now(UTC) + timedelta(minutes=6))
    assert "Telemetry landed 6 min ago and nothing has started a forecast" in fault
    assert claim(rows, by="cron") == "start"
    assert rows("SELECT woken_at - landed_at BETWEEN '0 s' AND '5 minutes' FROM ops.wakeups") == [
        (True,)
    ]

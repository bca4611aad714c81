"""The schema in a live catalogue: names, comments, constraints, rights, views and plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import errors
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.describing import column_schema
from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.mix import FUELS
from grid_assets_tests import shared_warehouse

one_warehouse = shared_warehouse.one_warehouse

Connection = psycopg.Connection[tuple[Any, ...]]

LONDON = ZoneInfo("Europe/London")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = T0 + timedelta(hours=12)
DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
SHARES = [f"{fuel}_pct" for fuel in FUELS]
INTENSITY = ["forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"]
TELEMETRY = ["period_start", "settlement_date", "settlement_period", *INTENSITY, *SHARES]
MIX = ["period_start", "fuel", "fuel_group", "published_pct", "pct"]
RUNS = [
    "run_id",
    "asset",
    "partition_start",
    "partition_end",
    "started_at",
    "finished_at",
    "execution_time_ms",
    "rows_fetched",
    "rows_written",
    "rows_quarantined",
    "status",
    "error_type",
    "error_message",
]

RELIED_ON = {
    "raw.intensity": ["period_start", "captured_at", *INTENSITY],
    "raw.generation": ["period_start", "captured_at", *SHARES],
    "raw.neso_forecast": ["issued_at", "period_start", "forecast_gco2_kwh"],
    "core.intensity": ["period_start", *INTENSITY],
    "core.generation_mix": ["period_start", *SHARES, "published_total_pct"],
    "ops.etl_runs": [*RUNS, "stack_trace"],
    "ops.quarantine": ["captured_at", "endpoint", "reason", "payload"],
    "reporting.telemetry": [*TELEMETRY, "total_pct"],
    "reporting.telemetry_24h": [*TELEMETRY, "total_pct"],
    "reporting.generation_mix": MIX,
    "reporting.generation_mix_24h": MIX,
    "reporting.etl_runs": RUNS,
}
"""Relations and columns that dashboards and scripts outside are built on."""


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def columns_of(connection: Connection, relation: str) -> dict[str, str]:
    """Column types by name, in order."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [relation],
    ).fetchall()
    return {name: str(kind) for name, kind in rows}


# Names and comments


@pytest.mark.parametrize(("relation", "columns"), RELIED_ON.items())
def test_every_relation_and_column_that_others_rely_on_is_there(
    connection: Connection, relation: str, columns: list[str]
) -> None:
    assert [name for name in columns if name not in columns_of(connection, relation)] == []


@pytest.mark.parametrize("relation", ["reporting.telemetry", "reporting.generation_mix"])
def test_the_views_of_the_last_24_hours_have_the_columns_of_the_whole(
    connection: Connection, relation: str
) -> None:
    assert columns_of(connection, f"{relation}_24h") == columns_of(connection, relation)


def test_the_views_of_telemetry_have_exactly_their_columns(connection: Connection) -> None:
    assert list(columns_of(connection, "reporting.telemetry")) == [*TELEMETRY, "total_pct"]
    assert list(columns_of(connection, "reporting.generation_mix")) == MIX
    assert "stack_trace" not in columns_of(connection, "reporting.etl_runs")


def test_the_as_of_function_answers_with_the_columns_of_core_intensity(
    connection: Connection,
) -> None:
    answer = connection.execute("SELECT * FROM reporting.intensity_as_known_at(now())")
    assert answer.description is not None
    assert [column.name for column in answer.description] == list(
        columns_of(connection, "core.intensity")
    )


def test_everything_that_a_reader_sees_has_a_comment(connection: Connection) -> None:
    bare = connection.execute(
        """
        WITH seen AS (
            SELECT c.oid, c.oid::regclass::text AS name
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('raw', 'core', 'ops', 'forecast', 'reporting')
              AND c.relkind IN ('r', 'v', 'm', 'p')
              -- the migration tool's own
              AND c.relname NOT LIKE '%yoyo%'
        )
        SELECT name FROM seen WHERE obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT name || '.' || attname FROM seen JOIN pg_attribute AS a ON a.attrelid = seen.oid
        WHERE attnum > 0 AND NOT attisdropped AND col_description(seen.oid, attnum) IS NULL
        UNION ALL
        SELECT p.oid::regprocedure::text FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('raw', 'core', 'ops', 'forecast', 'reporting')
          AND obj_description(p.oid, 'pg_proc') IS NULL
        UNION ALL
        SELECT nspname FROM pg_namespace AS n
        WHERE nspname IN ('raw', 'core', 'ops', 'forecast', 'reporting')
          AND obj_description(n.oid, 'pg_namespace') IS NULL
        ORDER BY 1
        """
    ).fetchall()
    assert bare == []


def test_columns_that_hold_gco2_per_kwh_or_a_share_say_so_in_their_comment(
    connection: Connection,
) -> None:
    commented = connection.execute(
        "SELECT attrelid::regclass::text, attname, col_description(attrelid, attnum) "
        "FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid "
        "WHERE c.relnamespace::regnamespace::text IN ('raw', 'core', 'reporting') "
        "AND c.relkind IN ('r', 'v') AND attnum > 0 AND attname ~ '(_gco2_kwh|_pct)$'"
    ).fetchall()
    assert len(commented) > 40
    for relation, column, comment in commented:
        unit = "gCO2/kWh" if column.endswith("_gco2_kwh") else "%"
        # A total that is exactly 100 needs no unit.
        assert unit in comment or "100" in comment, f"{relation}.{column}"


def test_every_asset_describes_the_columns_of_its_relation_as_the_catalogue_has_them(
    connection: Connection,
) -> None:
    described = [
        ".".join(key.path)
        for key in defs.resolve_all_asset_keys()
        if key.path[0] in ("raw", "core", "reporting")
    ]
    assert len(described) >= 9
    short = {"timestamp with time zone": "timestamptz"}
    for relation in [*described, "ops.etl_runs", "reporting.etl_runs"]:
        live = columns_of(connection, relation)
        schema = column_schema(relation)
        kinds = {name: short.get(kind, kind) for name, kind in live.items()}
        if relation != "ops.etl_runs":
            assert {column.name: column.type for column in schema.columns} == kinds, relation
        comments = connection.execute(
            "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [relation],
        ).fetchall()
        assert {column.name: column.description for column in schema.columns} == dict(comments)


# Constraints


def insert_mix(connection: Connection, start: datetime = T0, **shares: Any) -> None:
    row = dict(zip(FUELS, (7, 0, 12, 30, 15, 0, 1, 5, 30), strict=True)) | shares
    del row["other"]
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, biomass_pct, coal_pct, imports_pct, "
        "gas_pct, nuclear_pct, hydro_pct, solar_pct, wind_pct) VALUES (%(start)s, %(biomass)s, "
        "%(coal)s, %(imports)s, %(gas)s, %(nuclear)s, %(hydro)s, %(solar)s, %(wind)s)",
        {**row, "start": start},
    )


def insert_intensity(connection: Connection, start: datetime = T0, actual: Any = 100) -> None:
    connection.execute(
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh) VALUES (%s, %s)",
        [start, actual],
    )


def test_a_good_mix_is_accepted_and_other_is_the_rest(connection: Connection) -> None:
    insert_mix(connection)
    insert_mix(connection, T0 + HALF_HOUR, gas=Decimal("29.7"), coal=None)
    insert_mix(connection, T0 + 2 * HALF_HOUR, **dict.fromkeys(FUELS, None))
    others = connection.execute("SELECT other_pct FROM core.generation_mix ORDER BY 1").fetchall()
    assert others == [(0,), (Decimal("0.3"),), (100,)]


@pytest.mark.parametrize(
    ("shares", "constraint"),
    [
        ({"gas": 31}, "other_pct_in_range"),
        ({"gas": -1}, "gas_pct_in_range"),
        ({"gas": -1, "wind": 61}, "gas_pct_in_range"),
        ({"gas": 101, "wind": 0}, "gas_pct_in_range"),
    ],
)
def test_a_mix_that_cannot_be_one_is_refused(
    connection: Connection, shares: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(errors.CheckViolation) as refused:
        insert_mix(connection, **shares)
    assert refused.value.diag.constraint_name in (constraint, "other_pct_in_range")


@pytest.mark.parametrize("share", ["NaN", "Infinity", "-Infinity"])
def test_a_share_that_is_no_number_is_refused(connection: Connection, share: str) -> None:
    with pytest.raises((errors.CheckViolation, errors.NumericValueOutOfRange)):
        insert_mix(connection, wind=share)


def test_nobody_can_write_what_the_database_derives(connection: Connection) -> None:
    insert_mix(connection)
    with pytest.raises(errors.GeneratedAlways):
        connection.execute("UPDATE core.generation_mix SET other_pct = 5")


def test_an_update_cannot_break_the_sum_either(connection: Connection) -> None:
    insert_mix(connection)
    with pytest.raises(errors.CheckViolation):
        connection.execute("UPDATE core.generation_mix SET gas_pct = gas_pct + 1")


def test_more_than_one_decimal_is_rounded_before_the_sum(connection: Connection) -> None:
    insert_mix(connection, gas=Decimal("30.04"), wind=Decimal("29.98"))
    total = connection.execute(
        "SELECT gas_pct, wind_pct, total_pct FROM reporting.telemetry"
    ).fetchone()
    assert total == (30, 30, 100)


@pytest.mark.parametrize("actual", [-1, 1001, 13_579, "NaN", "Infinity"])
def test_an_impossible_intensity_is_refused_by_core(connection: Connection, actual: Any) -> None:
    with pytest.raises(errors.CheckViolation, match="actual_plausible"):
        insert_intensity(connection, actual=actual)


@pytest.mark.parametrize("actual", [0, 1000, None])
def test_a_possible_intensity_is_accepted_by_core(connection: Connection, actual: Any) -> None:
    insert_intensity(connection, actual=actual)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO raw.intensity VALUES (%s, now())",
        "INSERT INTO raw.generation VALUES (%s, now())",
        "INSERT INTO raw.neso_forecast VALUES (now(), %s, 100)",
        "INSERT INTO core.intensity VALUES (%s)",
        "INSERT INTO core.generation_mix VALUES (%s)",
    ],
)
def test_a_time_off_the_grid_is_refused_and_one_on_it_is_not(
    connection: Connection, statement: str
) -> None:
    for start in (T0, T0 + HALF_HOUR, datetime(2025, 10, 26, 1, 30, tzinfo=LONDON)):
        connection.execute(statement.encode(), [start])
    for off in (timedelta(minutes=17), timedelta(seconds=1), timedelta(microseconds=1)):
        with pytest.raises(errors.CheckViolation), connection.transaction():
            connection.execute(statement.encode(), [T0 + off])
    with pytest.raises(errors.UniqueViolation):
        connection.execute(statement.encode(), [T0])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO raw.intensity VALUES ('2026-01-01Z', now(), 'NaN')",
        "INSERT INTO raw.intensity VALUES ('2026-01-01Z', now(), 1, 'Infinity')",
        "INSERT INTO raw.neso_forecast VALUES (now(), '2026-01-01Z', 'NaN')",
        "INSERT INTO core.intensity (period_start, actual_gco2_kwh, actual_reason) "
        "VALUES ('2026-01-01Z', 1, 'a reason beside a value')",
        "INSERT INTO core.generation_mix (period_start, adjustment) VALUES ('2026-01-01Z', 'x')",
        "INSERT INTO ops.warehouse (only_row, kind) VALUES (false, 'live')",
        "UPDATE ops.warehouse SET kind = 'live'",
        "UPDATE ops.warehouse SET kind = 'both'",
    ],
)
def test_a_value_that_means_nothing_is_refused(connection: Connection, statement: str) -> None:
    with pytest.raises(errors.CheckViolation):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("status", "finished", "error", "days"),
    [
        ("paused", SEEN, None, DAYS),
        ("running", SEEN, None, DAYS),
        ("success", None, None, DAYS),
        ("success", SEEN, "Error", DAYS),
        ("failed", SEEN, None, DAYS),
        ("success", SEEN, None, DAYS[::-1]),
    ],
)
def test_a_log_row_that_contradicts_itself_is_refused(
    connection: Connection,
    status: str,
    finished: datetime | None,
    error: str | None,
    days: list[date],
) -> None:
    with pytest.raises(errors.CheckViolation):
        connection.execute(
            "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, started_at, host, pid, "
            "heartbeat_at, status, finished_at, error_type, partition_start, partition_end) "
            "VALUES ('1', 'core.intensity', 1, 'tick', now(), 'host', 1, now(), %s, %s, %s, "
            "%s, %s)",
            [status, finished, error, *days],
        )


# Rights


def test_a_reader_may_read_every_view_and_ask_the_function(connection: Connection) -> None:
    insert_intensity(connection)
    connection.execute("INSERT INTO raw.intensity VALUES (%s, %s, 90, 100)", [T0, SEEN])
    views = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reporting'::regnamespace "
        "AND relkind = 'v' ORDER BY 1"
    ).fetchall()
    assert {f"reporting.{view}" for (view,) in views} >= {
        relation for relation in RELIED_ON if relation.startswith("reporting.")
    }
    connection.execute("SET ROLE grid_reader")
    for (view,) in views:
        connection.execute(
            psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier("reporting", view))
        )
    known = connection.execute("SELECT period_start FROM reporting.intensity_as_known_at(now())")
    assert known.fetchall() == [(T0,)]


@pytest.mark.parametrize(
    "statement",
    [
        *(f"TABLE {name}" for name in RELIED_ON if not name.startswith("reporting.")),
        "SELECT * FROM ops.warehouse",
        "SELECT stack_trace FROM ops.etl_runs",
        "SELECT core.plausible_gco2_kwh(1)",
        "INSERT INTO core.intensity (period_start) VALUES ('2026-01-01Z')",
        "UPDATE reporting.etl_runs SET status = 'success'",
        "DELETE FROM reporting.etl_runs",
        "CREATE VIEW reporting.mine AS SELECT 1",
        "DROP VIEW reporting.telemetry",
    ],
)
def test_a_reader_may_do_nothing_else(connection: Connection, statement: str) -> None:
    connection.execute("SET ROLE grid_reader")
    with pytest.raises(errors.InsufficientPrivilege) as refused:
        connection.execute(statement.encode())
    assert refused.value.sqlstate == "42501"


def test_the_as_of_function_cannot_be_led_astray_by_its_caller(connection: Connection) -> None:
    connection.execute("INSERT INTO raw.intensity VALUES (%s, %s, 90, 100)", [T0, SEEN])
    # It runs with its owner's rights, so it must not run an operator of the caller's making.
    connection.execute(
        "CREATE SCHEMA evil; "
        "CREATE FUNCTION evil.always(timestamptz, timestamptz) RETURNS boolean "
        "LANGUAGE sql RETURN true; "
        "CREATE OPERATOR evil.<= (LEFTARG = timestamptz, RIGHTARG = timestamptz, "
        "FUNCTION = evil.always); "
        "SET LOCAL search_path = evil, pg_catalog"
    )
    assert connection.execute("SELECT %s::timestamptz <= %s", [SEEN, T0]).fetchone() == (True,)
    assert known_at(connection, T0) == []
    public = connection.execute(
        "SELECT has_function_privilege('public', "
        "'reporting.intensity_as_known_at(timestamptz)', 'EXECUTE')"
    ).fetchone()
    assert public == (False,)


# Views


@pytest.mark.parametrize(
    ("day", "periods"),
    [
        (date(2026, 3, 29), 46),
        (date(2026, 10, 25), 50),
        (date(2026, 1, 15), 48),
        (date(2026, 7, 15), 48),
    ],
)
def test_settlement_periods_count_the_half_hours_of_the_london_day(
    connection: Connection, day: date, periods: int
) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
    for n in range(-2, periods + 2):
        insert_intensity(connection, midnight + n * HALF_HOUR)
    counted = connection.execute(
        "SELECT period_start, settlement_period FROM reporting.telemetry "
        "WHERE settlement_date = %s ORDER BY period_start",
        [day],
    ).fetchall()
    assert counted == [(midnight + n * HALF_HOUR, n + 1) for n in range(periods)]
    before, after = connection.execute(
        "SELECT settlement_date, settlement_period FROM reporting.telemetry "
        "WHERE period_start IN (%s, %s) ORDER BY period_start",
        [midnight - HALF_HOUR, midnight + periods * HALF_HOUR],
    ).fetchall()
    assert before == (day - DAY, 48)
    assert after == (day + DAY, 1)


def test_the_time_zone_of_the_session_changes_nothing(connection: Connection) -> None:
    insert_intensity(connection, datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    query = "SELECT settlement_date, settlement_period FROM reporting.telemetry"
    for zone in ("UTC", "Asia/Kathmandu", "America/New_York"):
        connection.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        assert connection.execute(query).fetchall() == [(date(2026, 7, 2), 2)]


def test_telemetry_has_half_hours_of_either_kind_and_both(connection: Connection) -> None:
    insert_intensity(connection, T0)
    insert_mix(connection, T0 + HALF_HOUR)
    insert_intensity(connection, T0 + 2 * HALF_HOUR)
    insert_mix(connection, T0 + 2 * HALF_HOUR, coal=None, gas=29)
    telemetry = connection.execute(
        "SELECT period_start, actual_gco2_kwh, gas_pct, coal_pct, other_pct, total_pct "
        "FROM reporting.telemetry ORDER BY 1"
    ).fetchall()
    assert telemetry == [
        (T0, 100, None, None, None, None),
        (T0 + HALF_HOUR, None, 30, 0, 0, 100),
        (T0 + 2 * HALF_HOUR, 100, 29, None, 1, 100),
    ]


def test_a_mix_is_told_fuel_by_fuel_as_published_and_as_exact(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO raw.generation (period_start, captured_at, gas_pct, wind_pct, other_pct) "
        "VALUES (%s, %s, 60.04, 39.7, 0), (%s, %s, 50, 50, 0)",
        [T0, SEEN, T0, SEEN + HALF_HOUR],
    )
    connection.execute(
        "INSERT INTO core.generation_mix (period_start, captured_at, gas_pct, wind_pct) "
        "VALUES (%s, %s, 60, 39.7)",
        [T0, SEEN],
    )
    told = connection.execute(
        "SELECT fuel, fuel_group, published_pct, pct FROM reporting.generation_mix ORDER BY fuel"
    ).fetchall()
    assert told == [
        ("biomass", "low_carbon", None, None),
        ("coal", "fossil", None, None),
        ("gas", "fossil", Decimal("60.04"), 60),
        ("hydro", "renewable", None, None),
        ("imports", "imports", None, None),
        ("nuclear", "low_carbon", None, None),
        ("other", "other", 0, Decimal("0.3")),
        ("solar", "renewable", None, None),
        ("wind", "renewable", Decimal("39.7"), Decimal("39.7")),
    ]


def test_a_mix_that_another_program_wrote_is_told_without_what_was_published(
    connection: Connection,
) -> None:
    insert_mix(connection)
    told = connection.execute(
        "SELECT count(*), count(published_pct), sum(pct) FROM reporting.generation_mix"
    ).fetchone()
    assert told == (9, 0, 100)


def test_the_views_of_24_hours_show_those_and_no_more(connection: Connection) -> None:
    now_row = connection.execute("SELECT date_bin('30 minutes', now(), 'epoch')").fetchone()
    assert now_row is not None
    for n in range(60):
        insert_intensity(connection, now_row[0] - n * HALF_HOUR)
        insert_mix(connection, now_row[0] - n * HALF_HOUR)
    counted = connection.execute(
        "SELECT count(*), min(period_start) >= now() - interval '24 hours' "
        "FROM reporting.telemetry_24h"
    ).fetchone()
    assert counted in [(48, True), (49, True)]
    fuels = connection.execute("SELECT count(*) FROM reporting.generation_mix_24h").fetchone()
    assert fuels == (counted[0] * 9,)


def test_the_log_of_runs_is_shown_as_it_is_kept(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO ops.etl_runs (run_id, asset, attempt, trigger, partition_start, "
        "partition_end, started_at, finished_at, status, error_type, error_message, stack_trace, "
        "host, pid, heartbeat_at) VALUES ('run', 'core.intensity', 2, 'tick', '2026-01-01', "
        "'2026-01-02', now(), now(), 'failed', 'Error', 'why', 'where', 'host', 1, now())"
    )
    shown = connection.execute(
        "SELECT run_id, attempt, partition_end, status, error_message FROM reporting.etl_runs"
    ).fetchall()
    assert shown == [("run", 2, date(2026, 1, 2), "failed", "why")]


# What was known when


def known_at(connection: Connection, at: datetime) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT period_start, forecast_gco2_kwh, actual_gco2_kwh, actual_reason, captured_at "
        "FROM reporting.intensity_as_known_at(%s)",
        [at],
    ).fetchall()


def test_a_revision_does_not_show_before_it_was_captured(connection: Connection) -> None:
    first, second, third = (T0 + timedelta(minutes=minutes) for minutes in (12, 42, 72))
    connection.execute(
        "INSERT INTO raw.intensity VALUES (%(start)s, %(first)s, 90, NULL), "
        "(%(start)s, %(second)s, 90, 13579), (%(start)s, %(third)s, 90, 95)",
        {"start": T0, "first": first, "second": second, "third": third},
    )
    reason = "published 13579 gCO2/kWh is outside 0 to 1000"
    assert known_at(connection, T0) == []
    assert known_at(connection, first) == [(T0, 90, None, None, first)]
    assert known_at(connection, second - timedelta(microseconds=1)) == [(T0, 90, None, None, first)]
    assert known_at(connection, second) == [(T0, 90, None, reason, second)]
    assert known_at(connection, third + DAY) == [(T0, 90, 95, None, third)]


@pytest.mark.parametrize(
    ("actual", "known"), [(0, 0), (1000, 1000), (1001, None), (-1, None), (None, None)]
)
def test_what_was_known_is_cleaned_by_the_rule_of_core(
    connection: Connection, actual: int | None, known: int | None
) -> None:
    connection.execute("INSERT INTO raw.intensity VALUES (%s, %s, 90, %s)", [T0, SEEN, actual])
    ((_, forecast, value, reason, _),) = known_at(connection, SEEN)
    assert (forecast, value) == (90, known)
    assert (reason is not None) == (actual not in (known, None))


def test_a_half_hour_that_had_not_begun_was_not_known(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO raw.intensity VALUES (%s, %s, 90, NULL)", [SEEN + HALF_HOUR, SEEN]
    )
    assert known_at(connection, SEEN + timedelta(minutes=29)) == []
    assert len(known_at(connection, SEEN + HALF_HOUR)) == 1


# Plans


def plan(connection: Connection, query: str) -> str:
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}".encode()))


@pytest.fixture
def large(connection: Connection) -> Connection:
    """Over a year of half-hours in both tables, with the statistics a live server would have."""
    series = (
        "SELECT date_bin('30 minutes', now(), 'epoch') - n * interval '30 minutes' "
        "FROM generate_series(0, 19999) AS n"
    )
    connection.execute(f"INSERT INTO core.intensity (period_start) {series}".encode())
    connection.execute(f"INSERT INTO core.generation_mix (period_start) {series}".encode())
    connection.execute("ANALYZE core.intensity, core.generation_mix")
    return connection


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM reporting.telemetry_24h",
        "SELECT * FROM reporting.telemetry_24h ORDER BY period_start DESC",
        "SELECT max(period_start) FROM reporting.telemetry_24h WHERE total_pct = 100",
        "SELECT * FROM reporting.telemetry WHERE period_start >= now() - interval '36 hours'",
        "SELECT * FROM reporting.telemetry WHERE period_start = '2026-01-01Z'",
    ],
)
def test_a_filter_on_time_reaches_the_index_of_both_tables(large: Connection, query: str) -> None:
    text = plan(large, query)
    assert "Seq Scan" not in text, text
    assert "intensity_pk" in text, text
    assert "generation_mix_pk" in text, text


def test_the_mix_of_24_hours_is_read_by_index(large: Connection) -> None:
    text = plan(large, "SELECT * FROM reporting.generation_mix_24h")
    assert "Seq Scan on generation_mix" not in text, text
    assert "generation_mix_pk" in text, text

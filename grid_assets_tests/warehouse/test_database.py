"""The schema on a live database: constraints, rights and views."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg import errors, sql

from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.series import BUCKET_OF_STEP, FUELS, LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection
from grid_assets_tests import shared_warehouse

one_warehouse, connection = shared_warehouse.one_warehouse, shared_warehouse.connection


LONDON = ZoneInfo("Europe/London")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = T0 + timedelta(hours=12)
DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
SHARES = [f"{fuel}_pct" for fuel in FUELS]
INTENSITY = ["forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"]
TELEMETRY = [
    "period_start",
    "settlement_date",
    "settlement_period",
    *INTENSITY,
    *SHARES,
    "total_pct",
]
COMBINED = ["renewable_pct", "zero_carbon_pct", "fossil_pct"]
MIX = ["period_start", "fuel", "fuel_group", "published_pct", "pct"]
LONDON_TIME = ["period_start_london", "settlement_date", "settlement_period"]
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

KEYS = ["model", "series", "target_date", "lead_bucket"]
SCORES = [*KEYS, "n", "mae", "bias", "wape", "pinball", "coverage_80"]
PREDICTED = ["model", "issued_at", "created_at", "series", "period_start", "p10", "p50", "p90"]
COMPARED = [
    "model",
    "series",
    "unit",
    "issued_at",
    "period_start",
    "lead_minutes",
    "lead_bucket",
    "actual",
    "p10",
    "p50",
    "p90",
    "error",
    "abs_error",
    "inside_80",
]
OF_SPAN = [
    "half_hours",
    "half_hours_expected",
    "mean_gco2_kwh",
    "min_gco2_kwh",
    "max_gco2_kwh",
    *SHARES,
    *COMBINED,
]

RELIED_ON = {
    "raw.intensity": ["period_start", "captured_at", *INTENSITY],
    "raw.generation": ["period_start", "captured_at", *SHARES],
    "raw.neso_forecast": ["issued_at", "period_start", "forecast_gco2_kwh"],
    "core.intensity": ["period_start", *INTENSITY],
    "core.generation_mix": ["period_start", *SHARES, "published_total_pct"],
    "core.regions": ["region_id", "short_name", "dno_name", "nation"],
    "forecast.predictions": PREDICTED,
    "forecast.accuracy": SCORES,
    "forecast.models": ["model", "source", "revision", "trained_to", "scores"],
    "ops.etl_runs": [*RUNS, "stack_trace"],
    "ops.quarantine": ["captured_at", "endpoint", "reason", "payload"],
    "reporting.telemetry": [*TELEMETRY, *COMBINED, "period_start_london"],
    "reporting.telemetry_24h": [*TELEMETRY, *COMBINED, "period_start_london"],
    "reporting.generation_mix": MIX,
    "reporting.generation_mix_24h": MIX,
    "reporting.forecast_latest": [*PREDICTED, "lead_minutes", "unit"],
    "reporting.forecast_day_ahead": [*PREDICTED, "lead_minutes", "unit"],
    "reporting.actual_vs_predicted": COMPARED,
    "reporting.actual_vs_predicted_24h": COMPARED,
    "reporting.forecast_accuracy": SCORES,
    "reporting.daily": ["settlement_date", *OF_SPAN],
    "reporting.monthly": ["month", *OF_SPAN],
    "reporting.etl_runs": RUNS,
}
"""Relations and columns that dashboards and scripts outside are built on."""


def columns_of(connection: Connection, relation: str) -> dict[str, str]:
    """Column types by name, in order."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [relation],
    ).fetchall()
    return {name: str(kind) for name, kind in rows}


# Names and comments


@pytest.mark.parametrize(
    "relation",
    ["reporting.telemetry", "reporting.generation_mix", "reporting.actual_vs_predicted"],
)
def test_the_views_of_the_last_24_hours_have_the_columns_of_the_whole(
    connection: Connection, relation: str
) -> None:
    assert columns_of(connection, f"{relation}_24h") == columns_of(connection, relation)


def test_the_views_of_telemetry_have_exactly_their_columns(connection: Connection) -> None:
    of_telemetry = RELIED_ON["reporting.telemetry"]
    assert list(columns_of(connection, "reporting.telemetry")) == of_telemetry
    of_mix = [*MIX, "fuel_group_label", *LONDON_TIME]
    assert list(columns_of(connection, "reporting.generation_mix")) == of_mix
    assert "stack_trace" not in columns_of(connection, "reporting.etl_runs")


def test_the_views_of_forecasts_have_exactly_their_columns_and_whether_they_are_simulated(
    connection: Connection,
) -> None:
    for relation in ("forecast_latest", "actual_vs_predicted", "forecast_accuracy"):
        name = f"reporting.{relation}"
        london = [] if relation == "forecast_accuracy" else LONDON_TIME  # its days are UTC
        assert list(columns_of(connection, name)) == [*RELIED_ON[name], "simulated", *london]


def test_the_as_of_function_of_forecasts_answers_with_the_columns_that_are_relied_on(
    connection: Connection,
) -> None:
    answer = connection.execute("SELECT * FROM reporting.forecast_as_known_at(now())")
    assert answer.description is not None
    stored = columns_of(connection, "forecast.predictions")
    assert [column.name for column in answer.description] == [*PREDICTED, "simulated"]
    assert {column.name for column in answer.description} == {
        name for name in stored if not name.startswith("raw_")
    }


def test_the_as_of_function_answers_with_the_columns_of_core_intensity(
    connection: Connection,
) -> None:
    answer = connection.execute("SELECT * FROM reporting.intensity_as_known_at(now())")
    assert answer.description is not None
    assert [column.name for column in answer.description] == list(
        columns_of(connection, "core.intensity")
    )


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


def insert_forecast(
    connection: Connection,
    issued_at: datetime = T0,
    lead: timedelta = timedelta(0),
    p50: Any = 100,
    **values: Any,
) -> None:
    """One forecast, made at its issue time unless `created_at` says otherwise."""
    row = {
        "model": "chronos:some",
        "series": "carbon_intensity",
        "period_start": issued_at + lead,
        "issued_at": issued_at,
        "created_at": issued_at,
        "p50": p50,
    } | values
    connection.execute(
        sql.SQL("INSERT INTO forecast.predictions ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
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
        "INSERT INTO forecast.predictions "
        "VALUES ('neso', 'wind', %s, '2020-01-01Z', now(), NULL, 1)",
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
    "values",
    [
        {},
        {"p10": 100, "p90": 100},
        {"p10": 0, "p50": 500, "p90": 1000},
        {"series": "wind", "p10": 0, "p50": 50, "p90": 100},
        {"series": "coal", "p50": 0},
    ],
)
def test_a_possible_forecast_is_accepted(connection: Connection, values: dict[str, Any]) -> None:
    insert_forecast(connection, **values)
    with pytest.raises(errors.UniqueViolation):
        insert_forecast(connection, **values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"p10": 100, "p50": 99, "p90": 101}, "quantiles_ordered"),
        ({"p10": 98, "p50": 99, "p90": 98}, "quantiles_ordered"),
        ({"p10": "NaN", "p90": 101}, "quantiles_ordered"),
        ({"p10": 98}, "band_whole"),
        ({"p90": 101}, "band_whole"),
        ({"p50": -1}, "in_range"),
        ({"p10": -1, "p90": 101}, "in_range"),
        ({"p50": 1001}, "in_range"),
        ({"p50": "NaN"}, "in_range"),
        ({"p10": 98, "p90": "NaN"}, "in_range"),
        ({"series": "wind", "p50": 101}, "in_range"),
        ({"series": "wind", "p10": 1, "p50": 2, "p90": 101}, "in_range"),
        ({"series": "tidal", "p50": 1}, "series_known"),
        ({"lead": -HALF_HOUR}, "not_before_issue"),
    ],
)
def test_a_forecast_that_cannot_be_one_is_refused(
    connection: Connection, values: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(errors.CheckViolation) as refused:
        insert_forecast(connection, **values)
    assert refused.value.diag.constraint_name == f"predictions_{constraint}"


@pytest.mark.parametrize("values", [{"p50": None}, {"created_at": None}, {"model": None}])
def test_a_forecast_that_lacks_what_it_is_about_is_refused(
    connection: Connection, values: dict[str, Any]
) -> None:
    with pytest.raises(errors.NotNullViolation):
        insert_forecast(connection, **values)


def insert_score(connection: Connection, **values: Any) -> None:
    row = {
        "model": "chronos:some",
        "series": "wind",
        "target_date": DAYS[0],
        "lead_bucket": "0-3h",
        "n": 4,
        "abs_error_sum": 6,
        "error_sum": -2,
        "abs_actual_sum": 100,
        "n_band": 3,
        "pinball_sum": Decimal("1.5"),
        "n_inside_80": 2,
        "simulated": False,
    } | values
    connection.execute(
        sql.SQL("INSERT INTO forecast.accuracy ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ({}, ("1.500", "-0.500", "0.0600", "0.500", "0.6667")),
        ({"abs_actual_sum": 0}, ("1.500", "-0.500", None, "0.500", "0.6667")),
        (
            {"n_band": 0, "n_inside_80": 0, "pinball_sum": None},
            ("1.500", "-0.500", "0.0600", None, None),
        ),
        ({"n_inside_80": 0}, ("1.500", "-0.500", "0.0600", "0.500", "0.0000")),
    ],
)
def test_scores_follow_from_their_sums_and_are_null_where_there_is_nothing_to_divide_by(
    connection: Connection, values: dict[str, Any], scores: tuple[str | None, ...]
) -> None:
    insert_score(connection, **values)
    found = connection.execute(
        "SELECT n, mae::text, bias::text, wape::text, pinball::text, coverage_80::text "
        "FROM reporting.forecast_accuracy"
    ).fetchall()
    assert found == [(4, *scores)]


@pytest.mark.parametrize(
    "values",
    [
        {"n": 0, "n_band": 0, "n_inside_80": 0},
        {"n_band": 5},
        {"n_inside_80": 4},
        {"n_inside_80": -1},
        {"lead_bucket": "0-48h"},
    ],
)
def test_a_score_that_contradicts_itself_is_refused(
    connection: Connection, values: dict[str, Any]
) -> None:
    with pytest.raises((errors.CheckViolation, errors.DivisionByZero)):
        insert_score(connection, **values)


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
    insert_forecast(connection)
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
        connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("reporting", view)))
    known = connection.execute("SELECT period_start FROM reporting.intensity_as_known_at(now())")
    assert known.fetchall() == [(T0,)]
    forecast = connection.execute("SELECT period_start FROM reporting.forecast_as_known_at(now())")
    assert forecast.fetchall() == [(T0,)]


@pytest.mark.parametrize(
    "statement",
    [
        *(f"TABLE {name}" for name in RELIED_ON if not name.startswith("reporting.")),
        "TABLE forecast.issues",
        "TABLE forecast.calibration",
        "DELETE FROM forecast.predictions",
        "UPDATE reporting.forecast_accuracy SET n = 1",
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
    insert_forecast(connection, SEEN)
    assert forecasts_at(connection, T0) == []
    for function, arguments in (
        ("intensity_as_known_at", "timestamptz"),
        ("forecast_as_known_at", "timestamptz, timestamptz"),
        ("outlook_as_known_at", "timestamptz"),
    ):
        public = connection.execute(
            "SELECT has_function_privilege('public', %s, 'EXECUTE')",
            [f"reporting.{function}({arguments})"],
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


def test_a_mix_is_shown_fuel_by_fuel_as_published_and_as_exact(connection: Connection) -> None:
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
    found = connection.execute(
        "SELECT fuel, fuel_group, published_pct, pct FROM reporting.generation_mix ORDER BY fuel"
    ).fetchall()
    assert found == [
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


def test_a_mix_that_another_program_wrote_is_shown_without_what_was_published(
    connection: Connection,
) -> None:
    insert_mix(connection)
    found = connection.execute(
        "SELECT count(*), count(published_pct), sum(pct) FROM reporting.generation_mix"
    ).fetchone()
    assert found == (9, 0, 100)


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


# Views of forecasts


@pytest.mark.parametrize(
    ("lead", "minutes", "bucket"),
    [
        ("0:00", 0, "0-3h"),
        ("2:30", 150, "0-3h"),
        ("3:00", 180, "3-6h"),
        ("5:30", 330, "3-6h"),
        ("6:00", 360, "6-12h"),
        ("11:30", 690, "6-12h"),
        ("12:00", 720, "12-24h"),
        ("23:30", 1410, "12-24h"),
        ("24:00", 1440, "24-48h"),
        ("47:30", 2850, "24-48h"),
    ],
)
def test_a_lead_belongs_to_the_bucket_whose_lower_edge_it_has_reached(
    connection: Connection, lead: str, minutes: int, bucket: str
) -> None:
    hours, rest = map(int, lead.split(":"))
    ahead = timedelta(hours=hours, minutes=rest)
    insert_intensity(connection, T0 + ahead)
    insert_forecast(connection, lead=ahead)
    found = connection.execute(
        "SELECT lead_minutes, lead_bucket FROM reporting.actual_vs_predicted"
    ).fetchall()
    assert found == [(minutes, bucket)]
    latest = connection.execute("SELECT lead_minutes FROM reporting.forecast_latest").fetchall()
    assert latest == [(minutes,)]
    assert list(LEAD_BUCKETS) == ["0-3h", "3-6h", "6-12h", "12-24h", "24-48h"]
    assert BUCKET_OF_STEP[minutes // 30] == bucket


def test_the_lead_of_a_forecast_issued_between_half_hours_is_the_time_until_its_half_hour(
    connection: Connection,
) -> None:
    captured = T0 - timedelta(minutes=18)
    insert_intensity(connection, T0)
    insert_forecast(connection, captured, timedelta(minutes=18), model="neso")
    found = connection.execute("SELECT lead_minutes FROM reporting.actual_vs_predicted").fetchall()
    assert found == [(18,)]


def test_a_forecast_is_shown_beside_the_actual_of_its_own_series_and_half_hour(
    connection: Connection,
) -> None:
    insert_intensity(connection, T0, 110)
    insert_intensity(connection, T0 + HALF_HOUR, 500)
    insert_mix(connection, T0)  # gas 30, wind 30, other 0
    insert_mix(connection, T0 + HALF_HOUR, gas=0, wind=60)
    insert_forecast(connection, p10=90, p50=100, p90=109)
    insert_forecast(connection, p50=Decimal("111.5"), model="neso", simulated=True)
    insert_forecast(connection, p50=25, series="gas", p10=20, p90=30)
    insert_forecast(connection, p50=31, series="wind", p10=30, p90=35)
    insert_forecast(connection, p50=1, series="other")
    found = connection.execute(
        "SELECT model, series, unit, actual, error, abs_error, inside_80, simulated "
        "FROM reporting.actual_vs_predicted ORDER BY series, model"
    ).fetchall()
    assert found == [
        ("chronos:some", "carbon_intensity", "gCO2/kWh", 110, -10, 10, False, False),
        ("neso", "carbon_intensity", "gCO2/kWh", 110, Decimal("1.5"), Decimal("1.5"), None, True),
        ("chronos:some", "gas", "%", 30, -5, 5, True, False),
        ("chronos:some", "other", "%", 0, 1, 1, None, False),
        ("chronos:some", "wind", "%", 30, 1, 1, True, False),
    ]


@pytest.mark.parametrize("series", [*FUELS, "carbon_intensity"])
def test_every_series_is_compared_with_its_own_column(connection: Connection, series: str) -> None:
    shares: dict[str, Any] = dict(zip(FUELS, (1, 2, 3, 4, 5, 0, 7, 8, 9), strict=True))
    insert_mix(connection, T0, **shares)  # other is the rest to 100
    insert_intensity(connection, actual=200)
    insert_forecast(connection, p50=0, series=series)
    expected = shares | {"other": 61, "carbon_intensity": 200}
    found = connection.execute(
        "SELECT series, actual FROM reporting.actual_vs_predicted"
    ).fetchall()
    assert found == [(series, expected[series])]


def test_a_forecast_whose_actual_is_not_there_is_not_compared(connection: Connection) -> None:
    insert_forecast(connection)
    insert_forecast(connection, series="wind", p50=30)
    insert_forecast(connection, series="coal", p50=0)
    insert_intensity(connection, actual=None)
    insert_mix(connection, coal=None)
    found = connection.execute("SELECT series FROM reporting.actual_vs_predicted").fetchall()
    assert found == [("wind",)]


def test_the_latest_forecast_of_a_half_hour_is_the_newest_issue_of_each_model(
    connection: Connection,
) -> None:
    for issued_at, p50 in ((T0, 1), (T0 + HALF_HOUR, 2), (T0 - DAY, 3)):
        for lead in range(3):
            insert_forecast(connection, issued_at, lead * HALF_HOUR, p50)
    insert_forecast(connection, T0 - DAY, DAY, 4, model="seasonal_naive")
    insert_forecast(connection, T0, series="wind", p50=5)
    # A back-test of the older issue, made later, is no newer forecast.
    insert_forecast(connection, T0 - HALF_HOUR, HALF_HOUR, 6, created_at=T0 + 9 * DAY)
    found = connection.execute(
        "SELECT model, series, unit, period_start, issued_at, lead_minutes, p50 "
        "FROM reporting.forecast_latest WHERE period_start >= %s ORDER BY 1, 2, 4",
        [T0],
    ).fetchall()
    intensity = ("chronos:some", "carbon_intensity", "gCO2/kWh")
    second, third, fourth = (T0 + n * HALF_HOUR for n in (1, 2, 3))
    assert found == [
        (*intensity, T0, T0, 0, 1),
        (*intensity, second, second, 0, 2),
        (*intensity, third, second, 30, 2),
        (*intensity, fourth, second, 60, 2),
        ("chronos:some", "wind", "%", T0, T0, 0, 5),
        ("seasonal_naive", *intensity[1:], T0, T0 - DAY, 1440, 4),
    ]


def test_the_last_24_hours_show_for_each_half_hour_the_last_issue_before_it_began(
    connection: Connection,
) -> None:
    row = connection.execute("SELECT date_bin('30 minutes', now(), 'epoch')").fetchone()
    assert row is not None
    newest: datetime = row[0]
    for n in range(-2, 60):
        insert_intensity(connection, newest - n * HALF_HOUR)
        insert_mix(connection, newest - n * HALF_HOUR)
    for issue in range(0, 110):  # each reaches two half-hours: its own and the next
        issued_at = newest - issue * HALF_HOUR
        for lead in range(2):
            insert_forecast(connection, issued_at, lead * HALF_HOUR, lead)
    insert_forecast(connection, newest - 2 * DAY, 2 * DAY - HALF_HOUR, 7, model="seasonal_naive")
    insert_forecast(connection, newest - HALF_HOUR, series="wind", p50=8)

    found = connection.execute(
        "SELECT period_start, issued_at, p50 FROM reporting.actual_vs_predicted_24h "
        "WHERE model = 'chronos:some' AND series = 'carbon_intensity' ORDER BY 1 DESC"
    ).fetchall()
    assert len(found) in (48, 49)  # half-hours that have begun, and none that is older
    assert found == [(newest - n * HALF_HOUR,) * 2 + (0,) for n in range(len(found))]
    others = connection.execute(
        "SELECT model, series, period_start, lead_minutes, lead_bucket "
        "FROM reporting.actual_vs_predicted_24h "
        "WHERE model <> 'chronos:some' OR series <> 'carbon_intensity' ORDER BY 1"
    ).fetchall()
    assert others == [
        ("chronos:some", "wind", newest - HALF_HOUR, 0, "0-3h"),
        ("seasonal_naive", "carbon_intensity", newest - HALF_HOUR, 2850, "24-48h"),
    ]


def forecasts_at(connection: Connection, at: datetime) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT model, issued_at, p50 FROM reporting.forecast_as_known_at(%s) ORDER BY 1, 2", [at]
    ).fetchall()


def test_a_forecast_does_not_show_before_it_was_made_and_a_back_test_not_at_its_issue_time(
    connection: Connection,
) -> None:
    made = T0 - timedelta(minutes=18)
    insert_forecast(connection, created_at=made, p50=1)
    insert_forecast(connection, T0 - DAY, p50=2, created_at=T0 + 3 * DAY)  # a back-test
    insert_forecast(connection, made, timedelta(minutes=18), p50=3, model="neso")
    live, neso = ("chronos:some", T0, 1), ("neso", made, 3)
    assert forecasts_at(connection, made - timedelta(microseconds=1)) == []
    assert forecasts_at(connection, made) == [live, neso]
    assert forecasts_at(connection, T0 + 2 * DAY) == [live, neso]
    back_test = ("chronos:some", T0 - DAY, 2)
    assert forecasts_at(connection, T0 + 3 * DAY) == [back_test, live, neso]
    bounded = connection.execute(
        "SELECT model, issued_at, p50 FROM reporting.forecast_as_known_at(%s, issued_since => %s)",
        [T0 + 3 * DAY, T0],
    ).fetchall()
    assert bounded == [live]


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

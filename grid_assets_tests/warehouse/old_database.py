"""A database as the version with migration 0009 left it: forecasts and vintages in rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR
from grid_assets.warehouse.connection import connect
from grid_assets.warehouse.statements import sql_dir

VIEWS: Final = Path(__file__).parents[1] / "fixtures" / "views_0009.sql"
DAYS: Final = 12
"""Days with issues: moving them takes long enough to be interrupted."""

CHRONOS: Final = "chronos:old"
HOUR: Final = timedelta(hours=1)
DAY: Final = 24 * HOUR


def migrate_before(url: SecretStr, name: str) -> None:
    """Apply the migrations before one, as an earlier version did."""
    from yoyo import get_backend, read_migrations

    with connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
    parameters = conninfo_to_dict(url.get_secret_value(), schema="ops")
    backend = get_backend(f"postgresql+psycopg:///?{urlencode(parameters)}")
    try:
        migrations = read_migrations(str(sql_dir() / "migrations"))
        early = backend.to_apply(migrations).filter(lambda migration: migration.id < name)
        with backend.lock():
            backend.apply_migrations(early)
    finally:
        backend.connection.close()


def fill(url: SecretStr, now: datetime) -> None:
    """Telemetry and forecasts up to `now`, a half-hour, with views; the days before are thinned.

    Of every kind: whole issues with a band and raw quantiles, thinned ones, NESO's at odd minutes
    without a band, and what another program may have written.
    """
    values = {"now": now, "start": now - DAYS * DAY, "model": CHRONOS, "half_hour": HALF_HOUR}
    with connect(url) as connection, connection.transaction():
        connection.execute("INSERT INTO ops.warehouse (kind) VALUES ('live')")
        connection.execute(VIEWS.read_bytes())
        for text in ROWS:
            connection.execute(text.encode(), values)


ROWS: Final = (
    "INSERT INTO core.intensity (period_start, actual_gco2_kwh, captured_at) "
    "SELECT at, 100 + (extract(epoch FROM at) / 1800)::bigint %% 150, at "
    "FROM generate_series(%(start)s::timestamptz, %(now)s, %(half_hour)s) AS at",
    "INSERT INTO core.generation_mix (period_start, gas_pct, wind_pct, captured_at) "
    "SELECT period_start, actual_gco2_kwh / 10, 50, period_start "
    "FROM core.intensity WHERE extract(hour FROM period_start) <> 6",
    # whole issues of ten series, the first and the second of each three hours
    "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
    "p10, p50, p90, raw_p10, raw_p50, raw_p90) "
    "SELECT %(model)s, series, at + step * %(half_hour)s, at, at - %(half_hour)s / 2, "
    "20 + step / 10.0, 40 + step / 7.0, 60 + step / 3.0, -step, step / 3.0, step * 1.5 "
    "FROM generate_series(%(start)s::timestamptz, %(now)s, '3 hours') AS three, "
    "unnest(ARRAY[three, three + %(half_hour)s]) AS at, generate_series(0, 95) AS step, "
    "unnest(ARRAY['carbon_intensity', 'biomass', 'coal', 'imports', 'gas', 'nuclear', 'other', "
    "'hydro', 'solar', 'wind']) AS series WHERE at <= %(now)s",
    # the oldest days are thinned to two leads
    "DELETE FROM forecast.predictions WHERE period_start < %(start)s::timestamptz + '3 days' "
    "AND (extract(epoch FROM period_start - issued_at) / 1800)::integer NOT IN (0, 49)",
    "INSERT INTO forecast.thinning (thinned_to) "
    "VALUES (((%(start)s::timestamptz + interval '3 days') AT TIME ZONE 'UTC')::date)",
    "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
    "context_assumed, known_by) SELECT DISTINCT model, issued_at, issued_at, 'r1', 0, 0, 'capture' "
    "FROM forecast.predictions",
    "INSERT INTO forecast.models (model, revision, source) VALUES (%(model)s, 'r1', 'builtin')",
    "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
    "context_assumed, known_by, refused_reason) VALUES ('seasonal_naive', %(now)s, %(now)s, '1', "
    "0, 0, 'capture', 'too little')",
    # NESO's forecasts, captured at odd seconds, and one with a hole
    "INSERT INTO raw.neso_forecast SELECT at + interval '12 minutes 7.25 seconds', "
    "at + step * %(half_hour)s, 200.26 - step, true "
    "FROM generate_series(%(start)s::timestamptz, %(now)s - interval '1 hour', '6 hours') AS at, "
    "generate_series(0, 96) AS step WHERE step <> 17",
    "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50, "
    "simulated) SELECT 'neso', 'carbon_intensity', period_start, issued_at, issued_at, "
    "round(forecast_gco2_kwh, 1), simulated FROM raw.neso_forecast WHERE period_start >= issued_at",
    # another program's: one half-hour at a time, one longer than 48 hours, one partly simulated
    "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50, "
    "simulated) SELECT 'other', 'wind', %(now)s::timestamptz + step * interval '1 hour', "
    "%(now)s::timestamptz - interval '10 hours', %(now)s::timestamptz + step * interval '1 s', "
    "abs(step), step %% 20 = 0 FROM generate_series(-10, 90, 10) AS step",
    # a clock that was wrong
    "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50) "
    "SELECT 'other', 'solar', %(now)s::timestamptz + interval '9 days', "
    "%(now)s::timestamptz + interval '9 days' - lead, now(), 7 "
    "FROM unnest(ARRAY[interval '0', interval '9 days']) AS lead",
    "INSERT INTO forecast.calibration (model, revision, issue_date, series, step, margin, issues) "
    "SELECT %(model)s, 'r1', (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, series, step, "
    "step + length(series), 32 FROM generate_series(0, 95) AS step, "
    "unnest(ARRAY['carbon_intensity', 'biomass', 'coal', 'imports', 'gas', 'nuclear', 'other', "
    "'hydro', 'solar', 'wind']) AS series",
    "INSERT INTO forecast.accuracy (model, series, target_date, lead_bucket, n, abs_error_sum, "
    "error_sum, abs_actual_sum, n_band, n_inside_80, simulated) "
    "VALUES (%(model)s, 'gas', '2026-01-01', '0-3h', 6, 9, 9, 9, 0, 0, false)",
)

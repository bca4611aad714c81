"""The queries of Grafana's dashboard. They read `reporting` only.

`$__timeFilter(column)` becomes `column BETWEEN 'from' AND 'to'`, which reaches an index, and
`${model:sqlstring}` the chosen model in quotes. `test_grafana.py` runs each query.
"""

from __future__ import annotations

from typing import Final

from grid_assets.series import MODELS, STACKED

NOW: Final = """\
SELECT period_start AS "time", actual_gco2_kwh AS "actual"
FROM reporting.telemetry_24h
WHERE actual_gco2_kwh IS NOT NULL
ORDER BY period_start DESC
LIMIT 1"""

NEXT: Final = """\
SELECT period_start AS "time", p50 AS "forecast"
FROM reporting.forecast_latest
WHERE model = ${model:sqlstring} AND series = 'carbon_intensity'
  AND period_start > now() - interval '30 minutes'
ORDER BY period_start
LIMIT 1"""

WINDOW: Final = """\
SELECT min(period_start) AS "start", min(mean_gco2_kwh) AS "mean"
FROM reporting.greenest_window(
    '3 hours', now() + interval '24 hours', model => ${model:sqlstring})"""

AGE: Final = """\
SELECT extract(epoch FROM now() - max(period_start)) / 60 AS "minutes"
FROM reporting.telemetry_24h
WHERE actual_gco2_kwh IS NOT NULL"""

FAILED: Final = """\
SELECT count(*) AS "failed"
FROM reporting.etl_runs
WHERE started_at >= now() - interval '24 hours' AND status IN ('failed', 'crashed')"""

ACTUAL: Final = """\
SELECT period_start AS "time", actual_gco2_kwh AS "actual"
FROM reporting.telemetry
WHERE $__timeFilter(period_start)
ORDER BY period_start"""

FORECAST: Final = """\
SELECT period_start AS "time", p10 AS "p10", p90 AS "p90", p50 AS "forecast"
FROM reporting.forecast_latest
WHERE model = ${model:sqlstring} AND series = 'carbon_intensity' AND $__timeFilter(period_start)
ORDER BY period_start"""

NESO: Final = """\
SELECT period_start AS "time", p50 AS "NESO"
FROM reporting.forecast_latest
WHERE model = 'neso' AND series = 'carbon_intensity' AND $__timeFilter(period_start)
ORDER BY period_start"""

MIX: Final = """\
SELECT period_start AS "time", SHARES
FROM reporting.telemetry
WHERE $__timeFilter(period_start)
ORDER BY period_start""".replace(
    "SHARES", ", ".join(f'{fuel.column} AS "{fuel.name}"' for fuel in STACKED)
)

BY_LEAD: Final = """\
SELECT lead_bucket AS "lead",
       ERRORS
FROM reporting.forecast_accuracy CROSS JOIN LATERAL split_part(model, ':', 1) AS kind
WHERE series = 'carbon_intensity' AND $__timeFilter(target_date)
GROUP BY lead_bucket
ORDER BY split_part(lead_bucket, '-', 1)::integer""".replace(
    "ERRORS",
    ",\n       ".join(
        f"sum(mae * n) FILTER (WHERE kind = '{model}')"
        f" / sum(n) FILTER (WHERE kind = '{model}') AS \"{model}\""
        for model in MODELS
    ),
)

DAILY: Final = """\
SELECT settlement_date::timestamp AT TIME ZONE 'Europe/London' AS "time",
       min_gco2_kwh AS "lowest", max_gco2_kwh AS "highest", mean_gco2_kwh AS "mean"
FROM reporting.daily
WHERE $__timeFilter(settlement_date)
ORDER BY settlement_date"""

DAILY_MIX: Final = """\
SELECT settlement_date::timestamp AT TIME ZONE 'Europe/London' AS "time",
       renewable_pct AS "renewable", zero_carbon_pct AS "zero-carbon", fossil_pct AS "fossil"
FROM reporting.daily
WHERE $__timeFilter(settlement_date)
ORDER BY settlement_date"""

ATTEMPTS: Final = """\
SELECT started_at, asset, status, execution_time_ms, rows_written, rows_quarantined, error_message
FROM reporting.etl_runs
WHERE $__timeFilter(started_at)
ORDER BY started_at DESC
LIMIT 100"""

OF_MODEL: Final = """\
SELECT model
FROM reporting.forecast_latest
WHERE series = 'carbon_intensity' AND period_start > now() - interval '30 minutes'
GROUP BY model
ORDER BY model <> 'blend', model"""

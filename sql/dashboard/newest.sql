-- The newest half-hour with an actual, and the newest with a mix, within the last month: older ones
-- are history, not "now".
SELECT (SELECT max(period_start) FROM reporting.telemetry
        WHERE period_start > %(since)s AND actual_gco2_kwh IS NOT NULL) AS actual,
       (SELECT max(period_start) FROM reporting.telemetry
        WHERE period_start > %(since)s AND total_pct IS NOT NULL) AS mix

-- The alerts that are on, with the names of their regions.
SELECT alert_id, name, kind, region_id, r.short_name, below_gco2_kwh,
       duration_minutes * interval '1 minute', within_hours * interval '1 hour',
       notice_minutes * interval '1 minute', silent_minutes * interval '1 minute',
       quiet_minutes * interval '1 minute', in_demo, changed_at
FROM ops.alerts LEFT JOIN core.regions AS r USING (region_id)
WHERE is_on
ORDER BY alert_id

-- The greenest windows of some lengths that end within a span, of Great Britain (null) and of the
-- given regions.
SELECT place.region_id, length.hours, min(found.period_start) AS starts_at,
       max(found.period_start) + interval '30 minutes' AS ends_at,
       min(found.mean_gco2_kwh) AS mean_gco2_kwh, min(found.saved_gco2_kwh) AS saved_gco2_kwh,
       min(found.forecast_model) AS model, min(found.issued_at) AS issued_at,
       min(found.forecast_to) AS forecast_to
FROM (SELECT NULL::integer UNION ALL SELECT unnest(%(regions)s::integer[])) AS place (region_id)
CROSS JOIN unnest(%(hours)s::integer[]) AS length (hours)
CROSS JOIN LATERAL reporting.greenest_window(
    length.hours * interval '1 hour', %(first)s::timestamptz + %(within)s::interval, %(first)s::timestamptz,
    region => place.region_id) AS found
GROUP BY place.region_id, length.hours
ORDER BY place.region_id NULLS FIRST, length.hours

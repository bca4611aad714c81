-- The newest forecast of each region, series and half-hour, for each model: neso as published, and
-- blend where it is derived and shown. A region that the newest capture lacks has that of an earlier one.
{% from "macros.sql" import comments_on_london_time, latest_issue_time, lead_minutes, london_time, unit %}
CREATE VIEW reporting.regional_forecast_latest AS
WITH published AS NOT MATERIALIZED (
    SELECT region.region_id, region.short_name, known.series, vintage.issued_at, vintage.simulated,
           vintage.starts_at + (cell.step - 1) * interval '30 minutes' AS period_start,
           0.1 * cell.tenths AS p50
    FROM core.regions AS region
    CROSS JOIN LATERAL (
        SELECT v.* FROM raw.regional_vintages AS v
        WHERE v.issued_at > now() - interval '48 hours' AND v.issued_at <= {{ latest_issue_time() }}
          AND EXISTS (SELECT FROM unnest(v.forecast_tenths[region.region_id:region.region_id]) AS cell (tenths)
                      WHERE cell.tenths IS NOT NULL)
        ORDER BY v.issued_at DESC LIMIT 1) AS vintage
    CROSS JOIN forecast.series AS known
    -- one array, chosen by the series, so that a filter on it unpacks no other
    CROSS JOIN LATERAL unnest((CASE known.series
        WHEN '{{ carbon_intensity.name }}' THEN vintage.forecast_tenths
        {% for fuel in fuels %}
        WHEN '{{ fuel.name }}' THEN vintage.{{ fuel.name }}_tenths
        {% endfor %}
        END)[region.region_id:region.region_id]) WITH ORDINALITY AS cell (tenths, step)
    WHERE cell.tenths BETWEEN 0 AND CASE known.series WHEN '{{ carbon_intensity.name }}' THEN 10000 ELSE 1000 END
), found AS (
    SELECT region_id, short_name, 'neso' AS model, series, issued_at, issued_at AS created_at, period_start,
           NULL::numeric AS p10, p50, NULL::numeric AS p90, simulated, false AS derived
    FROM published
    UNION ALL
    SELECT neso.region_id, neso.short_name, 'blend', neso.series, derived.issued_at, ours.created_at,
           neso.period_start,
           -- without a band null, which greatest and least alone would ignore
           CASE WHEN weights.band IS NOT NULL THEN greatest(0, moved.p50 - weights.band) END, moved.p50,
           CASE WHEN weights.band IS NOT NULL THEN least(1000, moved.p50 + weights.band) END,
           neso.simulated OR national.simulated, true
    FROM published AS neso
    JOIN forecast.latest AS ours
      ON ours.model = 'blend' AND ours.series = neso.series AND ours.period_start = neso.period_start
     AND ours.issued_at <= {{ latest_issue_time() }} AND ours.issued_at <= ours.period_start
     -- weights are learned from forecasts of one time: NATIONAL_AGE in forecasting/regions/past.py
     AND ours.issued_at > neso.issued_at - interval '3 hours'
    JOIN forecast.latest AS national
      ON national.model = 'neso' AND national.series = neso.series AND national.period_start = neso.period_start
     AND national.issued_at <= {{ latest_issue_time() }}
     AND national.issued_at > ours.issued_at - interval '3 hours'
    -- the first half-hour at which all of it was known
    CROSS JOIN LATERAL (SELECT greatest(ours.issued_at,
        date_bin('30 minutes', greatest(neso.issued_at, national.issued_at)
                               + interval '30 minutes' - interval '1 microsecond', 'epoch'))
        ) AS derived (issued_at)
    CROSS JOIN LATERAL (
        SELECT w.weight::numeric AS weight, round(w.band_gco2_kwh::numeric, 1) AS band
        FROM forecast.regional_weights AS w
        WHERE w.region_id = neso.region_id AND w.is_shown
          AND w.fitted_at = (SELECT max(n.fitted_at) FROM forecast.regional_weights AS n
                             WHERE n.region_id = neso.region_id AND n.fitted_at <= now()
                               -- an older one is from before a long pause, and says nothing of now
                               AND n.fitted_at > now() - interval '28 days')
          AND w.lead_bucket = forecast.lead_bucket(neso.period_start - derived.issued_at)) AS weights
    CROSS JOIN LATERAL (SELECT
        round(least(1000, greatest(0, neso.p50 + weights.weight * (ours.p50 - national.p50))), 1)) AS moved (p50)
    WHERE neso.series = '{{ carbon_intensity.name }}'
)
SELECT region_id, short_name, model, issued_at, created_at, series, period_start,
       {{ london_time("period_start") }},
       p10, p50, p90, {{ lead_minutes("period_start", "issued_at") }} AS lead_minutes,
       {{ unit("series") }} AS unit, derived, simulated
FROM found
-- NESO's capture begins with the half-hour in which it was made
WHERE period_start >= issued_at;

COMMENT ON VIEW reporting.regional_forecast_latest IS 'The newest forecast of each region, series and half-hour ahead of it, for each model. Values count what is consumed in the region, national forecasts what is generated: regions 15 to 18 are as published, not means of others.';
COMMENT ON COLUMN reporting.regional_forecast_latest.region_id IS 'Region, 1 to 18: 15 is England, 16 Scotland, 17 Wales, 18 Great Britain.';
COMMENT ON COLUMN reporting.regional_forecast_latest.short_name IS 'Name of the region as the API publishes it.';
COMMENT ON COLUMN reporting.regional_forecast_latest.model IS 'neso: as published. blend: NESO''s forecast of the region, moved by what our national forecast says of NESO''s; only carbon intensity, and only where it has been no worse.';
COMMENT ON COLUMN reporting.regional_forecast_latest.issued_at IS 'Issue time, UTC; for neso, when the forecast was captured.';
COMMENT ON COLUMN reporting.regional_forecast_latest.created_at IS 'When the forecast was made; for neso, when it was captured.';
COMMENT ON COLUMN reporting.regional_forecast_latest.series IS 'carbon_intensity (gCO2/kWh), or one of the nine fuels (%).';
COMMENT ON COLUMN reporting.regional_forecast_latest.period_start IS 'Start of the forecast half-hour, UTC.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p10 IS '10 % quantile, gCO2/kWh; null for neso, which gives no band.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p50 IS 'Forecast, gCO2/kWh or %. Shares are as published: their sum may differ from 100 by rounding.';
COMMENT ON COLUMN reporting.regional_forecast_latest.p90 IS '90 % quantile, gCO2/kWh; null for neso, which gives no band.';
COMMENT ON COLUMN reporting.regional_forecast_latest.lead_minutes IS 'Minutes from the issue to the start of the half-hour.';
COMMENT ON COLUMN reporting.regional_forecast_latest.unit IS 'gCO2/kWh or %.';
COMMENT ON COLUMN reporting.regional_forecast_latest.derived IS 'True for blend: derived from a published forecast of the region and two national ones.';
COMMENT ON COLUMN reporting.regional_forecast_latest.simulated IS 'True where the recorded API simulated it, or a forecast that it is derived from.';
{{ comments_on_london_time("reporting.regional_forecast_latest") }}

-- The design that comes to mind first, to measure ours against: the same rows in tables with serial
-- ids and no other index, and views that are the obvious joins.

CREATE SCHEMA naive;

CREATE TABLE naive.published_intensity (id bigserial PRIMARY KEY, LIKE raw.intensity);
INSERT INTO naive.published_intensity
SELECT nextval('naive.published_intensity_id_seq'), ours.* FROM raw.intensity AS ours;

CREATE TABLE naive.published_generation (id bigserial PRIMARY KEY, LIKE raw.generation);
INSERT INTO naive.published_generation
SELECT nextval('naive.published_generation_id_seq'), ours.* FROM raw.generation AS ours;

CREATE TABLE naive.intensity (id bigserial PRIMARY KEY, LIKE core.intensity);
INSERT INTO naive.intensity
SELECT nextval('naive.intensity_id_seq'), ours.* FROM core.intensity AS ours;

CREATE TABLE naive.generation_mix (id bigserial PRIMARY KEY, LIKE core.generation_mix);
INSERT INTO naive.generation_mix
SELECT nextval('naive.generation_mix_id_seq'), ours.* FROM core.generation_mix AS ours;

CREATE TABLE naive.issues (id bigserial PRIMARY KEY, LIKE forecast.issues);
INSERT INTO naive.issues
SELECT nextval('naive.issues_id_seq'), ours.* FROM forecast.issues AS ours;

CREATE TABLE naive.predictions (id bigserial PRIMARY KEY, LIKE forecast.predictions);
INSERT INTO naive.predictions
SELECT nextval('naive.predictions_id_seq'), ours.* FROM forecast.predictions AS ours;

CREATE VIEW naive.telemetry AS
SELECT coalesce(i.period_start, m.period_start) AS period_start,
       (coalesce(i.period_start, m.period_start) AT TIME ZONE 'Europe/London')::date AS settlement_date,
       (1 + extract(epoch FROM coalesce(i.period_start, m.period_start)
                    - (coalesce(i.period_start, m.period_start) AT TIME ZONE 'Europe/London')::date::timestamp
                      AT TIME ZONE 'Europe/London') / 1800)::integer AS settlement_period,
       i.forecast_gco2_kwh, i.actual_gco2_kwh, i.intensity_index,
       m.biomass_pct, m.coal_pct, m.imports_pct, m.gas_pct, m.nuclear_pct, m.other_pct,
       m.hydro_pct, m.solar_pct, m.wind_pct,
       m.other_pct + coalesce(m.biomass_pct, 0) + coalesce(m.coal_pct, 0) + coalesce(m.imports_pct, 0)
           + coalesce(m.gas_pct, 0) + coalesce(m.nuclear_pct, 0) + coalesce(m.hydro_pct, 0)
           + coalesce(m.solar_pct, 0) + coalesce(m.wind_pct, 0) AS total_pct,
       CASE WHEN m.id IS NOT NULL THEN coalesce(m.hydro_pct, 0) + coalesce(m.solar_pct, 0) + coalesce(m.wind_pct, 0)
       END AS renewable_pct,
       CASE WHEN m.id IS NOT NULL THEN coalesce(m.hydro_pct, 0) + coalesce(m.solar_pct, 0) + coalesce(m.wind_pct, 0)
                                       + coalesce(m.nuclear_pct, 0)
       END AS zero_carbon_pct,
       CASE WHEN m.id IS NOT NULL THEN coalesce(m.coal_pct, 0) + coalesce(m.gas_pct, 0) END AS fossil_pct,
       coalesce(i.period_start, m.period_start) AT TIME ZONE 'Europe/London' AS period_start_london
FROM naive.intensity AS i
FULL JOIN naive.generation_mix AS m ON m.period_start = i.period_start;

CREATE VIEW naive.telemetry_24h AS
SELECT * FROM naive.telemetry WHERE period_start >= now() - interval '24 hours';

CREATE VIEW naive.generation_mix_long AS
SELECT period_start, captured_at, 'biomass' AS fuel, 'low_carbon' AS fuel_group, biomass_pct AS pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'coal', 'fossil', coal_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'imports', 'imports', imports_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'gas', 'fossil', gas_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'nuclear', 'low_carbon', nuclear_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'other', 'other', other_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'hydro', 'renewable', hydro_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'solar', 'renewable', solar_pct FROM naive.generation_mix
UNION ALL SELECT period_start, captured_at, 'wind', 'renewable', wind_pct FROM naive.generation_mix;

CREATE VIEW naive.generation_mix_24h AS
SELECT mix.period_start, mix.fuel, mix.fuel_group,
       CASE mix.fuel
           WHEN 'biomass' THEN published.biomass_pct
           WHEN 'coal' THEN published.coal_pct
           WHEN 'imports' THEN published.imports_pct
           WHEN 'gas' THEN published.gas_pct
           WHEN 'nuclear' THEN published.nuclear_pct
           WHEN 'other' THEN published.other_pct
           WHEN 'hydro' THEN published.hydro_pct
           WHEN 'solar' THEN published.solar_pct
           WHEN 'wind' THEN published.wind_pct
       END AS published_pct,
       mix.pct,
       CASE mix.fuel_group
           WHEN 'renewable' THEN 'Renewable (wind, solar, hydro)'
           WHEN 'low_carbon' THEN 'Nuclear and biomass'
           WHEN 'fossil' THEN 'Fossil (gas, coal)'
           WHEN 'imports' THEN 'Imports'
           ELSE 'Other'
       END AS fuel_group_label,
       mix.period_start AT TIME ZONE 'Europe/London' AS period_start_london,
       (mix.period_start AT TIME ZONE 'Europe/London')::date AS settlement_date,
       (1 + extract(epoch FROM mix.period_start
                    - (mix.period_start AT TIME ZONE 'Europe/London')::date::timestamp
                      AT TIME ZONE 'Europe/London') / 1800)::integer AS settlement_period
FROM naive.generation_mix_long AS mix
LEFT JOIN naive.published_generation AS published
    ON published.period_start = mix.period_start AND published.captured_at = mix.captured_at
WHERE mix.period_start >= now() - interval '24 hours';

CREATE VIEW naive.happened AS
SELECT period_start, 'carbon_intensity' AS series, actual_gco2_kwh AS actual FROM naive.intensity
UNION ALL SELECT period_start, fuel, pct FROM naive.generation_mix_long;

CREATE VIEW naive.actual_vs_predicted AS
SELECT p.model, p.series,
       CASE p.series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END AS unit,
       p.issued_at, p.period_start,
       (extract(epoch FROM p.period_start - p.issued_at) / 60)::integer AS lead_minutes,
       CASE WHEN p.period_start - p.issued_at < interval '3 hours' THEN '0-3h'
            WHEN p.period_start - p.issued_at < interval '6 hours' THEN '3-6h'
            WHEN p.period_start - p.issued_at < interval '12 hours' THEN '6-12h'
            WHEN p.period_start - p.issued_at < interval '24 hours' THEN '12-24h'
            ELSE '24-48h' END AS lead_bucket,
       happened.actual, p.p10, p.p50, p.p90,
       p.p50 - happened.actual AS error,
       abs(p.p50 - happened.actual) AS abs_error,
       happened.actual BETWEEN p.p10 AND p.p90 AS inside_80,
       p.simulated
FROM naive.predictions AS p
JOIN naive.happened ON happened.period_start = p.period_start AND happened.series = p.series
WHERE happened.actual IS NOT NULL;

CREATE VIEW naive.actual_vs_predicted_24h AS
SELECT avp.*
FROM naive.actual_vs_predicted AS avp
JOIN (SELECT model, series, period_start, max(issued_at) AS issued_at
      FROM naive.predictions GROUP BY model, series, period_start) AS newest
    USING (model, series, period_start, issued_at)
WHERE avp.period_start >= now() - interval '24 hours' AND avp.period_start <= now();

-- The writer's cycles run ahead of the clock; issues of a time later than now count for nothing.
CREATE VIEW naive.forecast AS
SELECT model, issued_at, created_at, series, period_start, p10, p50, p90,
       (extract(epoch FROM period_start - issued_at) / 60)::integer AS lead_minutes,
       CASE series WHEN 'carbon_intensity' THEN 'gCO2/kWh' ELSE '%' END AS unit,
       simulated
FROM naive.predictions
WHERE issued_at <= date_bin(interval '30 minutes', now(), timestamptz '2000-01-01 00:00Z')
                   + interval '30 minutes';

CREATE VIEW naive.forecast_latest AS
SELECT f.*
FROM naive.forecast AS f
JOIN (SELECT model, series, period_start, max(issued_at) AS issued_at
      FROM naive.forecast GROUP BY model, series, period_start) AS newest
    USING (model, series, period_start, issued_at);

CREATE VIEW naive.forecast_day_ahead AS
SELECT f.*
FROM naive.forecast AS f
JOIN (SELECT model, series, period_start, max(issued_at) AS issued_at
      FROM naive.forecast
      WHERE issued_at <= period_start - interval '24 hours'
      GROUP BY model, series, period_start) AS newest
    USING (model, series, period_start, issued_at);

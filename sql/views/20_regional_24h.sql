{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.regional_24h AS
SELECT * FROM reporting.regional_telemetry
WHERE period_start >= now() - interval '24 hours';

COMMENT ON VIEW reporting.regional_24h IS 'The last 24 hours of reporting.regional_telemetry.';
{{ inherit_comments("reporting.regional_24h", "reporting.regional_telemetry") }}

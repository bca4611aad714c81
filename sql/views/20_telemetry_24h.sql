{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.telemetry_24h AS
SELECT * FROM reporting.telemetry
WHERE period_start >= now() - interval '24 hours';

COMMENT ON VIEW reporting.telemetry_24h IS 'The last 24 hours of reporting.telemetry.';
{{ inherit_comments("reporting.telemetry_24h", "reporting.telemetry") }}

{% from "macros.sql" import inherit_comments %}
CREATE VIEW reporting.generation_mix_24h AS
SELECT * FROM reporting.generation_mix
WHERE period_start >= now() - interval '24 hours';

COMMENT ON VIEW reporting.generation_mix_24h IS 'The last 24 hours of reporting.generation_mix.';
{{ inherit_comments("reporting.generation_mix_24h", "reporting.generation_mix") }}

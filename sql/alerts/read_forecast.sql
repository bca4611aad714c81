-- The forecast of each half-hour of a region, or of Great Britain, by the first model in the order in
-- which models are shown that has one issued since `oldest`.
{% from "macros.sql" import model_place %}
SELECT DISTINCT ON (period_start) period_start, p50, model, issued_at
FROM ({% include "alerts/_recent.sql" %}) AS recent
ORDER BY period_start, {{ model_place("model") }}, issued_at DESC

-- The greenest window by the first model that has a forecast issued since `oldest`, and by how much it
-- is greener than the same use from `first` on. Without a model, the function looks for one.
{% from "macros.sql" import model_place %}
SELECT period_start, gco2_kwh, forecast_model, issued_at, saved_gco2_kwh
FROM reporting.greenest_window(
    %(duration)s, %(first)s + %(within)s, %(first)s, region => %(region)s,
    model => (SELECT model FROM ({% include "alerts/_recent.sql" %}) AS recent
              ORDER BY {{ model_place("model") }}, issued_at DESC LIMIT 1))
ORDER BY period_start

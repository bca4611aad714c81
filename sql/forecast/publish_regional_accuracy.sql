-- Publishes staged scores of the regions; unchanged rows are not rewritten.
{% set columns = ["n", "abs_error_sum", "error_sum", "abs_estimate_sum", "neso_abs_error_sum", "simulated"] %}
INSERT INTO forecast.regional_accuracy AS published
    (model, region_id, target_date, lead_bucket, {{ columns | join(", ") }})
SELECT model, region_id, target_date, lead_bucket, {{ columns | join(", ") }}
FROM staged_scores
ON CONFLICT (target_date, region_id, model, lead_bucket) DO UPDATE SET
    {% for column in columns %}
    {{ column }} = excluded.{{ column }}{{ "," if not loop.last }}
    {% endfor %}
WHERE (published.{{ columns | join(", published.") }})
      IS DISTINCT FROM (excluded.{{ columns | join(", excluded.") }})

-- The staging table for cleaned mixes. It has no constraints, so that a broken rule shows in a check by
-- name; other_pct is the value computed in Python, so that it can be compared with the table's rule.
CREATE TEMPORARY TABLE staged (
    period_start        timestamptz,
    {% for fuel in fuels %}
    {{ fuel.column }} numeric,
    {% endfor %}
    published_total_pct numeric,
    adjustment          text,
    captured_at         timestamptz
) ON COMMIT DROP

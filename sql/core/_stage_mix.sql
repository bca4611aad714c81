-- Creates the staging table for cleaned mixes. It has no constraints, so that a named check reports
-- a broken rule; other_pct is the value computed in Python, for comparison with the table's rule.
-- `before` are the columns before the half-hour, each with its type.
CREATE TEMPORARY TABLE staged (
    {% for column, type in (before | default({})).items() %}
    {{ column }} {{ type }},
    {% endfor %}
    period_start        timestamptz,
    {% for fuel in fuels %}
    {{ fuel.column }} numeric,
    {% endfor %}
    published_total_pct numeric,
    adjustment          text,
    captured_at         timestamptz
) ON COMMIT DROP

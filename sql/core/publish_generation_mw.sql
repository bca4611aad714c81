-- Publishes staged rows to core.generation_mw; unchanged rows are not rewritten.
{% set columns = ["biomass_mw", "coal_mw", "imports_mw", "gas_mw", "nuclear_mw", "other_mw", "hydro_mw", "solar_mw",
                  "wind_mw", "demand_mw", "recomputed_gco2_kwh", "metered_wind_mw", "embedded_wind_mw",
                  "embedded_known_by", "reason", "captured_at"] %}
INSERT INTO core.generation_mw AS published (period_start, {{ columns | join(", ") }})
SELECT period_start, {{ columns | join(", ") }}
FROM staged
ON CONFLICT (period_start) DO UPDATE SET
    {% for column in columns %}
    {{ column }} = excluded.{{ column }}{{ "," if not loop.last }}
    {% endfor %}
WHERE (published.{{ columns | join(", published.") }})
      IS DISTINCT FROM
      (excluded.{{ columns | join(", excluded.") }})

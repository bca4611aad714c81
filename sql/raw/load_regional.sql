-- Loads staged API responses into raw.regional.
{% set table = "raw.regional" %}
{% set keys = ["region_id"] %}
{% set columns = ["simulated", "forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"]
                 + fuels | map(attribute="column") | list + ["unknown_pct"] %}
{% include "raw/_load.sql" %}

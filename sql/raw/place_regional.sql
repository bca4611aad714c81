-- Places replayed records in raw.regional.
{% set table = "raw.regional" %}
{% set keys = ["region_id"] %}
{% set columns = ["simulated", "forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"]
                 + fuels | map(attribute="column") | list + ["unknown_pct"] %}
{% include "raw/_place.sql" %}

-- Places replayed records in raw.intensity.
{% set table = "raw.intensity" %}
{% set columns = ["forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"] %}
{% include "raw/_place.sql" %}

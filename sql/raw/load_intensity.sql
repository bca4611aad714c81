-- Loads staged API responses into raw.intensity.
{% set table = "raw.intensity" %}
{% set columns = ["forecast_gco2_kwh", "actual_gco2_kwh", "intensity_index"] %}
{% include "raw/_load.sql" %}

-- Loads staged responses with NESO's estimates of embedded generation into raw.embedded_generation.
{% set table = "raw.embedded_generation" %}
{% set columns = ["embedded_wind_mw", "embedded_solar_mw"] %}
{% include "raw/_load.sql" %}

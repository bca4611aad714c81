-- Places replayed records in raw.embedded_generation.
{% set table = "raw.embedded_generation" %}
{% set columns = ["embedded_wind_mw", "embedded_solar_mw"] %}
{% include "raw/_place.sql" %}

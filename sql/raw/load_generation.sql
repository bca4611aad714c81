-- Loads staged API responses into raw.generation.
{% set table = "raw.generation" %}
{% set columns = fuels | map(attribute="column") | list + ["unknown_pct"] %}
{% include "raw/_load.sql" %}

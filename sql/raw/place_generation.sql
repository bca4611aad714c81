-- Places replayed records in raw.generation.
{% set table = "raw.generation" %}
{% set columns = fuels | map(attribute="column") | list + ["unknown_pct"] %}
{% include "raw/_place.sql" %}

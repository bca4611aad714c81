-- From the staged responses of the API into raw.generation.
{% set table = "raw.generation" %}
{% set columns = fuels | map(attribute="column") | list + ["unknown_pct"] %}
{% include "raw/_load.sql" %}

-- Whether national half-hours would lose a fuel.
{% set table = "core.generation_mix" %}
{% include "checks/_fuels_kept.sql" %}

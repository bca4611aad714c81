-- Whether half-hours of regions would lose a fuel.
{% set table = "core.regional_mix" %}
{% set keys = ["region_id"] %}
{% include "checks/_fuels_kept.sql" %}

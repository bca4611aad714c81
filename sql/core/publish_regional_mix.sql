-- Publishes staged mixes of regions.
{% set table = "core.regional_mix" %}
{% set keys = ["region_id"] %}
{% set carried = ["simulated"] %}
{% include "core/_publish_mix.sql" %}

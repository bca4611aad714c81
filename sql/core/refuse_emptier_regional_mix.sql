-- Takes mixes of regions that lack a fuel from those that are staged.
{% set table = "core.regional_mix" %}
{% set published = "raw.regional" %}
{% set keys = ["region_id"] %}
{% set before = ["region_id", "simulated"] %}
{% include "core/_refuse_emptier_mixes.sql" %}

-- Creates the staging table for mixes of regions.
{% set before = {"region_id": "smallint", "simulated": "boolean"} %}
{% include "core/_stage_mix.sql" %}

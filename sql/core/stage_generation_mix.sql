-- Creates the staging table for national mixes.
{% include "core/_stage_mix.sql" %}

-- Publishes staged national mixes.
{% set table = "core.generation_mix" %}
{% include "core/_publish_mix.sql" %}

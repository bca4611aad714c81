-- Takes national mixes that lack a fuel from those that are staged.
{% set table = "core.generation_mix" %}
{% set published = "raw.generation" %}
{% include "core/_refuse_emptier_mixes.sql" %}

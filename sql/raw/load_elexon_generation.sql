-- Loads staged responses with Elexon's generation by fuel into raw.elexon_generation.
{% set table = "raw.elexon_generation" %}
{% set columns = ["generation_mw", "demand_mw"] %}
{% set carried = ["published_at"] %}
{% include "raw/_load.sql" %}

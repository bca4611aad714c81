-- When the newest publication of each source of each series of the outlook was published.
{% from "macros.sql" import newest_publications %}
SELECT known.series, known.source, newest.published_at
FROM {{ newest_publications("%(now)s") }}

-- Each source of each series of the outlook, with its newest publication.
{% from "macros.sql" import inherit_comments, newest_publications %}
CREATE VIEW reporting.outlook_newest AS
SELECT known.series, known.source, newest.published_at, newest.known_from, newest.starts_at,
       newest.starts_at + cardinality(newest.value_mw) * interval '30 minutes' AS ends_at,
       newest.suspect, newest.simulated, newest.reason
FROM {{ newest_publications("now()") }};

COMMENT ON VIEW reporting.outlook_newest IS 'The newest publication of each source of each series of the outlook.';
COMMENT ON COLUMN reporting.outlook_newest.ends_at IS 'End of the last half-hour of the publication, UTC.';
{{ inherit_comments("reporting.outlook_newest", "core.outlook") }}

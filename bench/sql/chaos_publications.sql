-- Each publication of the outlook, and what it says.
SELECT concat_ws(' ', source, series, published_at, first_label) AS publication,
       concat_ws(' ', minutes, values_mw::text) AS content
FROM raw.outlook_publications

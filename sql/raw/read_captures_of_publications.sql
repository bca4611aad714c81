-- What was captured of the publications of a span of one series, capture by capture.
SELECT published_at, captured_at, first_label, minutes, values_mw, simulated
FROM raw.outlook_publications
WHERE source = %(source)s AND series = %(series)s
  AND published_at >= %(first)s AND published_at <= %(last)s
ORDER BY published_at, captured_at

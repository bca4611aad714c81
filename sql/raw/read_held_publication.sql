-- What was captured of a publication by a capture that brought records which were refused, with
-- those that have been added to it since, within a second; and its stamp.
SELECT first_label, minutes, values_mw, simulated, captured_at
FROM raw.outlook_publications
WHERE source = %(source)s AND series = %(series)s AND published_at = %(published_at)s
  AND captured_at < %(at)s::timestamptz + interval '1 second'
ORDER BY captured_at DESC
LIMIT 1

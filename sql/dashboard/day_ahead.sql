-- What was forecast for the last 24 hours: one forecast of each model, the newest that was a day old
-- when the current half-hour began. Not the last forecast before each half-hour: its lead would jump
-- with every issue, most of all between back-tested ones, and so would its line.
SELECT past.model, past.issued_at, past.period_start, past.p10, past.p50, past.p90, past.simulated
FROM reporting.forecast_day_ahead AS yesterday
JOIN reporting.actual_vs_predicted AS past USING (model, series, issued_at)
WHERE yesterday.series = 'carbon_intensity' AND yesterday.period_start = %(current)s
  AND past.series = 'carbon_intensity'
  AND past.period_start > %(current)s - interval '24 hours' AND past.period_start <= %(current)s
ORDER BY past.model, past.period_start

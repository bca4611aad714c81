-- Removes scores of the window's days that are not staged, because their forecasts or actuals are
-- gone. The function repeats that check before it deletes a row.
SELECT coalesce(sum(forecast.drop_score_without_forecast(model, series, target_date, lead_bucket)), 0)
FROM forecast.accuracy
WHERE target_date >= (%(start)s AT TIME ZONE 'UTC')::date
  AND target_date < (%(end)s AT TIME ZONE 'UTC')::date
  AND (model, series, target_date, lead_bucket) NOT IN (
      SELECT model, series, target_date, lead_bucket FROM staged)

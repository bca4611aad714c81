-- Scores of the window's days that the staged ones lack: their forecasts or actuals are gone. The
-- function looks for itself before it removes one.
SELECT coalesce(sum(forecast.drop_score_without_forecast(model, series, target_date, lead_bucket)), 0)
FROM forecast.accuracy
WHERE target_date >= (%(start)s AT TIME ZONE 'UTC')::date
  AND target_date < (%(end)s AT TIME ZONE 'UTC')::date
  AND (model, series, target_date, lead_bucket) NOT IN (
      SELECT model, series, target_date, lead_bucket FROM staged)

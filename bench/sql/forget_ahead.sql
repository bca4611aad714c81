-- Forget the forecasts that the writer made ahead of the clock: they are not in the views.
WITH of_archive AS (DELETE FROM forecast.archive WHERE issued_at > %(now)s)
DELETE FROM forecast.issues WHERE issued_at > %(now)s

-- Forget the forecasts of one issue time and, for the first issue of a day, the day's margins.
WITH of_archive AS (DELETE FROM forecast.archive WHERE issued_at = %(at)s),
     of_issues AS (DELETE FROM forecast.issues WHERE issued_at = %(at)s)
DELETE FROM forecast.calibration WHERE %(first_of_day)s AND issue_date = %(day)s

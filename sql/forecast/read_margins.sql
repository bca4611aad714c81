-- The margins of a day, 10 series by 96 steps, and the number of issues behind them.
SELECT margins, issues
FROM forecast.calibration
WHERE model = %(model)s AND revision = %(revision)s AND issue_date = %(day)s

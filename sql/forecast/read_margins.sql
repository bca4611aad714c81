-- The margins of a day by series, in the order of steps, and the number of issues behind them.
SELECT series, array_agg(margin ORDER BY step), max(issues)
FROM forecast.calibration
WHERE model = %(model)s AND revision = %(revision)s AND issue_date = %(day)s
GROUP BY series

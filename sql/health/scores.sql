-- Mean absolute error of carbon intensity and coverage of the band, by model and lead bucket, for
-- some days or for all.
SELECT model, lead_bucket, round(sum(abs_error_sum) / sum(n), 1),
       round(100.0 * sum(n_inside_80) / nullif(sum(n_band), 0)), bool_or(simulated)
FROM forecast.accuracy
WHERE series = '{{ carbon_intensity.name }}'
  AND (%(first)s::date IS NULL OR target_date BETWEEN %(first)s AND %(last)s)
GROUP BY model, lead_bucket

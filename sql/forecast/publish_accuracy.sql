-- Publishes staged rows to forecast.accuracy; unchanged rows are not rewritten.
INSERT INTO forecast.accuracy AS published
    (model, series, target_date, lead_bucket, n, abs_error_sum, error_sum, abs_actual_sum,
     n_band, pinball_sum, n_inside_80, simulated)
SELECT model, series, target_date, lead_bucket, n, abs_error_sum, error_sum, abs_actual_sum,
       n_band, pinball_sum, n_inside_80, simulated
FROM staged
ON CONFLICT (model, series, target_date, lead_bucket) DO UPDATE SET
    n = excluded.n,
    abs_error_sum = excluded.abs_error_sum,
    error_sum = excluded.error_sum,
    abs_actual_sum = excluded.abs_actual_sum,
    n_band = excluded.n_band,
    pinball_sum = excluded.pinball_sum,
    n_inside_80 = excluded.n_inside_80,
    simulated = excluded.simulated
WHERE (published.n, published.abs_error_sum, published.error_sum, published.abs_actual_sum,
       published.n_band, published.pinball_sum, published.n_inside_80, published.simulated)
      IS DISTINCT FROM
      (excluded.n, excluded.abs_error_sum, excluded.error_sum, excluded.abs_actual_sum,
       excluded.n_band, excluded.pinball_sum, excluded.n_inside_80, excluded.simulated)

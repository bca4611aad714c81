-- Forecasts that were issued on time, at times at which the configured model has not forecast yet.
SELECT model, issued_at
FROM forecast.issues AS issued
WHERE issued_at = ANY (%(times)s::timestamptz[]) AND refused_reason IS NULL AND created_at <= issued_at
  AND NOT EXISTS (
      SELECT FROM forecast.issues AS own
      WHERE own.model = %(configured)s AND own.issued_at = issued.issued_at
        AND own.refused_reason IS NULL)

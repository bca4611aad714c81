-- The numbers of complete half-hours of intensity and of the mix in a window. A half-hour whose
-- actual is missing for a known reason counts as complete.
SELECT (SELECT count(*)
        FROM core.intensity
        WHERE period_start >= %(start)s AND period_start < %(end)s
          AND (actual_gco2_kwh IS NOT NULL OR actual_reason IS NOT NULL)),
       (SELECT count(*)
        FROM core.generation_mix
        WHERE period_start >= %(start)s AND period_start < %(end)s)

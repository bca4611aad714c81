-- Half-hours of a window that are complete, of intensity and of the mix. One whose actual is missing
-- for a known reason counts.
SELECT (SELECT count(*)
        FROM core.intensity
        WHERE period_start >= %(start)s AND period_start < %(end)s
          AND (actual_gco2_kwh IS NOT NULL OR actual_reason IS NOT NULL)),
       (SELECT count(*)
        FROM core.generation_mix
        WHERE period_start >= %(start)s AND period_start < %(end)s)

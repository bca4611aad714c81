-- When the newest half-hour with an actual or a mix ended; not one that a wrong clock puts later.
SELECT greatest(
           (SELECT max(period_start) FROM core.intensity
            WHERE actual_gco2_kwh IS NOT NULL AND period_start <= %(now)s),
           (SELECT max(period_start) FROM core.generation_mix WHERE period_start <= %(now)s))
       + interval '30 minutes'

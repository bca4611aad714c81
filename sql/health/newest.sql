-- The newest actual, mix, NESO forecast and own forecast; without those that a clock that was ahead
-- has stamped later than now.
{% from "macros.sql" import latest_issue_time %}
SELECT (SELECT max(period_start) FROM core.intensity
        WHERE actual_gco2_kwh IS NOT NULL AND period_start <= %(now)s),
       (SELECT max(period_start) FROM core.generation_mix WHERE period_start <= %(now)s),
       (SELECT max(issued_at) FROM raw.neso_vintages WHERE issued_at <= %(now)s),
       (SELECT max(issued_at) FROM forecast.archive
        WHERE model <> 'neso' AND issued_at <= {{ latest_issue_time('%(now)s') }})

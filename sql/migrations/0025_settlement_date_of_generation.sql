-- A filter on the settlement date of reporting.generation_mw is answered from this, as those of
-- core.intensity and core.generation_mix are.
CREATE INDEX generation_mw_by_settlement_date
    ON core.generation_mw (((period_start AT TIME ZONE 'Europe/London')::date));

-- The new issues that differ from the stored ones. Only these are written, each as a whole.
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT a.model, a.issued_at
FROM asked AS a
LEFT JOIN forecast.issues AS i USING (model, issued_at)
WHERE (i.revision, i.intensity_to, i.mix_to, i.context_missing, i.context_assumed, i.known_by,
       i.neso_issued_at, i.calibrated_on, i.fallback_reason, i.refused_reason)
      IS DISTINCT FROM
      (a.revision, a.intensity_to, a.mix_to, a.context_missing, a.context_assumed, a.known_by,
       a.neso_issued_at, a.calibrated_on, a.fallback_reason, a.refused_reason)
UNION
SELECT model, issued_at
FROM (
    -- an issue always has the same series and half-hours, so no stored row is outside these
    SELECT model, issued_at, series, period_start, p10, p50, p90, raw_p10, raw_p50, raw_p90, simulated
    FROM staged
    EXCEPT
    SELECT p.model, p.issued_at, p.series, p.period_start, p.p10, p.p50, p.p90,
           p.raw_p10, p.raw_p50, p.raw_p90, p.simulated
    FROM forecast.predictions AS p JOIN asked AS a USING (model, issued_at)
) AS differing

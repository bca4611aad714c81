-- The new issues that differ from the stored ones. Only these are written, each as a whole.
CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
SELECT a.model, a.issued_at
FROM asked AS a
LEFT JOIN forecast.issues AS i USING (model, issued_at)
WHERE (i.revision, i.intensity_to, i.mix_to, i.context_missing, i.context_assumed,
       i.context_recomputed, i.recomputed_to, i.known_by,
       i.neso_issued_at, i.calibrated_on, i.fallback_reason, i.refused_reason, i.blend)
      IS DISTINCT FROM
      (a.revision, a.intensity_to, a.mix_to, a.context_missing, a.context_assumed,
       a.context_recomputed, a.recomputed_to, a.known_by,
       a.neso_issued_at, a.calibrated_on, a.fallback_reason, a.refused_reason, a.blend)
UNION
SELECT s.model, s.issued_at
FROM staged_arrays AS s
LEFT JOIN forecast.archive AS p
       ON p.model = s.model AND p.starts_at = s.issued_at AND p.issued_at = s.issued_at AND p.part = 0
WHERE (p.below, p.p50, p.above, p.raw_p10, p.raw_p90, p.simulated)
      IS DISTINCT FROM (s.below, s.p50, s.above, s.raw_p10, s.raw_p90, false)

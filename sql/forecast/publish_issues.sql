-- Publishes the changed issues to forecast.issues, replacing the stored ones.
INSERT INTO forecast.issues
    (model, issued_at, created_at, revision, intensity_to, mix_to, context_missing, context_assumed,
     context_recomputed, recomputed_to, known_by, neso_issued_at, calibrated_on, fallback_reason, refused_reason, blend)
SELECT model, issued_at, created_at, revision, intensity_to, mix_to, context_missing, context_assumed,
       context_recomputed, recomputed_to, known_by, neso_issued_at, calibrated_on, fallback_reason, refused_reason, blend
FROM asked JOIN changed USING (model, issued_at)
ON CONFLICT (model, issued_at) DO UPDATE SET
    created_at = excluded.created_at,
    revision = excluded.revision,
    intensity_to = excluded.intensity_to,
    mix_to = excluded.mix_to,
    context_missing = excluded.context_missing,
    context_assumed = excluded.context_assumed,
    context_recomputed = excluded.context_recomputed,
    recomputed_to = excluded.recomputed_to,
    known_by = excluded.known_by,
    neso_issued_at = excluded.neso_issued_at,
    calibrated_on = excluded.calibrated_on,
    fallback_reason = excluded.fallback_reason,
    refused_reason = excluded.refused_reason,
    blend = excluded.blend

-- Stores trees that are promoted; the same ones again replace theirs, which may be damaged.
INSERT INTO forecast.weights (model, revision, trees, card)
VALUES (%(model)s, %(revision)s, %(trees)s, %(card)s)
ON CONFLICT (model, revision) DO UPDATE
SET trees = excluded.trees, card = excluded.card, stored_at = clock_timestamp()

-- Records a model that forecasts in this warehouse; if it is known, updates its last use, source
-- and scores.
INSERT INTO forecast.models (model, revision, source, trained_to, parameters, scores,
                             first_used_at, last_used_at)
VALUES (%(model)s, %(revision)s, %(source)s, %(trained_to)s, %(parameters)s, %(scores)s,
        %(now)s, %(now)s)
ON CONFLICT (model, revision) DO UPDATE
SET last_used_at = excluded.last_used_at, source = excluded.source, scores = excluded.scores

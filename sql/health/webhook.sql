-- The arguments of the webhook, how many of the triggers that feed it there are, and whether any is
-- disabled; no row without any.
SELECT (array_agg(tgargs) FILTER (WHERE tgname = 'forecast_on_telemetry'))[1],
       count(*) FILTER (WHERE tgname IN ('note_new_telemetry', 'note_changed_telemetry')),
       bool_or(tgenabled = 'D')
FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE tgname IN ('forecast_on_telemetry', 'note_new_telemetry', 'note_changed_telemetry')
  AND (nspname, relname) IN (('ops', 'telemetry_landed'), ('core', 'intensity'), ('core', 'generation_mix'))
HAVING count(*) > 0

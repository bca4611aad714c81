-- When a run had finished both tables of core; NULL if it did not.
SELECT CASE count(DISTINCT asset) WHEN 2 THEN max(finished_at) END
FROM ops.etl_runs
WHERE run_id = %s AND asset IN ('core.intensity', 'core.generation_mix') AND status = 'success'

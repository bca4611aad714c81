-- The functions of reporting, with the names of their arguments.
SELECT proname AS name, coalesce(proargnames[1:pronargs], '{}') AS arguments
FROM pg_proc
WHERE pronamespace = to_regnamespace('reporting') AND prokind = 'f'
ORDER BY proname

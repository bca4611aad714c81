-- The login of the edge function: it may ask for a claim, report what came of it, and count what it
-- refused.
GRANT USAGE ON SCHEMA ops TO grid_waker;
GRANT EXECUTE ON FUNCTION ops.claim_forecast(uuid, text),
    ops.report_start(uuid, text, text, text, integer),
    ops.refuse_wakeups(text, integer) TO grid_waker;

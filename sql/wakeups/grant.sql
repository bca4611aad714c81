-- The login of the edge function: it may ask for a claim, report what came of it, count what it
-- refused, and send the alarm when a start fails.
GRANT USAGE ON SCHEMA ops TO grid_waker;
GRANT EXECUTE ON FUNCTION ops.claim_forecast(uuid, text),
    ops.report_start(uuid, text, text, text, integer),
    ops.refuse_wakeups(text, integer),
    ops.raise_start_alarm(text, integer),
    ops.note_alarm_sent(bigint, smallint[], integer) TO grid_waker;

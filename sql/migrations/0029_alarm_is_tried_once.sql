-- A message of the edge function counts as tried from the start, so that no look sends it a second time.

COMMENT ON COLUMN ops.alarms.key IS 'The condition, such as failed raw.intensity or stale intensity.';

-- The edge function's part: it may report that the model could not be started, and gets back the
-- message to send; no row if that was told already. `addresses` is how many it has: without any, the
-- next command of grid tells it. What it cannot send stays pending for that command, too, which leaves
-- it alone for the first minute, as after any attempt: the function may still be sending.
CREATE OR REPLACE FUNCTION ops.raise_start_alarm(failure text, addresses integer)
    RETURNS TABLE (message_id bigint, title text, body text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    at CONSTANT timestamptz := clock_timestamp();
    before CONSTANT integer := coalesce((
        SELECT max(a.times) FROM ops.alarms AS a
        WHERE a.key = 'start of the model' AND a.closed_at IS NOT NULL AND a.ended_at > at - interval '3 hours'), 0);
    said CONSTANT text := 'The model could not be started: ' || left(failure, 500);
BEGIN
    PERFORM FROM ops.locks WHERE name = 'ops.alarms' FOR UPDATE;
    IF (SELECT kind FROM ops.warehouse) = 'replay'
       OR EXISTS (SELECT FROM ops.alarms AS a WHERE a.key = 'start of the model' AND a.closed_at IS NULL) THEN
        UPDATE ops.alarms AS a SET ended_at = NULL, times = a.times + 1
        WHERE a.key = 'start of the model' AND a.closed_at IS NULL AND a.ended_at IS NOT NULL;
        RETURN;
    END IF;
    IF addresses = 0 OR (SELECT count(*) FROM ops.alarm_messages AS m
                         WHERE m.written_at > at - interval '1 hour' AND m.written_at <= at) >= 4 THEN
        INSERT INTO ops.alarms (key, severity, what, began_at, times)
        VALUES ('start of the model', 'severe', said, at, before + 1);
        RETURN;
    END IF;
    INSERT INTO ops.alarms (key, severity, what, began_at, times, told_at)
    VALUES ('start of the model', 'severe', said, at, before + 1, at);
    RETURN QUERY
        INSERT INTO ops.alarm_messages AS m (written_at, title, body, attempts, last_attempt_at)
        VALUES (at, 'Grid Assets: start of the model',
                'BEGAN ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: ' || said, 1, at)
        RETURNING m.message_id, m.title, m.body;
END
$$;
COMMENT ON FUNCTION ops.raise_start_alarm(text, integer) IS 'Notes that the model could not be started; message_id, title and body of the message to send, no row if it was told already.';

-- Notes which addresses took a message, whose attempt was counted when it was raised. It stays pending
-- until all `addresses` have.
CREATE OR REPLACE FUNCTION ops.note_alarm_sent(message bigint, took smallint[], addresses integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
UPDATE ops.alarm_messages AS m
SET delivered_to = now_taken.places,
    status = CASE WHEN now_taken.is_done THEN 'delivered' ELSE 'pending' END,
    closed_at = CASE WHEN now_taken.is_done THEN clock_timestamp() END
FROM (SELECT p.message_id, array_agg(DISTINCT place ORDER BY place) FILTER (WHERE place IS NOT NULL) AS places,
             count(DISTINCT place) >= addresses AS is_done
      FROM ops.alarm_messages AS p LEFT JOIN LATERAL unnest(p.delivered_to || took) AS place ON true
      WHERE p.message_id = message AND p.status = 'pending'
      GROUP BY p.message_id) AS now_taken
WHERE m.message_id = now_taken.message_id AND now_taken.places IS NOT NULL
$$;
COMMENT ON FUNCTION ops.note_alarm_sent(bigint, smallint[], integer) IS 'Notes the places in GRID_ALARM_URLS of the addresses that took a message.';

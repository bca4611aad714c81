-- Alarms of the operator: what is wrong with the pipeline itself, and the messages about it.

-- ops.alarms: one row is one episode of one condition, such as failed attempts at an asset, from when
-- it was first seen until its recovery was told. Unique: alarm_id; of each key at most one is open.
-- Looks by the daemon, by commands and by the edge function take turns under the lock of this
-- relation, so each episode is told once. One that returns before its recovery was told stays the
-- same episode. Nothing is deleted.
CREATE TABLE ops.alarms (
    alarm_id         bigint      GENERATED ALWAYS AS IDENTITY,
    key              text        NOT NULL,
    severity         text        NOT NULL,
    what             text        NOT NULL,
    began_at         timestamptz NOT NULL,
    times            integer     NOT NULL DEFAULT 1,
    ended_at         timestamptz,
    told_at          timestamptz,
    recovery_told_at timestamptz,
    closed_at        timestamptz,
    CONSTRAINT alarms_pk PRIMARY KEY (alarm_id),
    CONSTRAINT alarms_severity_known CHECK (severity IN ('severe', 'warning', 'note')),
    CONSTRAINT alarms_counted CHECK (times >= 1),
    CONSTRAINT alarms_closed_when_ended CHECK (closed_at IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT alarms_recovery_told_when_closed
        CHECK (recovery_told_at IS NULL OR told_at IS NOT NULL AND closed_at IS NOT NULL)
);
CREATE UNIQUE INDEX alarms_one_open ON ops.alarms (key) WHERE closed_at IS NULL;
CREATE INDEX alarms_by_end ON ops.alarms (ended_at) WHERE closed_at IS NOT NULL;
COMMENT ON TABLE ops.alarms IS 'What was wrong with the pipeline, one row for each episode (docs/alarms.md). Alerts that people set are in ops.alerts.';
COMMENT ON COLUMN ops.alarms.alarm_id IS 'Number of the episode.';
COMMENT ON COLUMN ops.alarms.key IS 'The condition, such as failed raw.intensity or stale telemetry.';
COMMENT ON COLUMN ops.alarms.severity IS 'severe: telemetry or forecasts stop, and the heartbeat reports a failure. warning: something less stops. note: told once, without a recovery.';
COMMENT ON COLUMN ops.alarms.what IS 'What is wrong and what to do; as it was when it was told.';
COMMENT ON COLUMN ops.alarms.began_at IS 'When it was first seen.';
COMMENT ON COLUMN ops.alarms.times IS 'How often it has come back, counted on from an episode that ended less than three hours before; the more often, the longer a recovery waits.';
COMMENT ON COLUMN ops.alarms.ended_at IS 'When it was first seen to be over; null while it holds.';
COMMENT ON COLUMN ops.alarms.told_at IS 'When a message about it was written; null if none was, as without GRID_ALARM_URLS.';
COMMENT ON COLUMN ops.alarms.recovery_told_at IS 'When a message about its end was written.';
COMMENT ON COLUMN ops.alarms.closed_at IS 'When the episode was closed: its recovery was told, or there was nothing to tell.';

-- ops.alarm_messages: one row is one message about alarms and its delivery. Unique: message_id.
-- Whoever delivers holds the row's lock, so that two senders send it once. Rows are never deleted; at
-- most four an hour are added.
CREATE TABLE ops.alarm_messages (
    message_id      bigint      GENERATED ALWAYS AS IDENTITY,
    written_at      timestamptz NOT NULL,
    title           text        NOT NULL,
    body            text        NOT NULL,
    status          text        NOT NULL DEFAULT 'pending',
    attempts        integer     NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    delivered_to    smallint[]  NOT NULL DEFAULT '{}',
    closed_at       timestamptz,
    error_type      text,
    error_message   text,
    CONSTRAINT alarm_messages_pk PRIMARY KEY (message_id),
    CONSTRAINT alarm_messages_status_known CHECK (status IN ('pending', 'delivered', 'expired')),
    CONSTRAINT alarm_messages_closed_unless_pending CHECK ((status = 'pending') = (closed_at IS NULL)),
    CONSTRAINT alarm_messages_attempts_counted CHECK (attempts >= 0),
    CONSTRAINT alarm_messages_attempted CHECK ((attempts > 0) = (last_attempt_at IS NOT NULL)),
    CONSTRAINT alarm_messages_delivered_somewhere CHECK (status <> 'delivered' OR delivered_to <> '{}'),
    CONSTRAINT alarm_messages_error_has_a_message CHECK ((error_type IS NULL) = (error_message IS NULL))
);
CREATE INDEX alarm_messages_by_time ON ops.alarm_messages (written_at);
CREATE INDEX alarm_messages_pending ON ops.alarm_messages (written_at) WHERE status = 'pending';
COMMENT ON TABLE ops.alarm_messages IS 'Messages about alarms, and the delivery of each to the addresses in GRID_ALARM_URLS.';
COMMENT ON COLUMN ops.alarm_messages.message_id IS 'Number of the message.';
COMMENT ON COLUMN ops.alarm_messages.written_at IS 'When it was written.';
COMMENT ON COLUMN ops.alarm_messages.title IS 'First line of the message.';
COMMENT ON COLUMN ops.alarm_messages.body IS 'Text of the message.';
COMMENT ON COLUMN ops.alarm_messages.status IS 'pending: to be sent, or tried again. delivered: every address took it. expired: some address did not take it within a day.';
COMMENT ON COLUMN ops.alarm_messages.attempts IS 'How often it was tried.';
COMMENT ON COLUMN ops.alarm_messages.last_attempt_at IS 'When it was last tried.';
COMMENT ON COLUMN ops.alarm_messages.delivered_to IS 'Places in GRID_ALARM_URLS, from 1, of the addresses that took it; only the others are tried again.';
COMMENT ON COLUMN ops.alarm_messages.closed_at IS 'When it was delivered or expired; null while pending.';
COMMENT ON COLUMN ops.alarm_messages.error_type IS 'What went wrong in the last attempt; null if nothing did.';
COMMENT ON COLUMN ops.alarm_messages.error_message IS 'The same in a sentence, without any address.';

-- ops.heartbeat: one row, ever: the cycle that GRID_HEARTBEAT_URL was last told of. Whoever pings holds
-- its lock, so that one cycle is one ping.
CREATE TABLE ops.heartbeat (
    only_row      boolean NOT NULL DEFAULT true,
    cycle_at      timestamptz,
    is_healthy    boolean,
    tried_at      timestamptz,
    told_at       timestamptz,
    error_type    text,
    error_message text,
    CONSTRAINT heartbeat_pk PRIMARY KEY (only_row),
    CONSTRAINT heartbeat_has_one_row CHECK (only_row),
    CONSTRAINT heartbeat_error_has_a_message CHECK ((error_type IS NULL) = (error_message IS NULL))
);
COMMENT ON TABLE ops.heartbeat IS 'One row: the last ping of GRID_HEARTBEAT_URL.';
COMMENT ON COLUMN ops.heartbeat.only_row IS 'Always true; makes a second row impossible.';
COMMENT ON COLUMN ops.heartbeat.cycle_at IS 'End of the newest cycle that was told, or tried.';
COMMENT ON COLUMN ops.heartbeat.is_healthy IS 'Whether that cycle was healthy; otherwise the ping said /fail.';
COMMENT ON COLUMN ops.heartbeat.tried_at IS 'When the address was last asked.';
COMMENT ON COLUMN ops.heartbeat.told_at IS 'When the address last took a ping.';
COMMENT ON COLUMN ops.heartbeat.error_type IS 'What went wrong in the last ping; null if nothing did.';
COMMENT ON COLUMN ops.heartbeat.error_message IS 'The same in a sentence, without the address.';
INSERT INTO ops.heartbeat DEFAULT VALUES;

INSERT INTO ops.locks (name) VALUES ('ops.alarms') ON CONFLICT DO NOTHING;

-- The edge function's part: it may report that the model could not be started, and gets back the
-- message to send; no row if that was told already. `addresses` is how many it has: without any, the
-- next command of grid tells it. What it cannot send stays pending for that command, too.
CREATE FUNCTION ops.raise_start_alarm(failure text, addresses integer)
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
        INSERT INTO ops.alarm_messages AS m (written_at, title, body)
        VALUES (at, 'Grid Assets: start of the model',
                'BEGAN ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: ' || said)
        RETURNING m.message_id, m.title, m.body;
END
$$;
COMMENT ON FUNCTION ops.raise_start_alarm(text, integer) IS 'Notes that the model could not be started; message_id, title and body of the message to send, no row if it was told already.';

-- Notes which addresses took a message. It stays pending until all `addresses` have.
CREATE FUNCTION ops.note_alarm_sent(message bigint, took smallint[], addresses integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
UPDATE ops.alarm_messages AS m
SET attempts = m.attempts + 1, last_attempt_at = clock_timestamp(), delivered_to = now_taken.places,
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

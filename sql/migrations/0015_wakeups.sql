-- Forecasts that something outside starts, such as an edge function: whether one is due, who starts
-- it, and what came of it.

COMMENT ON COLUMN ops.etl_runs.trigger IS 'What started the run: schedule, sensor, webhook, tick, forecast, backfill, backtest, or manual.';

-- "Is a forecast due?" has its only answer here. The sensor, the commands and the edge function ask.

-- Telemetry older than a context is ignored. A stamp later than now, which a wrong clock has set,
-- hides no telemetry.
CREATE FUNCTION forecast.telemetry_ends(
    at timestamptz, OUT latest timestamptz, OUT intensity_to timestamptz, OUT mix_to timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT latest,
       (SELECT max(period_start) + interval '30 minutes' FROM core.intensity
        WHERE actual_gco2_kwh IS NOT NULL
          AND period_start >= latest - interval '7 days' AND period_start < latest
          AND least(coalesce(captured_at, period_start + interval '30 minutes'), now()) <= latest),
       (SELECT max(period_start) + interval '30 minutes' FROM core.generation_mix
        WHERE period_start >= latest - interval '7 days' AND period_start < latest
          AND least(coalesce(captured_at, period_start + interval '30 minutes'), now()) <= latest)
FROM (SELECT to_timestamp(ceil(extract(epoch FROM at) / 1800) * 1800)) AS next_half_hour (latest)
$$;
COMMENT ON FUNCTION forecast.telemetry_ends(timestamptz) IS
    'latest is the issue time of a forecast made at a time; intensity_to and mix_to are the ends of the newest half-hours that it may use.';

-- If intensity or mix has none within a context, a refused issue that used the other one covers it. A
-- refused issue counts only until core changes: the missing half-hours may have arrived since. One
-- stamped later than now covers nothing.
CREATE FUNCTION forecast.has_unused_telemetry(of_model text, at timestamptz DEFAULT now())
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT NOT (intensity_to IS NULL AND mix_to IS NULL) AND NOT EXISTS (
    SELECT FROM forecast.issues AS i
    WHERE (of_model IS NULL OR i.model = of_model)
      AND i.issued_at > least(newest.intensity_to, newest.mix_to) - interval '1 day'
      AND i.issued_at <= latest
      AND (newest.intensity_to IS NULL OR i.intensity_to >= newest.intensity_to)
      AND (newest.mix_to IS NULL OR i.mix_to >= newest.mix_to)
      AND (i.refused_reason IS NULL OR i.created_at <= now() + interval '5 minutes' AND NOT EXISTS (
          SELECT FROM ops.etl_runs AS e
          WHERE e.asset IN ('core.intensity', 'core.generation_mix')
            AND e.rows_written > 0 AND e.finished_at > i.created_at AND e.finished_at <= now())))
FROM forecast.telemetry_ends(at) AS newest
$$;
COMMENT ON FUNCTION forecast.has_unused_telemetry(text, timestamptz) IS
    'Whether core holds telemetry that no issue of the model (null: of any model) has used.';

CREATE FUNCTION forecast.due(
    of_model text DEFAULT NULL, at timestamptz DEFAULT now(), pause interval DEFAULT '5 minutes'
) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    -- one that was killed is tried again at once, but only once
    WHEN (SELECT count(*) FILTER (WHERE status = 'failed') > 0
                 OR count(*) FILTER (WHERE status = 'crashed') > 1
          FROM ops.etl_runs
          WHERE asset LIKE 'forecast.%' AND started_at > at - pause AND started_at <= now())
        THEN 'failed_lately'
    WHEN (SELECT bool_or(error_type = 'BlockingCheckFailed')
          FROM (SELECT DISTINCT ON (asset) error_type
                FROM ops.etl_runs
                WHERE asset IN ('core.intensity', 'core.generation_mix')
                  AND partition_end >= (at AT TIME ZONE 'UTC')::date - 1 AND started_at <= now()
                ORDER BY asset, started_at DESC) AS last)
        THEN 'blocked'
    WHEN forecast.has_unused_telemetry(of_model, at) THEN 'due'
    ELSE 'up_to_date'
END
$$;
COMMENT ON FUNCTION forecast.due(text, timestamptz, interval) IS
    'due, up_to_date, failed_lately (a forecast failed within the pause) or blocked (a check stopped the newest telemetry).';

-- ops.telemetry_landed: one row is one table of core, with the last time that it got telemetry of
-- the last seven days. Unique: relation. Filled by triggers on core, only where a webhook is
-- installed; the webhook is a trigger on this table, so that a publication of many half-hours wakes
-- the function once, or twice if it adds some and changes others.
CREATE TABLE ops.telemetry_landed (
    relation     text        NOT NULL,
    landed_at    timestamptz NOT NULL,
    period_start timestamptz NOT NULL,
    CONSTRAINT telemetry_landed_pk PRIMARY KEY (relation)
);
COMMENT ON TABLE ops.telemetry_landed IS 'When core.intensity and core.generation_mix last got telemetry; empty without a webhook.';
COMMENT ON COLUMN ops.telemetry_landed.relation IS 'Table of core.';
COMMENT ON COLUMN ops.telemetry_landed.landed_at IS 'When it was published, shortly before the commit.';
COMMENT ON COLUMN ops.telemetry_landed.period_start IS 'Newest half-hour that was added or changed then.';

-- ops.wakeups: one row is one start of the model from outside, or the refused requests of one kind in
-- one hour. Unique: wakeup, which the caller chooses, so that it can ask again after a lost answer.
-- At most one row is open (claimed or started). Rows are kept for ever, at most some fifty a day.
CREATE TABLE ops.wakeups (
    wakeup        uuid        NOT NULL DEFAULT gen_random_uuid(),
    woken_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    source        text        NOT NULL,
    status        text        NOT NULL,
    landed_at     timestamptz,
    intensity_to  timestamptz,
    mix_to        timestamptz,
    lease_until   timestamptz,
    started_at    timestamptz,
    started_by    text,
    finished_at   timestamptz,
    retry_at      timestamptz,
    error_type    text,
    error_message text,
    times         integer     NOT NULL DEFAULT 1,
    CONSTRAINT wakeups_pk PRIMARY KEY (wakeup),
    CONSTRAINT wakeups_status_known CHECK (
        status IN ('claimed', 'started', 'answered', 'failed', 'expired', 'refused', 'unsent')),
    CONSTRAINT wakeups_lease_while_open CHECK (
        status NOT IN ('claimed', 'started') OR lease_until IS NOT NULL AND finished_at IS NULL),
    CONSTRAINT wakeups_error_has_a_type CHECK (
        (status IN ('failed', 'expired', 'refused', 'unsent')) = (error_type IS NOT NULL)),
    CONSTRAINT wakeups_counted CHECK (times > 0)
);
CREATE UNIQUE INDEX wakeups_one_open ON ops.wakeups ((true)) WHERE status IN ('claimed', 'started');
CREATE UNIQUE INDEX wakeups_counted_by_hour
    ON ops.wakeups (status, error_type, date_bin('1 hour', woken_at, timestamptz '2000-01-01 00:00Z'))
    WHERE status IN ('refused', 'unsent');
CREATE INDEX wakeups_by_time ON ops.wakeups (woken_at DESC);
COMMENT ON TABLE ops.wakeups IS 'Starts of the model from outside, such as by the edge function, and requests that it refused.';
COMMENT ON COLUMN ops.wakeups.wakeup IS 'Token of the start, chosen by whoever claims it.';
COMMENT ON COLUMN ops.wakeups.woken_at IS 'When the forecast was claimed; of refused requests, the first of the hour.';
COMMENT ON COLUMN ops.wakeups.source IS 'What woke: webhook, cron or other.';
COMMENT ON COLUMN ops.wakeups.status IS 'claimed (about to start the model), started, answered (an issue came of it), failed, expired (nothing came of it), refused (a request without the secret, for instance) or unsent (the webhook could not be queued).';
COMMENT ON COLUMN ops.wakeups.landed_at IS 'When the telemetry that made the forecast due was published, if a webhook is installed.';
COMMENT ON COLUMN ops.wakeups.intensity_to IS 'End of the newest actual that the forecast was claimed for.';
COMMENT ON COLUMN ops.wakeups.mix_to IS 'End of the newest mix that the forecast was claimed for.';
COMMENT ON COLUMN ops.wakeups.lease_until IS 'Until when the claim keeps others from starting the model.';
COMMENT ON COLUMN ops.wakeups.started_at IS 'When the start was accepted.';
COMMENT ON COLUMN ops.wakeups.started_by IS 'Where the model runs: github or dagster.';
COMMENT ON COLUMN ops.wakeups.finished_at IS 'When the row was closed: by an issue, a failure, or the end of the lease.';
COMMENT ON COLUMN ops.wakeups.retry_at IS 'No start before this time, after a failure.';
COMMENT ON COLUMN ops.wakeups.error_type IS 'Kind of the failure or refusal.';
COMMENT ON COLUMN ops.wakeups.error_message IS 'What went wrong and what to change, without secrets.';
COMMENT ON COLUMN ops.wakeups.times IS 'How often, in that hour, for refused and unsent; 1 otherwise.';

-- Failures since the last start that was answered, and since the last forecast: one that came after
-- its claim had ended shows that the model runs. Rows later than now come from a clock that was
-- wrong: they delay nothing.
CREATE FUNCTION ops.failed_wakeups() RETURNS SETOF ops.wakeups
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT *
FROM ops.wakeups
WHERE status IN ('failed', 'expired') AND woken_at <= clock_timestamp() + interval '5 minutes'
  AND woken_at > greatest(
      timestamptz '-infinity',
      (SELECT max(woken_at) FROM ops.wakeups
       WHERE status = 'answered' AND woken_at <= clock_timestamp() + interval '5 minutes'),
      (SELECT max(created_at) FROM forecast.issues
       WHERE model <> 'neso' AND refused_reason IS NULL
         AND issued_at > clock_timestamp() - interval '2 days' AND created_at <= clock_timestamp()))
$$;
COMMENT ON FUNCTION ops.failed_wakeups() IS 'Rows of ops.wakeups: failures since the last start that was answered, and since the last forecast.';

-- 1, 2, 4, … 30 minutes.
CREATE FUNCTION ops.wakeup_pause() RETURNS interval
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT interval '1 minute' * least(30, 2 ^ least(count(*), 10)) FROM ops.failed_wakeups()
$$;
COMMENT ON FUNCTION ops.wakeup_pause() IS 'How long the model is not started after one more failure.';

-- Closes the open row if something came of it: an issue, a failed forecast, or nothing in time.
CREATE FUNCTION ops.close_wakeup() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claim ops.wakeups;
    issued timestamptz;
    failure text;
    error text[];
BEGIN
    SELECT * INTO claim FROM ops.wakeups WHERE status IN ('claimed', 'started') FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- An issue that has used this telemetry, which none had when it was claimed. It may have been in
    -- the making then. One of a back-test has used less.
    SELECT min(created_at) INTO issued FROM forecast.issues
    WHERE model <> 'neso'
      AND issued_at > claim.woken_at - interval '1 day' AND created_at <= clock_timestamp()
      AND (claim.intensity_to IS NULL OR intensity_to >= claim.intensity_to)
      AND (claim.mix_to IS NULL OR mix_to >= claim.mix_to)
      AND (refused_reason IS NULL OR created_at > claim.woken_at);
    IF issued IS NOT NULL THEN
        UPDATE ops.wakeups SET status = 'answered', finished_at = greatest(issued, claim.woken_at)
        WHERE wakeup = claim.wakeup;
        RETURN;
    END IF;
    SELECT error_message INTO failure FROM ops.etl_runs
    WHERE asset = 'forecast.predictions' AND status IN ('failed', 'crashed')
      AND partition_end >= (claim.woken_at AT TIME ZONE 'UTC')::date - 1
      AND started_at > claim.woken_at AND started_at <= clock_timestamp()
    ORDER BY started_at DESC LIMIT 1;
    error := CASE
        WHEN FOUND THEN ARRAY['failed', 'ForecastFailed', failure]
        WHEN claim.lease_until > clock_timestamp()
            AND claim.woken_at <= clock_timestamp() + interval '5 minutes' THEN NULL
        WHEN claim.status = 'claimed' THEN ARRAY['expired', 'NotStarted',
            'No start was reported within a minute. The function was stopped, or lost its connection.']
        ELSE ARRAY['expired', 'NoForecast', format(
            'The start was accepted by %s, but no forecast came of it in time. See the runs there.',
            claim.started_by)]
    END;
    UPDATE ops.wakeups
    SET status = error[1], error_type = error[2], error_message = error[3],
        finished_at = clock_timestamp(),
        -- that a function was stopped says nothing about the next one
        retry_at = clock_timestamp()
                   + CASE error[2] WHEN 'NotStarted' THEN interval '0' ELSE ops.wakeup_pause() END
    WHERE wakeup = claim.wakeup AND error IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ops.close_wakeup() IS 'Closes the open row of ops.wakeups if something came of it.';

-- At most one caller is told to start the model; for all others the answer says why not. Asking again
-- with the same token repeats the answer. The work is read off the tables, so a lost, repeated or late
-- request changes nothing but the delay.
CREATE FUNCTION ops.claim_forecast(token uuid, woken_by text)
    RETURNS TABLE (decision text, retry_after_s integer, first_day date, last_day date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ends record;
    open_token uuid;
    open_status text;
    wait_until timestamptz;
BEGIN
    last_day := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    first_day := last_day - 1;
    PERFORM FROM ops.locks WHERE name = 'ops.wakeups' FOR UPDATE;  -- one after another
    PERFORM ops.close_wakeup();
    SELECT wakeup, status INTO open_token, open_status
    FROM ops.wakeups WHERE status IN ('claimed', 'started');
    IF FOUND THEN
        decision := CASE WHEN open_token = token AND open_status = 'claimed' THEN 'start' ELSE 'claimed' END;
        RETURN NEXT;
        RETURN;
    END IF;
    decision := forecast.due(NULL, clock_timestamp());
    IF decision <> 'due' THEN
        RETURN NEXT;
        RETURN;
    END IF;
    ends := forecast.telemetry_ends(clock_timestamp());
    -- A run is about to bring the other half of the telemetry, or the forecast itself.
    IF EXISTS (
        SELECT FROM ops.etl_runs
        WHERE started_at > clock_timestamp() - interval '1 hour'
          AND (asset = 'forecast.predictions' AND status = 'running' AND partition_end >= first_day
               AND heartbeat_at > clock_timestamp() - interval '3 minutes'
               OR asset IN ('core.intensity', 'core.generation_mix')
                  AND ends.intensity_to IS DISTINCT FROM ends.mix_to
                  AND (status = 'running' AND heartbeat_at > clock_timestamp() - interval '3 minutes'
                       OR rows_written > 0 AND finished_at > clock_timestamp() - interval '10 seconds'
                          AND finished_at <= clock_timestamp()))) THEN
        decision := 'settling';
        retry_after_s := 10;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT max(retry_at) INTO wait_until FROM ops.failed_wakeups();
    IF wait_until > clock_timestamp() THEN
        decision := 'backing_off';
        retry_after_s := ceil(extract(epoch FROM wait_until - clock_timestamp()));
        RETURN NEXT;
        RETURN;
    END IF;
    BEGIN
        INSERT INTO ops.wakeups (wakeup, source, status, landed_at, intensity_to, mix_to, lease_until)
        SELECT token, CASE WHEN woken_by IN ('webhook', 'cron') THEN woken_by ELSE 'other' END, 'claimed',
               (SELECT max(l.landed_at) FROM ops.telemetry_landed AS l), ends.intensity_to, ends.mix_to,
               clock_timestamp() + interval '1 minute';
        decision := 'start';
    EXCEPTION WHEN unique_violation THEN
        decision := 'claimed';  -- a transaction that looked before the other claim, or a used token
    END;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ops.claim_forecast(uuid, text) IS
    'Decides whether the caller starts the model now; at most one caller is told to, and asking again with the same token repeats the answer. decision is start, claimed (another start is open), up_to_date, failed_lately or blocked (see forecast.due), settling (ask again after retry_after_s) or backing_off (earlier starts failed; retry_after_s is how much longer). first_day and last_day are the UTC days of a run that forecasts.';

-- A report that comes after the claim has been closed changes nothing: another start may be open.
CREATE FUNCTION ops.report_start(
    token uuid, by_runner text, failure_type text DEFAULT NULL, failure_message text DEFAULT NULL,
    retry_after_s integer DEFAULT NULL) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
UPDATE ops.wakeups
SET started_by = left(by_runner, 100),
    status = CASE WHEN failure_type IS NULL THEN 'started' ELSE 'failed' END,
    started_at = CASE WHEN failure_type IS NULL THEN clock_timestamp() END,
    -- runs of a busy workflow service can wait for minutes
    lease_until = CASE WHEN failure_type IS NULL THEN clock_timestamp() + interval '15 minutes' END,
    finished_at = CASE WHEN failure_type IS NOT NULL THEN clock_timestamp() END,
    error_type = left(failure_type, 100),
    error_message = left(failure_message, 2000),
    retry_at = CASE WHEN failure_type IS NOT NULL THEN
        clock_timestamp() + greatest(ops.wakeup_pause(), least(coalesce(retry_after_s, 0), 86400) * interval '1 second')
    END
WHERE wakeup = token AND status = 'claimed'
$$;
COMMENT ON FUNCTION ops.report_start(uuid, text, text, text, integer) IS
    'Records that the model was started for a claim, or why that failed; a failure delays the next start.';

CREATE FUNCTION ops.count_wakeups(new_status text, kind text, message text, new_source text, count_of integer)
    RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO ops.wakeups AS counted (source, status, finished_at, error_type, error_message, times)
VALUES (new_source, new_status, clock_timestamp(), left(kind, 100), left(message, 2000), count_of)
ON CONFLICT (status, error_type, date_bin('1 hour', woken_at, timestamptz '2000-01-01 00:00Z'))
    WHERE status IN ('refused', 'unsent')
DO UPDATE SET times = least(counted.times::bigint + excluded.times, 2147483647),
              finished_at = excluded.finished_at, error_message = excluded.error_message
$$;
COMMENT ON FUNCTION ops.count_wakeups(text, text, text, text, integer) IS
    'Counts refused or unsent wake-ups, one row for each kind and hour.';

CREATE FUNCTION ops.refuse_wakeups(reason text, times integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT ops.count_wakeups(
    'refused',
    CASE WHEN reason IN ('wrong_secret', 'no_secret', 'wrong_method', 'huge_body') THEN reason
         ELSE 'other' END,
    CASE reason
    WHEN 'wrong_secret' THEN 'Requests with a wrong secret. If the webhook or cron sent them, give both sides the same GRID_WAKE_SECRET.'
    WHEN 'no_secret' THEN 'Requests without the header x-grid-secret.'
    WHEN 'wrong_method' THEN 'Requests with another method than POST.'
    WHEN 'huge_body' THEN 'Requests with a body over the limit.'
    ELSE 'Requests that were refused.' END, 'other', greatest(1, times))
$$;
COMMENT ON FUNCTION ops.refuse_wakeups(text, integer) IS 'Counts requests that the function refused.';

-- Trigger on the tables of core, where a webhook is installed. Whatever goes wrong with the webhook,
-- the telemetry is published.
CREATE FUNCTION ops.note_telemetry() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest timestamptz;
BEGIN
    -- what a context no longer reaches makes no forecast due, and neither does a missing actual
    SELECT max(period_start) INTO newest FROM landed
    WHERE period_start > now() - interval '7 days'
      AND to_jsonb(landed) -> 'actual_gco2_kwh' IS DISTINCT FROM 'null'::jsonb;
    IF newest IS NOT NULL THEN
        INSERT INTO ops.telemetry_landed AS known (relation, landed_at, period_start)
        VALUES (format('%s.%s', TG_TABLE_SCHEMA, TG_TABLE_NAME), clock_timestamp(), newest)
        ON CONFLICT (relation) DO UPDATE
        SET landed_at = excluded.landed_at, period_start = excluded.period_start;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'The webhook could not be queued: %', SQLERRM;
    PERFORM ops.count_wakeups('unsent', SQLSTATE, 'The webhook could not be queued: ' || SQLERRM, 'webhook', 1);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ops.note_telemetry() IS
    'Notes in ops.telemetry_landed that a table of core has got telemetry, which fires the webhook.';

INSERT INTO ops.locks (name) VALUES ('ops.wakeups') ON CONFLICT DO NOTHING;

-- Starts from outside also know generation by fuel, which makes forecasts due while the Carbon
-- Intensity API is silent. Without it, the issue before answered every start at once, so that the
-- model was started each minute, and a start of which nothing came was never noticed.

ALTER TABLE ops.wakeups ADD COLUMN recomputed_to timestamptz;
COMMENT ON COLUMN ops.wakeups.recomputed_to IS 'End of the newest half-hour that generation by fuel could add to the published ones when the forecast was claimed; null if none.';
COMMENT ON COLUMN ops.wakeups.landed_at IS 'When what made the forecast due was published, telemetry or generation by fuel, if a webhook is installed.';

-- The start that is open during the upgrade, if there is one. What is over stays as it was.
UPDATE ops.wakeups SET recomputed_to = forecast.recomputed_ends(woken_at)
WHERE status IN ('claimed', 'started');

-- The webhook notes telemetry only. Where generation goes on after it, the newest run that published
-- generation counts, too.
CREATE FUNCTION ops.landed_at() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT greatest(max(landed_at), (
    SELECT max(finished_at) FROM ops.etl_runs
    WHERE asset = 'core.generation_mw' AND rows_written > 0 AND finished_at <= clock_timestamp()
      AND partition_end >= (clock_timestamp() AT TIME ZONE 'UTC')::date - 1
      AND forecast.recomputed_ends(clock_timestamp()) IS NOT NULL))
FROM ops.telemetry_landed
HAVING count(*) > 0
$$;
COMMENT ON FUNCTION ops.landed_at() IS
    'When telemetry, or generation by fuel that goes on where it ends, was last published; null without a webhook.';

-- As in 0015. An issue that used the published values of those half-hours answers the claim, too:
-- the API has spoken again in the meantime.
CREATE OR REPLACE FUNCTION ops.close_wakeup() RETURNS void
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
      AND (claim.recomputed_to IS NULL
           OR greatest(recomputed_to, least(intensity_to, mix_to)) >= claim.recomputed_to)
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

-- As in 0015, with recomputed_to.
CREATE OR REPLACE FUNCTION ops.claim_forecast(token uuid, woken_by text)
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
        INSERT INTO ops.wakeups (wakeup, source, status, landed_at, intensity_to, mix_to, recomputed_to, lease_until)
        SELECT token, CASE WHEN woken_by IN ('webhook', 'cron') THEN woken_by ELSE 'other' END, 'claimed',
               ops.landed_at(), ends.intensity_to, ends.mix_to, forecast.recomputed_ends(clock_timestamp()),
               clock_timestamp() + interval '1 minute';
        decision := 'start';
    EXCEPTION WHEN unique_violation THEN
        decision := 'claimed';  -- a transaction that looked before the other claim, or a used token
    END;
    RETURN NEXT;
END
$$;

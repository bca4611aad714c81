-- Wraps the functions that the edge function calls: each call is a row of public.calls, and
-- public.decisions may hold the next answers of ops.claim_forecast, in order of their number.

CREATE TABLE public.calls (
    number    bigint GENERATED ALWAYS AS IDENTITY,
    name      text NOT NULL,
    token     uuid,
    called_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE public.decisions (
    number        bigint GENERATED ALWAYS AS IDENTITY,
    decision      text NOT NULL,
    retry_after_s integer
);

ALTER FUNCTION ops.claim_forecast(uuid, text) RENAME TO really_claim_forecast;

CREATE FUNCTION ops.claim_forecast(token uuid, woken_by text)
    RETURNS TABLE (decision text, retry_after_s integer, first_day date, last_day date)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.calls (name, token) VALUES ('claim_forecast', claim_forecast.token);
    DELETE FROM public.decisions AS d
    WHERE d.number = (SELECT min(m.number) FROM public.decisions AS m)
    RETURNING d.decision, d.retry_after_s INTO decision, retry_after_s;
    IF FOUND THEN
        RETURN NEXT;
    ELSE
        RETURN QUERY SELECT * FROM ops.really_claim_forecast(token, woken_by);
    END IF;
END
$$;

ALTER FUNCTION ops.refuse_wakeups(text, integer) RENAME TO really_refuse_wakeups;

CREATE FUNCTION ops.refuse_wakeups(reason text, times integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO public.calls (name) VALUES ('refuse_wakeups');
SELECT ops.really_refuse_wakeups(reason, times);
$$;

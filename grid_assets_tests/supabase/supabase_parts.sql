-- What a Supabase project has and a plain PostgreSQL lacks, for tests: the schema `net` with the
-- queue of pg_net, and `supabase_functions` with the trigger function of database webhooks. Names,
-- arguments, payload and the two UNLOGGED tables are those of Supabase. pg_net's worker is a thread
-- of the test (supabase_parts.py).

CREATE SCHEMA net;

CREATE UNLOGGED TABLE net.http_request_queue (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    method               text    NOT NULL,
    url                  text    NOT NULL,
    headers              jsonb   NOT NULL,
    body                 bytea,
    timeout_milliseconds integer NOT NULL
);

CREATE UNLOGGED TABLE net._http_response (
    id           bigint,
    status_code  integer,
    content_type text,
    headers      jsonb,
    content      text,
    timed_out    boolean,
    error_msg    text,
    created      timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION net.http_post(
    url text,
    body jsonb DEFAULT '{}',
    params jsonb DEFAULT '{}',
    headers jsonb DEFAULT '{"Content-Type": "application/json"}',
    timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO net.http_request_queue (method, url, headers, body, timeout_milliseconds)
SELECT 'POST',
       http_post.url || coalesce(
           CASE WHEN position('?' IN http_post.url) > 0 THEN '&' ELSE '?' END
               || (SELECT string_agg(key || '=' || value, '&') FROM jsonb_each_text(params)), ''),
       http_post.headers,
       convert_to(http_post.body::text, 'UTF8'),
       http_post.timeout_milliseconds
RETURNING id
$$;

CREATE SCHEMA supabase_functions;

CREATE TABLE supabase_functions.hooks (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hook_table_id integer     NOT NULL,
    hook_name     text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    request_id    bigint
);

-- CREATE TRIGGER … EXECUTE FUNCTION supabase_functions.http_request(
--     url, method, headers as JSON, params as JSON, time-out in milliseconds)
CREATE FUNCTION supabase_functions.http_request() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = supabase_functions, pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_ARGV[1] <> 'POST' THEN
        RAISE EXCEPTION 'this stand-in knows POST only, not %', TG_ARGV[1];
    END IF;
    INSERT INTO supabase_functions.hooks (hook_table_id, hook_name, request_id)
    VALUES (
        TG_RELID::integer,
        TG_NAME,
        net.http_post(
            url := TG_ARGV[0],
            headers := TG_ARGV[2]::jsonb,
            params := coalesce(TG_ARGV[3], '{}')::jsonb,
            timeout_milliseconds := coalesce(TG_ARGV[4], '1000')::integer,
            body := jsonb_build_object(
                'type', TG_OP,
                'table', TG_TABLE_NAME,
                'schema', TG_TABLE_SCHEMA,
                'record', CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END,
                'old_record', CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END
            )
        )
    );
    RETURN coalesce(NEW, OLD);
END
$$;

GRANT USAGE ON SCHEMA net, supabase_functions TO PUBLIC;

-- grid_reader: reads reporting and nothing else. A group: give it to a login of your own with
--   CREATE ROLE looker LOGIN PASSWORD '…' IN ROLE grid_reader;
-- Applied by every migration; a role that exists is left as it is.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grid_reader') THEN
        CREATE ROLE grid_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server is being migrated at the same moment
END
$$;
GRANT USAGE ON SCHEMA reporting TO grid_reader;
-- Old forecasts are deleted through one function only, which runs as its owner.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'grid_writer') THEN
        GRANT EXECUTE ON FUNCTION forecast.thin_predictions(timestamptz, interval[]), forecast.streams() TO grid_writer;
    END IF;
END
$$;

-- What was received last counts, whatever a clock said: raw gets an order of arrival beside the time
-- of capture. docs/decisions/0028 says why, and what becomes of stamps from the future.

-- Each table is written once more, in the new order. Rows stamped up to now were received in the
-- order of their stamps. A row stamped later than now was received after those that lie before it in
-- the table, to which rows are only ever added.
LOCK TABLE raw.intensity, raw.generation IN ACCESS EXCLUSIVE MODE;

CREATE UNLOGGED TABLE raw.received AS
SELECT *, CASE WHEN captured_at <= now() THEN captured_at
               ELSE coalesce(max(captured_at) FILTER (WHERE captured_at <= now()) OVER (ORDER BY ctid),
                             '-infinity') END AS received_at
FROM raw.intensity;
TRUNCATE raw.intensity;
ALTER TABLE raw.intensity ADD COLUMN arrival bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
INSERT INTO raw.intensity (period_start, captured_at, forecast_gco2_kwh, actual_gco2_kwh, intensity_index)
SELECT period_start, captured_at, forecast_gco2_kwh, actual_gco2_kwh, intensity_index
FROM raw.received ORDER BY received_at, captured_at;
DROP TABLE raw.received;

CREATE UNLOGGED TABLE raw.received AS
SELECT *, CASE WHEN captured_at <= now() THEN captured_at
               ELSE coalesce(max(captured_at) FILTER (WHERE captured_at <= now()) OVER (ORDER BY ctid),
                             '-infinity') END AS received_at
FROM raw.generation;
TRUNCATE raw.generation;
ALTER TABLE raw.generation ADD COLUMN arrival bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
INSERT INTO raw.generation (period_start, captured_at, biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct,
                            other_pct, hydro_pct, solar_pct, wind_pct, unknown_pct)
SELECT period_start, captured_at, biomass_pct, coal_pct, imports_pct, gas_pct, nuclear_pct,
       other_pct, hydro_pct, solar_pct, wind_pct, unknown_pct
FROM raw.received ORDER BY received_at, captured_at;
DROP TABLE raw.received;

COMMENT ON COLUMN raw.intensity.arrival IS 'Order in which rows were received; of a half-hour, the row with the largest is the newest.';
COMMENT ON COLUMN raw.generation.arrival IS 'Order in which rows were received; of a half-hour, the row with the largest is the newest.';
COMMENT ON COLUMN raw.intensity.captured_at IS 'When the API''s response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.generation.captured_at IS 'When the API''s response was received, by the clock of the machine that received it.';
COMMENT ON COLUMN raw.intensity.intensity_index IS 'Published class: very low, low, moderate, high, very high.';
COMMENT ON COLUMN core.intensity.intensity_index IS 'Published class: very low, low, moderate, high, very high.';

-- A half-hour that has not begun is in core only if a clock was wrong. grid_writer, which deletes
-- nothing itself, removes it through this function.
CREATE FUNCTION core.remove_unbegun() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed bigint;
    total   bigint := 0;
BEGIN
    DELETE FROM core.intensity WHERE period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    total := total + removed;
    DELETE FROM core.generation_mix WHERE period_start > now();
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN total + removed;
END
$$;
COMMENT ON FUNCTION core.remove_unbegun() IS
    'Removes the half-hours of core that have not begun by the clock of the database; returns how many.';

-- ops.clocks: one row, ever. How far the clock of the machine that last asked the API was from two
-- others. Each load replaces it.
CREATE TABLE ops.clocks (
    only_row          boolean     NOT NULL DEFAULT true,
    compared_at       timestamptz NOT NULL,
    host              text        NOT NULL,
    ahead_of_api      interval,
    ahead_of_database interval    NOT NULL,
    CONSTRAINT clocks_pk PRIMARY KEY (only_row),
    CONSTRAINT clocks_has_one_row CHECK (only_row)
);
COMMENT ON TABLE ops.clocks IS 'One row: how far the clock of the machine that last asked the API was from others.';
COMMENT ON COLUMN ops.clocks.only_row IS 'Always true; makes a second row impossible.';
COMMENT ON COLUMN ops.clocks.compared_at IS 'When the clocks were compared, by the clock of the database.';
COMMENT ON COLUMN ops.clocks.host IS 'Machine whose clock it was.';
COMMENT ON COLUMN ops.clocks.ahead_of_api IS 'By how much it was ahead of the API''s Date header; negative if behind, null if the API sent none.';
COMMENT ON COLUMN ops.clocks.ahead_of_database IS 'By how much it was ahead of the clock of the database; negative if behind.';

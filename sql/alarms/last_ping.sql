-- The cycle that the heartbeat was last told of; null if a clock that was ahead has stamped it later than
-- now, because cycles until then would not be told.
SELECT CASE WHEN cycle_at <= clock_timestamp() THEN cycle_at END FROM ops.heartbeat

-- The cycle that the heartbeat was last told of, for this transaction alone; no row while another
-- sender pings.
SELECT cycle_at FROM ops.heartbeat FOR UPDATE SKIP LOCKED

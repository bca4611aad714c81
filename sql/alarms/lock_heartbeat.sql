-- As last_ping, for this transaction alone; no row while another sender pings.
SELECT CASE WHEN cycle_at <= clock_timestamp() THEN cycle_at END FROM ops.heartbeat FOR UPDATE SKIP LOCKED

-- Records how far the clock of this machine is from others, replacing the last comparison.
INSERT INTO ops.clocks (compared_at, host, ahead_of_api, ahead_of_database)
VALUES (clock_timestamp(), %(host)s, %(ahead_of_api)s, %(ahead_of_database)s)
ON CONFLICT (only_row) DO UPDATE SET
    compared_at = excluded.compared_at,
    host = excluded.host,
    ahead_of_api = excluded.ahead_of_api,
    ahead_of_database = excluded.ahead_of_database

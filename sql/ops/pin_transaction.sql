-- Pins for the rest of a transaction what servers and databases set differently: no limit on a
-- statement, a limit on waiting for other programs' locks, and an end to a transaction whose
-- process is suspended or whose machine is gone, so that others can go on.
SELECT set_config('statement_timeout', '0', true),
       set_config('lock_timeout', %(lock_wait)s, true),
       set_config('idle_in_transaction_session_timeout', %(idle)s, true),
       set_config('tcp_keepalives_idle', '60', true),
       set_config('tcp_keepalives_interval', '15', true),
       set_config('tcp_keepalives_count', '4', true)

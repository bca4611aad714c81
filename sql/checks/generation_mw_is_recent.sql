-- The newest half-hour with generation by fuel, if it is older than %(too_old)s; nothing if there is
-- none, because the source may be switched off.
SELECT newest AS period_start, 'is the newest half-hour with generation' AS detail, 1 AS total
FROM (SELECT max(period_start) AS newest FROM core.generation_mw
      WHERE gas_mw IS NOT NULL AND period_start <= %(now)s) AS found
WHERE newest < %(now)s::timestamptz - %(too_old)s::interval

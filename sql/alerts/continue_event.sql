-- An event goes on. What nobody has heard of yet is told as it is now; what was told only gets longer.
UPDATE ops.alert_deliveries
SET event_start = CASE WHEN is_untold THEN %(event_start)s ELSE event_start END,
    event_end = CASE WHEN is_untold THEN %(event_end)s ELSE greatest(event_end, %(event_end)s) END,
    title = CASE WHEN is_untold THEN %(title)s ELSE title END,
    body = CASE WHEN is_untold THEN %(body)s ELSE body END
-- locked, so that it waits for a cycle that is just telling it, and sees that it has
FROM (SELECT status = 'pending' AND delivered_to = '{}' AS is_untold
      FROM ops.alert_deliveries WHERE delivery_id = %(delivery_id)s FOR UPDATE) AS told
WHERE delivery_id = %(delivery_id)s

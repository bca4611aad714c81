-- Staged forecasts outside 0 to 100 percent or 0 to 1000 gCO2/kWh, and those that are not a number.
SELECT period_start, series || ' ' || coalesce(p10::text, 'null') || ' to ' || coalesce(p90::text, 'null') AS detail,
       count(*) OVER () AS total
FROM staged
WHERE (p10 >= 0 AND p90 <= CASE series WHEN '{{ carbon_intensity.name }}'
                                THEN {{ carbon_intensity.ceiling }} ELSE 100 END) IS NOT TRUE
ORDER BY period_start
LIMIT 10

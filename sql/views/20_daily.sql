{% from "days_and_months.sql" import telemetry_by %}
{{ telemetry_by("day", "daily", "settlement_date") }}

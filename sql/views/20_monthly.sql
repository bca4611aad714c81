{% from "days_and_months.sql" import telemetry_by %}
{{ telemetry_by("month", "monthly", "month") }}

{% from "days_and_months.sql" import energy_by %}
{{ energy_by("day", "daily_energy", "settlement_date") }}

{% from "days_and_months.sql" import energy_by %}
{{ energy_by("month", "monthly_energy", "month") }}

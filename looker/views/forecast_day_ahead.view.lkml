# The newest forecast issued at least 24 hours before its half-hour: what a plan for tomorrow could have used.
include: "/views/forecast_latest.view.lkml"

view: forecast_day_ahead {
  extends: [forecast_latest]
  sql_table_name: reporting.forecast_day_ahead ;;

  dimension: lead_minutes {
    label: "Lead, minutes"
    description: "Minutes from issue to the start of the half-hour; 1440 or more."
    type: number
    sql: ${TABLE}.lead_minutes ;;
    value_format_name: decimal_0
  }
}

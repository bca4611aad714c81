# The half-hours of the last 24 hours, with the fields of telemetry.
include: "/views/telemetry.view.lkml"

view: telemetry_24h {
  extends: [telemetry]
  sql_table_name: reporting.telemetry_24h ;;
}

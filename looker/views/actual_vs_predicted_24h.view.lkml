# The last 24 hours: for each half-hour, series and model the last forecast issued before it began.
include: "/views/actual_vs_predicted.view.lkml"

view: actual_vs_predicted_24h {
  extends: [actual_vs_predicted]
  sql_table_name: reporting.actual_vs_predicted_24h ;;
}

# Measures of attempts to materialise an asset.

view: +etl_runs {
  measure: count {
    label: "Attempts"
    description: "Number of attempts, including those still running."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: runs {
    label: "Runs"
    description: "Number of Dagster runs."
    type: count_distinct
    sql: ${run_id} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: succeeded {
    label: "Succeeded"
    description: "Number of attempts that succeeded."
    type: count
    filters: [status: "success"]
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: not_succeeded {
    label: "Failed or crashed"
    description: "Number of attempts that failed or crashed."
    type: count
    filters: [status: "failed,crashed"]
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: success_rate {
    label: "Success rate"
    description: "Share of finished attempts that succeeded."
    type: number
    sql: ${succeeded}::numeric / nullif(${succeeded} + ${not_succeeded}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  measure: newest_success {
    label: "Newest success (UTC)"
    description: "End of the newest successful attempt."
    type: date_time
    sql: max(CASE WHEN ${status} = 'success' THEN ${finished_raw} END) ;;
    drill_fields: [detail*]
    convert_tz: no
  }

  measure: average_execution_time_ms {
    label: "Average execution time, ms"
    description: "Mean over finished attempts."
    type: average
    sql: ${execution_time_ms} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: longest_execution_time_ms {
    label: "Longest execution time, ms"
    description: "Duration of the longest finished attempt."
    type: max
    sql: ${execution_time_ms} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_rows_fetched {
    label: "Total rows fetched"
    description: "Sum of rows_fetched."
    type: sum
    sql: ${rows_fetched} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_rows_written {
    label: "Total rows written"
    description: "Sum of rows_written: rows added or changed."
    type: sum
    sql: ${rows_written} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_rows_quarantined {
    label: "Total rows quarantined"
    description: "Sum of rows_quarantined."
    type: sum
    sql: ${rows_quarantined} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  set: detail {
    fields: [started_time, asset, status, trigger, partition_start_date, partition_end_date, execution_time_ms,
      rows_written, rows_quarantined, error_message]
  }
}

# One row is one attempt to materialise one asset.
view: etl_runs {
  sql_table_name: reporting.etl_runs ;;

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.run_id, ${TABLE}.asset, ${TABLE}.attempt) ;;
  }

  # Columns

  dimension: run_id {
    label: "Run"
    description: "Dagster run."
    type: string
    sql: ${TABLE}.run_id ;;
  }

  dimension: asset {
    label: "Asset"
    description: "Relation that the attempt writes, such as core.generation_mix."
    type: string
    sql: ${TABLE}.asset ;;
  }

  dimension: attempt {
    label: "Attempt"
    description: "First attempt of this asset in this run is 1."
    type: number
    sql: ${TABLE}.attempt ;;
    value_format_name: decimal_0
  }

  dimension: trigger {
    label: "Trigger"
    description: "What started the run: schedule, tick, backfill, or manual."
    type: string
    sql: ${TABLE}.trigger ;;
  }

  dimension_group: partition_start {
    label: "First day (UTC)"
    description: "First UTC day, included."
    type: time
    timeframes: [date, week, month]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.partition_start ;;
  }

  dimension_group: partition_end {
    label: "Last day (UTC)"
    description: "Last UTC day, included."
    type: time
    timeframes: [date, week, month]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.partition_end ;;
  }

  dimension_group: started {
    label: "Started (UTC)"
    description: "Start of the attempt."
    type: time
    timeframes: [raw, time, hour, date, week, month]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.started_at ;;
  }

  dimension_group: finished {
    label: "Finished (UTC)"
    description: "End of the attempt; null while it runs."
    type: time
    timeframes: [raw, time, date]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.finished_at ;;
  }

  dimension: execution_time_ms {
    label: "Execution time, ms"
    description: "Milliseconds from start to end."
    type: number
    sql: ${TABLE}.execution_time_ms ;;
    value_format_name: decimal_0
  }

  dimension: rows_fetched {
    label: "Rows fetched"
    description: "Records judged: received from the API, or read from raw."
    type: number
    sql: ${TABLE}.rows_fetched ;;
    value_format_name: decimal_0
  }

  dimension: rows_written {
    label: "Rows written"
    description: "Rows added or changed."
    type: number
    sql: ${TABLE}.rows_written ;;
    value_format_name: decimal_0
  }

  dimension: rows_quarantined {
    label: "Rows quarantined"
    description: "Records or bodies rejected by this attempt."
    type: number
    sql: ${TABLE}.rows_quarantined ;;
    value_format_name: decimal_0
  }

  dimension: status {
    label: "Status"
    description: "running, success, failed, or crashed (the process died)."
    type: string
    sql: ${TABLE}.status ;;
  }

  dimension: error_type {
    label: "Error type"
    description: "Exception class of a failure."
    type: string
    sql: ${TABLE}.error_type ;;
  }

  dimension: error_message {
    label: "Error message"
    description: "What went wrong and what to change."
    type: string
    sql: ${TABLE}.error_message ;;
  }

  # Measures

  measure: count {
    label: "Attempts"
    description: "Number of attempts, running ones too."
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
    description: "Attempts that succeeded."
    type: count
    filters: [status: "success"]
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: not_succeeded {
    label: "Failed or crashed"
    description: "Attempts that failed or crashed."
    type: count
    filters: [status: "failed,crashed"]
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: success_rate {
    label: "Success rate"
    description: "Succeeded attempts by ended ones."
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
    description: "Mean over ended attempts."
    type: average
    sql: ${execution_time_ms} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: longest_execution_time_ms {
    label: "Longest execution time, ms"
    description: "Of an ended attempt."
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
    fields: [started_time, asset, status, trigger, partition_start_date, partition_end_date, execution_time_ms, rows_written, rows_quarantined, error_message]
  }
}

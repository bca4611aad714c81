# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: etl_runs {
  sql_table_name: reporting.etl_runs ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.run_id, ${TABLE}.asset, ${TABLE}.attempt) ;;
  }

  dimension: run_id {
    label: "Run"
    description: "ID of the Dagster run."
    type: string
    sql: ${TABLE}.run_id ;;
  }

  dimension: asset {
    label: "Asset"
    description: "Relation that the attempt writes, for example core.generation_mix."
    type: string
    sql: ${TABLE}.asset ;;
  }

  dimension: attempt {
    label: "Attempt"
    description: "Number of the attempt at this asset within the run, from 1."
    type: number
    sql: ${TABLE}.attempt ;;
    value_format_name: decimal_0
  }

  dimension: trigger {
    label: "Trigger"
    description: "What started the run: schedule, sensor, webhook, tick, forecast, backfill, backtest, or manual."
    type: string
    sql: ${TABLE}.trigger ;;
  }

  dimension: execution_time_ms {
    label: "Execution time, ms"
    description: "Duration in milliseconds; null while the attempt runs, and for a crashed one."
    type: number
    sql: ${TABLE}.execution_time_ms ;;
    value_format_name: decimal_0
  }

  dimension: rows_fetched {
    label: "Rows fetched"
    description: "Records received from the API, or read from raw."
    type: number
    sql: ${TABLE}.rows_fetched ;;
    value_format_name: decimal_0
  }

  dimension: rows_written {
    label: "Rows written"
    description: "Rows added or changed; 0 for a re-run that changes nothing."
    type: number
    sql: ${TABLE}.rows_written ;;
    value_format_name: decimal_0
  }

  dimension: rows_quarantined {
    label: "Rows quarantined"
    description: "Records or response bodies that the attempt rejected."
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
    description: "Exception class of the failure."
    type: string
    sql: ${TABLE}.error_type ;;
  }

  dimension: error_message {
    label: "Error message"
    description: "What went wrong and what to do, without secrets."
    type: string
    sql: ${TABLE}.error_message ;;
  }

  dimension_group: partition_start {
    label: "First day (UTC)"
    description: "First UTC day of the run, inclusive."
    type: time
    timeframes: [
      date,
      day_of_week,
      week,
      month,
      quarter,
      year,
    ]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.partition_start ;;
  }

  dimension_group: partition_end {
    label: "Last day (UTC)"
    description: "Last UTC day of the run, inclusive."
    type: time
    timeframes: [
      date,
      day_of_week,
      week,
      month,
      quarter,
      year,
    ]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.partition_end ;;
  }

  dimension_group: started {
    label: "Started (UTC)"
    description: "When the attempt started, UTC."
    type: time
    timeframes: [
      raw,
      time,
      hour,
      date,
      hour_of_day,
      week,
      month,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.started_at ;;
  }

  dimension_group: finished {
    label: "Finished (UTC)"
    description: "When the attempt ended, UTC; null while it runs. For a crashed attempt, when the crash was noticed."
    type: time
    timeframes: [
      raw,
      time,
      hour,
      date,
      hour_of_day,
      week,
      month,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.finished_at ;;
  }
}

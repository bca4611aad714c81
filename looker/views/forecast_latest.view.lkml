# One row is the newest forecast of one series and half-hour by one model. Look at one series at a time: units differ.
view: forecast_latest {
  sql_table_name: reporting.forecast_latest ;;

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.series, ${TABLE}.period_start) ;;
  }

  # Columns

  dimension: model {
    label: "Model"
    description: "chronos:<checkpoint>, seasonal_naive or neso."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension_group: issued {
    label: "Issued (UTC)"
    description: "When the forecast was issued, UTC."
    type: time
    timeframes: [raw, time, hour, date, hour_of_day, week, month]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.issued_at ;;
  }

  dimension_group: created {
    label: "Made (UTC)"
    description: "When it was made; for neso, when it was captured."
    type: time
    timeframes: [raw, time, date]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.created_at ;;
  }

  dimension: series {
    label: "Series"
    description: "carbon_intensity, or one of the nine fuels."
    type: string
    sql: ${TABLE}.series ;;
  }

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the forecast half-hour, UTC."
    type: time
    timeframes: [raw, time, minute30, hour, date, hour_of_day, day_of_week, week, month, quarter, year]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.period_start ;;
  }

  dimension: p10 {
    label: "p10 (in unit)"
    description: "10 % quantile, in unit; null where the model gives no band."
    type: number
    sql: ${TABLE}.p10 ;;
    value_format_name: decimal_1
  }

  dimension: p50 {
    label: "p50, median (in unit)"
    description: "Median, in unit."
    type: number
    sql: ${TABLE}.p50 ;;
    value_format_name: decimal_1
  }

  dimension: p90 {
    label: "p90 (in unit)"
    description: "90 % quantile, in unit; null where the model gives no band."
    type: number
    sql: ${TABLE}.p90 ;;
    value_format_name: decimal_1
  }

  dimension: lead_minutes {
    label: "Lead, minutes"
    description: "Minutes from issue to the start of the half-hour; never negative."
    type: number
    sql: ${TABLE}.lead_minutes ;;
    value_format_name: decimal_0
  }

  dimension: unit {
    label: "Unit"
    description: "gCO2/kWh or %."
    type: string
    sql: ${TABLE}.unit ;;
  }

  dimension: simulated {
    label: "Simulated"
    description: "True for a simulated forecast of the recorded API."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  # Measures

  measure: count {
    label: "Forecasts"
    description: "Number of forecast half-hours, by series and model."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_p10 {
    label: "Average p10 (in unit)"
    description: "Mean of p10; choose one series, and as a rule one model."
    type: average
    sql: ${p10} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_p50 {
    label: "Average p50 (in unit)"
    description: "Mean of p50; choose one series, and as a rule one model."
    type: average
    sql: ${p50} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_p90 {
    label: "Average p90 (in unit)"
    description: "Mean of p90; choose one series, and as a rule one model."
    type: average
    sql: ${p90} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: newest_issue {
    label: "Newest issue (UTC)"
    description: "When the newest of the forecasts was issued."
    type: date_time
    sql: max(${issued_raw}) ;;
    drill_fields: [detail*]
    convert_tz: no
  }

  set: detail {
    fields: [model, series, period_time, issued_time, lead_minutes, p10, p50, p90, unit, simulated]
  }
}

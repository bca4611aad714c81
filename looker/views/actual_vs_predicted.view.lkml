# One row is one forecast of one series and half-hour beside what happened. Look at one series at a time: units differ.
view: actual_vs_predicted {
  sql_table_name: reporting.actual_vs_predicted ;;

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.series, ${TABLE}.period_start, ${TABLE}.issued_at) ;;
  }

  # Columns

  dimension: model {
    label: "Model"
    description: "chronos:<checkpoint>, seasonal_naive or neso."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension: series {
    label: "Series"
    description: "carbon_intensity, or one of the nine fuels."
    type: string
    sql: ${TABLE}.series ;;
  }

  dimension: unit {
    label: "Unit"
    description: "Unit of actual, quantiles and errors: gCO2/kWh or %."
    type: string
    sql: ${TABLE}.unit ;;
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

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the forecast half-hour, UTC."
    type: time
    timeframes: [raw, time, minute30, hour, date, hour_of_day, day_of_week, week, month, quarter, year]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.period_start ;;
  }

  dimension: lead_minutes {
    label: "Lead, minutes"
    description: "Minutes from issue to the start of the half-hour; never negative."
    type: number
    sql: ${TABLE}.lead_minutes ;;
    value_format_name: decimal_0
  }

  dimension: lead_bucket {
    label: "Lead bucket"
    description: "0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included."
    type: string
    sql: ${TABLE}.lead_bucket ;;
    order_by_field: lead_bucket_order
  }

  dimension: lead_bucket_order {
    hidden: yes
    type: number
    sql: split_part(${lead_bucket}, '-', 1)::integer ;;
  }

  dimension: actual {
    label: "Actual (in unit)"
    description: "What happened: newest published actual, or the share in the completed mix."
    type: number
    sql: ${TABLE}.actual ;;
    value_format_name: decimal_1
  }

  dimension: p10 {
    label: "p10 (in unit)"
    description: "10 % quantile; null where the model gives no band."
    type: number
    sql: ${TABLE}.p10 ;;
    value_format_name: decimal_1
  }

  dimension: p50 {
    label: "p50, median (in unit)"
    description: "Median forecast."
    type: number
    sql: ${TABLE}.p50 ;;
    value_format_name: decimal_1
  }

  dimension: p90 {
    label: "p90 (in unit)"
    description: "90 % quantile; null where the model gives no band."
    type: number
    sql: ${TABLE}.p90 ;;
    value_format_name: decimal_1
  }

  dimension: error {
    label: "Error (in unit)"
    description: "p50 minus actual."
    type: number
    sql: ${TABLE}.error ;;
    value_format_name: decimal_1
  }

  dimension: abs_error {
    label: "Absolute error (in unit)"
    description: "Absolute error."
    type: number
    sql: ${TABLE}.abs_error ;;
    value_format_name: decimal_1
  }

  dimension: inside_80 {
    label: "Inside the 80 % band"
    description: "Whether the actual lies within p10 to p90; null where the model gives no band."
    type: string
    sql: CASE WHEN ${TABLE}.inside_80 THEN 'yes' WHEN NOT ${TABLE}.inside_80 THEN 'no' END ;;
  }

  dimension: simulated {
    label: "Simulated"
    description: "True for a simulated forecast of the recorded API."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  # Measures

  measure: count {
    label: "Forecasts compared"
    description: "Number of forecasts beside an actual."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_actual {
    label: "Average actual (in unit)"
    description: "Mean of what happened."
    type: average
    sql: ${actual} ;;
    value_format_name: decimal_1
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

  measure: mean_absolute_error {
    label: "Mean absolute error (in unit)"
    description: "Mean of abs_error over forecasts."
    type: average
    sql: ${abs_error} ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: mean_error {
    label: "Bias (in unit)"
    description: "Mean of error (median minus actual); above 0 the forecast was too high."
    type: average
    sql: ${error} ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: abs_error_sum {
    label: "Sum of absolute errors"
    description: "Part of wape_of_all."
    hidden: yes
    type: sum
    sql: ${abs_error} ;;
    value_format_name: decimal_1
  }

  measure: abs_actual_sum {
    label: "Sum of absolute actuals"
    description: "Part of wape_of_all."
    hidden: yes
    type: sum
    sql: abs(${actual}) ;;
    value_format_name: decimal_1
  }

  measure: wape_of_all {
    label: "WAPE"
    description: "Sum of absolute errors over sum of actuals; null where all actuals are 0."
    type: number
    sql: ${abs_error_sum} / nullif(${abs_actual_sum}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  measure: coverage {
    label: "Coverage of the 80 % band"
    description: "Share of actuals inside p10 to p90; 80 % is wanted. Forecasts without a band are left out."
    type: average
    sql: CASE ${inside_80} WHEN 'yes' THEN 1.0 WHEN 'no' THEN 0.0 END ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [model, series, period_time, issued_time, lead_minutes, actual, p10, p50, p90, error, unit, simulated]
  }
}

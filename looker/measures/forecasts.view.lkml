# Measures of forecasts. Choose one series at a time: intensity is in gCO2/kWh and shares are in %.

view: quantile_measures {
  extension: required

  measure: average_p10 {
    label: "Average p10 (in unit)"
    description: "Mean p10. Choose one series, and usually one model."
    type: average
    sql: ${p10} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_p50 {
    label: "Average p50 (in unit)"
    description: "Mean p50. Choose one series, and usually one model."
    type: average
    sql: ${p50} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_p90 {
    label: "Average p90 (in unit)"
    description: "Mean p90. Choose one series, and usually one model."
    type: average
    sql: ${p90} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

view: forecast_measures {
  extension: required
  extends: [quantile_measures]

  measure: count {
    label: "Forecasts"
    description: "Number of forecast half-hours, by series and model."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: newest_issue {
    label: "Newest issue (UTC)"
    description: "Issue time of the newest forecast."
    type: date_time
    sql: max(${issued_raw}) ;;
    drill_fields: [detail*]
    convert_tz: no
  }

  set: detail {
    fields: [model, series, period_time, issued_time, lead_minutes, p10, p50, p90, unit, simulated]
  }
}

view: +forecast_latest {
  extends: [forecast_measures]
}

view: +forecast_day_ahead {
  extends: [forecast_measures]
}

view: comparison_measures {
  extension: required
  extends: [quantile_measures]

  measure: count {
    label: "Forecasts compared"
    description: "Number of forecasts that have an actual."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_actual {
    label: "Average actual (in unit)"
    description: "Mean actual."
    type: average
    sql: ${actual} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: mean_absolute_error {
    label: "Mean absolute error (in unit)"
    description: "Mean absolute error over forecasts."
    type: average
    sql: ${abs_error} ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: mean_error {
    label: "Bias (in unit)"
    description: "Mean error (median minus actual); above 0 means that the forecasts were too high."
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
    description: "Sum of absolute errors divided by the sum of actuals; null where all actuals are 0."
    type: number
    sql: ${abs_error_sum} / nullif(${abs_actual_sum}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  measure: coverage {
    label: "Coverage of the 80 % band"
    description: "Share of actuals inside p10 to p90, ideally 80 %. Forecasts without a band are left out."
    type: average
    sql: CASE ${inside_80} WHEN 'yes' THEN 1.0 WHEN 'no' THEN 0.0 END ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [model, series, period_time, issued_time, lead_minutes, actual, p10, p50, p90, error, unit, simulated]
  }
}

view: +actual_vs_predicted {
  extends: [comparison_measures]
}

view: +actual_vs_predicted_24h {
  extends: [comparison_measures]
}

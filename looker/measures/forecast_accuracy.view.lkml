# A row summarises anything from a few to several hundred forecasts, so every measure is weighted by
# n; an average of averages would be wrong. Choose one series at a time, because units differ. There
# is no WAPE over several rows, because the rows lack its inputs; for that, use Actual vs predicted.

view: +forecast_accuracy {
  measure: forecasts {
    label: "Forecasts compared"
    description: "Sum of n."
    type: sum
    sql: ${n} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: abs_error_sum {
    label: "Sum of absolute errors"
    description: "Part of mean_absolute_error."
    hidden: yes
    type: sum
    sql: ${mae} * ${n} ;;
    value_format_name: decimal_1
  }

  measure: error_sum {
    label: "Sum of errors"
    description: "Part of mean_error."
    hidden: yes
    type: sum
    sql: ${bias} * ${n} ;;
    value_format_name: decimal_1
  }

  measure: pinball_sum {
    label: "Sum of pinball losses"
    description: "Part of mean_pinball."
    hidden: yes
    type: sum
    sql: ${pinball} * ${n} ;;
    value_format_name: decimal_1
  }

  measure: inside_80_sum {
    label: "Forecasts inside the band"
    description: "Part of coverage."
    hidden: yes
    type: sum
    sql: ${coverage_80} * ${n} ;;
    value_format_name: decimal_0
  }

  measure: band_forecasts {
    label: "Forecasts with a band"
    description: "Sum of n over rows with a band; a model either always gives a band or never does."
    type: sum
    sql: CASE WHEN ${coverage_80} IS NOT NULL THEN ${n} END ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: mean_absolute_error {
    label: "Mean absolute error (gCO2/kWh or %)"
    description: "Mean over all forecasts: mae weighted by n."
    type: number
    sql: ${abs_error_sum} / nullif(${forecasts}, 0) ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: mean_error {
    label: "Bias (gCO2/kWh or %)"
    description: "Mean error over all forecasts: bias weighted by n; above 0 means that the forecasts were too high."
    type: number
    sql: ${error_sum} / nullif(${forecasts}, 0) ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: mean_pinball {
    label: "Mean pinball loss (gCO2/kWh or %)"
    description: "Mean over all forecasts with a band: pinball weighted by n."
    type: number
    sql: ${pinball_sum} / nullif(${band_forecasts}, 0) ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: coverage {
    label: "Coverage of the 80 % band"
    description: "Share of actuals inside p10 to p90 over all forecasts with a band, ideally 80 %."
    type: number
    sql: ${inside_80_sum} / nullif(${band_forecasts}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [model, series, target_date, lead_bucket, n, mae, bias, wape, pinball, coverage_80, simulated]
  }
}

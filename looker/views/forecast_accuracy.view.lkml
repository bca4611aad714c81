# One row is one model, series, UTC day and lead bucket. Rows stand for different numbers of forecasts, so every measure
# is weighted by n; an average of averages would be wrong. Look at one series at a time: units differ.
# There is no WAPE over several rows: it cannot be had from the rows. Use the one of Actual vs predicted.
view: forecast_accuracy {
  sql_table_name: reporting.forecast_accuracy ;;

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.series, ${TABLE}.target_date, ${TABLE}.lead_bucket) ;;
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
    description: "carbon_intensity (gCO2/kWh), or one of the nine fuels (%)."
    type: string
    sql: ${TABLE}.series ;;
  }

  dimension_group: target {
    label: "Target day (UTC)"
    description: "UTC day of the forecast half-hours."
    type: time
    timeframes: [date, day_of_week, week, month, quarter, year]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.target_date ;;
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

  dimension: n {
    label: "Forecasts of one row"
    description: "Forecasts compared with an actual."
    type: number
    sql: ${TABLE}.n ;;
    value_format_name: decimal_0
  }

  dimension: mae {
    label: "Mean absolute error of one row (gCO2/kWh or %)"
    description: "Mean absolute error, gCO2/kWh or %."
    type: number
    sql: ${TABLE}.mae ;;
    value_format_name: decimal_2
  }

  dimension: bias {
    label: "Bias of one row (gCO2/kWh or %)"
    description: "Mean error (median minus actual), gCO2/kWh or %."
    type: number
    sql: ${TABLE}.bias ;;
    value_format_name: decimal_2
  }

  dimension: wape {
    label: "WAPE of one row"
    description: "Sum of absolute errors over sum of actuals; null where all actuals are 0."
    type: number
    sql: ${TABLE}.wape ;;
    value_format_name: percent_1
  }

  dimension: pinball {
    label: "Pinball loss of one row (gCO2/kWh or %)"
    description: "Mean pinball loss over the quantiles 0.1, 0.5 and 0.9, gCO2/kWh or %; null without a band."
    type: number
    sql: ${TABLE}.pinball ;;
    value_format_name: decimal_2
  }

  dimension: coverage_80 {
    label: "Coverage of one row"
    description: "Share of actuals inside p10 to p90, 0 to 1; 0.8 is wanted. Null without a band."
    type: number
    sql: ${TABLE}.coverage_80 ;;
    value_format_name: percent_1
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the forecasts were simulated by the recorded API."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  # Measures

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
    description: "Sum of n where there is a band: a model gives one always or never."
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
    description: "Mean error over all forecasts: bias weighted by n; above 0 the forecast was too high."
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
    description: "Share of actuals inside p10 to p90, over all forecasts with a band; 80 % is wanted."
    type: number
    sql: ${inside_80_sum} / nullif(${band_forecasts}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [model, series, target_date, lead_bucket, n, mae, bias, wape, pinball, coverage_80, simulated]
  }
}

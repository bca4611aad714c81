# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: regional_forecast_accuracy {
  sql_table_name: reporting.regional_forecast_accuracy ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.region_id, ${TABLE}.model, ${TABLE}.target_date, ${TABLE}.lead_bucket) ;;
  }

  dimension: region_id {
    label: "Number of the region"
    description: "Region, 1 to 18: core.regions."
    type: number
    sql: ${TABLE}.region_id ;;
    value_format_name: decimal_0
  }

  dimension: short_name {
    label: "Region"
    description: "Name of the region as the API publishes it, such as South England; of Great Britain, GB."
    type: string
    sql: ${TABLE}.short_name ;;
  }

  dimension: model {
    label: "Model"
    description: "neso: as published. blend: derived from it with our national forecast."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension: lead_bucket {
    label: "Lead bucket"
    description: "Lead of the forecasts, lower edge included."
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
    description: "Forecasts of a half-hour that were compared."
    type: number
    sql: ${TABLE}.n ;;
    value_format_name: decimal_0
  }

  dimension: mae_against_estimate {
    label: "Mae against estimate"
    description: "Mean absolute error against the API's later estimate, gCO2/kWh."
    type: number
    sql: ${TABLE}.mae_against_estimate ;;
    value_format_name: decimal_1
  }

  dimension: bias_against_estimate {
    label: "Bias against estimate"
    description: "Mean of forecast minus estimate, gCO2/kWh."
    type: number
    sql: ${TABLE}.bias_against_estimate ;;
    value_format_name: decimal_1
  }

  dimension: wape_against_estimate {
    label: "Wape against estimate"
    description: "Sum of absolute errors over the sum of the estimates."
    type: number
    sql: ${TABLE}.wape_against_estimate ;;
    value_format_name: decimal_1
  }

  dimension: neso_mae_against_estimate {
    label: "Neso mae against estimate"
    description: "The same for NESO's forecasts of the same half-hours, issued at the same times, gCO2/kWh; null for neso itself."
    type: number
    sql: ${TABLE}.neso_mae_against_estimate ;;
    value_format_name: decimal_1
  }

  dimension: abs_error_sum {
    label: "Abs error sum"
    description: "Sum of the absolute errors, gCO2/kWh."
    type: number
    sql: ${TABLE}.abs_error_sum ;;
    value_format_name: decimal_1
  }

  dimension: error_sum {
    label: "Error sum"
    description: "Sum of forecast minus estimate, gCO2/kWh."
    type: number
    sql: ${TABLE}.error_sum ;;
    value_format_name: decimal_1
  }

  dimension: abs_estimate_sum {
    label: "Abs estimate sum"
    description: "Sum of the estimates, gCO2/kWh."
    type: number
    sql: ${TABLE}.abs_estimate_sum ;;
    value_format_name: decimal_1
  }

  dimension: neso_abs_error_sum {
    label: "Neso abs error sum"
    description: "Sum of the absolute errors of NESO's forecasts for the same half-hours, issued at the same times, gCO2/kWh; null for neso itself."
    type: number
    sql: ${TABLE}.neso_abs_error_sum ;;
    value_format_name: decimal_1
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the recorded API simulated any of it: the scores say nothing about NESO."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  dimension_group: target {
    label: "Target day (UTC)"
    description: "UTC day of the half-hours that were forecast."
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
    sql: ${TABLE}.target_date ;;
  }
}

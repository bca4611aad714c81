# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: forecast_accuracy {
  sql_table_name: reporting.forecast_accuracy ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.series, ${TABLE}.target_date, ${TABLE}.lead_bucket) ;;
  }

  dimension: model {
    label: "Model"
    description: "blend, chronos:<checkpoint>, gradient_boosting, seasonal_naive or neso."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension: series {
    label: "Series"
    description: "carbon_intensity (gCO2/kWh), or one of the nine fuels (%)."
    type: string
    sql: ${TABLE}.series ;;
  }

  dimension: lead_bucket {
    label: "Lead bucket"
    description: "Time from issue to half-hour: 0-3h, 3-6h, 6-12h, 12-24h or 24-48h, lower edge included."
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
    description: "Number of forecasts compared with an actual."
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
    description: "Share of actuals inside the band from p10 to p90, 0 to 1, ideally 0.8; null without a band."
    type: number
    sql: ${TABLE}.coverage_80 ;;
    value_format_name: percent_1
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the recorded API simulated any of the forecasts."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  dimension_group: target {
    label: "Target day (UTC)"
    description: "UTC day of the forecast half-hours."
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

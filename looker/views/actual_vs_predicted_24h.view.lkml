# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: actual_vs_predicted_24h {
  sql_table_name: reporting.actual_vs_predicted_24h ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.series, ${TABLE}.period_start, ${TABLE}.issued_at) ;;
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

  dimension: unit {
    label: "Unit"
    description: "Unit of the values of the series: gCO2/kWh or %."
    type: string
    sql: ${TABLE}.unit ;;
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

  dimension: actual {
    label: "Actual (in unit)"
    description: "What happened: the newest published actual, or the share in the completed mix, in unit."
    type: number
    sql: ${TABLE}.actual ;;
    value_format_name: decimal_1
  }

  dimension: p10 {
    label: "p10 (in unit)"
    description: "10 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band."
    type: number
    sql: ${TABLE}.p10 ;;
    value_format_name: decimal_1
  }

  dimension: p50 {
    label: "p50, median (in unit)"
    description: "Median, gCO2/kWh or %; the shares of a half-hour sum to exactly 100."
    type: number
    sql: ${TABLE}.p50 ;;
    value_format_name: decimal_1
  }

  dimension: p90 {
    label: "p90 (in unit)"
    description: "90 % quantile after recalibration, gCO2/kWh or %; null where the model gives no band."
    type: number
    sql: ${TABLE}.p90 ;;
    value_format_name: decimal_1
  }

  dimension: error {
    label: "Error (in unit)"
    description: "p50 minus actual, in unit."
    type: number
    sql: ${TABLE}.error ;;
    value_format_name: decimal_1
  }

  dimension: abs_error {
    label: "Absolute error (in unit)"
    description: "Absolute error, in unit."
    type: number
    sql: ${TABLE}.abs_error ;;
    value_format_name: decimal_1
  }

  dimension: inside_80 {
    label: "Inside the 80 % band"
    description: "Whether the actual lies within p10 to p90; null if the model has no band."
    type: string
    sql: CASE WHEN ${TABLE}.inside_80 THEN 'yes' WHEN NOT ${TABLE}.inside_80 THEN 'no' END ;;
  }

  dimension: simulated {
    label: "Simulated"
    description: "True for a forecast of neso that the recorded API simulated: it says nothing about NESO's accuracy."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  dimension: settlement_period {
    label: "Settlement period"
    description: "Settlement period of that day, from 1; a day has 46, 48 or 50."
    type: number
    sql: ${TABLE}.settlement_period ;;
    value_format_name: decimal_0
  }

  dimension_group: issued {
    label: "Issued (UTC)"
    description: "Issue time, UTC: the half-hour boundary at which the forecast starts; only data published before it was used. For neso, when the forecast was captured."
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
    sql: ${TABLE}.issued_at ;;
  }

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the forecast half-hour, UTC."
    type: time
    timeframes: [
      raw,
      time,
      minute30,
      hour,
      date,
      hour_of_day,
      day_of_week,
      week,
      month,
      quarter,
      year,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.period_start ;;
  }

  dimension_group: period_london {
    label: "Half-hour (London)"
    description: "Start of the half-hour by London's clocks, without a time zone. When they go back, an hour comes twice: order and join by period_start."
    type: time
    timeframes: [
      raw,
      time,
      minute30,
      hour,
      date,
      hour_of_day,
      day_of_week,
      week,
      month,
      quarter,
      year,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.period_start_london ;;
  }

  dimension_group: settlement {
    label: "Settlement (London)"
    description: "Settlement date: the day in London."
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
    sql: ${TABLE}.settlement_date ;;
  }
}

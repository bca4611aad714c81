# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: intensity_as_known_at {
  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: ${TABLE}.period_start::text ;;
  }

  dimension: forecast_gco2_kwh {
    label: "Forecast, gCO2/kWh"
    description: "Newest published forecast, gCO2/kWh; for a past half-hour, a nowcast."
    type: number
    sql: ${TABLE}.forecast_gco2_kwh ;;
    value_format_name: decimal_0
  }

  dimension: actual_gco2_kwh {
    label: "Actual, gCO2/kWh"
    description: "Newest published actual, gCO2/kWh; null until published. 0 is a value."
    type: number
    sql: ${TABLE}.actual_gco2_kwh ;;
    value_format_name: decimal_0
  }

  dimension: intensity_index {
    label: "Intensity index"
    description: "Published class: very low, low, moderate, high, very high."
    type: string
    sql: ${TABLE}.intensity_index ;;
  }

  dimension: forecast_reason {
    label: "Why the forecast is null"
    description: "Why the published forecast was set to null; null where it was not."
    type: string
    sql: ${TABLE}.forecast_reason ;;
  }

  dimension: actual_reason {
    label: "Why the actual is null"
    description: "Why the published actual was set to null; null where it was not."
    type: string
    sql: ${TABLE}.actual_reason ;;
  }

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the half-hour, UTC."
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

  dimension_group: captured {
    label: "Captured (UTC)"
    description: "Capture in raw.intensity that the row comes from; null where another program wrote the row."
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
    sql: ${TABLE}.captured_at ;;
  }
}

# One row is one half-hour as it stood at the instant of the filter "Known at (UTC)": a revision that was captured later
# does not show. Without a choice it is now. The same columns as core.intensity.
view: intensity_as_known_at {
  derived_table: {
    sql: SELECT *
      FROM reporting.intensity_as_known_at(coalesce({% parameter known_at %}, now())) ;;
  }

  parameter: known_at {
    label: "Known at (UTC)"
    description: "Only what had been captured by this instant is shown."
    type: date_time
    convert_tz: no
  }

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: ${TABLE}.period_start::text ;;
  }

  # Columns

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the half-hour, UTC."
    type: time
    timeframes: [raw, time, minute30, hour, date, hour_of_day, day_of_week, week, month, quarter, year]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.period_start ;;
  }

  dimension: forecast_gco2_kwh {
    label: "Forecast, gCO2/kWh"
    description: "Newest published forecast, gCO2/kWh; a nowcast once the half-hour is over."
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
    description: "Published band: very low, low, moderate, high, very high."
    type: string
    sql: ${TABLE}.intensity_index ;;
  }

  dimension: forecast_reason {
    label: "Why the forecast is null"
    description: "Why a published forecast was set to null; null where it was not."
    type: string
    sql: ${TABLE}.forecast_reason ;;
  }

  dimension: actual_reason {
    label: "Why the actual is null"
    description: "Why a published actual was set to null; null where it was not."
    type: string
    sql: ${TABLE}.actual_reason ;;
  }

  dimension_group: captured {
    label: "Captured (UTC)"
    description: "Capture in raw.intensity that the row comes from; null for a row that another program wrote."
    type: time
    timeframes: [raw, time, date]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.captured_at ;;
  }

  # Measures

  measure: count {
    label: "Half-hours"
    description: "Number of half-hours."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_actual_gco2_kwh {
    label: "Average actual, gCO2/kWh"
    description: "Mean over half-hours of the newest published actual; half-hours without one are left out."
    type: average
    sql: ${actual_gco2_kwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: lowest_actual_gco2_kwh {
    label: "Lowest actual, gCO2/kWh"
    description: "Lowest actual of a half-hour."
    type: min
    sql: ${actual_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: highest_actual_gco2_kwh {
    label: "Highest actual, gCO2/kWh"
    description: "Highest actual of a half-hour."
    type: max
    sql: ${actual_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_forecast_gco2_kwh {
    label: "Average forecast, gCO2/kWh"
    description: "Mean over half-hours of the newest published forecast, which is a short-lead one: no measure of skill may rest on it."
    type: average
    sql: ${forecast_gco2_kwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [period_time, actual_gco2_kwh, forecast_gco2_kwh, intensity_index, captured_time]
  }
}

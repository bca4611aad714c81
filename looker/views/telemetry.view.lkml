# One row is one half-hour that has intensity or mix, or both. Shares and intensities are averaged, never summed.
view: telemetry {
  sql_table_name: reporting.telemetry ;;

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

  dimension_group: settlement {
    label: "Settlement (London)"
    description: "Settlement date: the day in London."
    type: time
    timeframes: [date, day_of_week, week, month, quarter, year]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.settlement_date ;;
  }

  dimension: settlement_period {
    label: "Settlement period"
    description: "Settlement period of that day, from 1; a day has 46, 48 or 50."
    type: number
    sql: ${TABLE}.settlement_period ;;
    value_format_name: decimal_0
  }

  dimension: forecast_gco2_kwh {
    label: "Forecast, gCO2/kWh"
    description: "Newest published forecast, gCO2/kWh."
    type: number
    sql: ${TABLE}.forecast_gco2_kwh ;;
    value_format_name: decimal_0
  }

  dimension: actual_gco2_kwh {
    label: "Actual, gCO2/kWh"
    description: "Newest published actual, gCO2/kWh; null until published."
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

  dimension: biomass_pct {
    group_label: "Shares"
    label: "Biomass, %"
    description: "Share of biomass, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.biomass_pct ;;
    value_format_name: decimal_1
  }

  dimension: coal_pct {
    group_label: "Shares"
    label: "Coal, %"
    description: "Share of coal, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.coal_pct ;;
    value_format_name: decimal_1
  }

  dimension: imports_pct {
    group_label: "Shares"
    label: "Imports, %"
    description: "Share of imports, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.imports_pct ;;
    value_format_name: decimal_1
  }

  dimension: gas_pct {
    group_label: "Shares"
    label: "Gas, %"
    description: "Share of gas, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.gas_pct ;;
    value_format_name: decimal_1
  }

  dimension: nuclear_pct {
    group_label: "Shares"
    label: "Nuclear, %"
    description: "Share of nuclear, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.nuclear_pct ;;
    value_format_name: decimal_1
  }

  dimension: other_pct {
    group_label: "Shares"
    label: "Other, %"
    description: "Share of other, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.other_pct ;;
    value_format_name: decimal_1
  }

  dimension: hydro_pct {
    group_label: "Shares"
    label: "Hydro, %"
    description: "Share of hydro, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.hydro_pct ;;
    value_format_name: decimal_1
  }

  dimension: solar_pct {
    group_label: "Shares"
    label: "Solar, %"
    description: "Share of solar, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.solar_pct ;;
    value_format_name: decimal_1
  }

  dimension: wind_pct {
    group_label: "Shares"
    label: "Wind, %"
    description: "Share of wind, %; null where there is no mix or the source gave no share."
    type: number
    sql: ${TABLE}.wind_pct ;;
    value_format_name: decimal_1
  }

  dimension: total_pct {
    label: "Total, %"
    description: "Sum of the nine shares, %: exactly 100, or null where there is no mix."
    type: number
    sql: ${TABLE}.total_pct ;;
    value_format_name: decimal_1
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

  measure: average_biomass_pct {
    group_label: "Average shares"
    label: "Average biomass, %"
    description: "Mean over half-hours of the share of biomass; half-hours without a share are left out."
    type: average
    sql: ${biomass_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_coal_pct {
    group_label: "Average shares"
    label: "Average coal, %"
    description: "Mean over half-hours of the share of coal; half-hours without a share are left out."
    type: average
    sql: ${coal_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_imports_pct {
    group_label: "Average shares"
    label: "Average imports, %"
    description: "Mean over half-hours of the share of imports; half-hours without a share are left out."
    type: average
    sql: ${imports_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_gas_pct {
    group_label: "Average shares"
    label: "Average gas, %"
    description: "Mean over half-hours of the share of gas; half-hours without a share are left out."
    type: average
    sql: ${gas_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_nuclear_pct {
    group_label: "Average shares"
    label: "Average nuclear, %"
    description: "Mean over half-hours of the share of nuclear; half-hours without a share are left out."
    type: average
    sql: ${nuclear_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_other_pct {
    group_label: "Average shares"
    label: "Average other, %"
    description: "Mean over half-hours of the share of other; half-hours without a share are left out."
    type: average
    sql: ${other_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_hydro_pct {
    group_label: "Average shares"
    label: "Average hydro, %"
    description: "Mean over half-hours of the share of hydro; half-hours without a share are left out."
    type: average
    sql: ${hydro_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_solar_pct {
    group_label: "Average shares"
    label: "Average solar, %"
    description: "Mean over half-hours of the share of solar; half-hours without a share are left out."
    type: average
    sql: ${solar_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_wind_pct {
    group_label: "Average shares"
    label: "Average wind, %"
    description: "Mean over half-hours of the share of wind; half-hours without a share are left out."
    type: average
    sql: ${wind_pct} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [period_time, settlement_date, settlement_period, actual_gco2_kwh, forecast_gco2_kwh, intensity_index, wind_pct, solar_pct, gas_pct, nuclear_pct]
  }
}

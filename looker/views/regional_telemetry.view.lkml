# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: regional_telemetry {
  sql_table_name: reporting.regional_telemetry ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.region_id, ${TABLE}.period_start) ;;
  }

  dimension: region_id {
    label: "Number of the region"
    description: "Number of the region in the API: 1 to 14 for the licence areas, 15 for England, 16 for Scotland, 17 for Wales, 18 for Great Britain."
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

  dimension: settlement_period {
    label: "Settlement period"
    description: "Settlement period of that day, from 1; a day has 46, 48 or 50."
    type: number
    sql: ${TABLE}.settlement_period ;;
    value_format_name: decimal_0
  }

  dimension: intensity_gco2_kwh {
    label: "Intensity, gCO2/kWh"
    description: "Newest published value, gCO2/kWh: a forecast at first, later NESO's estimate of what happened. 0 is a value."
    type: number
    sql: ${TABLE}.intensity_gco2_kwh ;;
    value_format_name: decimal_0
  }

  dimension: intensity_index {
    label: "Intensity index"
    description: "Published class: very low, low, moderate, high, very high; the limits are the national ones."
    type: string
    sql: ${TABLE}.intensity_index ;;
  }

  dimension: biomass_pct {
    group_label: "Shares"
    label: "Biomass, %"
    description: "Share of biomass, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.biomass_pct ;;
    value_format_name: decimal_1
  }

  dimension: coal_pct {
    group_label: "Shares"
    label: "Coal, %"
    description: "Share of coal, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.coal_pct ;;
    value_format_name: decimal_1
  }

  dimension: imports_pct {
    group_label: "Shares"
    label: "Imports, %"
    description: "Share of imports from abroad, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.imports_pct ;;
    value_format_name: decimal_1
  }

  dimension: gas_pct {
    group_label: "Shares"
    label: "Gas, %"
    description: "Share of gas, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.gas_pct ;;
    value_format_name: decimal_1
  }

  dimension: nuclear_pct {
    group_label: "Shares"
    label: "Nuclear, %"
    description: "Share of nuclear, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.nuclear_pct ;;
    value_format_name: decimal_1
  }

  dimension: other_pct {
    group_label: "Shares"
    label: "Other, %"
    description: "Share of everything else, %: 100 minus the eight named fuels."
    type: number
    sql: ${TABLE}.other_pct ;;
    value_format_name: decimal_1
  }

  dimension: hydro_pct {
    group_label: "Shares"
    label: "Hydro, %"
    description: "Share of hydro, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.hydro_pct ;;
    value_format_name: decimal_1
  }

  dimension: solar_pct {
    group_label: "Shares"
    label: "Solar, %"
    description: "Share of solar, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.solar_pct ;;
    value_format_name: decimal_1
  }

  dimension: wind_pct {
    group_label: "Shares"
    label: "Wind, %"
    description: "Share of wind, %; null where the source gave none, its power is then in other."
    type: number
    sql: ${TABLE}.wind_pct ;;
    value_format_name: decimal_1
  }

  dimension: total_pct {
    label: "Total, %"
    description: "Sum of the nine shares, %: exactly 100, or null if there is no mix."
    type: number
    sql: ${TABLE}.total_pct ;;
    value_format_name: decimal_1
  }

  dimension: renewable_pct {
    group_label: "Shares"
    label: "Renewable, %"
    description: "Share of hydro, solar, wind together, %. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.renewable_pct ;;
    value_format_name: decimal_1
  }

  dimension: zero_carbon_pct {
    group_label: "Shares"
    label: "Zero carbon, %"
    description: "Share of hydro, solar, wind, nuclear together, %: what is usually meant by low-carbon power. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.zero_carbon_pct ;;
    value_format_name: decimal_1
  }

  dimension: fossil_pct {
    group_label: "Shares"
    label: "Fossil, %"
    description: "Share of coal, gas together, %. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.fossil_pct ;;
    value_format_name: decimal_1
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the recorded API derived the values from national ones: they were never published."
    type: yesno
    sql: ${TABLE}.simulated ;;
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

  measure: average_biomass_pct {
    group_label: "Average shares"
    label: "Average biomass, %"
    description: "Mean share of biomass over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${biomass_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_coal_pct {
    group_label: "Average shares"
    label: "Average coal, %"
    description: "Mean share of coal over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${coal_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_imports_pct {
    group_label: "Average shares"
    label: "Average imports, %"
    description: "Mean share of imports over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${imports_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_gas_pct {
    group_label: "Average shares"
    label: "Average gas, %"
    description: "Mean share of gas over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${gas_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_nuclear_pct {
    group_label: "Average shares"
    label: "Average nuclear, %"
    description: "Mean share of nuclear over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${nuclear_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_other_pct {
    group_label: "Average shares"
    label: "Average other, %"
    description: "Mean share of other over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${other_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_hydro_pct {
    group_label: "Average shares"
    label: "Average hydro, %"
    description: "Mean share of hydro over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${hydro_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_solar_pct {
    group_label: "Average shares"
    label: "Average solar, %"
    description: "Mean share of solar over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${solar_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_wind_pct {
    group_label: "Average shares"
    label: "Average wind, %"
    description: "Mean share of wind over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${wind_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_renewable_pct {
    group_label: "Average shares"
    label: "Average renewable, %"
    description: "Mean share of renewable over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${renewable_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_zero_carbon_pct {
    group_label: "Average shares"
    label: "Average zero carbon, %"
    description: "Mean share of zero carbon over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${zero_carbon_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_fossil_pct {
    group_label: "Average shares"
    label: "Average fossil, %"
    description: "Mean share of fossil over the half-hours that have one, of one region; null over several."
    type: number
    sql: CASE WHEN count(DISTINCT ${region_id}) = 1 THEN avg(${fossil_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

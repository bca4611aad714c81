# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: generation_mix {
  sql_table_name: reporting.generation_mix ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.period_start, ${TABLE}.fuel) ;;
  }

  dimension: fuel {
    label: "Fuel"
    description: "One of the nine fuels: biomass, coal, imports, gas, nuclear, other, hydro, solar, wind."
    type: string
    sql: ${TABLE}.fuel ;;
  }

  dimension: fuel_group {
    label: "Fuel group, key"
    description: "renewable (hydro, solar, wind), low_carbon (biomass, nuclear), fossil (coal, gas), imports, or other. A fuel is in one group, so low_carbon is without the renewables; zero-carbon power is renewable and nuclear. To show a group, use fuel_group_label."
    type: string
    sql: ${TABLE}.fuel_group ;;
  }

  dimension: published_pct {
    label: "Published share of one half-hour, %"
    description: "Share as published, %; null for a named fuel that was not published. To combine fuels, add up, as for pct."
    type: number
    sql: ${TABLE}.published_pct ;;
    value_format_name: decimal_1
  }

  dimension: pct {
    label: "Share of one half-hour, %"
    description: "Share in the mix that sums to exactly 100, %; null for a named fuel that was not published. To combine fuels, add up: sum(pct) / count(DISTINCT period_start). avg(pct) is the mean of single fuels."
    type: number
    sql: ${TABLE}.pct ;;
    value_format_name: decimal_1
  }

  dimension: fuel_group_label {
    label: "Fuel group"
    description: "The group by what is in it: Renewable (wind, solar, hydro); Nuclear and biomass; Fossil (gas, coal); Imports; Other."
    type: string
    sql: ${TABLE}.fuel_group_label ;;
  }

  dimension: settlement_period {
    label: "Settlement period"
    description: "Settlement period of that day, from 1; a day has 46, 48 or 50."
    type: number
    sql: ${TABLE}.settlement_period ;;
    value_format_name: decimal_0
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
}

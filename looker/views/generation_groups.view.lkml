# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: generation_groups {
  sql_table_name: reporting.generation_groups ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.period_start, ${TABLE}.fuel_group) ;;
  }

  dimension: fuel_group {
    label: "Fuel group, key"
    description: "renewable (hydro, solar, wind), low_carbon (biomass, nuclear), fossil (coal, gas), imports, or other. A fuel is in one group, so low_carbon is without the renewables; zero-carbon power is renewable and nuclear. To show a group, use fuel_group_label."
    type: string
    sql: ${TABLE}.fuel_group ;;
  }

  dimension: fuel_group_label {
    label: "Fuel group"
    description: "The group by what is in it: Renewable (wind, solar, hydro); Nuclear and biomass; Fossil (gas, coal); Imports; Other."
    type: string
    sql: ${TABLE}.fuel_group_label ;;
  }

  dimension: pct {
    label: "Share of one half-hour, %"
    description: "Share of the fuels of the group together, %. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.pct ;;
    value_format_name: decimal_1
  }

  dimension: mw {
    label: "Mw"
    description: "Generation of the fuels of the group together, MW: a second measurement, from which pct is not made. Null where any of the nine fuels is not known."
    type: number
    sql: ${TABLE}.mw ;;
    value_format_name: decimal_0
  }

  dimension: generation_mw {
    label: "Generation, MW"
    description: "Generation of all nine fuels, imports included, MW, the same for each group of a half-hour. Null where any of the nine is not known."
    type: number
    sql: ${TABLE}.generation_mw ;;
    value_format_name: decimal_0
  }

  dimension: demand_mw {
    label: "Demand, MW"
    description: "Initial national demand outturn (INDO), MW: what the transmission network supplies, without what embedded plants generate."
    type: number
    sql: ${TABLE}.demand_mw ;;
    value_format_name: decimal_0
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

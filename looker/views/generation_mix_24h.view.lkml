# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: generation_mix_24h {
  sql_table_name: reporting.generation_mix_24h ;;

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
    label: "Fuel group"
    description: "renewable (hydro, solar, wind), low_carbon (biomass, nuclear), fossil (coal, gas), imports, or other. A fuel is in one group, so low_carbon is without the renewables; zero-carbon power is renewable and nuclear."
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
}

# One row is one fuel in one half-hour. The nine shares of a half-hour sum to 100, so a share over several half-hours
# is their sum by the number of half-hours: an average of rows would give a third of the share of three fuels.
view: generation_mix {
  sql_table_name: reporting.generation_mix ;;

  # Keys

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.period_start, ${TABLE}.fuel) ;;
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

  dimension: fuel {
    label: "Fuel"
    description: "One of the nine fuels: biomass, coal, imports, gas, nuclear, other, hydro, solar, wind."
    type: string
    sql: ${TABLE}.fuel ;;
  }

  dimension: fuel_group {
    label: "Fuel group"
    description: "renewable (wind, solar, hydro), low_carbon (nuclear, biomass), fossil (gas, coal), imports, or other."
    type: string
    sql: ${TABLE}.fuel_group ;;
  }

  dimension: published_pct {
    label: "Published share of one half-hour, %"
    description: "Share as published, %; null where none was given."
    type: number
    sql: ${TABLE}.published_pct ;;
    value_format_name: decimal_1
  }

  dimension: pct {
    label: "Share of one half-hour, %"
    description: "Share in the mix that sums to exactly 100, %; null where none was given."
    type: number
    sql: ${TABLE}.pct ;;
    value_format_name: decimal_1
  }

  # Measures

  measure: half_hours {
    label: "Half-hours"
    description: "Number of half-hours."
    type: count_distinct
    sql: ${period_raw} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: pct_sum {
    label: "Sum of shares, %"
    description: "Part of share_pct; says nothing by itself."
    hidden: yes
    type: sum
    sql: ${pct} ;;
    value_format_name: decimal_1
  }

  measure: published_pct_sum {
    label: "Sum of published shares, %"
    description: "Part of published_share_pct; says nothing by itself."
    hidden: yes
    type: sum
    sql: ${published_pct} ;;
    value_format_name: decimal_1
  }

  measure: share_pct {
    label: "Share, %"
    description: "Mean share of the chosen fuels together, in the mix that sums to exactly 100; a fuel without a share counts as 0, its power is in other."
    type: number
    sql: ${pct_sum} / nullif(${half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: published_share_pct {
    label: "Share as published, %"
    description: "The same by the shares as published, which sum to 99.7 to 100.2."
    type: number
    sql: ${published_pct_sum} / nullif(${half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [period_time, fuel, fuel_group, pct, published_pct]
  }
}

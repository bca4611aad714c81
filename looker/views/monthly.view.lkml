# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: monthly {
  sql_table_name: reporting.monthly ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: ${TABLE}.month::text ;;
  }

  dimension: half_hours {
    label: "Half-hours of one row"
    description: "Half-hours with a published actual, on which the intensities rest; the others are left out, never filled with a forecast. The month is complete where this equals half_hours_expected."
    type: number
    sql: ${TABLE}.half_hours ;;
    value_format_name: decimal_0
  }

  dimension: half_hours_expected {
    label: "Half-hours there should be, of one row"
    description: "Half-hours of the whole London month, ended or not: two less in March, two more in October."
    type: number
    sql: ${TABLE}.half_hours_expected ;;
    value_format_name: decimal_0
  }

  dimension: mean_gco2_kwh {
    label: "Mean, gCO2/kWh"
    description: "Mean actual of the half-hours that have one, gCO2/kWh. To combine rows, weight by half_hours."
    type: number
    sql: ${TABLE}.mean_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: min_gco2_kwh {
    label: "Min, gCO2/kWh"
    description: "Lowest actual of a half-hour, gCO2/kWh."
    type: number
    sql: ${TABLE}.min_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: max_gco2_kwh {
    label: "Max, gCO2/kWh"
    description: "Highest actual of a half-hour, gCO2/kWh."
    type: number
    sql: ${TABLE}.max_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: mix_half_hours {
    label: "Half-hours with a mix, of one row"
    description: "Half-hours with a mix, on which the shares rest. To combine rows, weight shares by it."
    type: number
    sql: ${TABLE}.mix_half_hours ;;
    value_format_name: decimal_0
  }

  dimension: biomass_pct {
    group_label: "Shares"
    label: "Biomass, %"
    description: "Mean share of biomass over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.biomass_pct ;;
    value_format_name: decimal_1
  }

  dimension: coal_pct {
    group_label: "Shares"
    label: "Coal, %"
    description: "Mean share of coal over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.coal_pct ;;
    value_format_name: decimal_1
  }

  dimension: imports_pct {
    group_label: "Shares"
    label: "Imports, %"
    description: "Mean share of imports over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.imports_pct ;;
    value_format_name: decimal_1
  }

  dimension: gas_pct {
    group_label: "Shares"
    label: "Gas, %"
    description: "Mean share of gas over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.gas_pct ;;
    value_format_name: decimal_1
  }

  dimension: nuclear_pct {
    group_label: "Shares"
    label: "Nuclear, %"
    description: "Mean share of nuclear over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.nuclear_pct ;;
    value_format_name: decimal_1
  }

  dimension: other_pct {
    group_label: "Shares"
    label: "Other, %"
    description: "Mean share of everything else, %: 100 minus the eight named fuels, so that the nine sum to exactly 100."
    type: number
    sql: ${TABLE}.other_pct ;;
    value_format_name: decimal_1
  }

  dimension: hydro_pct {
    group_label: "Shares"
    label: "Hydro, %"
    description: "Mean share of hydro over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.hydro_pct ;;
    value_format_name: decimal_1
  }

  dimension: solar_pct {
    group_label: "Shares"
    label: "Solar, %"
    description: "Mean share of solar over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.solar_pct ;;
    value_format_name: decimal_1
  }

  dimension: wind_pct {
    group_label: "Shares"
    label: "Wind, %"
    description: "Mean share of wind over the half-hours with a mix, %, cut to four decimals; null where none has one. A half-hour without it counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.wind_pct ;;
    value_format_name: decimal_1
  }

  dimension: renewable_pct {
    group_label: "Shares"
    label: "Renewable, %"
    description: "Mean share over time of hydro, solar, wind together, %. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.renewable_pct ;;
    value_format_name: decimal_1
  }

  dimension: zero_carbon_pct {
    group_label: "Shares"
    label: "Zero carbon, %"
    description: "Mean share over time of hydro, solar, wind, nuclear together, %: what is usually meant by low-carbon power. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.zero_carbon_pct ;;
    value_format_name: decimal_1
  }

  dimension: fossil_pct {
    group_label: "Shares"
    label: "Fossil, %"
    description: "Mean share over time of coal, gas together, %. A fuel without a share counts as 0; its power is in other."
    type: number
    sql: ${TABLE}.fossil_pct ;;
    value_format_name: decimal_1
  }

  dimension_group: month {
    label: "Month (London)"
    description: "First day of the month in London."
    type: time
    timeframes: [
      date,
      month,
      month_name,
      quarter,
      year,
    ]
    datatype: date
    convert_tz: no
    sql: ${TABLE}.month ;;
  }

  measure: share_weight {
    hidden: yes
    label: "Sum of weights"
    description: "Part of the average shares."
    type: sum
    sql: ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: biomass_pct_sum {
    hidden: yes
    label: "Weighted sum of biomass"
    description: "Part of average_biomass_pct."
    type: sum
    sql: ${biomass_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_biomass_pct {
    group_label: "Average shares"
    label: "Average biomass, %"
    description: "Mean share of biomass, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${biomass_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: coal_pct_sum {
    hidden: yes
    label: "Weighted sum of coal"
    description: "Part of average_coal_pct."
    type: sum
    sql: ${coal_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_coal_pct {
    group_label: "Average shares"
    label: "Average coal, %"
    description: "Mean share of coal, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${coal_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: imports_pct_sum {
    hidden: yes
    label: "Weighted sum of imports"
    description: "Part of average_imports_pct."
    type: sum
    sql: ${imports_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_imports_pct {
    group_label: "Average shares"
    label: "Average imports, %"
    description: "Mean share of imports, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${imports_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: gas_pct_sum {
    hidden: yes
    label: "Weighted sum of gas"
    description: "Part of average_gas_pct."
    type: sum
    sql: ${gas_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_gas_pct {
    group_label: "Average shares"
    label: "Average gas, %"
    description: "Mean share of gas, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${gas_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: nuclear_pct_sum {
    hidden: yes
    label: "Weighted sum of nuclear"
    description: "Part of average_nuclear_pct."
    type: sum
    sql: ${nuclear_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_nuclear_pct {
    group_label: "Average shares"
    label: "Average nuclear, %"
    description: "Mean share of nuclear, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${nuclear_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: other_pct_sum {
    hidden: yes
    label: "Weighted sum of other"
    description: "Part of average_other_pct."
    type: sum
    sql: ${other_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_other_pct {
    group_label: "Average shares"
    label: "Average other, %"
    description: "Mean share of other, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${other_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: hydro_pct_sum {
    hidden: yes
    label: "Weighted sum of hydro"
    description: "Part of average_hydro_pct."
    type: sum
    sql: ${hydro_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_hydro_pct {
    group_label: "Average shares"
    label: "Average hydro, %"
    description: "Mean share of hydro, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${hydro_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: solar_pct_sum {
    hidden: yes
    label: "Weighted sum of solar"
    description: "Part of average_solar_pct."
    type: sum
    sql: ${solar_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_solar_pct {
    group_label: "Average shares"
    label: "Average solar, %"
    description: "Mean share of solar, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${solar_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: wind_pct_sum {
    hidden: yes
    label: "Weighted sum of wind"
    description: "Part of average_wind_pct."
    type: sum
    sql: ${wind_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_wind_pct {
    group_label: "Average shares"
    label: "Average wind, %"
    description: "Mean share of wind, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${wind_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: renewable_pct_sum {
    hidden: yes
    label: "Weighted sum of renewable"
    description: "Part of average_renewable_pct."
    type: sum
    sql: ${renewable_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_renewable_pct {
    group_label: "Average shares"
    label: "Average renewable, %"
    description: "Mean share of renewable, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${renewable_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: zero_carbon_pct_sum {
    hidden: yes
    label: "Weighted sum of zero carbon"
    description: "Part of average_zero_carbon_pct."
    type: sum
    sql: ${zero_carbon_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_zero_carbon_pct {
    group_label: "Average shares"
    label: "Average zero carbon, %"
    description: "Mean share of zero carbon, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${zero_carbon_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: fossil_pct_sum {
    hidden: yes
    label: "Weighted sum of fossil"
    description: "Part of average_fossil_pct."
    type: sum
    sql: ${fossil_pct} * ${mix_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_fossil_pct {
    group_label: "Average shares"
    label: "Average fossil, %"
    description: "Mean share of fossil, weighted by the half-hours with a mix of each row."
    type: number
    sql: ${fossil_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: daily_energy {
  sql_table_name: reporting.daily_energy ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: ${TABLE}.settlement_date::text ;;
  }

  dimension: half_hours {
    label: "Half-hours of one row"
    description: "Half-hours in which generation from all nine fuels is known, on which all but the demand columns rest."
    type: number
    sql: ${TABLE}.half_hours ;;
    value_format_name: decimal_0
  }

  dimension: half_hours_expected {
    label: "Half-hours there should be, of one row"
    description: "Half-hours of the whole London day, ended or not: 46, 48 or 50."
    type: number
    sql: ${TABLE}.half_hours_expected ;;
    value_format_name: decimal_0
  }

  dimension: generation_gwh {
    label: "Generation, GWh"
    description: "Energy from all nine fuels, imports included, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.generation_gwh ;;
    value_format_name: decimal_1
  }

  dimension: biomass_gwh {
    label: "Biomass, GWh"
    description: "Energy from biomass, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.biomass_gwh ;;
    value_format_name: decimal_1
  }

  dimension: coal_gwh {
    label: "Coal, GWh"
    description: "Energy from coal, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.coal_gwh ;;
    value_format_name: decimal_1
  }

  dimension: imports_gwh {
    label: "Imports, GWh"
    description: "Energy from imports, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.imports_gwh ;;
    value_format_name: decimal_1
  }

  dimension: gas_gwh {
    label: "Gas, GWh"
    description: "Energy from gas, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.gas_gwh ;;
    value_format_name: decimal_1
  }

  dimension: nuclear_gwh {
    label: "Nuclear, GWh"
    description: "Energy from nuclear, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.nuclear_gwh ;;
    value_format_name: decimal_1
  }

  dimension: other_gwh {
    label: "Other, GWh"
    description: "Energy from other, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.other_gwh ;;
    value_format_name: decimal_1
  }

  dimension: hydro_gwh {
    label: "Hydro, GWh"
    description: "Energy from hydro, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.hydro_gwh ;;
    value_format_name: decimal_1
  }

  dimension: solar_gwh {
    label: "Solar, GWh"
    description: "Energy from solar, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.solar_gwh ;;
    value_format_name: decimal_1
  }

  dimension: wind_gwh {
    label: "Wind, GWh"
    description: "Energy from wind, GWh; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.wind_gwh ;;
    value_format_name: decimal_1
  }

  dimension: emissions_t {
    label: "Emissions, tonnes of CO2"
    description: "Emissions of that energy, tonnes of CO2, by the published factors as in recomputed_gco2_kwh of core.generation_mw; null unless half_hours equals half_hours_expected."
    type: number
    sql: ${TABLE}.emissions_t ;;
    value_format_name: decimal_1
  }

  dimension: mean_generation_mw {
    label: "Mean generation, MW"
    description: "Mean generation of the known half-hours, MW."
    type: number
    sql: ${TABLE}.mean_generation_mw ;;
    value_format_name: decimal_1
  }

  dimension: biomass_energy_pct {
    group_label: "Shares"
    label: "Biomass energy, %"
    description: "Share of biomass in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.biomass_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: coal_energy_pct {
    group_label: "Shares"
    label: "Coal energy, %"
    description: "Share of coal in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.coal_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: imports_energy_pct {
    group_label: "Shares"
    label: "Imports energy, %"
    description: "Share of imports in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.imports_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: gas_energy_pct {
    group_label: "Shares"
    label: "Gas energy, %"
    description: "Share of gas in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.gas_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: nuclear_energy_pct {
    group_label: "Shares"
    label: "Nuclear energy, %"
    description: "Share of nuclear in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.nuclear_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: other_energy_pct {
    group_label: "Shares"
    label: "Other energy, %"
    description: "Share of everything else in the energy of the known half-hours, %: 100 minus the eight named fuels, so that the nine sum to exactly 100."
    type: number
    sql: ${TABLE}.other_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: hydro_energy_pct {
    group_label: "Shares"
    label: "Hydro energy, %"
    description: "Share of hydro in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.hydro_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: solar_energy_pct {
    group_label: "Shares"
    label: "Solar energy, %"
    description: "Share of solar in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.solar_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: wind_energy_pct {
    group_label: "Shares"
    label: "Wind energy, %"
    description: "Share of wind in the energy of the known half-hours, %, cut to four decimals."
    type: number
    sql: ${TABLE}.wind_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: renewable_energy_pct {
    group_label: "Shares"
    label: "Renewable energy, %"
    description: "Share in the energy of the known half-hours of hydro, solar, wind together, %."
    type: number
    sql: ${TABLE}.renewable_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: zero_carbon_energy_pct {
    group_label: "Shares"
    label: "Zero carbon energy, %"
    description: "Share in the energy of the known half-hours of hydro, solar, wind, nuclear together, %: what is usually meant by low-carbon power."
    type: number
    sql: ${TABLE}.zero_carbon_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: fossil_energy_pct {
    group_label: "Shares"
    label: "Fossil energy, %"
    description: "Share in the energy of the known half-hours of coal, gas together, %."
    type: number
    sql: ${TABLE}.fossil_energy_pct ;;
    value_format_name: decimal_1
  }

  dimension: generation_weighted_gco2_kwh {
    label: "Generation weighted, gCO2/kWh"
    description: "Recomputed intensity weighted by generation, gCO2/kWh: emissions by energy of the known half-hours."
    type: number
    sql: ${TABLE}.generation_weighted_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: demand_half_hours {
    label: "Half-hours with a demand, of one row"
    description: "Half-hours with a demand and a published actual, on which the demand columns rest."
    type: number
    sql: ${TABLE}.demand_half_hours ;;
    value_format_name: decimal_0
  }

  dimension: mean_demand_mw {
    label: "Mean demand, MW"
    description: "Mean demand_mw of core.generation_mw over those half-hours, MW."
    type: number
    sql: ${TABLE}.mean_demand_mw ;;
    value_format_name: decimal_1
  }

  dimension: demand_weighted_gco2_kwh {
    label: "Demand weighted, gCO2/kWh"
    description: "Published actual weighted by that demand, gCO2/kWh: half-hours of high demand count more."
    type: number
    sql: ${TABLE}.demand_weighted_gco2_kwh ;;
    value_format_name: decimal_1
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

  measure: share_weight {
    hidden: yes
    label: "Sum of weights"
    description: "Part of the average shares."
    type: sum
    sql: ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: total_generation_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: generation, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${generation_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_biomass_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: biomass, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${biomass_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_coal_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: coal, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${coal_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_imports_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: imports, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${imports_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_gas_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: gas, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${gas_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_nuclear_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: nuclear, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${nuclear_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_other_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: other, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${other_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_hydro_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: hydro, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${hydro_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_solar_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: solar, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${solar_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: total_wind_gwh {
    group_label: "Energy of complete rows"
    label: "Energy of complete rows: wind, GWh"
    description: "Sum over the days or months in which every half-hour is known. Incomplete rows says how many are left out."
    type: sum
    sql: ${wind_gwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: biomass_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of biomass energy"
    description: "Part of average_biomass_energy_pct."
    type: sum
    sql: ${biomass_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_biomass_energy_pct {
    group_label: "Average shares"
    label: "Average biomass energy, %"
    description: "Mean share of biomass energy, weighted by the energy of each row."
    type: number
    sql: ${biomass_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: coal_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of coal energy"
    description: "Part of average_coal_energy_pct."
    type: sum
    sql: ${coal_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_coal_energy_pct {
    group_label: "Average shares"
    label: "Average coal energy, %"
    description: "Mean share of coal energy, weighted by the energy of each row."
    type: number
    sql: ${coal_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: imports_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of imports energy"
    description: "Part of average_imports_energy_pct."
    type: sum
    sql: ${imports_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_imports_energy_pct {
    group_label: "Average shares"
    label: "Average imports energy, %"
    description: "Mean share of imports energy, weighted by the energy of each row."
    type: number
    sql: ${imports_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: gas_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of gas energy"
    description: "Part of average_gas_energy_pct."
    type: sum
    sql: ${gas_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_gas_energy_pct {
    group_label: "Average shares"
    label: "Average gas energy, %"
    description: "Mean share of gas energy, weighted by the energy of each row."
    type: number
    sql: ${gas_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: nuclear_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of nuclear energy"
    description: "Part of average_nuclear_energy_pct."
    type: sum
    sql: ${nuclear_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_nuclear_energy_pct {
    group_label: "Average shares"
    label: "Average nuclear energy, %"
    description: "Mean share of nuclear energy, weighted by the energy of each row."
    type: number
    sql: ${nuclear_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: other_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of other energy"
    description: "Part of average_other_energy_pct."
    type: sum
    sql: ${other_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_other_energy_pct {
    group_label: "Average shares"
    label: "Average other energy, %"
    description: "Mean share of other energy, weighted by the energy of each row."
    type: number
    sql: ${other_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: hydro_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of hydro energy"
    description: "Part of average_hydro_energy_pct."
    type: sum
    sql: ${hydro_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_hydro_energy_pct {
    group_label: "Average shares"
    label: "Average hydro energy, %"
    description: "Mean share of hydro energy, weighted by the energy of each row."
    type: number
    sql: ${hydro_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: solar_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of solar energy"
    description: "Part of average_solar_energy_pct."
    type: sum
    sql: ${solar_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_solar_energy_pct {
    group_label: "Average shares"
    label: "Average solar energy, %"
    description: "Mean share of solar energy, weighted by the energy of each row."
    type: number
    sql: ${solar_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: wind_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of wind energy"
    description: "Part of average_wind_energy_pct."
    type: sum
    sql: ${wind_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_wind_energy_pct {
    group_label: "Average shares"
    label: "Average wind energy, %"
    description: "Mean share of wind energy, weighted by the energy of each row."
    type: number
    sql: ${wind_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: renewable_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of renewable energy"
    description: "Part of average_renewable_energy_pct."
    type: sum
    sql: ${renewable_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_renewable_energy_pct {
    group_label: "Average shares"
    label: "Average renewable energy, %"
    description: "Mean share of renewable energy, weighted by the energy of each row."
    type: number
    sql: ${renewable_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: zero_carbon_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of zero carbon energy"
    description: "Part of average_zero_carbon_energy_pct."
    type: sum
    sql: ${zero_carbon_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_zero_carbon_energy_pct {
    group_label: "Average shares"
    label: "Average zero carbon energy, %"
    description: "Mean share of zero carbon energy, weighted by the energy of each row."
    type: number
    sql: ${zero_carbon_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: fossil_energy_pct_sum {
    hidden: yes
    label: "Weighted sum of fossil energy"
    description: "Part of average_fossil_energy_pct."
    type: sum
    sql: ${fossil_energy_pct} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_fossil_energy_pct {
    group_label: "Average shares"
    label: "Average fossil energy, %"
    description: "Mean share of fossil energy, weighted by the energy of each row."
    type: number
    sql: ${fossil_energy_pct_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

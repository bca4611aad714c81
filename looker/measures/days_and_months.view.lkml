# Measures of London days and months. A row rests on as many half-hours as it says, so every mean is weighted by
# them; an average of averages would be wrong. The average shares are beside their dimensions, in looker/views.

view: span_measures {
  extension: required

  measure: count {
    label: "Rows"
    description: "Number of days or months."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_half_hours {
    label: "Half-hours"
    description: "Half-hours on which the figures rest."
    type: sum
    sql: ${half_hours} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_half_hours_expected {
    label: "Half-hours there should be"
    description: "Half-hours of the whole days or months, ended or not."
    type: sum
    sql: ${half_hours_expected} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: completeness {
    label: "Completeness"
    description: "Half-hours on which the figures rest, of those there should be."
    type: number
    sql: ${total_half_hours}::numeric / nullif(${total_half_hours_expected}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }
}

view: telemetry_span_measures {
  extension: required
  extends: [span_measures]

  measure: actual_sum {
    label: "Sum of actuals"
    description: "Part of average_gco2_kwh."
    hidden: yes
    type: sum
    sql: ${mean_gco2_kwh} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: average_gco2_kwh {
    label: "Average actual, gCO2/kWh"
    description: "Mean over time: mean_gco2_kwh weighted by half_hours."
    type: number
    sql: ${actual_sum} / nullif(${total_half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: lowest_gco2_kwh {
    label: "Lowest actual, gCO2/kWh"
    description: "Lowest actual of a half-hour."
    type: min
    sql: ${min_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: highest_gco2_kwh {
    label: "Highest actual, gCO2/kWh"
    description: "Highest actual of a half-hour."
    type: max
    sql: ${max_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_mix_half_hours {
    label: "Half-hours with a mix"
    description: "Half-hours on which the average shares rest."
    type: sum
    sql: ${mix_half_hours} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }
}

view: energy_span_measures {
  extension: required
  extends: [span_measures]

  measure: incomplete {
    label: "Incomplete rows"
    description: "Days or months whose energy and emissions are left out of sums, because not every half-hour is known."
    type: sum
    sql: CASE WHEN ${half_hours} < ${half_hours_expected} THEN 1 ELSE 0 END ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: total_emissions_t {
    label: "Emissions of complete rows, tonnes of CO2"
    description: "Sum over the days or months in which every half-hour is known."
    type: sum
    sql: ${emissions_t} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: recomputed_sum {
    label: "Sum of recomputed intensities by generation"
    description: "Part of generation_weighted."
    hidden: yes
    type: sum
    sql: ${generation_weighted_gco2_kwh} * ${mean_generation_mw} * ${half_hours} ;;
    value_format_name: decimal_1
  }

  measure: generation_weighted {
    label: "Recomputed intensity weighted by generation, gCO2/kWh"
    description: "Emissions by energy, over all known half-hours."
    type: number
    sql: ${recomputed_sum} / nullif(${share_weight}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: demand_sum {
    label: "Sum of demand"
    description: "Part of demand_weighted."
    hidden: yes
    type: sum
    sql: ${mean_demand_mw} * ${demand_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: actual_sum {
    label: "Sum of actuals by demand"
    description: "Part of demand_weighted."
    hidden: yes
    type: sum
    sql: ${demand_weighted_gco2_kwh} * ${mean_demand_mw} * ${demand_half_hours} ;;
    value_format_name: decimal_1
  }

  measure: demand_weighted {
    label: "Actual weighted by demand, gCO2/kWh"
    description: "Published actual weighted by national demand, over the half-hours that have both."
    type: number
    sql: ${actual_sum} / nullif(${demand_sum}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

view: +daily {
  extends: [telemetry_span_measures]

  set: detail {
    fields: [settlement_date, half_hours, half_hours_expected, mean_gco2_kwh, min_gco2_kwh, max_gco2_kwh, renewable_pct,
      zero_carbon_pct, fossil_pct]
  }
}

view: +monthly {
  extends: [telemetry_span_measures]

  set: detail {
    fields: [month_month, half_hours, half_hours_expected, mean_gco2_kwh, min_gco2_kwh, max_gco2_kwh, renewable_pct,
      zero_carbon_pct, fossil_pct]
  }
}

view: +daily_energy {
  extends: [energy_span_measures]

  set: detail {
    fields: [settlement_date, half_hours, half_hours_expected, generation_gwh, emissions_t, renewable_energy_pct,
      generation_weighted_gco2_kwh, demand_weighted_gco2_kwh]
  }
}

view: +monthly_energy {
  extends: [energy_span_measures]

  set: detail {
    fields: [month_month, half_hours, half_hours_expected, generation_gwh, emissions_t, renewable_energy_pct,
      generation_weighted_gco2_kwh, demand_weighted_gco2_kwh]
  }
}

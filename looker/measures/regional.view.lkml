# Measures of regions. The mean over several regions is the value of none, and no nation is the mean of its areas, so
# averages are null unless the rows are of one region.

view: regional_measures {
  extension: required

  measure: count {
    label: "Rows"
    description: "Number of half-hours, counted for each region."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: regions {
    label: "Regions"
    description: "Number of different regions."
    type: count_distinct
    sql: ${region_id} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_intensity_gco2_kwh {
    label: "Average intensity, gCO2/kWh"
    description: "Mean over the half-hours of one region of what is consumed there; null over several. Add Region."
    type: number
    sql: CASE WHEN ${regions} = 1 THEN avg(${intensity_gco2_kwh}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: lowest_intensity_gco2_kwh {
    label: "Lowest intensity, gCO2/kWh"
    description: "Lowest value of a region and half-hour."
    type: min
    sql: ${intensity_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: highest_intensity_gco2_kwh {
    label: "Highest intensity, gCO2/kWh"
    description: "Highest value of a region and half-hour."
    type: max
    sql: ${intensity_gco2_kwh} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_renewable_pct {
    group_label: "Average shares"
    label: "Average renewable, %"
    description: "Mean share of wind, solar and hydro together, of one region; null over several."
    type: number
    sql: CASE WHEN ${regions} = 1 THEN avg(${renewable_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_zero_carbon_pct {
    group_label: "Average shares"
    label: "Average zero-carbon, %"
    description: "Mean share of wind, solar, hydro and nuclear together, of one region; null over several."
    type: number
    sql: CASE WHEN ${regions} = 1 THEN avg(${zero_carbon_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: average_fossil_pct {
    group_label: "Average shares"
    label: "Average fossil, %"
    description: "Mean share of gas and coal together, of one region; null over several."
    type: number
    sql: CASE WHEN ${regions} = 1 THEN avg(${fossil_pct}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [short_name, period_time, settlement_date, settlement_period, intensity_gco2_kwh, intensity_index, wind_pct,
      solar_pct, gas_pct, nuclear_pct]
  }
}

view: +regional_telemetry {
  extends: [regional_measures]
}

view: +regional_24h {
  extends: [regional_measures]
}

view: +regional_now {
  extends: [regional_measures]
}

# Forecasts by region: the mean over several regions is the value of none, as above.

view: +regional_forecast_latest {
  measure: count {
    label: "Forecasts"
    description: "Number of forecast half-hours, by region, series and model."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: regions {
    label: "Regions"
    description: "Number of different regions."
    type: count_distinct
    sql: ${region_id} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_p50 {
    label: "Average p50 (in unit)"
    description: "Mean p50 of one region; null over several. Choose one series, and usually one model."
    type: number
    sql: CASE WHEN ${regions} = 1 THEN avg(${p50}) END ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [short_name, model, series, period_time, issued_time, lead_minutes, p10, p50, p90, unit, derived, simulated]
  }
}

# A row summarises many forecasts, so errors are sums divided by the sum of n. They are against the API's own later
# estimate: no actual is published for regions.

view: +regional_forecast_accuracy {
  measure: forecasts {
    label: "Forecasts compared"
    description: "Sum of n."
    type: sum
    sql: ${n} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: sum_of_absolute_errors {
    label: "Sum of all absolute errors"
    description: "Part of mean_absolute_error."
    hidden: yes
    type: sum
    sql: ${abs_error_sum} ;;
    value_format_name: decimal_1
  }

  measure: sum_of_errors {
    label: "Sum of all errors"
    description: "Part of mean_error."
    hidden: yes
    type: sum
    sql: ${error_sum} ;;
    value_format_name: decimal_1
  }

  measure: mean_absolute_error {
    label: "Mean absolute error against the estimate, gCO2/kWh"
    description: "Mean over all forecasts, against the API's later estimate."
    type: number
    sql: ${sum_of_absolute_errors} / nullif(${forecasts}, 0) ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  measure: mean_error {
    label: "Bias against the estimate, gCO2/kWh"
    description: "Mean over all forecasts; above 0 means that they were too high."
    type: number
    sql: ${sum_of_errors} / nullif(${forecasts}, 0) ;;
    value_format_name: decimal_2
    drill_fields: [detail*]
  }

  set: detail {
    fields: [short_name, model, target_date, lead_bucket, n, mae_against_estimate, bias_against_estimate,
      neso_mae_against_estimate, simulated]
  }
}

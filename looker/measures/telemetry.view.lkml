# Measures of half-hours. Shares and intensities are averaged, never summed. The average share of each fuel
# is beside its dimension, in looker/views.

view: intensity_measures {
  extension: required

  measure: count {
    label: "Half-hours"
    description: "Number of half-hours."
    type: count
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: average_actual_gco2_kwh {
    label: "Average actual, gCO2/kWh"
    description: "Mean actual over the half-hours that have one."
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
    description: "Mean over half-hours of the newest published forecast. It is a short-lead forecast and says nothing about skill."
    type: average
    sql: ${forecast_gco2_kwh} ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }
}

view: telemetry_measures {
  extension: required
  extends: [intensity_measures]

  set: detail {
    fields: [period_time, settlement_date, settlement_period, actual_gco2_kwh, forecast_gco2_kwh, intensity_index,
      wind_pct, solar_pct, gas_pct, nuclear_pct]
  }
}

view: +telemetry {
  extends: [telemetry_measures]
}

view: +telemetry_24h {
  extends: [telemetry_measures]
}

# Half-hours as known at the instant in the filter "Known at (UTC)", or now if none is chosen; later revisions do
# not show. The columns are those of core.intensity.
view: +intensity_as_known_at {
  extends: [intensity_measures]

  derived_table: {
    sql: SELECT *
      FROM reporting.intensity_as_known_at(coalesce({% parameter known_at %}, now())) ;;
  }

  parameter: known_at {
    label: "Known at (UTC)"
    description: "Shows only values that had been captured by this instant."
    type: date_time
    convert_tz: no
  }

  set: detail {
    fields: [period_time, actual_gco2_kwh, forecast_gco2_kwh, intensity_index, captured_time]
  }
}

# Great Britain's carbon intensity and generation mix: telemetry, forecasts, their accuracy, and the pipeline's runs.
# All times are UTC except settlement dates, months and what is labelled London. The connection reads schema reporting only.
connection: "@{connection}"
label: "Grid carbon"
week_start_day: monday

include: "/views/*.view.lkml"
include: "/measures/*.view.lkml"
include: "/dashboards/*.dashboard.lookml"

# Looker runs this every five minutes. An index finds the newest 100 attempts, about seven hours of them, which is
# enough even if attempts end in a different order from the one in which they started.
datagroup: after_each_run {
  label: "After each run"
  description: "End of the newest successful attempt of any asset."
  sql_trigger: SELECT max(finished_at)
    FROM (SELECT finished_at
          FROM reporting.etl_runs
          WHERE status = 'success'
          ORDER BY started_at DESC
          LIMIT 100) AS newest ;;
  # The pipeline runs every half-hour, but "now" and the last 24 hours move on between runs.
  max_cache_age: "30 minutes"
}

persist_with: after_each_run

# Telemetry

explore: telemetry {
  label: "Telemetry"
  description: "Carbon intensity and shares by half-hour, over all of history."

  join: generation_mix {
    view_label: "Generation mix by fuel"
    type: left_outer
    relationship: one_to_many
    sql_on: ${telemetry.period_raw} = ${generation_mix.period_raw} ;;
  }

  join: intensity_as_known_at {
    view_label: "Intensity as known at an instant"
    type: left_outer
    relationship: one_to_one
    sql_on: ${telemetry.period_raw} = ${intensity_as_known_at.period_raw} ;;
  }
}

explore: telemetry_24h {
  label: "Telemetry, last 24 hours"
  description: "Carbon intensity and shares by half-hour."

  join: generation_mix_24h {
    view_label: "Generation mix by fuel"
    type: left_outer
    relationship: one_to_many
    sql_on: ${telemetry_24h.period_raw} = ${generation_mix_24h.period_raw} ;;
  }
}

explore: generation_mix {
  label: "Generation mix"
  description: "Shares by half-hour and fuel, over all of history."

  join: telemetry {
    type: left_outer
    relationship: many_to_one
    sql_on: ${generation_mix.period_raw} = ${telemetry.period_raw} ;;
  }
}

explore: generation_mix_24h {
  label: "Generation mix, last 24 hours"
  description: "Shares by half-hour and fuel."
}

# Regions: what is consumed there. National values are of what is generated, so region GB differs from them.

explore: regional_telemetry {
  label: "Regions"
  description: "Carbon intensity and shares of what each region consumes, by half-hour."
  # Ten years have three million rows.
  conditionally_filter: {
    filters: [regional_telemetry.period_date: "7 days"]
    unless: [regional_telemetry.period_time, regional_telemetry.period_week, regional_telemetry.period_month,
      regional_telemetry.settlement_date, regional_telemetry.settlement_month]
  }

  join: telemetry {
    view_label: "Great Britain, as generated"
    type: left_outer
    relationship: many_to_one
    sql_on: ${regional_telemetry.period_raw} = ${telemetry.period_raw} ;;
  }
}

explore: regional_24h {
  label: "Regions, last 24 hours"
  description: "Carbon intensity and shares of what each region consumes, by half-hour."
}

explore: regional_now {
  label: "Regions now"
  description: "The newest half-hour of each region: what is consumed there."
}

explore: regional_forecast_latest {
  label: "Regions, newest forecast"
  description: "The newest forecast of what each region will consume, by half-hour and model."
  always_filter: {
    filters: [regional_forecast_latest.series: "carbon^_intensity"]
  }
}

explore: regional_forecast_accuracy {
  label: "Regions, forecast accuracy"
  description: "Errors against the API's own later estimate, by region, model, UTC day and lead."
}

explore: generation_groups {
  label: "Generation by group"
  description: "Shares and generation by half-hour and group of fuels, over all of history."
}

# Days and months in London time

explore: daily {
  label: "Days"
  description: "Carbon intensity and shares by London day, averaged over time."
}

explore: monthly {
  label: "Months"
  description: "Carbon intensity and shares by London month, averaged over time."
}

explore: daily_energy {
  label: "Energy of days"
  description: "Energy by fuel, emissions and weighted means by London day. Energy only of days in which every half-hour is known."
}

explore: monthly_energy {
  label: "Energy of months"
  description: "Energy by fuel, emissions and weighted means by London month. Energy only of months in which every half-hour is known."
}

# Forecasts: one series at a time, because intensity is in gCO2/kWh and shares are in %.

explore: forecast_latest {
  label: "Newest forecast"
  description: "The newest forecast of each series and half-hour, by model."
  always_filter: {
    filters: [forecast_latest.series: "carbon^_intensity"]
  }
  # Yesterday to the day after tomorrow: the newest forecasts of all of history would take too long to read.
  conditionally_filter: {
    filters: [forecast_latest.period_date: "1 days ago for 4 days"]
    unless: [forecast_latest.period_time, forecast_latest.period_week, forecast_latest.period_month]
  }
}

explore: forecast_day_ahead {
  label: "Day-ahead forecast"
  description: "The newest forecast of each series and half-hour issued at least 24 hours before it, by model."
  always_filter: {
    filters: [forecast_day_ahead.series: "carbon^_intensity"]
  }
  conditionally_filter: {
    filters: [forecast_day_ahead.period_date: "1 days ago for 4 days"]
    unless: [forecast_day_ahead.period_time, forecast_day_ahead.period_week, forecast_day_ahead.period_month]
  }
}

explore: actual_vs_predicted {
  label: "Actual vs predicted"
  description: "Every forecast beside the actual value. For months and years use Forecast accuracy, which has a row per day."
  always_filter: {
    filters: [actual_vs_predicted.series: "carbon^_intensity"]
  }
  # A year has about 17 million rows for each model.
  conditionally_filter: {
    filters: [actual_vs_predicted.period_date: "7 days"]
    unless: [actual_vs_predicted.period_time, actual_vs_predicted.period_week, actual_vs_predicted.period_month,
      actual_vs_predicted.issued_date, actual_vs_predicted.issued_time]
  }

  join: telemetry {
    type: left_outer
    relationship: many_to_one
    sql_on: ${actual_vs_predicted.period_raw} = ${telemetry.period_raw} ;;
  }
}

explore: actual_vs_predicted_24h {
  label: "Actual vs predicted, last 24 hours"
  description: "The last forecast issued before each half-hour, beside the actual value, by series and model."
  always_filter: {
    filters: [actual_vs_predicted_24h.series: "carbon^_intensity"]
  }
}

explore: forecast_accuracy {
  label: "Forecast accuracy"
  description: "Errors by model, series, UTC day and lead."
  always_filter: {
    filters: [forecast_accuracy.series: "carbon^_intensity"]
  }
}

explore: forecast_value {
  label: "Value of forecasts"
  description: "What three hours of use saved that waited by a forecast, by model, UTC day and wait."
  always_filter: {
    filters: [forecast_value.wait_hours: "24"]
  }
}

# The pipeline

explore: etl_runs {
  label: "Pipeline runs"
  description: "Attempts to materialise an asset: when, how long, how many rows, and errors."
}

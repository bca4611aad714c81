# Six panels: now, the mix of the last 24 hours, actual against predicted, accuracy by lead, what a forecast is worth,
# pipeline health.
- dashboard: grid_carbon
  title: Grid carbon
  description: Carbon intensity and generation mix of Great Britain, how well they were forecast, and the health of the pipeline. Times are UTC.
  layout: newspaper
  preferred_viewer: dashboards-next
  refresh: 5 minutes

  filters:
  - name: Series
    title: Series
    type: field_filter
    model: grid
    explore: forecast_accuracy
    field: forecast_accuracy.series
    # in a filter a bare _ matches any character
    default_value: carbon^_intensity
    allow_multiple_values: false
    required: true
  - name: Model
    title: Model of the band
    type: field_filter
    model: grid
    explore: forecast_accuracy
    field: forecast_accuracy.model
    default_value: blend
    allow_multiple_values: false
    required: true

  elements:
  - name: now
    title: Now
    note_text: The newest half-hour whose actual is published.
    note_display: hover
    type: looker_single_record
    model: grid
    explore: telemetry_24h
    fields: [telemetry_24h.period_time, telemetry_24h.actual_gco2_kwh, telemetry_24h.intensity_index,
      telemetry_24h.wind_pct, telemetry_24h.solar_pct, telemetry_24h.gas_pct, telemetry_24h.nuclear_pct,
      telemetry_24h.imports_pct]
    filters:
      telemetry_24h.actual_gco2_kwh: NOT NULL
    sorts: [telemetry_24h.period_time desc]
    limit: 1
    row: 0
    col: 0
    width: 7
    height: 7

  - name: mix_24h
    title: Generation mix, last 24 hours, %
    type: looker_area
    model: grid
    explore: generation_mix_24h
    fields: [generation_mix_24h.period_minute30, generation_mix_24h.fuel, generation_mix_24h.share_pct]
    pivots: [generation_mix_24h.fuel]
    sorts: [generation_mix_24h.period_minute30, generation_mix_24h.fuel]
    limit: 500
    stacking: normal
    row: 0
    col: 7
    width: 17
    height: 7

  - name: actual_vs_predicted
    title: Actual against predicted, last 24 hours
    note_text: The last forecast issued before each half-hour; p10 and p90 bound its 80 % band. In gCO2/kWh for carbon_intensity and in % for a fuel.
    note_display: hover
    type: looker_line
    model: grid
    explore: actual_vs_predicted_24h
    fields: [actual_vs_predicted_24h.period_minute30, actual_vs_predicted_24h.average_actual,
      actual_vs_predicted_24h.average_p50, actual_vs_predicted_24h.average_p10, actual_vs_predicted_24h.average_p90]
    sorts: [actual_vs_predicted_24h.period_minute30]
    limit: 500
    listen:
      Series: actual_vs_predicted_24h.series
      Model: actual_vs_predicted_24h.model
    series_colors:
      actual_vs_predicted_24h.average_actual: "#1a1a1a"
      actual_vs_predicted_24h.average_p50: "#1a73e8"
      actual_vs_predicted_24h.average_p10: "#9fc4f5"
      actual_vs_predicted_24h.average_p90: "#9fc4f5"
    row: 7
    col: 0
    width: 14
    height: 8

  - name: accuracy_by_lead
    title: Mean absolute error by lead, last 30 days
    note_text: Mean over all forecasts, in gCO2/kWh for carbon_intensity and in % for a fuel. Simulated forecasts of a demo are left out.
    note_display: hover
    type: looker_column
    model: grid
    explore: forecast_accuracy
    fields: [forecast_accuracy.lead_bucket, forecast_accuracy.model, forecast_accuracy.mean_absolute_error]
    pivots: [forecast_accuracy.model]
    filters:
      forecast_accuracy.target_date: 30 days
      forecast_accuracy.simulated: "No"
    sorts: [forecast_accuracy.model, forecast_accuracy.lead_bucket]
    limit: 500
    listen:
      Series: forecast_accuracy.series
    row: 7
    col: 14
    width: 10
    height: 8

  - name: forecast_value
    title: What a forecast is worth, last 30 days
    note_text: Three hours of use that may wait 24 hours, moved to the window that the forecast calls greenest. Carbon intensity only; simulated forecasts of a demo are left out.
    note_display: hover
    type: looker_grid
    model: grid
    explore: forecast_value
    fields: [forecast_value.model, forecast_value.cases, forecast_value.mean_saving, forecast_value.mean_best_saving,
      forecast_value.share_of_best, forecast_value.made_worse]
    filters:
      forecast_value.target_date: 30 days
      forecast_value.wait_hours: "24"
      forecast_value.simulated: "No"
    sorts: [forecast_value.mean_saving desc]
    limit: 50
    row: 15
    col: 0
    width: 24
    height: 5

  - name: pipeline_health
    title: Pipeline, last 24 hours
    type: looker_grid
    model: grid
    explore: etl_runs
    fields: [etl_runs.asset, etl_runs.newest_success, etl_runs.count, etl_runs.not_succeeded, etl_runs.success_rate,
      etl_runs.total_rows_written, etl_runs.total_rows_quarantined, etl_runs.average_execution_time_ms]
    filters:
      etl_runs.started_time: 24 hours
    sorts: [etl_runs.asset]
    limit: 500
    row: 20
    col: 0
    width: 24
    height: 7

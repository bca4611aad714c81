# Five panels: all regions now, then of a chosen region the forecast, the last 24 hours, the mix, and accuracy by lead.
- dashboard: grid_regions
  title: Grid carbon by region
  description: Carbon intensity and mix of what each region of Great Britain consumes, and how well they were forecast. Times are UTC.
  layout: newspaper
  preferred_viewer: dashboards-next
  refresh: 5 minutes

  filters:
  - name: Region
    title: Region
    type: field_filter
    model: grid
    explore: regional_now
    field: regional_now.short_name
    default_value: London
    # an average over several regions is the value of none, and would be empty
    allow_multiple_values: false
    required: true

  elements:
  - name: regions_now
    title: Regions now, the greenest first
    note_text: The newest half-hour of each region, which the last column names. Values count what is consumed there. England, Scotland, Wales and GB are as published, not means of areas, and GB differs from the national value, which counts what is generated.
    note_display: hover
    type: looker_grid
    model: grid
    explore: regional_now
    fields: [regional_now.short_name, regional_now.intensity_gco2_kwh, regional_now.intensity_index,
      regional_now.wind_pct, regional_now.solar_pct, regional_now.gas_pct, regional_now.nuclear_pct,
      regional_now.imports_pct, regional_now.period_time]
    sorts: [regional_now.intensity_gco2_kwh]
    limit: 50
    row: 0
    col: 0
    width: 14
    height: 11

  - name: regional_forecast
    title: Newest forecast of the region, gCO2/kWh
    note_text: neso is as published. blend is derived from it and from two national forecasts, and is shown only where it was no worse.
    note_display: hover
    type: looker_line
    model: grid
    explore: regional_forecast_latest
    fields: [regional_forecast_latest.period_minute30, regional_forecast_latest.model, regional_forecast_latest.average_p50]
    pivots: [regional_forecast_latest.model]
    filters:
      # in a filter a bare _ matches any character
      regional_forecast_latest.series: carbon^_intensity
    sorts: [regional_forecast_latest.model, regional_forecast_latest.period_minute30]
    limit: 500
    listen:
      Region: regional_forecast_latest.short_name
    row: 0
    col: 14
    width: 10
    height: 11

  - name: regional_intensity_24h
    title: Carbon intensity of the region, last 24 hours, gCO2/kWh
    note_text: The API's own estimate of what is consumed, which it may still replace. No actual is published for regions.
    note_display: hover
    type: looker_line
    model: grid
    explore: regional_24h
    fields: [regional_24h.period_minute30, regional_24h.average_intensity_gco2_kwh]
    sorts: [regional_24h.period_minute30]
    limit: 500
    listen:
      Region: regional_24h.short_name
    row: 11
    col: 0
    width: 7
    height: 8

  - name: regional_mix_24h
    title: Mix of the region, last 24 hours, %
    type: looker_area
    model: grid
    explore: regional_24h
    fields: [regional_24h.period_minute30, regional_24h.average_nuclear_pct, regional_24h.average_biomass_pct,
      regional_24h.average_hydro_pct, regional_24h.average_wind_pct, regional_24h.average_solar_pct,
      regional_24h.average_imports_pct, regional_24h.average_other_pct, regional_24h.average_gas_pct,
      regional_24h.average_coal_pct]
    sorts: [regional_24h.period_minute30]
    limit: 500
    stacking: normal
    listen:
      Region: regional_24h.short_name
    row: 11
    col: 7
    width: 9
    height: 8

  - name: regional_accuracy
    title: Mean absolute error by lead, last 30 days, gCO2/kWh
    note_text: Against the API's own later estimate, as no actual is published for regions. Simulated forecasts of a demo are left out.
    note_display: hover
    type: looker_column
    model: grid
    explore: regional_forecast_accuracy
    fields: [regional_forecast_accuracy.lead_bucket, regional_forecast_accuracy.model,
      regional_forecast_accuracy.mean_absolute_error]
    pivots: [regional_forecast_accuracy.model]
    filters:
      regional_forecast_accuracy.target_date: 30 days
      regional_forecast_accuracy.simulated: "No"
    sorts: [regional_forecast_accuracy.model, regional_forecast_accuracy.lead_bucket]
    limit: 500
    listen:
      Region: regional_forecast_accuracy.short_name
    row: 11
    col: 16
    width: 8
    height: 8

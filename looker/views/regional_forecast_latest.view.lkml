# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: regional_forecast_latest {
  sql_table_name: reporting.regional_forecast_latest ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.region_id, ${TABLE}.model, ${TABLE}.series, ${TABLE}.period_start) ;;
  }

  dimension: region_id {
    label: "Number of the region"
    description: "Region, 1 to 18: 15 is England, 16 Scotland, 17 Wales, 18 Great Britain."
    type: number
    sql: ${TABLE}.region_id ;;
    value_format_name: decimal_0
  }

  dimension: short_name {
    label: "Region"
    description: "Name of the region as the API publishes it."
    type: string
    sql: ${TABLE}.short_name ;;
  }

  dimension: model {
    label: "Model"
    description: "neso: as published. blend: NESO's forecast of the region, moved by what our national forecast says of NESO's; only carbon intensity, and only where it has been no worse."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension: series {
    label: "Series"
    description: "carbon_intensity (gCO2/kWh), or one of the nine fuels (%)."
    type: string
    sql: ${TABLE}.series ;;
  }

  dimension: settlement_period {
    label: "Settlement period"
    description: "Settlement period of that day, from 1; a day has 46, 48 or 50."
    type: number
    sql: ${TABLE}.settlement_period ;;
    value_format_name: decimal_0
  }

  dimension: p10 {
    label: "p10 (in unit)"
    description: "10 % quantile, gCO2/kWh; null for neso, which gives no band."
    type: number
    sql: ${TABLE}.p10 ;;
    value_format_name: decimal_1
  }

  dimension: p50 {
    label: "p50, median (in unit)"
    description: "Forecast, gCO2/kWh or %. Shares are as published: their sum may differ from 100 by rounding."
    type: number
    sql: ${TABLE}.p50 ;;
    value_format_name: decimal_1
  }

  dimension: p90 {
    label: "p90 (in unit)"
    description: "90 % quantile, gCO2/kWh; null for neso, which gives no band."
    type: number
    sql: ${TABLE}.p90 ;;
    value_format_name: decimal_1
  }

  dimension: lead_minutes {
    label: "Lead, minutes"
    description: "Minutes from the issue to the start of the half-hour."
    type: number
    sql: ${TABLE}.lead_minutes ;;
    value_format_name: decimal_0
  }

  dimension: unit {
    label: "Unit"
    description: "gCO2/kWh or %."
    type: string
    sql: ${TABLE}.unit ;;
  }

  dimension: derived {
    label: "Derived"
    description: "True for blend: derived from a published forecast of the region and two national ones."
    type: yesno
    sql: ${TABLE}.derived ;;
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the recorded API simulated it, or a forecast that it is derived from."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  dimension_group: issued {
    label: "Issued (UTC)"
    description: "Issue time, UTC; for neso, when the forecast was captured."
    type: time
    timeframes: [
      raw,
      time,
      hour,
      date,
      hour_of_day,
      week,
      month,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.issued_at ;;
  }

  dimension_group: created {
    label: "Made (UTC)"
    description: "When the forecast was made; for neso, when it was captured."
    type: time
    timeframes: [
      raw,
      time,
      hour,
      date,
      hour_of_day,
      week,
      month,
    ]
    datatype: timestamp
    convert_tz: no
    sql: ${TABLE}.created_at ;;
  }

  dimension_group: period {
    label: "Half-hour (UTC)"
    description: "Start of the forecast half-hour, UTC."
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

  dimension_group: period_london {
    label: "Half-hour (London)"
    description: "Start of the half-hour by London's clocks, without a time zone. When they go back, an hour comes twice: order and join by period_start."
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
    sql: ${TABLE}.period_start_london ;;
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
}

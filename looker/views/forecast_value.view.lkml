# `make generate` writes this file from the comments in the database: change them in sql/, not here.
# Measures are in looker/measures.

view: forecast_value {
  sql_table_name: reporting.forecast_value ;;

  dimension: key {
    hidden: yes
    primary_key: yes
    type: string
    sql: concat_ws('|', ${TABLE}.model, ${TABLE}.target_date, ${TABLE}.wait_hours) ;;
  }

  dimension: model {
    label: "Model"
    description: "Name of the model, such as gradient_boosting or neso."
    type: string
    sql: ${TABLE}.model ;;
  }

  dimension: wait_hours {
    label: "Wait, hours"
    description: "Hours within which the use must end: 12 or 24."
    type: number
    sql: ${TABLE}.wait_hours ;;
    value_format_name: decimal_0
  }

  dimension: n {
    label: "Forecasts of one row"
    description: "Number of cases: issues that forecast the whole wait and whose whole wait has actuals."
    type: number
    sql: ${TABLE}.n ;;
    value_format_name: decimal_0
  }

  dimension: saved_gco2_kwh {
    label: "Saved, gCO2/kWh"
    description: "Mean actual of a use that begins at once, less that of the window that the forecast calls greenest, gCO2/kWh; below 0 where waiting made it worse."
    type: number
    sql: ${TABLE}.saved_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: best_gco2_kwh {
    label: "Best, gCO2/kWh"
    description: "The same with perfect foresight: less the mean actual of the window that was greenest, gCO2/kWh."
    type: number
    sql: ${TABLE}.best_gco2_kwh ;;
    value_format_name: decimal_1
  }

  dimension: made_worse_share {
    label: "Made worse, of one row"
    description: "Share of cases in which the chosen window was worse than beginning at once, 0 to 1."
    type: number
    sql: ${TABLE}.made_worse_share ;;
    value_format_name: percent_1
  }

  dimension: simulated {
    label: "Simulated"
    description: "True where the recorded API simulated any of the forecasts."
    type: yesno
    sql: ${TABLE}.simulated ;;
  }

  dimension_group: target {
    label: "Target day (UTC)"
    description: "UTC day on which the use could have begun at once: the day of the issue's first half-hour."
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
    sql: ${TABLE}.target_date ;;
  }
}

# A row summarises up to 48 cases, so every measure is weighted by n; an average of averages would be
# wrong. Choose one wait at a time: a use that may wait longer can save more.

view: +forecast_value {
  measure: cases {
    label: "Cases"
    description: "Sum of n."
    type: sum
    sql: ${n} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: saved_sum {
    label: "Sum of savings"
    description: "Part of mean_saving."
    hidden: yes
    type: sum
    sql: ${saved_gco2_kwh} * ${n} ;;
    value_format_name: decimal_1
  }

  measure: best_sum {
    label: "Sum of the best savings"
    description: "Part of mean_best_saving."
    hidden: yes
    type: sum
    sql: ${best_gco2_kwh} * ${n} ;;
    value_format_name: decimal_1
  }

  measure: worse_sum {
    label: "Cases made worse"
    description: "Part of made_worse."
    hidden: yes
    type: sum
    sql: ${made_worse_share} * ${n} ;;
    value_format_name: decimal_0
  }

  measure: mean_saving {
    label: "Saved (gCO2/kWh)"
    description: "Mean over all cases: saved_gco2_kwh weighted by n."
    type: number
    sql: ${saved_sum} / nullif(${cases}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: mean_best_saving {
    label: "Best possible saving (gCO2/kWh)"
    description: "Mean over all cases with perfect foresight: best_gco2_kwh weighted by n."
    type: number
    sql: ${best_sum} / nullif(${cases}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: share_of_best {
    label: "Share of the best possible saving"
    description: "Sum of savings over the sum of the best savings."
    type: number
    sql: ${saved_sum} / nullif(${best_sum}, 0) ;;
    value_format_name: percent_0
    drill_fields: [detail*]
  }

  measure: made_worse {
    label: "Made worse"
    description: "Share of all cases in which the chosen window was worse than beginning at once."
    type: number
    sql: ${worse_sum} / nullif(${cases}, 0) ;;
    value_format_name: percent_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [model, target_date, wait_hours, n, saved_gco2_kwh, best_gco2_kwh, made_worse_share, simulated]
  }
}

# The nine shares of a half-hour sum to 100, so a share over several half-hours is their sum divided by the number
# of half-hours. An average of rows would give a third of the share of three fuels.

view: generation_mix_measures {
  extension: required

  measure: half_hours {
    label: "Half-hours"
    description: "Number of half-hours."
    type: count_distinct
    sql: ${period_raw} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: pct_sum {
    label: "Sum of shares, %"
    description: "Part of share_pct; not meaningful on its own."
    hidden: yes
    type: sum
    sql: ${pct} ;;
    value_format_name: decimal_1
  }

  measure: published_pct_sum {
    label: "Sum of published shares, %"
    description: "Part of published_share_pct; not meaningful on its own."
    hidden: yes
    type: sum
    sql: ${published_pct} ;;
    value_format_name: decimal_1
  }

  measure: share_pct {
    label: "Share, %"
    description: "Mean share of the chosen fuels together, in the mix that sums to exactly 100. A fuel without a share counts as 0; its power is part of other."
    type: number
    sql: ${pct_sum} / nullif(${half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: published_share_pct {
    label: "Share as published, %"
    description: "The same for the published shares, which sum to between 99.7 and 100.2."
    type: number
    sql: ${published_pct_sum} / nullif(${half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [period_time, fuel, fuel_group, pct, published_pct]
  }
}

view: +generation_mix {
  extends: [generation_mix_measures]
}

view: +generation_mix_24h {
  extends: [generation_mix_measures]
}

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
    fields: [period_time, fuel, fuel_group_label, pct, published_pct]
  }
}

view: +generation_mix {
  extends: [generation_mix_measures]
}

view: +generation_mix_24h {
  extends: [generation_mix_measures]
}

# A half-hour has one row for each group. Where several groups are chosen, what all of them have in common, such as
# demand, is counted once for each: hence the number of groups.
view: +generation_groups {
  measure: half_hours {
    label: "Half-hours"
    description: "Number of half-hours."
    type: count_distinct
    sql: ${period_raw} ;;
    value_format_name: decimal_0
    drill_fields: [detail*]
  }

  measure: groups {
    label: "Groups"
    description: "Number of groups; part of the weighted shares."
    hidden: yes
    type: count_distinct
    sql: ${fuel_group} ;;
    value_format_name: decimal_0
  }

  measure: pct_sum {
    label: "Sum of shares, %"
    description: "Part of share_pct; not meaningful on its own."
    hidden: yes
    type: sum
    sql: ${pct} ;;
    value_format_name: decimal_1
  }

  measure: share_pct {
    label: "Share, mean over time, %"
    description: "Mean share of the chosen groups together: each half-hour counts the same."
    type: number
    sql: ${pct_sum} / nullif(${half_hours}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: pct_by_demand_sum {
    label: "Sum of shares by demand"
    description: "Part of demand_weighted_share_pct."
    hidden: yes
    type: sum
    sql: ${pct} * ${demand_mw} ;;
    value_format_name: decimal_1
  }

  measure: demand_sum {
    label: "Sum of demand"
    description: "Part of demand_weighted_share_pct."
    hidden: yes
    type: sum
    sql: ${demand_mw} ;;
    value_format_name: decimal_1
  }

  measure: demand_weighted_share_pct {
    label: "Share weighted by demand, %"
    description: "The same, weighted by national demand, over the half-hours in which it is known."
    type: number
    sql: ${pct_by_demand_sum} * ${groups} / nullif(${demand_sum}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  measure: mw_sum {
    label: "Sum of generation of the groups"
    description: "Part of energy_share_pct."
    hidden: yes
    type: sum
    sql: ${mw} ;;
    value_format_name: decimal_1
  }

  measure: generation_sum {
    label: "Sum of generation"
    description: "Part of energy_share_pct."
    hidden: yes
    type: sum
    sql: ${generation_mw} ;;
    value_format_name: decimal_1
  }

  measure: energy_share_pct {
    label: "Share of energy, %"
    description: "Energy of the chosen groups by that of all fuels, over the half-hours in which all fuels are known: a second measurement, in MW."
    type: number
    sql: 100.0 * ${mw_sum} * ${groups} / nullif(${generation_sum}, 0) ;;
    value_format_name: decimal_1
    drill_fields: [detail*]
  }

  set: detail {
    fields: [period_time, fuel_group_label, pct, mw, generation_mw, demand_mw]
  }
}

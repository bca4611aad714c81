"""The views of `reporting` as virtual assets: nothing materialises them, they follow their tables.

Belongs here: one spec a view, with the tables it reads. Does not belong here: SQL (`sql/views`).
"""

from __future__ import annotations

from typing import Final

import dagster as dg

from grid_assets.defs.asset_metadata import FRESH, OWNERS, asset_key, column_schema

READS: Final = {
    "reporting.telemetry": ("core.intensity", "core.generation_mix"),
    "reporting.telemetry_24h": ("reporting.telemetry",),
    "reporting.generation_mix": ("core.generation_mix", "raw.generation"),
    "reporting.generation_mix_24h": ("reporting.generation_mix",),
    "reporting.forecast_latest": ("forecast.predictions",),
    "reporting.forecast_day_ahead": ("forecast.predictions",),
    "reporting.actual_vs_predicted": (
        "forecast.predictions",
        "core.intensity",
        "core.generation_mix",
    ),
    "reporting.actual_vs_predicted_24h": (
        "forecast.predictions",
        "core.intensity",
        "core.generation_mix",
    ),
    "reporting.forecast_accuracy": ("forecast.accuracy",),
}
"""View by the relations it reads. `reporting.etl_runs` is not here: no asset stands behind it."""

VIEWS: Final = [
    dg.AssetSpec(
        asset_key(view),
        deps=[asset_key(relation) for relation in reads],
        is_virtual=True,
        group_name="reporting",
        owners=OWNERS,
        kinds={"view", "postgres"},
        tags={"domain": "electricity", "region": "gb"},
        freshness_policy=FRESH,
        description=f"View for BI over {' and '.join(reads)}; always as fresh as they are.",
        metadata={
            "dagster/column_schema": column_schema(view),
            "dagster/table_name": view,
        },
    )
    for view, reads in READS.items()
]

"""The views of `reporting` as virtual assets, never materialised: they follow their tables.

Their SQL is in `sql/views`.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

from grid_assets.defs.asset_metadata import FRESH, OWNERS, asset_key, column_schema
from grid_assets.warehouse import catalogue

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
"""The relations that each view reads. `reporting.etl_runs` is left out: it reads no asset."""

VIEWS: Final = [
    dg.AssetSpec(
        asset_key(view),
        deps=[asset_key(read) for read in reads],
        is_virtual=True,
        group_name="reporting",
        owners=OWNERS,
        kinds={"view", "postgres"},
        tags={"domain": "electricity", "region": "gb"},
        freshness_policy=FRESH,
        description=f"{catalogue.relation(view).comment} A view over {' and '.join(reads)}.",
        metadata={
            "dagster/column_schema": column_schema(view),
            "dagster/table_name": view,
        },
    )
    for view, reads in READS.items()
]

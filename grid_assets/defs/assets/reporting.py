"""The views of `reporting` as virtual assets, never materialised: they follow their tables.

Their SQL is in `sql/views`.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

from grid_assets.defs.asset_metadata import OWNERS, as_markdown, asset_key, column_schema
from grid_assets.warehouse import catalogue

ACTUAL_BESIDE_FORECAST: Final = (
    "forecast.predictions",
    "core.intensity",
    "core.generation_mix",
)

READS: Final = {
    "reporting.telemetry": (
        "one half-hour that has carbon intensity or a mix",
        ("core.intensity", "core.generation_mix"),
    ),
    "reporting.telemetry_24h": (
        "one half-hour that has carbon intensity or a mix",
        ("reporting.telemetry",),
    ),
    "reporting.generation_mix": (
        "one half-hour and fuel",
        ("core.generation_mix", "raw.generation"),
    ),
    "reporting.generation_mix_24h": ("one half-hour and fuel", ("reporting.generation_mix",)),
    "reporting.generation_groups": (
        "one half-hour and group of fuels",
        ("core.generation_mix", "core.generation_mw"),
    ),
    "reporting.daily": ("one London day", ("core.intensity", "core.generation_mix")),
    "reporting.monthly": ("one London month", ("core.intensity", "core.generation_mix")),
    "reporting.daily_energy": ("one London day", ("core.generation_mw", "core.intensity")),
    "reporting.monthly_energy": ("one London month", ("core.generation_mw", "core.intensity")),
    "reporting.forecast_latest": (
        "one model, series and half-hour",
        ("forecast.predictions",),
    ),
    "reporting.forecast_day_ahead": (
        "one model, series and half-hour",
        ("forecast.predictions",),
    ),
    "reporting.actual_vs_predicted": (
        "one model, series, issue and half-hour",
        ACTUAL_BESIDE_FORECAST,
    ),
    "reporting.actual_vs_predicted_24h": (
        "one model, series and half-hour",
        ACTUAL_BESIDE_FORECAST,
    ),
    "reporting.forecast_accuracy": (
        "one model, series, day and lead bucket",
        ("forecast.accuracy",),
    ),
    "reporting.forecast_value": ("one model, day and wait", ("forecast.accuracy",)),
    "reporting.generation_mw": ("one half-hour that has begun", ("core.generation_mw",)),
    "reporting.regional_telemetry": (
        "one region and half-hour that has carbon intensity or a mix",
        ("core.regional_intensity", "core.regional_mix"),
    ),
    "reporting.regional_24h": (
        "one region and half-hour that has carbon intensity or a mix",
        ("reporting.regional_telemetry",),
    ),
    "reporting.regional_now": ("one region", ("reporting.regional_telemetry",)),
    "reporting.regional_forecast_latest": (
        "one model, region, series and half-hour",
        ("raw.regional_forecast", "forecast.predictions", "forecast.regional_accuracy"),
    ),
    "reporting.regional_forecast_accuracy": (
        "one model, region, day and lead bucket",
        ("forecast.regional_accuracy",),
    ),
    "reporting.outlook_newest": ("one source of one series of the outlook", ("core.outlook",)),
}
"""What one row of each view is, and the relations that the view reads.

`reporting.etl_runs` is left out: it reads no asset.
"""

VIEWS: Final = [
    dg.AssetSpec(
        asset_key(view),
        deps=[asset_key(read) for read in reads],
        is_virtual=True,
        group_name="reporting",
        owners=OWNERS,
        kinds={"view", "postgres"},
        tags={"domain": "electricity", "region": "gb"},
        # No freshness policy: Dagster judges it by materialisations, and a view has none.
        description=(
            f"One row is {row}. {as_markdown(catalogue.relation(view).comment)} A view over "
            f"{' and '.join(reads)}: it is never materialised and always shows their newest rows."
        ),
        metadata={
            "dagster/column_schema": column_schema(view),
            "dagster/table_name": view,
        },
    )
    for view, (row, reads) in READS.items()
]

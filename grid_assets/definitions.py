"""The table of contents: every asset, job, schedule, sensor and resource by name."""

import dagster as dg

from grid_assets.defs import alarms, automation, housekeeping, learning
from grid_assets.defs.assets import (
    alerts,
    core,
    dashboard,
    feeds,
    forecast,
    generation,
    outlook,
    raw,
    regional,
    regional_scores,
    reporting,
)
from grid_assets.defs.executors import configured_executor
from grid_assets.defs.resources import Services

defs = dg.Definitions(
    assets=[
        raw.intensity,
        raw.generation,
        raw.neso_forecast,
        outlook.outlook,
        generation.elexon_generation,
        generation.embedded_generation,
        core.intensity,
        core.generation_mix,
        outlook.core_outlook,
        generation.generation_mw,
        regional.regional,
        regional.regional_forecast,
        regional.regional_intensity,
        regional.regional_mix,
        forecast.predictions,
        forecast.accuracy,
        regional_scores.regional_accuracy,
        *reporting.VIEWS,
        feeds.feeds,
        dashboard.dashboard,
        alerts.alert_deliveries,
    ],
    jobs=[automation.TELEMETRY, housekeeping.housekeeping, learning.learning],
    schedules=[
        automation.half_hourly,
        housekeeping.daily_housekeeping,
        learning.weekly_learning,
    ],
    sensors=[automation.new_telemetry, alarms.alarms],
    resources={"services": Services()},
    executor=configured_executor(),
)

"""The table of contents: every asset, job, schedule, sensor and resource by name."""

import dagster as dg

from grid_assets.defs import automation, housekeeping
from grid_assets.defs.assets import core, dashboard, forecast, raw, reporting
from grid_assets.defs.resources import Services

defs = dg.Definitions(
    assets=[
        raw.intensity,
        raw.generation,
        raw.neso_forecast,
        core.intensity,
        core.generation_mix,
        forecast.predictions,
        forecast.accuracy,
        *reporting.VIEWS,
        dashboard.dashboard,
    ],
    jobs=[automation.TELEMETRY, housekeeping.housekeeping],
    schedules=[automation.half_hourly, housekeeping.daily_housekeeping],
    sensors=[automation.new_telemetry],
    resources={"services": Services()},
    # One process for all steps: the multiprocess executor takes 3 s per step.
    executor=dg.in_process_executor,
)

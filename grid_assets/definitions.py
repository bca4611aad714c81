"""The table of contents: every asset, check, schedule and resource of the project by name."""

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
    # In the run's own process: each step of the multiprocess executor would cost 3 s.
    executor=dg.in_process_executor,
)

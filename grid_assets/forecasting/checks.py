"""The checks of forecasts and of their scores; `telemetry.checks` runs them."""

from __future__ import annotations

from typing import Final

from grid_assets.telemetry.checks import Check

BLOCKING: Final[dict[str, tuple[Check, ...]]] = {
    "forecast.predictions": (
        Check(
            "quantiles_ordered", "forecast_quantiles_ordered", "p10 <= p50 <= p90, none missing."
        ),
        Check(
            "shares_sum_to_100",
            "forecast_shares_sum_to_100",
            "The nine median shares of each forecast half-hour sum to exactly 100.",
        ),
        Check(
            "horizon_complete",
            "forecast_horizon_complete",
            "Each issue has 96 half-hours of each of the ten series, from its issue time on.",
        ),
    ),
}

WARNING: Final[dict[str, tuple[Check, ...]]] = {
    "forecast.predictions": (
        Check(
            "by_configured_model",
            "forecast_by_configured_model",
            "The model that GRID_CHRONOS_MODEL names and the trees in use forecast, no stand-in.",
        ),
        Check(
            "context_sufficient",
            "forecast_context_sufficient",
            "At most a quarter of the context was missing, so a forecast could be made.",
        ),
        Check("is_recent", "forecast_is_recent", "The newest forecast is at most 2 hours old."),
    ),
    "forecast.accuracy": (
        Check(
            "coverage_80",
            "accuracy_coverage_80",
            "Over the last 14 days the 80 % band held 70 to 90 % of the actuals it could miss.",
        ),
        Check(
            "better_than_naive",
            "accuracy_better_than_naive",
            "Over the last 14 days Chronos and the blend beat seasonal naive for carbon "
            "intensity at every lead.",
        ),
    ),
}

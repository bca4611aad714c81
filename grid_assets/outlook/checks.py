"""The checks of the outlook and of generation by fuel; `telemetry.checks` runs them."""

from __future__ import annotations

from typing import Final

from grid_assets.telemetry.checks import Check

WARNING: Final[dict[str, tuple[Check, ...]]] = {
    "core.outlook": (
        Check(
            "no_suspects",
            "outlook_no_suspects",
            "No publication contradicts those before it or has a time that cannot be true.",
        ),
        Check("is_recent", "outlook_is_recent", "Each series was published in the last 6 hours."),
    ),
    "core.generation_mw": (
        Check(
            "values_plausible",
            "generation_mw_values_plausible",
            "Every published value is possible, and no wind vanishes for hours.",
        ),
        Check(
            "recomputed_drift",
            "recomputed_drift",
            "Published and recomputed carbon intensity differ as in the 28 days before, and the "
            "same half-hours belong together.",
        ),
        Check(
            "is_recent",
            "generation_mw_is_recent",
            "The newest generation began at most 2 hours ago.",
        ),
    ),
}

"""The checks of the regions. Those of the mix are the national ones, for each region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.regions import REGIONS
from grid_assets.sources.carbon_intensity.regional import RegionalRow
from grid_assets.telemetry.checks import BLOCKING as NATIONAL
from grid_assets.telemetry.checks import Check, Verdict

SUMS_TO_100: Final = NATIONAL["core.generation_mix"][0]

BLOCKING: Final[dict[str, tuple[Check, ...]]] = {
    "core.regional_mix": (
        SUMS_TO_100,
        Check(
            "fuels_kept",
            "regional_mix_fuels_kept",
            "Most half-hours of the regions keep the fuels that they have.",
        ),
    ),
}

WARNING: Final[dict[str, tuple[Check, ...]]] = {
    "core.regional_intensity": (
        Check(
            "half_hours_complete",
            "regional_intensity_half_hours_complete",
            "Every past UTC day of the run has all 48 half-hours of all 18 regions.",
        ),
        Check(
            "is_recent",
            "regional_intensity_is_recent",
            "The newest half-hour of each region began at most 2 hours ago.",
        ),
        Check(
            "values_plausible",
            "regional_intensity_values_plausible",
            "Every published value lies between 0 and 1000 gCO2/kWh.",
        ),
    ),
    "core.regional_mix": (
        Check(
            "half_hours_complete",
            "regional_mix_half_hours_complete",
            "Every past UTC day of the run has all 48 half-hours of all 18 regions.",
        ),
        Check(
            "is_recent",
            "regional_mix_is_recent",
            "The newest mix of each region began at most 2 hours ago.",
        ),
        Check(
            "published_total_near_100",
            "regional_mix_published_total_near_100",
            "Published shares sum to within 0.3 of 100.",
        ),
        Check(
            "fuels_known", "regional_mix_fuels_known", "The nine fuels were published, no others."
        ),
    ),
}

REGIONS_COMPLETE: Final = Check(
    "regions_complete", "", "Each half-hour that was asked for came with all 18 regions."
)

REACHES_48_HOURS: Final = Check(
    "reaches_48_hours",
    "",
    "The captured forecast has a value for each of its 96 half-hours in all 18 regions.",
)

NO_ACTUALS: Final = Check(
    "no_actuals",
    "",
    "The API gives no actual for regions. If it does, raw.regional has it, and core does not yet "
    "use it.",
)


def judge_complete(check: Check, rows: Iterable[RegionalRow], window: Window) -> Verdict:
    """The verdict on the half-hours of a window that came without a value of some region."""
    expected = (window.end - window.start) // HALF_HOUR
    found = Counter(row.region_id for row in rows if row.forecast_gco2_kwh is not None)
    missing = {region: expected - found[region.region_id] for region in REGIONS}
    examples = [
        f"{region.short_name}: {count} of {expected} half-hours are missing"
        for region, count in missing.items()
        if count > 0
    ]
    return Verdict(check, sum(count for count in missing.values() if count > 0), examples[:10])


def judge_actuals(rows: Sequence[RegionalRow]) -> Verdict:
    """The verdict on actuals, which have never been published for regions."""
    found = [row for row in rows if row.actual_gco2_kwh is not None]
    names = sorted({REGIONS[row.region_id - 1].short_name for row in found})
    return Verdict(NO_ACTUALS, len(found), names[:10])

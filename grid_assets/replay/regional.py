"""The simulated regions, needed because no weeks of regional answers were recorded.

Each region's mix is the recorded national one, weighed by how far the region's share of each fuel
was from Great Britain's on one recorded day (2023-11-06), and its carbon intensity follows from
that mix. So regions differ and follow the weather, Great Britain (18) is the national value, and
nothing here says anything about a real region at any time. Every answer is marked as simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from grid_assets.halfhours import floor
from grid_assets.regions import REGIONS, Region
from grid_assets.replay import simulated
from grid_assets.replay.recording import (
    HORIZON,
    Record,
    View,
    ending_in,
    is_withheld,
    packaged_rows,
    times_of,
)
from grid_assets.series import FUELS

REPLACED_AFTER: Final = timedelta(hours=24)
"""From this age on, a half-hour has the estimate of what happened instead of the forecast. When
NESO replaces it is not known; a day makes the change log visible in the demo."""

FACTORS: Final = {
    "biomass": 120,
    "coal": 937,
    "imports": 200,
    "gas": 394,
    "nuclear": 0,
    "other": 300,
    "hydro": 0,
    "solar": 0,
    "wind": 0,
}
"""gCO2/kWh as published, of imports a value between those of the countries."""

Mix = tuple[float, ...]


@lru_cache(maxsize=1)
def weights() -> dict[int, Mix]:
    """By region, how its share of each fuel compares with Great Britain's, in the order of
    `FUELS`."""
    return {
        int(row[0]): tuple(float(ratio) for ratio in row[1:])
        for row in packaged_rows("regional_weights.csv.gz")
    }


class RegionalView:
    """What the API would say of the regions at an instant, from the national `View`."""

    def __init__(self, view: View) -> None:
        self._view = view

    def records(
        self, start: datetime, end: datetime, now: datetime, withheld_from: datetime | None = None
    ) -> list[Record]:
        """Half-hours that end in [`start`, `end`], up to `HORIZON` ahead of now."""
        found = []
        for period in ending_in(start, min(end, floor(now) + HORIZON + timedelta(minutes=30))):
            if is_withheld(period, withheld_from):
                continue
            national = self._national(period, now)
            if national is not None:
                gco2_kwh, mix, year = national
                found.append(
                    {
                        **times_of(period),
                        "regions": [_region(one, gco2_kwh, mix, year) for one in REGIONS],
                    }
                )
        return found

    def _national(self, period: datetime, now: datetime) -> tuple[int, Mix, int] | None:
        row = self._view.intensity_at(period, now)
        mix = self._view.recording.mix.get(period - self._view.shift)
        if row is None or mix is None:
            return None
        year = (period - self._view.shift).year
        known = [row.forecast, row.actual]
        if now - period >= REPLACED_AFTER:
            known.reverse()
        value = next((one for one in known if one is not None), None)
        if value is None:
            return None
        if period > now:
            truth = self._view.recording.intensity[period - self._view.shift]
            actual = truth.forecast if truth.actual is None else truth.actual
            mix = _moved(mix, value - (value if actual is None else actual))
        return value, mix, year


def _moved(mix: Mix, error: float) -> Mix:
    """The mix of a forecast that is off by `error` gCO2/kWh: gas takes the place of wind, or wind
    of gas."""
    gas, wind = FUELS.index("gas"), FUELS.index("wind")
    moved = 100 * error / FACTORS["gas"]
    moved = max(-mix[gas], min(mix[wind], moved))
    changed = list(mix)
    changed[gas] += moved
    changed[wind] -= moved
    return tuple(changed)


def _region(region: Region, gco2_kwh: int, mix: Mix, year: int) -> Record:
    shares = _weighed(mix, weights()[region.region_id])
    own, national = _of_factors(shares), _of_factors(mix)
    value = round(gco2_kwh * own / national) if national else gco2_kwh
    return {
        "regionid": region.region_id,
        "dnoregion": region.dno_name,
        "shortname": region.short_name,
        "intensity": {"forecast": value, "index": simulated.index(value, year)},
        "generationmix": [
            {"fuel": fuel, "perc": _as_published(share)}
            for fuel, share in zip(FUELS, shares, strict=True)
        ],
    }


def _weighed(mix: Mix, ratios: Sequence[float]) -> Mix:
    shares = [share * ratio for share, ratio in zip(mix, ratios, strict=True)]
    total = sum(shares)
    return tuple(100 * share / total for share in shares) if total else mix


def _of_factors(mix: Mix) -> float:
    return sum(share * FACTORS[fuel] for fuel, share in zip(FUELS, mix, strict=True))


def _as_published(share: float) -> Any:
    rounded = round(share, 1)
    return int(rounded) if rounded.is_integer() else rounded

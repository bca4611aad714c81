"""Generation by fuel and the carbon intensity recomputed from it. Pure.

The intensity is recomputed with the factors that NESO publishes (`/intensity/factors`), so that it
can be compared with the published one. It is a second measurement and never takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from grid_assets.halfhours import HALF_HOUR
from grid_assets.series import FUELS

FACTORS: Final = {
    "BIOMASS": 120,
    "CCGT": 394,
    "COAL": 937,
    "NPSHYD": 0,
    "NUCLEAR": 0,
    "OCGT": 651,
    "OIL": 935,
    "OTHER": 300,
    "PS": 0,
    "WIND": 0,
    "INTELEC": 53,
    "INTFR": 53,
    "INTIFA2": 53,
    "INTEW": 458,
    "INTGRNL": 458,
    "INTIRL": 458,
    "INTNED": 474,
    "INTNEM": 179,
    "INTNSL": 0,
}
"""gCO2/kWh by fuel or interconnector, as Elexon names them. Belgium's is that of NESO's method; the
API does not list it. Norway's is not published; its power comes from water. An interconnector that
is not here (Denmark's INTVKL) is left out of the intensity: the API's values of 2025 fit best so
(docs/decisions/0038)."""

UNLISTED: Final = frozenset({"COAL", "OCGT", "OIL", "PS"})
"""Fuels that count as 0 where Elexon does not list them; one that is listed as null is not known.
Without another one, the half-hour is incomplete."""

COLUMNS: Final = {
    "biomass": ("BIOMASS",),
    "coal": ("COAL",),
    "gas": ("CCGT", "OCGT"),
    "nuclear": ("NUCLEAR",),
    "hydro": ("NPSHYD",),
}
"""Elexon's fuels of each fuel that is a plain sum of them."""

MEASURED: Final = (
    *(f"{fuel}_mw" for fuel in FUELS),
    "metered_wind_mw",
    "embedded_wind_mw",
    "recomputed_gco2_kwh",
)

MOST_MW: Final = 40_000
"""Of one fuel; the largest is gas with 27,131 MW in ten years."""

FALL: Final = 0.6
"""Wind that falls below this share in half an hour and is back within hours was not metered: in the
166,380 half-hours from 2016 to 2025 that happened 33 times, often down to 0."""

LOSS: Final = 0.2
"""Below this share a fall is not believed even before the wind is back."""

BACK: Final = 0.9
"""The share of the wind before a fall at which it counts as back."""

LEAST_WIND_MW: Final = 1_000
"""With less wind before a fall, a small change is a large share."""

RETURNS_WITHIN: Final = timedelta(hours=3)
"""The longest fall that is judged; one in ten years lasted as long."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`values` in the order of `MEASURED`; `reason` says what was published and not used."""

    values: tuple[int | Decimal | None, ...]
    reason: str | None


def measure(
    generation: Mapping[str, float | None],
    embedded_wind: int | None,
    embedded_solar: int | None,
    wind_fault: str | None = None,
) -> Measured:
    """One half-hour. `generation` is MW by fuel as Elexon names it; `wind_fault` says why its wind
    is not used. A fuel is None where a part of it is missing, null or impossible."""
    faults = [] if wind_fault is None else [wind_fault]
    power: dict[str, int | None] = dict.fromkeys(UNLISTED, 0)
    for fuel, mw in generation.items():
        if mw is None:
            power[fuel] = None
            continue
        may_be_negative = fuel == "PS" or fuel.startswith("INT")
        if abs(mw) > MOST_MW or (mw < 0 and not may_be_negative):
            faults.append(f"published {fuel} {mw} MW is impossible")
            power[fuel] = None
        else:
            power[fuel] = max(round(mw), 0)
    if wind_fault is not None:
        power["WIND"] = None
    links = [fuel for fuel in power if fuel.startswith("INT")]
    others = [fuel for fuel in power if fuel not in FACTORS and fuel not in links]
    mw_of = {name: _sum(power, parts) for name, parts in COLUMNS.items()}
    mw_of["imports"] = _sum(power, links) if links else None
    mw_of["other"] = _sum(power, ("OTHER", "OIL", "PS", *others))
    mw_of["solar"] = embedded_solar
    wind = power.get("WIND")
    mw_of["wind"] = None if wind is None or embedded_wind is None else wind + embedded_wind
    nine = tuple(mw_of[fuel] for fuel in FUELS)
    return Measured(
        (*nine, wind, embedded_wind, _intensity(power, nine, embedded_wind, embedded_solar)),
        "; ".join(faults) or None,
    )


def _sum(power: Mapping[str, int | None], fuels: tuple[str, ...] | list[str]) -> int | None:
    parts = [power.get(fuel) for fuel in fuels]
    return None if None in parts else sum(part for part in parts if part is not None)


def _intensity(
    power: Mapping[str, int | None],
    nine: tuple[int | None, ...],
    embedded_wind: int | None,
    embedded_solar: int | None,
) -> Decimal | None:
    if None in nine or embedded_wind is None or embedded_solar is None:
        return None
    counted = {
        fuel: mw
        for fuel, mw in power.items()
        if mw is not None and (fuel in FACTORS or not fuel.startswith("INT"))
    }
    total = sum(counted.values()) + embedded_wind + embedded_solar
    if total == 0:
        return None
    # a fuel that is new counts as other
    grams = sum(mw * FACTORS.get(fuel, FACTORS["OTHER"]) for fuel, mw in counted.items())
    return (Decimal(grams) / total).quantize(Decimal("0.1"))


def implausible_wind(metered: Mapping[datetime, int | None]) -> dict[datetime, str]:
    """Half-hours whose metered wind is bogus, with the reason: wind that falls below `FALL` of what
    it was in half an hour and is back within `RETURNS_WITHIN`, and all in between.

    While later half-hours are missing, a fall below `LOSS` counts as bogus until they show more.
    """
    bogus: dict[datetime, str] = {}
    for start in sorted(metered):
        before, mw = metered.get(start - HALF_HOUR), metered[start]
        if start in bogus or mw is None or before is None or before < LEAST_WIND_MW:
            continue
        if start - HALF_HOUR in bogus or mw >= FALL * before:
            continue
        following = [start + place * HALF_HOUR for place in range(RETURNS_WITHIN // HALF_HOUR + 1)]
        back = next((at for at in following if (metered.get(at) or 0) >= BACK * before), None)
        if back is None and (mw >= LOSS * before or metered.get(following[-1]) is not None):
            continue
        for at in following:
            value = metered.get(at)
            if value is not None and (back is None or at < back):
                bogus[at] = f"published wind of {value} MW after {before} MW is bogus"
    return bogus

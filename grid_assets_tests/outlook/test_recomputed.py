"""Generation by fuel and recomputed carbon intensity, on values that Elexon published."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook.recomputed import (
    FACTORS,
    MEASURED,
    RETURNS_WITHIN,
    implausible_wind,
    measure,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"
T0 = datetime(2024, 1, 23, 10, tzinfo=UTC)

EVENING: dict[str, int] = {
    "BIOMASS": 3302,
    "CCGT": 22997,
    "COAL": 0,
    "NPSHYD": 556,
    "NUCLEAR": 3744,
    "OCGT": 60,
    "OIL": 0,
    "OTHER": 2569,
    "PS": 892,
    "WIND": 11088,
    "INTELEC": -174,
    "INTEW": -532,
    "INTFR": 356,
    "INTGRNL": -514,
    "INTIFA2": -4,
    "INTIRL": -450,
    "INTNED": 588,
    "INTNEM": -392,
    "INTNSL": -42,
    "INTVKL": -280,
}
"""2025-11-20 18:00, with 1,914 MW of embedded wind. The API's actual of 17:30, which fits best, was
219 gCO2/kWh."""


def measured(generation: dict[str, Any], wind: int | None = 0, solar: int | None = 0) -> Any:
    found = measure(generation, wind, solar)
    return dict(zip(MEASURED, found.values, strict=True)) | {"reason": found.reason}


def test_factors_are_those_that_the_api_publishes() -> None:
    """In 2021 and in 2026; the API names imports by country."""
    names = {
        "Biomass": "BIOMASS",
        "Coal": "COAL",
        "Dutch Imports": "INTNED",
        "French Imports": "INTFR",
        "Gas (Combined Cycle)": "CCGT",
        "Gas (Open Cycle)": "OCGT",
        "Hydro": "NPSHYD",
        "Irish Imports": "INTIRL",
        "Nuclear": "NUCLEAR",
        "Oil": "OIL",
        "Other": "OTHER",
        "Pumped Storage": "PS",
        "Wind": "WIND",
    }
    for year in (2021, 2026):
        text = (FIXTURES / f"intensity_factors_{year}.json").read_text(encoding="utf-8")
        published = json.loads(text)["data"][0]
        assert published.pop("Solar") == 0
        assert {names[name]: factor for name, factor in published.items()} == {
            fuel: FACTORS[fuel] for fuel in names.values()
        }
    assert FACTORS["INTFR"] == FACTORS["INTIFA2"] == FACTORS["INTELEC"]
    assert FACTORS["INTIRL"] == FACTORS["INTEW"] == FACTORS["INTGRNL"]


def test_a_half_hour_by_fuel() -> None:
    found = measured(EVENING, 1914, 0)
    assert found == {
        "biomass_mw": 3302,
        "coal_mw": 0,
        "imports_mw": 356 + 588,
        "gas_mw": 22_997 + 60,
        "nuclear_mw": 3744,
        "other_mw": 2569 + 892,
        "hydro_mw": 556,
        "solar_mw": 0,
        "wind_mw": 11_088 + 1914,
        "metered_wind_mw": 11_088,
        "embedded_wind_mw": 1914,
        "recomputed_gco2_kwh": Decimal("219.8"),
        "reason": None,
    }


def test_exports_and_pumping_count_as_nothing() -> None:
    base = measured(EVENING | {"INTFR": 0, "PS": 0})
    assert measured(EVENING | {"INTFR": -1500, "PS": -900}) == base
    assert measured(EVENING | {"PS": 900})["other_mw"] == base["other_mw"] + 900


def test_an_interconnector_without_a_factor_is_an_import_outside_the_intensity() -> None:
    base = measured(EVENING | {"INTVKL": 0})
    more = measured(EVENING | {"INTVKL": 800, "INTNEW": 700})
    assert more["imports_mw"] == base["imports_mw"] + 1500
    assert more["recomputed_gco2_kwh"] == base["recomputed_gco2_kwh"]


def test_a_fuel_that_is_new_is_other() -> None:
    assert measured(EVENING | {"WAVE": 500}) == measured(
        EVENING | {"OTHER": EVENING["OTHER"] + 500}
    )


@pytest.mark.parametrize("unlisted", ["COAL", "OCGT", "OIL", "PS"])
def test_a_fuel_that_ended_counts_as_nothing(unlisted: str) -> None:
    left = {fuel: mw for fuel, mw in EVENING.items() if fuel != unlisted}
    assert measured(left) == measured(EVENING | {unlisted: 0})


@pytest.mark.parametrize(
    ("null", "column"),
    [
        ("COAL", "coal_mw"),
        ("OCGT", "gas_mw"),
        ("OIL", "other_mw"),
        ("PS", "other_mw"),
        ("NUCLEAR", "nuclear_mw"),
        ("INTVKL", "imports_mw"),
    ],
)
def test_a_fuel_that_is_listed_as_null_is_not_known(null: str, column: str) -> None:
    found = measured(EVENING | {null: None})
    assert found[column] is None
    assert found["recomputed_gco2_kwh"] is None
    assert found["reason"] is None


@pytest.mark.parametrize(
    ("missing", "column"),
    [
        ("CCGT", "gas_mw"),
        ("NUCLEAR", "nuclear_mw"),
        ("BIOMASS", "biomass_mw"),
        ("OTHER", "other_mw"),
        ("WIND", "wind_mw"),
        ("INT", "imports_mw"),
    ],
)
def test_without_a_fuel_there_is_no_intensity(missing: str, column: str) -> None:
    found = measured({fuel: mw for fuel, mw in EVENING.items() if not fuel.startswith(missing)})
    assert found[column] is None
    assert found["recomputed_gco2_kwh"] is None
    assert found["hydro_mw"] == EVENING["NPSHYD"]
    assert found["reason"] is None


def test_without_embedded_generation_there_is_neither_wind_nor_solar_nor_intensity() -> None:
    found = measured(EVENING, None, None)
    assert [found[name] for name in ("wind_mw", "solar_mw", "recomputed_gco2_kwh")] == [None] * 3
    assert found["metered_wind_mw"] == EVENING["WIND"]


@pytest.mark.parametrize("odd", [-5, 40_001, 10**9])
def test_an_impossible_value_is_null_with_a_reason(odd: int) -> None:
    found = measured(EVENING | {"NUCLEAR": odd})
    assert found["nuclear_mw"] is None
    assert found["recomputed_gco2_kwh"] is None
    assert found["reason"] == f"published NUCLEAR {odd} MW is impossible"


def test_no_power_has_no_intensity() -> None:
    assert measured(dict.fromkeys(EVENING, 0))["recomputed_gco2_kwh"] is None


def test_bogus_wind_is_null_with_its_reason() -> None:
    found = measure(EVENING, 100, 0, "bogus")
    values = dict(zip(MEASURED, found.values, strict=True))
    assert (values["wind_mw"], values["metered_wind_mw"], found.reason) == (None, None, "bogus")
    assert values["recomputed_gco2_kwh"] is None


# Wind that vanishes


def bogus(*wind: int | None) -> list[int]:
    """The places of half-hours that are bogus."""
    starts = [T0 + place * HALF_HOUR for place in range(len(wind))]
    found = implausible_wind(dict(zip(starts, wind, strict=True)))
    return [starts.index(start) for start in found]


LOST = int(RETURNS_WITHIN / HALF_HOUR)


@pytest.mark.parametrize(
    ("wind", "found"),
    [
        ([14_747, 14_552, 2469, 0, 0, 12_439, 15_262], [2, 3, 4, 5]),  # 2024-01-23
        ([13_107, 5307, 15_922], [1]),  # 2025-11-27
        ([3928, 2365, 388, 0, 397, 2354], [2, 3, 4]),  # 2025-07-10
        ([9000, 6000, 9000], []),  # a third of it
        ([900, 0, 900], []),  # a calm
        ([9000, 5000, 4000, 3000, 2500, 2000, 1800, 1500, 1200], []),  # it does not return
        ([9000, *[100] * LOST, 9000], [*range(1, LOST + 1)]),
        ([9000, *[100] * (LOST + 1), 9000], []),  # too long
        ([9000, 100], [1]),  # not yet known to return, and not believed
        ([9000, 100, 100], [1, 2]),
        ([9000, 4000], []),  # believed until it returns
        ([9000, None, 100, 9000], []),  # nothing to compare with
        ([9000, 100, None, 9000], [1]),
        ([None, None], []),
    ],
)
def test_wind_that_vanishes_and_returns_is_bogus(wind: list[int | None], found: list[int]) -> None:
    assert bogus(*wind) == found

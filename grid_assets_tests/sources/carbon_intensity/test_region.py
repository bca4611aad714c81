"""Which region recorded answers speak of, whatever number they carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grid_assets.regions import REGIONS, region_named
from grid_assets.sources.carbon_intensity.region import region_of
from grid_assets.sources.records import Unusable

FIXTURES = Path(__file__).parents[2] / "fixtures"


def recorded(name: str) -> Any:
    data = json.loads((FIXTURES / f"regional_{name}.json").read_text(encoding="utf-8"))["data"]
    return data[0] if isinstance(data, list) else data


BN3 = {"regionid": 13, "dnoregion": "UKPN South East", "shortname": "South East England"}
"""How an answer of 2020-04-27 begins (issue 8 of carbon-intensity/api-definitions)."""


@pytest.mark.parametrize(
    ("answer", "number", "region_id"),
    [
        pytest.param(BN3, 13, 14, id="BN3 of 2020"),
        pytest.param(recorded("postcode_EN2_now"), 9, 10, id="EN2 of 2021"),
        pytest.param(recorded("postcode_EC1V_2021-07-23"), 12, 13, id="EC1V of 2021"),
        pytest.param(recorded("postcode_EN2_range_2019-01-01_first"), 10, 10, id="EN2, a range"),
        pytest.param(recorded("postcode_BS16_fw48h_2025-10-22_first"), 11, 11, id="BS16 of 2025"),
    ],
)
def test_an_answer_by_postcode_is_told_by_its_name_and_not_by_its_number(
    answer: dict[str, Any], number: int, region_id: int
) -> None:
    assert answer["regionid"] == number
    assert region_of(answer).region_id == region_id


@pytest.mark.parametrize("name", ["range_2020-01-01_first", "now"], ids=["2020", "2021"])
def test_every_region_of_an_answer_is_found_under_the_spelling_of_its_time(name: str) -> None:
    regions = recorded(name)["regions"]
    assert [region_of(region) for region in regions] == list(REGIONS)
    assert [region["regionid"] for region in regions] == [r.region_id for r in REGIONS]
    assert [region["dnoregion"] for region in regions] == [r.dno_name for r in REGIONS]


def test_case_and_spaces_of_a_name_do_not_matter() -> None:
    assert region_named(" north wales  & Merseyside ") == REGIONS[5]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"regionid": 13, "shortname": "Atlantis"}, id="unknown"),
        pytest.param({"regionid": 13, "shortname": ""}, id="empty"),
        pytest.param({"regionid": 13, "shortname": None}, id="null"),
        pytest.param({"regionid": 13, "shortname": 13}, id="number"),
        pytest.param({"regionid": 13}, id="absent"),
    ],
)
def test_an_answer_without_a_known_name_is_unusable_although_it_has_a_number(
    answer: dict[str, Any],
) -> None:
    with pytest.raises(Unusable, match=r"^shortname: "):
        region_of(answer)

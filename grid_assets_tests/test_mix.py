"""The exact-100 rule, on every recorded mix and on its edge cases."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files

import pytest

from grid_assets.mix import Mix, MixRefused, complete
from grid_assets.series import FUELS, NAMED_FUELS

TENTH = Decimal("0.1")


def shares(**by_fuel: float | str | None) -> dict[str, Decimal | None]:
    return {fuel: None if share is None else Decimal(str(share)) for fuel, share in by_fuel.items()}


def total(mix: Mix) -> Decimal:
    return mix.other + sum((share for share in mix.named.values() if share is not None), Decimal(0))


def as_published(mix: Mix) -> dict[str, Decimal | None]:
    return {**mix.named, "other": mix.other}


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Decimal]]:
    packed = files("grid_assets.replay").joinpath("data", "national_generation_mix.csv.gz")
    with packed.open("rb") as raw, gzip.open(raw, "rt", encoding="ascii", newline="") as text:
        return [{fuel: Decimal(row[fuel]) for fuel in FUELS} for row in csv.DictReader(text)]


def test_every_recorded_mix_sums_to_exactly_100_and_moves_a_fuel_by_a_tenth_at_most_but_in_three(
    recorded: list[dict[str, Decimal]],
) -> None:
    assert len(recorded) == 13_193
    adjustments: Counter[str] = Counter()
    moved: Counter[Decimal] = Counter()
    for published in recorded:
        mix = complete(published)
        assert total(mix) == 100
        assert mix.other >= 0
        assert mix.published_total == sum(published.values())
        for fuel in NAMED_FUELS:
            share = mix.named[fuel]
            assert share is not None
            assert 0 <= share <= 100
        moved[max(abs((mix.named[fuel] or 0) - published[fuel]) for fuel in NAMED_FUELS)] += 1
        adjustments[mix.adjustment] += 1
        assert (mix.adjustment == "none") == (
            as_published(mix) == {fuel: published[fuel] for fuel in FUELS}
        )
    # Where one fuel has two thirds of a mix that sums to 100.2, both tenths are fairly its own.
    assert moved == {Decimal("0.0"): 11_594, TENTH: 1_596, 2 * TENTH: 3}
    # The recording exercises all three branches of the rule.
    assert all(adjustments[kind] > 500 for kind in ("none", "other_completed", "scaled_to_100"))


def test_a_mix_that_sums_to_100_is_kept_unchanged() -> None:
    published = shares(
        biomass=7.8, coal=1.2, imports=10.6, gas=58.6, nuclear=17.6, other=0, hydro=1.2, wind=3
    )
    mix = complete({**published, "solar": Decimal(0)})
    assert mix.adjustment == "none"
    assert as_published(mix) == {**published, "solar": Decimal(0)}


def test_the_rest_to_100_becomes_other_and_the_published_total_is_kept() -> None:
    mix = complete(shares(gas=60, wind=39.7, other=0.1))
    assert (mix.other, mix.published_total) == (Decimal("0.3"), Decimal("99.8"))
    assert mix.adjustment == "other_completed"
    # An `other` too many is taken from `other` alone.
    mix = complete(shares(gas=60, wind=39.7, other=0.5))
    assert (mix.other, mix.adjustment) == (Decimal("0.3"), "other_completed")


def test_named_fuels_that_pass_100_are_scaled_back_by_largest_remainders() -> None:
    mix = complete(shares(gas=60.1, wind=40.1, other=0))
    # 601 and 401 of 1002 are 599.8 and 400.2 of 1000.
    assert mix.named["gas"] == Decimal("59.9") + TENTH
    assert mix.named["wind"] == Decimal("40.0")
    assert (mix.other, mix.adjustment) == (Decimal(0), "scaled_to_100")
    assert mix.published_total == Decimal("100.2")


def test_equal_remainders_go_to_the_larger_share_and_then_to_the_apis_order() -> None:
    even = complete(shares(wind=25.1, solar=25.1, gas=25.1, biomass=25.1))
    # All four have the same remainder and size; 1000 // 4 leaves nothing to hand out.
    assert {even.named[fuel] for fuel in ("wind", "solar", "gas", "biomass")} == {Decimal("25.0")}
    # 335 three times of 1005: 333 and a third each, one tenth to hand out to the first in order.
    thirds = complete(shares(wind=33.5, gas=33.5, biomass=33.5))
    assert [thirds.named[fuel] for fuel in ("biomass", "gas", "wind")] == [
        Decimal("33.4"),
        Decimal("33.3"),
        Decimal("33.3"),
    ]
    # 668 and 167 twice of 1002 have remainders 668, 668 and 668: two tenths, the largest first.
    sized = complete(shares(biomass=16.7, coal=16.7, wind=66.8))
    assert [sized.named[fuel] for fuel in ("wind", "biomass", "coal")] == [
        Decimal("66.7"),
        Decimal("16.7"),
        Decimal("16.6"),
    ]


def test_a_fuel_without_a_share_stays_unknown_and_its_power_is_in_other() -> None:
    for published in (
        shares(gas=80, wind=10, nuclear=None, other=0),
        shares(gas=80, wind=10, other=0),
    ):
        mix = complete(published)
        assert mix.named["nuclear"] is None
        assert (mix.other, total(mix)) == (Decimal(10), Decimal(100))
        assert mix.published_total == 90


def test_an_unknown_fuel_counts_as_other() -> None:
    mix = complete(shares(gas=93, other=2), {"geothermal": Decimal("4.9")})
    assert (mix.other, mix.published_total) == (Decimal(7), Decimal("99.9"))
    exact = complete(shares(gas=93, other=2), {"geothermal": Decimal(5)})
    assert (exact.other, exact.adjustment) == (Decimal(7), "none")


@pytest.mark.parametrize(("gas", "refused"), [("60.5", False), ("60.6", True)])
def test_an_excess_of_half_a_percent_is_rounding_and_more_is_not(gas: str, refused: bool) -> None:
    published = shares(gas=gas, wind=40)
    if refused:
        with pytest.raises(MixRefused, match=r"sum to 100\.6, too far above 100"):
            complete(published)
    else:
        assert total(complete(published)) == 100


@pytest.mark.parametrize(("gas", "refused"), [("75.0", False), ("74.9", True)])
def test_a_mix_that_lacks_more_than_a_quarter_is_refused(gas: str, refused: bool) -> None:
    published = shares(gas=gas, other=0)
    if refused:
        with pytest.raises(MixRefused, match=r"'other' would have to be 25\.1, but 0\.0"):
            complete(published)
    else:
        assert complete(published).other == 25


def test_an_other_far_above_what_is_left_is_refused() -> None:
    assert complete(shares(gas=90, other=35)).other == 10
    with pytest.raises(MixRefused, match=r"'other' would have to be 10\.0, but 35\.1"):
        complete(shares(gas=90, other="35.1"))


@pytest.mark.parametrize("fuel", ["gas", "other", "geothermal"])
@pytest.mark.parametrize(
    "share", ["NaN", "sNaN", "Infinity", "-Infinity", "-0.1", "101", "100.01", "1e400", "1e9999999"]
)
def test_a_share_outside_0_to_100_is_refused_by_name(fuel: str, share: str) -> None:
    wrong: Mapping[str, Decimal] = {fuel: Decimal(share)}
    known, unknown = (wrong, {}) if fuel in FUELS else ({}, wrong)
    with pytest.raises(MixRefused, match=f"the share of '{fuel}' is .*, outside 0 to 100"):
        complete({"wind": Decimal(100), **known}, unknown)


@pytest.mark.parametrize("published", [{}, {"gas": None}, dict.fromkeys(FUELS)])
def test_a_mix_without_any_share_is_refused(published: dict[str, None]) -> None:
    with pytest.raises(MixRefused, match="no fuel has a share"):
        complete(published)


def test_more_decimals_than_are_published_are_rounded_half_to_even() -> None:
    mix = complete(shares(gas="60.25", wind="39.35", hydro="0.35", other=0))
    assert [mix.named[fuel] for fuel in ("gas", "wind", "hydro")] == [
        Decimal("60.2"),
        Decimal("39.4"),
        Decimal("0.4"),
    ]
    assert (mix.other, total(mix)) == (Decimal(0), Decimal(100))
    assert (mix.published_total, mix.adjustment) == (Decimal(100), "none")


def test_the_extremes_of_one_fuel_alone_are_mixes() -> None:
    assert total(complete(shares(wind=100))) == 100
    assert complete(shares(other=100)).other == 100
    negative_zero = complete({"wind": Decimal(100), "coal": Decimal("-0.0")})
    assert str(negative_zero.named["coal"]) == "0.0"

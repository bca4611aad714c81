"""Properties of the exact-100 rule, on mixes near 100 and on arbitrary shares."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given, reject
from hypothesis import strategies as st

from grid_assets.mix import MAX_EXCESS, MAX_UNPUBLISHED_OTHER, WHOLE, Mix, MixRefused, complete
from grid_assets.series import FUELS, NAMED_FUELS
from grid_assets_tests.properties import PROPERTY

TENTH = Decimal("0.1")
Shares = dict[str, Decimal | None]


def percent(tenths: int) -> Decimal:
    return Decimal(tenths).scaleb(-1)


def rounded(share: Decimal) -> Decimal:
    return share.quantize(TENTH, ROUND_HALF_EVEN)


def as_published(mix: Mix) -> Shares:
    return dict(zip(FUELS, mix.shares, strict=True))


@st.composite
def rounded_mixes(draw: st.DrawFn) -> dict[str, Decimal]:
    """True shares that sum to 100, each rounded to a tenth as a publisher would.

    All but one of the named fuels end just below or above half a tenth, so that the roundings add
    up to several tenths.
    """
    fractions = st.sampled_from([Decimal("0.49"), Decimal("0.51"), Decimal(0)])
    tenths = st.builds(lambda whole, fraction: whole + fraction, st.integers(0, 141), fractions)
    *smaller, largest = draw(st.permutations(NAMED_FUELS))
    shares: dict[str, Decimal] = {"other": Decimal(draw(st.sampled_from([0, 0, 5])))}
    shares |= {fuel: draw(tenths) for fuel in smaller}
    shares[largest] = WHOLE - sum(shares.values(), Decimal(0))
    return {fuel: rounded(share / 10) for fuel, share in shares.items()}


@st.composite
def distorted_mixes(draw: st.DrawFn) -> Shares:
    """Rounded mixes with missing fuels, more decimals, and a fuel that is somewhat off."""
    published: Shares = {**draw(rounded_mixes())}
    for fuel in draw(st.sets(st.sampled_from(FUELS), max_size=3)):
        published[fuel] = None
    fuel = draw(st.sampled_from(FUELS))
    off = draw(st.decimals(-12, 12, places=2))
    if (share := published[fuel]) is not None:
        published[fuel] = max(Decimal(0), min(Decimal(100), share + off))
    return published


@st.composite
def equal_mixes(draw: st.DrawFn) -> Shares:
    """Fuels with the same or nearly the same share, a little above 100 in all."""
    fuels = draw(st.lists(st.sampled_from(NAMED_FUELS), min_size=2, unique=True))
    equal = WHOLE // len(fuels) + 1
    return {
        fuel: percent(draw(st.sampled_from([equal, equal, equal - 1]))) if fuel in fuels else None
        for fuel in FUELS
    }


any_share = st.none() | st.decimals() | st.decimals(0, 100, places=1) | st.decimals(-5, 105)
any_shares = st.dictionaries(st.sampled_from(FUELS), any_share) | distorted_mixes()
unknown_shares = st.dictionaries(
    st.sampled_from(["tidal", "geothermal", "Gas"]), st.decimals(0, 3, places=1)
)


@PROPERTY
@given(any_shares, unknown_shares)
def test_any_shares_are_refused_or_become_a_mix_of_exactly_100(
    published: Shares, unknown: dict[str, Decimal]
) -> None:
    try:
        mix = complete(published, unknown)
    except MixRefused:
        return
    assert sum(share for share in mix.shares if share is not None) == 100
    for share in mix.shares:
        assert share is None or (0 <= share <= 100 and share == rounded(share))


@PROPERTY
@given(rounded_mixes())
def test_rounding_alone_is_never_refused(published: dict[str, Decimal]) -> None:
    mix = complete(published)
    assert mix.published_total == sum(published.values())
    assert (mix.adjustment == "none") == (as_published(mix) == published)


@PROPERTY
@given(distorted_mixes())
def test_named_shares_are_kept_or_scaled_to_a_neighbouring_tenth_of_their_proportion(
    published: Shares,
) -> None:
    try:
        mix = complete(published)
    except MixRefused:
        reject()
    named = {f: rounded(s) for f in NAMED_FUELS if (s := published.get(f)) is not None}
    assert {fuel for fuel, share in mix.named.items() if share is not None} == set(named)
    excess = sum(named.values()) - 100
    if excess <= 0:
        assert mix.adjustment != "scaled_to_100"
        assert {fuel: mix.named[fuel] for fuel in named} == named
        return
    assert mix.adjustment == "scaled_to_100"
    assert mix.other == 0
    for fuel, share in named.items():
        scaled = mix.named[fuel]
        assert scaled is not None
        assert abs(scaled - share * 100 / (100 + excess)) < TENTH
        assert share - excess - TENTH < scaled < share + TENTH


@PROPERTY
@given(distorted_mixes())
def test_a_completed_mix_is_left_alone_the_second_time(published: Shares) -> None:
    try:
        mix = complete(published)
    except MixRefused:
        reject()
    again = complete(as_published(mix))
    assert as_published(again) == as_published(mix)
    assert again.adjustment == "none"


@PROPERTY
@given(distorted_mixes() | equal_mixes(), st.permutations(FUELS))
def test_neither_the_order_of_fuels_nor_a_null_in_place_of_none_matters(
    published: Shares, order: list[str]
) -> None:
    try:
        mix = complete(published)
    except MixRefused:
        reject()
    assert complete({fuel: published[fuel] for fuel in order}) == mix
    assert complete({fuel: share for fuel, share in published.items() if share is not None}) == mix


@PROPERTY
@given(rounded_mixes(), st.integers(0, 30))
def test_an_unknown_fuel_counts_as_other(published: dict[str, Decimal], tenths: int) -> None:
    unknown = complete(published, {"tidal": percent(tenths)})
    other = complete({**published, "other": published["other"] + percent(tenths)})
    assert unknown == other


@st.composite
def totals(draw: st.DrawFn) -> tuple[int, int]:
    """Tenths of the named fuels and of `other`, often just within or beyond a limit."""
    named = draw(st.integers(0, 1010) | st.integers(WHOLE + MAX_EXCESS - 1, WHOLE + MAX_EXCESS + 1))
    beyond = draw(st.integers(-600, 600) | st.integers(-1, 1))
    missing = draw(st.sampled_from([MAX_UNPUBLISHED_OTHER, -MAX_UNPUBLISHED_OTHER])) + beyond
    return named, min(max(0, WHOLE - named - missing), WHOLE)


@PROPERTY
@given(totals())
def test_tenths_are_refused_only_beyond_the_two_limits(tenths: tuple[int, int]) -> None:
    named, other = tenths
    published = {
        "gas": percent(named // 2),
        "wind": percent(named - named // 2),
        "other": percent(other),
    }
    missing = abs(WHOLE - min(named, WHOLE) - other)
    try:
        complete(published)
        refused = False
    except MixRefused:
        refused = True
    assert refused == (named > WHOLE + MAX_EXCESS or missing > MAX_UNPUBLISHED_OTHER)

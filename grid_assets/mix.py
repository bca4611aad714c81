"""The exact-100 rule: turns published shares into a mix that sums to exactly 100 %.

Only half of the published mixes sum to 100.0; rounding leaves most others at 99.9 or 100.1, with
`other` at 0. So `other` becomes whatever the named fuels leave of 100. If they alone exceed 100
by rounding, they are scaled back by largest remainders. Anything further off is refused. The
database repeats the rule as constraints (`sql/migrations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, Literal

from grid_assets.series import FUELS, NAMED_FUELS

WHOLE: Final = 1000
"""100 % in tenths of a percent, the resolution in which shares are published and stored."""

MAX_EXCESS: Final = 5
"""Tenths by which named fuels may exceed 100 and still count as rounding: eight roundings of at
most half a tenth give 4; the largest excess in the recording is 2."""

MAX_UNPUBLISHED_OTHER: Final = 250
"""Tenths by which `other` may differ from its published share; in the recording it is at most 3. A
mix that lacks more than a quarter of its power has not been rounded: it is incomplete."""

MAX_UNKNOWN: Final = 50
"""Tenths that fuels without a known name may have together. A larger share is a known fuel under
another name: in the recording nuclear is always above it, gas in 99.7 % of half-hours, wind in
98.3 %, imports in 88.8 % and biomass in 77.9 %. `other`, which a new fuel would leave, is 0."""

Adjustment = Literal["none", "other_completed", "scaled_to_100"]


class MixRefused(ValueError):
    """The published shares cannot become a mix; the message says why."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares in percent with one decimal; `other` plus the named fuels (absent as 0) is 100."""

    named: Mapping[str, Decimal | None]
    other: Decimal
    published_total: Decimal
    adjustment: Adjustment

    @property
    def shares(self) -> tuple[Decimal | None, ...]:
        """The nine shares in the order of `FUELS`; a named fuel without a share is None."""
        return tuple(self.other if fuel == "other" else self.named[fuel] for fuel in FUELS)


def complete_row(shares: Sequence[Decimal | None], unknown_pct: Any) -> Mix:
    """The exact mix of a row of `raw.generation`: nine shares in the order of `FUELS`, and the JSON
    of `unknown_pct`, whose content no constraint checks. Raises `MixRefused` like `complete`."""
    try:
        unknown = {fuel: Decimal(str(share)) for fuel, share in unknown_pct.items()}
    except (AttributeError, ArithmeticError):
        raise MixRefused(f"unknown_pct is {unknown_pct!r}, not percent by fuel") from None
    return complete(dict(zip(FUELS, shares, strict=True)), unknown)


def complete(
    published: Mapping[str, Decimal | None], unknown: Mapping[str, Decimal] | None = None
) -> Mix:
    """The exact mix of one half-hour.

    `published` holds percent by fuel, None or absent if the source gave none; `unknown` holds
    percent by names other than the nine, which count as part of `other`.
    Raises `MixRefused` for a share outside 0 to 100 or a total that rounding cannot explain.
    """
    unknown = unknown or {}
    shares = {
        **{fuel: share for fuel, share in published.items() if share is not None},
        **unknown,
    }
    if not shares:
        raise MixRefused("no fuel has a share")
    for fuel, share in shares.items():
        if not share.is_finite() or not 0 <= share <= 100:
            raise MixRefused(f"the share of {fuel!r} is {share}, outside 0 to 100")

    tenths: dict[str, int] = {fuel: _tenths(shares[fuel]) for fuel in NAMED_FUELS if fuel in shares}
    published_other = sum(_tenths(s) for fuel, s in shares.items() if fuel not in NAMED_FUELS)
    named_total = sum(tenths.values())
    published_total = _percent(named_total + published_other)

    if named_total > WHOLE + MAX_EXCESS:
        raise MixRefused(
            f"the named fuels sum to {_percent(named_total)}, too far above 100 for rounding"
        )
    unknown_total = sum(map(_tenths, unknown.values()))
    if unknown_total > MAX_UNKNOWN:
        raise MixRefused(
            f"unknown fuels ({', '.join(sorted(map(repr, unknown)))}) have "
            f"{_percent(unknown_total)}, too much for a new small fuel"
        )
    adjustment: Adjustment = "none"
    if named_total > WHOLE:
        tenths = _scaled_back(tenths)
        adjustment = "scaled_to_100"
    other = WHOLE - sum(tenths.values())
    if abs(other - published_other) > MAX_UNPUBLISHED_OTHER:
        raise MixRefused(
            f"'other' would have to be {_percent(other)}, but {_percent(published_other)} "
            "was published"
        )
    if adjustment == "none" and other != published_other:
        adjustment = "other_completed"
    return Mix(
        named={fuel: _percent(tenths[fuel]) if fuel in tenths else None for fuel in NAMED_FUELS},
        other=_percent(other),
        published_total=published_total,
        adjustment=adjustment,
    )


def _scaled_back(tenths: Mapping[str, int]) -> dict[str, int]:
    """Whole tenths in the same proportions that sum to 100 %, by largest remainders.

    Equal remainders go to the larger share, then to the fuel that comes first in the API's order.
    """
    total = sum(tenths.values())
    scaled = {fuel: share * WHOLE // total for fuel, share in tenths.items()}
    remainder = {fuel: share * WHOLE % total for fuel, share in tenths.items()}
    first = sorted(tenths, key=lambda fuel: (-remainder[fuel], -tenths[fuel], FUELS.index(fuel)))
    for fuel in first[: WHOLE - sum(scaled.values())]:
        scaled[fuel] += 1
    return scaled


def _tenths(share: Decimal) -> int:
    return int((share * 10).to_integral_value(rounding=ROUND_HALF_EVEN))


def _percent(tenths: int) -> Decimal:
    return Decimal(tenths).scaleb(-1)

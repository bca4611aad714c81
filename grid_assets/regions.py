"""The dictionary of the 18 regions of the Carbon Intensity API: numbers and names.

The rows of `core.regions` are the same; a migration cannot read this module, so a test compares
them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Region:
    """One region, with its names as the API publishes them.

    Regions 1 to 14 are the licence areas of the distribution networks, each with its GSP group in
    the electricity market. Regions 15 to 18 are nations and Great Britain; none is the mean of its
    areas, so they are never computed from those.
    """

    region_id: int
    short_name: str
    dno_name: str
    nation: str
    gsp_group: str | None = None
    former_names: tuple[str, ...] = ()
    """Other short names under which the API has published this region."""


REGIONS: Final = (
    Region(1, "North Scotland", "Scottish Hydro Electric Power Distribution", "Scotland", "_P"),
    Region(2, "South Scotland", "SP Distribution", "Scotland", "_N"),
    Region(3, "North West England", "Electricity North West", "England", "_G"),
    Region(4, "North East England", "NPG North East", "England", "_F"),
    Region(5, "Yorkshire", "NPG Yorkshire", "England", "_M"),
    Region(
        6,
        "North Wales & Merseyside",
        "SP Manweb",
        "England and Wales",
        "_D",
        former_names=("North Wales and Merseyside",),  # in 2020
    ),
    Region(7, "South Wales", "WPD South Wales", "Wales", "_K"),
    Region(8, "West Midlands", "WPD West Midlands", "England", "_E"),
    Region(9, "East Midlands", "WPD East Midlands", "England", "_B"),
    Region(10, "East England", "UKPN East", "England", "_A"),
    Region(11, "South West England", "WPD South West", "England", "_L"),
    Region(12, "South England", "SSE South", "England", "_H"),
    Region(13, "London", "UKPN London", "England", "_C"),
    Region(14, "South East England", "UKPN South East", "England", "_J"),
    Region(15, "England", "England", "England"),
    Region(16, "Scotland", "Scotland", "Scotland"),
    Region(17, "Wales", "Wales", "Wales"),
    Region(18, "GB", "GB", "Great Britain"),
)
"""All regions, in the order of their numbers."""


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


_BY_NAME: Final = {
    _key(name): region for region in REGIONS for name in (region.short_name, *region.former_names)
}


def region_named(short_name: str) -> Region | None:
    """The region with this `shortname` in an answer of the API; None if there is none.

    The name decides, never the `regionid` beside it: answers by postcode of 2020 and 2021 carry the
    number less one (13 with `South East England`), those of 2025 the right one.
    """
    return _BY_NAME.get(_key(short_name))

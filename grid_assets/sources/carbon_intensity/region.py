"""Says which region an object of a regional answer speaks of. Pure: no I/O and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grid_assets.regions import Region, region_named
from grid_assets.sources.records import Unusable, shown, text


def region_of(answer: Mapping[str, Any]) -> Region:
    """The region by `shortname`, whatever the `regionid` beside it; raises `Unusable`.

    The number cannot be trusted: answers by postcode of 2020 and 2021 carry that of the region
    less one, other forms of the same years and answers of 2025 the right one.
    """
    name = text("shortname", answer.get("shortname"))
    region = region_named(name)
    if region is None:
        number = shown(answer.get("regionid"))
        raise Unusable(f"shortname: {shown(name)} (regionid {number}) is none of the 18 regions")
    return region

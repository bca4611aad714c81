"""Where the regions stand in the tile map: each area of a distribution network is one tile, about
where it lies in Great Britain. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grid_assets.regions import REGIONS, Region


@dataclass(frozen=True, slots=True)
class Tile:
    """A region at a row and column of the map, both from 1."""

    region: Region
    row: int
    column: int


_PLACES: Final = {
    1: (1, 2),
    2: (2, 2),
    3: (3, 2),
    4: (3, 3),
    5: (4, 3),
    6: (4, 1),
    7: (6, 1),
    8: (5, 2),
    9: (5, 3),
    10: (5, 4),
    11: (7, 1),
    12: (6, 2),
    13: (6, 3),
    14: (7, 3),
}

TILES: Final = tuple(
    Tile(region, *_PLACES[region.region_id])
    for region in sorted(
        (one for one in REGIONS if one.region_id in _PLACES),
        key=lambda one: _PLACES[one.region_id],
    )
)
"""The 14 areas from north to south and west to east, as they are read aloud."""

NATIONS: Final = tuple(region for region in REGIONS if region.region_id not in _PLACES)
"""The three nations, and Great Britain as it consumes."""

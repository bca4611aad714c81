"""The tile map of the regions."""

from __future__ import annotations

from grid_assets.dashboard.map import NATIONS, TILES
from grid_assets.regions import REGIONS


def test_every_region_is_on_the_map_once() -> None:
    shown = [*(tile.region for tile in TILES), *NATIONS]
    assert sorted(shown, key=lambda region: region.region_id) == list(REGIONS)
    assert [region.short_name for region in NATIONS] == ["England", "Scotland", "Wales", "GB"]


def test_no_two_tiles_are_at_one_place_and_they_are_read_from_north_to_south() -> None:
    places = [(tile.row, tile.column) for tile in TILES]
    assert places == sorted(set(places))
    assert min(map(min, places)) == 1


def test_neighbours_lie_as_they_do_in_great_britain() -> None:
    at = {tile.region.short_name: tile for tile in TILES}
    north_to_south = ("North Scotland", "South Scotland", "North West England", "West Midlands")
    rows = [at[name].row for name in (*north_to_south, "South England", "South East England")]
    assert rows == sorted(set(rows))
    west_to_east = ("West Midlands", "East Midlands", "East England")
    assert len({at[name].row for name in west_to_east}) == 1
    columns = [at[name].column for name in west_to_east]
    assert columns == sorted(set(columns))

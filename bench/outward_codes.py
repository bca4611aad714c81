"""Derives which region each outward code lies in: grid_assets/warehouse/data/outward_codes.csv.

python -m bench.outward_codes codepo_gb.zip gb-dno-license-areas.geojson > outward_codes.csv

The first file is OS Code-Point Open (CSV), the second NESO's licence areas, both on the British
National Grid; `SOURCE.md` beside the result says where they are and under which licences. Each
postcode in use belongs to the licence area that its point lies in, or that is nearest to a point
outside all of them. An outward code belongs to the region of most of its postcodes.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import numpy.typing as npt

from grid_assets.regions import REGIONS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PATH: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
BAND_M: Final = 1000
"""Height of the strips in which points are compared with edges; it changes only the speed."""

FAR_M: Final = 3000
"""A point further from every area is in none. The map lacks Walney Island, up to 2.7 km away."""


@click.command()
@click.argument("postcodes", type=PATH)
@click.argument("areas", type=PATH)
def main(postcodes: Path, areas: Path) -> None:
    """Print the table as CSV."""
    codes, points = read_postcodes(postcodes)
    places, place = np.unique(points, axis=0, return_inverse=True)
    regions = locate(places, read_areas(json.loads(areas.read_text(encoding="utf-8"))))
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["outward_code", "region_id", "share_pct", "second_region_id"])
    table.writerows(tally(zip(codes, regions[place.ravel()].tolist(), strict=True)))


def read_postcodes(file: Path) -> tuple[list[str], Floats]:
    """The outward code, easting and northing (m) of each postcode that has a place."""
    codes, points = [], []
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if "/CSV/" in name and name.endswith(".csv"):
                with archive.open(name) as opened:
                    for postcode, _, east, north, *_ in csv.reader(io.TextIOWrapper(opened)):
                        if float(north):  # 0 where the place is not known
                            codes.append(postcode[:-3].strip())
                            points.append((float(east), float(north)))
    return codes, np.array(points)


def read_areas(document: Mapping[str, Any]) -> dict[int, Floats]:
    """The edges (x, y, x, y) of each area, of all its rings together, by number of the region."""
    numbers = {region.gsp_group: region.region_id for region in REGIONS}
    edges: dict[int, Floats] = {}
    for feature in document["features"]:
        shape = feature["geometry"]
        polygons = shape["coordinates"]
        if shape["type"] == "Polygon":
            polygons = [polygons]
        rings = [np.array(ring, float)[:, :2] for polygon in polygons for ring in polygon]
        edges[numbers[feature["properties"]["Name"]]] = np.concatenate(
            [np.hstack([ring[:-1], ring[1:]]) for ring in rings]
        )
    return edges


def locate(points: Floats, areas: Mapping[int, Floats]) -> Integers:
    """The number of the region of each point; 0 where none is near."""
    found = np.zeros(len(points), np.int64)
    for number, edges in areas.items():
        found[inside(points, edges)] = number
    numbers = list(areas)
    for point in np.flatnonzero(found == 0):
        away = [distance(points[point], edges) for edges in areas.values()]
        if min(away) <= FAR_M:
            found[point] = numbers[int(np.argmin(away))]
    return found


def inside(points: Floats, edges: Floats) -> npt.NDArray[np.bool_]:
    """Which points lie in an area: a ray from them crosses its edges an odd number of times."""
    found = np.zeros(len(points), bool)
    bands = points[:, 1] // BAND_M
    low, high = (f(edges[:, 1], edges[:, 3]) // BAND_M for f in (np.minimum, np.maximum))
    order = np.argsort(bands)
    for part in np.split(order, np.flatnonzero(np.diff(bands[order])) + 1):
        band = bands[part[0]]
        x0, y0, x1, y1 = edges[(low <= band) & (band <= high)].T
        x, y = points[part].T[:, :, None]
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):  # of level edges, which cross nothing
            left = x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        found[part] = np.count_nonzero(crosses & left, axis=1) % 2 == 1
    return found


def distance(point: Floats, edges: Floats) -> float:
    """How far a point is from the nearest of the edges."""
    start, step = edges[:, :2], edges[:, 2:] - edges[:, :2]
    length = np.maximum((step**2).sum(axis=1), 1e-9)
    along = np.clip(((point - start) * step).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(start + along[:, None] * step - point).T).min())


def tally(located: Iterable[tuple[str, int]]) -> list[tuple[str, int, str, int | str]]:
    """Rows of the table: code, region of most postcodes, their share, region of the next most."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for code, number in located:
        if number:
            counts[code][number] += 1
    rows: list[tuple[str, int, str, int | str]] = []
    for code, numbers in sorted(counts.items()):
        (first, most), *others = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
        share = 100 * most / numbers.total()
        # a single postcode elsewhere still shows: only a whole code has 100
        rows.append((code, first, f"{min(share, 99.9) if others else 100:.1f}", *_number(others)))
    return rows


def _number(others: list[tuple[int, int]]) -> tuple[int | str]:
    return (others[0][0] if others else "",)


if __name__ == "__main__":
    main()

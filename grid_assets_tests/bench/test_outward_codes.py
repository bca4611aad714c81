"""`bench.outward_codes` on made-up areas and postcodes: what the table that ships is derived by."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bench import outward_codes


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def area(group: str, kind: str, coordinates: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"Name": group},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


LONDON, EAST, NORTH = 13, 10, 1
AREAS = {
    "features": [
        # a square of 10 km with a hole of 2 km, which is London
        area("_A", "Polygon", [box(0, 0, 10_000, 10_000), box(4_000, 4_000, 6_000, 6_000)]),
        area("_C", "Polygon", [box(4_000, 4_000, 6_000, 6_000)]),
        # two islands, the second a triangle
        area(
            "_P",
            "MultiPolygon",
            [
                [box(20_000, 0, 21_000, 1_000)],
                [[[30_000, 0], [34_000, 0], [30_000, 4_000], [30_000, 0]]],
            ],
        ),
    ]
}
POSTCODES = """\
"AA1 1AA",10,1000,1000
"AA1 1AB",10,9500,9500
"AA2 1AA",10,5000,5000
"AA2 1AB",10,4500,5500
"AA2 1AC",10,3500,5500
"AA3 1AA",90,0,0
"AA3 1AB",10,20500,500
"AA3 1AC",10,31000,1000
"AA4 1AA",10,33000,2000
"AA5 1AA",10,40000,40000
"BB101AA",10,1500,1500
"BB101AB",10,5000,4200
"""


def test_each_code_gets_the_area_of_most_of_its_postcodes(tmp_path: Path) -> None:
    areas, postcodes = tmp_path / "areas.geojson", tmp_path / "codepo_gb.zip"
    areas.write_text(json.dumps(AREAS), encoding="utf-8")
    with zipfile.ZipFile(postcodes, "w") as archive:
        for name in ("aa", "bb"):
            lines = [line for line in POSTCODES.splitlines() if line[1:3] == name.upper()]
            archive.writestr(f"Data/CSV/{name}.csv", "\n".join(lines))
        archive.writestr("Doc/licence.txt", "of the data")
    done = CliRunner().invoke(outward_codes.main, [str(postcodes), str(areas)])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "outward_code,region_id,share_pct,second_region_id",
        f"AA1,{EAST},100.0,",
        f"AA2,{LONDON},66.7,{EAST}",
        f"AA3,{NORTH},100.0,",  # on two islands, and one postcode without a place
        f"AA4,{NORTH},100.0,",  # 707 m off the shore; AA5 is too far from any
        f"BB10,{EAST},50.0,{LONDON}",  # of two equal ones, the smaller number
    ]


def test_a_single_postcode_elsewhere_shows() -> None:
    located = [("AA1", LONDON)] * 9_999 + [("AA1", EAST)]
    assert outward_codes.tally(located) == [("AA1", LONDON, "99.9", EAST)]

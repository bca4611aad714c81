"""The region of each outward code, for programs that know a postcode. Pure but for its file.

The table ships with this version; `grid migrate` brings the warehouse to the same one.
"""

from __future__ import annotations

import csv
from typing import Final

from grid_assets.feeds.values import Document
from grid_assets.warehouse.outward_codes import outward_codes

ATTRIBUTION: Final = (
    "Contains OS data © Crown copyright and database right 2025. Contains Royal Mail data © Royal "
    "Mail copyright and database right 2025. Contains National Statistics data © Crown copyright "
    "and database right 2025. Supported by National Energy SO Open Data."
)


def postcodes() -> Document:
    """`RG10` to 12: where most of its postcodes lie, as `reporting.region_of_postcode` has it."""
    rows = csv.DictReader(outward_codes().splitlines())
    return {
        "attribution": ATTRIBUTION,
        "outward_codes": {row["outward_code"]: int(row["region_id"]) for row in rows},
    }

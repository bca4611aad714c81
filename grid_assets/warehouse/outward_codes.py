"""Brings `core.outward_codes` to the table that ships with this version.

`grid migrate` does so whenever its digest changes, so that a newer table needs no migration.
`bench.outward_codes` makes the file.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

FILE: Final = Path(__file__).parent / "data" / "outward_codes.csv"


def outward_codes() -> str:
    """The table as CSV; `data/SOURCE.md` has its source and licences."""
    return FILE.read_text(encoding="utf-8")


def load_outward_codes(connection: Connection) -> None:
    """Insert, change and delete rows until the table is the file; equal rows are not touched."""
    header, *rows = csv.reader(outward_codes().splitlines())
    columns = zip(*([value or None for value in row] for row in rows), strict=True)
    connection.execute(
        statement("migrate/load_outward_codes"), dict(zip(header, map(list, columns), strict=True))
    )

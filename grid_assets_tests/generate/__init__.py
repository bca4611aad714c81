"""Files that are written from a migrated database: `make generate` writes them, a test compares.

The catalogue (`warehouse/catalogue.json`) and the data dictionary (`docs/reference.md`).
"""

from __future__ import annotations

from pathlib import Path

from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.catalogue import FILE
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.generate import catalogue, reference


def generated(connection: Connection) -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    found = catalogue.read(connection)
    return {
        FILE: catalogue.as_json(found),
        PROJECT_DIR / "docs" / "reference.md": reference.page(found),
    }

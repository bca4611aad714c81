"""Files generated from a migrated database: `make generate` writes them, a test compares them.

The catalogue (`grid_assets/warehouse/catalogue.json`), the data dictionary (`docs/reference.md`),
the dimensions of Looker (`looker/views`) and the dashboard of Grafana (`deploy/grafana`).
"""

from __future__ import annotations

from pathlib import Path

from grid_assets.settings import PROJECT_DIR
from grid_assets.warehouse.catalogue import FILE
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.generate import catalogue, grafana, looker, reference

VIEWS = PROJECT_DIR / "looker" / "views"
DASHBOARD = PROJECT_DIR / "deploy" / "grafana" / "dashboards" / "grid_assets.json"


def generated(connection: Connection) -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    found = catalogue.read(connection)
    return {
        FILE: catalogue.as_json(found),
        PROJECT_DIR / "docs" / "reference.md": reference.page(found),
        DASHBOARD: grafana.dashboard(),
        **{VIEWS / f"{name}.view.lkml": text for name, text in looker.views(found).items()},
    }

"""The asset of `files`: the dashboard, and whether it is due."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import dagster as dg

from grid_assets.dashboard import page, queries
from grid_assets.defs.asset_metadata import (
    ELEXON_ORIGIN,
    FILES,
    FRESH,
    OWNERS,
    PORTAL_ORIGIN,
    asset_key,
    kind_metadata,
)
from grid_assets.defs.assets import feeds
from grid_assets.defs.partitions import today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.files.store import open_store
from grid_assets.output import DASHBOARD
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

SHOWN: Final = (
    *feeds.SHOWN,
    "reporting.telemetry_24h",
    "reporting.generation_mix",
    "reporting.generation_mix_24h",
    "reporting.forecast_day_ahead",
    "reporting.actual_vs_predicted",
    "reporting.forecast_value",
    "reporting.generation_mw",
    "reporting.outlook_newest",
)
"""The views that the page reads, except `reporting.etl_runs`, which is not an asset. The page
contains the feeds, so their views are among them."""

PAUSE: Final = timedelta(minutes=5)
"""Minimum time between pages made by the sensor: manual runs may end many attempts a minute."""


@dg.asset(
    key_prefix="files",
    name="dashboard",
    group_name="files",
    owners=OWNERS,
    kinds={"python", "html"},
    tags={"domain": "electricity", "region": "gb"},
    op_tags={"dagster/priority": str(FILES)},
    freshness_policy=FRESH,
    # Scores are the last step of a run that forecasts. If they fail, the sensor or the tick makes
    # the page, which then shows the failure.
    deps=[asset_key("forecast.accuracy"), *map(asset_key, SHOWN)],
    description=(
        "One file is a single-page view of current conditions, for people without a BI tool: "
        "when and where electricity is green, carbon intensity (gCO2/kWh) and generation mix (%) "
        "of Great Britain and its regions, the forecast with its band, wind, sun and demand with "
        "their outlook (GW), accuracy by lead, what a forecast is worth, and pipeline health. It "
        "reads `reporting` and needs no network. A re-run replaces the file, "
        "GRID_HOME/files/dashboard.html or where GRID_FILES_STORE says. There are no partitions, "
        "because only the newest page is kept. Data: NESO, CC BY 4.0."
        + ELEXON_ORIGIN
        + PORTAL_ORIGIN
    ),
)
def dashboard(
    context: dg.AssetExecutionContext, services: Services
) -> Iterator[dg.MaterializeResult[Any]]:
    now = services.now()
    with attempt(context, services, "files.dashboard", today_of(context, now)) as current:
        found = queries.read(
            services.connection, now, services.off, regions=services.why_no_regions is None
        )
        html = page.render(found, services.stamp)
        store = open_store(services.settings.files_store, services.settings.home)
        store.write({DASHBOARD: html})
        current.rows_fetched, current.rows_written = found.count, 1
    address = services.settings.files_url
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            **({"link": dg.MetadataValue.url(f"{address}/{DASHBOARD}")} if address else {}),
            "path": dg.MetadataValue.path(f"{store}/{DASHBOARD}"),
            "size_bytes": len(html.encode()),
        }
    )


def dashboard_is_due(connection: Connection, now: datetime, pause: timedelta = PAUSE) -> bool:
    """Whether the newest page lacks an attempt that has ended, and no attempt is in progress.

    False within `pause` of the last page, even a failed one, and before anything has run.
    """
    row = connection.execute(
        statement("ops/check_dashboard_due"), {"before": now - pause}
    ).fetchone()
    return row == (True,)

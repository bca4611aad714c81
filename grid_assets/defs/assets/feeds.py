"""The asset `files/feeds`: static JSON and metrics beside the dashboard."""

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    ELEXON_ORIGIN,
    FILES,
    FRESH,
    OWNERS,
    PORTAL_ORIGIN,
    asset_key,
    kind_metadata,
)
from grid_assets.defs.partitions import today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.feeds.documents import documents
from grid_assets.feeds.read import read
from grid_assets.feeds.write import write
from grid_assets.files.headers import FEEDS
from grid_assets.files.store import open_store

SHOWN: Final = (
    "reporting.telemetry",
    "reporting.forecast_latest",
    "reporting.forecast_accuracy",
    "reporting.regional_now",
    "reporting.regional_forecast_latest",
    "reporting.regional_forecast_accuracy",
)


@dg.asset(
    key_prefix="files",
    name="feeds",
    group_name="files",
    owners=OWNERS,
    kinds={"python", "json"},
    tags={"domain": "electricity", "region": "gb"},
    op_tags={"dagster/priority": str(FILES)},
    freshness_policy=FRESH,
    # as the dashboard: if scores fail, the sensor or the tick makes the feeds
    deps=[asset_key("forecast.accuracy"), *map(asset_key, SHOWN)],
    description=(
        "Small static files for programs: `now.json`, `forecast.json`, `greenest.json`, "
        "`accuracy.json`, one for each region in `regions/`, their JSON Schemas, and "
        "`metrics.prom` for Prometheus. They are read from `reporting`. A re-run replaces them, in "
        "GRID_HOME/files/v1 or where GRID_FILES_STORE says. There are no partitions, because only "
        "the newest are kept. Data: NESO, CC BY 4.0." + ELEXON_ORIGIN + PORTAL_ORIGIN
    ),
)
def feeds(
    context: dg.AssetExecutionContext, services: Services
) -> Iterator[dg.MaterializeResult[Any]]:
    now = services.now()
    with attempt(context, services, "files.feeds", today_of(context, now)) as current:
        found = read(services.connection, now, regions=services.why_no_regions is None)
        made = documents(found, services.stamp.kind)
        store = open_store(services.settings.files_store, services.settings.home)
        size = write(store, made)
        current.rows_fetched, current.rows_written = found.count, len(made)
    address = services.settings.files_url
    link = {"link": dg.MetadataValue.url(f"{address}/{FEEDS}/now.json")} if address else {}
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            **link,
            "path": dg.MetadataValue.path(f"{store}/{FEEDS}"),
            "size_bytes": size,
        }
    )

"""The assets of `files`: what is made for people and not for the database.

Belongs here: the dashboard as an asset, and whether it is due. Does not belong here: its content
(`dashboard`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import dagster as dg

from grid_assets.dashboard import page, queries, vega
from grid_assets.dashboard.files import DASHBOARD, files_folder, write_whole
from grid_assets.defs.asset_metadata import FRESH, OWNERS, asset_key, kind_metadata
from grid_assets.defs.partitions import TRIGGER_TAG, Days
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

SHOWN: Final = (
    "reporting.telemetry",
    "reporting.telemetry_24h",
    "reporting.generation_mix",
    "reporting.generation_mix_24h",
    "reporting.forecast_latest",
    "reporting.actual_vs_predicted_24h",
    "reporting.forecast_accuracy",
)
"""The views that the page reads; `reporting.etl_runs` is the one without an asset."""

PAUSE: Final = timedelta(minutes=5)
"""The sensor makes a page by itself this seldom: runs by hand may end many attempts a minute."""


@dg.asset(
    key_prefix="files",
    name="dashboard",
    group_name="files",
    owners=OWNERS,
    kinds={"python", "html"},
    tags={"domain": "electricity", "region": "gb"},
    freshness_policy=FRESH,
    # The scores are the last step of a run that forecasts; after a failure of theirs the sensor or
    # the tick makes the page, so that it shows the failure.
    deps=[asset_key("forecast.accuracy"), *map(asset_key, SHOWN)],
    metadata={"licence": "NESO Carbon Intensity API, CC BY 4.0"},
    description=(
        "One file is one web page about now: carbon intensity (gCO2/kWh), generation mix (%), "
        "forecast with its band, accuracy by lead, pipeline health. It is read from the views of "
        "`reporting` and needs no network. A re-run replaces it by one of its own moment. It has "
        "no partitions: there is only the newest. It is at GRID_HOME/files/dashboard.html."
    ),
)
def dashboard(
    context: dg.AssetExecutionContext, services: Services
) -> Iterator[dg.MaterializeResult[Any]]:
    now = services.now()
    today = Days(now.date(), now.date(), context.run.tags.get(TRIGGER_TAG, "manual"))
    file = files_folder(services.settings.home) / DASHBOARD
    with attempt(context, services, "files.dashboard", today) as current:
        found = queries.read(services.connection, now)
        text = page.render(found, services.stamp, vega.javascript(services.settings.home / "cache"))
        write_whole(file, text)
        current.rows_fetched, current.rows_written = found.count, 1
    address = services.settings.files_url
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            **({"link": dg.MetadataValue.url(f"{address}/{file.name}")} if address else {}),
            "path": dg.MetadataValue.path(str(file)),
            "size_bytes": file.stat().st_size,
        }
    )


def dashboard_is_due(connection: Connection, now: datetime, pause: timedelta = PAUSE) -> bool:
    """Whether an attempt has ended that the newest page does not show, and none is under way.

    Not within `pause` of the last page, made or failed; nor where nothing has run yet.
    """
    row = connection.execute(
        statement("ops/check_dashboard_due"), {"before": now - pause}
    ).fetchone()
    return row == (True,)

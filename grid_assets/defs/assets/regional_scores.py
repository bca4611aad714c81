"""The scores of forecasts by region, and the weights of the derived ones: once a day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    AFTER_FORECAST,
    asset_key,
    asset_kwargs,
    kind_metadata,
    last_version,
    origin,
)
from grid_assets.defs.assets.regional import regional_forecast, regional_intensity
from grid_assets.defs.partitions import CYCLES, UNCHANGED, today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.defs.taking import not_made
from grid_assets.forecasting.regions import scoring
from grid_assets.halfhours import day_start
from grid_assets.telemetry.due import REVISED
from grid_assets.warehouse.connection import Connection, write_transaction

RELATION: Final = "forecast.regional_accuracy"


@dg.asset(
    **asset_kwargs(RELATION, has_past=False, priority=AFTER_FORECAST),
    deps=[asset_key("forecast.predictions"), regional_forecast, regional_intensity],
    description=(
        "One row is one model's errors in one region, UTC target day and lead bucket, as sums "
        "(gCO2/kWh). There is no actual for regions, so errors are against the API's own later "
        "estimate. A re-run rewrites only rows that changed. The "
        "first cycle of a day scores the last eight days, and then fits "
        "`forecast.regional_weights`, by which the blend of a region is derived from NESO's "
        "forecast of it. There are no partitions, because every run scores the same days again: "
        "the API revises them." + origin("/regional/intensity/{from}/fw48h", has_past=False)
    ),
)
def regional_accuracy(
    context: dg.AssetExecutionContext, services: Services
) -> Iterator[dg.MaterializeResult[Any]]:
    now = services.now()
    today = today_of(context, now)
    if why := services.why_no_regions:
        yield not_made(context, services, RELATION, why, ())
        return
    if today.trigger in CYCLES and _is_done(services.connection, now):
        yield dg.MaterializeResult(
            metadata={**kind_metadata(services.stamp), UNCHANGED: True},
            data_version=last_version(context),
        )
        return
    last = scoring.last_settled(now)
    with attempt(context, services, RELATION, today) as current:
        with write_transaction(services.connection, RELATION):
            scored = scoring.score_days(services.connection, last - REVISED, last, now)
            weights = scoring.fit(services.connection, now)
        current.rows_fetched = scored.compared
        current.rows_written = scored.written + weights
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_forecasts_compared": scored.compared,
            "run_rows_changed": scored.written,
            "weights_fitted": weights,
        }
    )


def _is_done(connection: Connection, now: datetime) -> bool:
    """Whether an attempt of today has succeeded, or one has failed within the hour."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM ops.etl_runs WHERE asset = %(asset)s "
        "AND started_at >= %(today)s AND started_at <= %(now)s "
        "AND (status = 'success' OR started_at > %(pause)s))",
        {
            "asset": RELATION,
            "today": day_start(now.date()),
            "now": now,
            "pause": now - timedelta(hours=1),
        },
    ).fetchone()
    return row == (True,)

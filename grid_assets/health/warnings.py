"""The warnings of checks, judged again for `grid status`: the results of a run are in Dagster's own
storage, but the tables still hold what was judged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from grid_assets.forecasting import checks as forecasts
from grid_assets.halfhours import days_window
from grid_assets.outlook import checks as outlook
from grid_assets.outlook.sources import Source
from grid_assets.telemetry import checks as telemetry
from grid_assets.telemetry.checks import judge
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

CHECKS: Final = telemetry.WARNING | forecasts.WARNING


def warnings(connection: Connection, now: datetime, off: Collection[Source]) -> str:
    """One line: the checks that warn about the days of each asset's last successful attempt.

    `off` are the sources of the outlook that are not used.
    """
    assets = [*CHECKS, *outlook.WARNING]
    days = connection.execute(statement("health/last_days"), {"assets": assets}).fetchall()
    found = [
        f"{asset} {verdict.check.name} ({verdict.examples[0].removeprefix('- ')})"
        for asset, first, last in days
        for verdict in (
            outlook.judge_warnings(asset, off, connection, days_window(first, last), now)
            if asset in outlook.WARNING
            else judge(connection, CHECKS[asset], days_window(first, last), now)
        )
        if not verdict.passed
    ]
    return f"warnings      {'; '.join(found) or 'none'}"

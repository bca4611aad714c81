"""Publishing the regions from `raw` into `core`, like `telemetry.publish`."""

from __future__ import annotations

from datetime import datetime

from grid_assets.halfhours import Window
from grid_assets.telemetry.publish import Judge, Published, publish_mixes
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


def publish_regional_intensity(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish the half-hours of `window` that have begun into `core.regional_intensity`."""
    read = connection.execute(
        statement("core/stage_regional_intensity"),
        {"start": window.start, "end": window.end, "now": now},
    ).rowcount
    judge(connection)
    written = connection.execute(statement("core/publish_regional_intensity")).rowcount
    return Published(read, written + _remove_unbegun(connection), [])


def publish_regional_mix(
    connection: Connection, window: Window, now: datetime, judge: Judge
) -> Published:
    """Publish the mixes of `window`, made exact, into `core.regional_mix`, as `publish_mixes`."""
    before = ("region_id", "simulated")
    found = publish_mixes(connection, "regional_mix", before, window, now, judge)
    return Published(found.read, found.written + _remove_unbegun(connection), found.refused)


def _remove_unbegun(connection: Connection) -> int:
    """Remove half-hours that have not begun, which a wrong clock has published; their number."""
    row = connection.execute("SELECT core.remove_unbegun_regions()").fetchone()
    assert row is not None
    removed: int = row[0]
    return removed

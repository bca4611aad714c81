"""How old the outlook is, for `grid status`. That it is old is a warning: nothing needs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grid_assets.halfhours import age_text, utc_text
from grid_assets.outlook.sources import LATE, SERIES, SOURCES, why_off
from grid_assets.settings import PUBLIC_API_URL, DataKind, Settings
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement


def report(
    connection: Connection, settings: Settings, kind: DataKind, now: datetime
) -> Iterator[str]:
    """The newest publication of each series, and a warning for those that are too old."""
    # with no API of recorded data running, sources have no address: silent, but not switched off
    silent = kind == "replay" and settings.api_url == PUBLIC_API_URL
    off = {source: why_off(settings, "live" if silent else kind, source) for source in SOURCES}
    if all(off.values()):
        yield f"outlook       {' '.join(reason for reason in off.values() if reason)}"
        return
    newest: dict[str, datetime] = dict(
        connection.execute(statement("health/newest_outlook"), {"now": now}).fetchall()
    )
    used = [series for source in SOURCES if off[source] is None for series in SERIES[source]]
    found = ", ".join(
        f"{_name(series)} {utc_text(newest[series])} ({age_text(now - newest[series])})"
        for series in used
        if series in newest
    )
    yield f"outlook       {found or 'none'}"
    if silent:
        yield "    The demo's API is not running. `grid demo` starts it."
        return
    old = [series for series in used if series not in newest or now - newest[series] > LATE]
    if old:
        yield (
            f"    warning: no publication of the last {age_text(LATE)}: "
            f"{', '.join(map(_name, old))}. Forecasts do not wait for it. The attempts at "
            "raw.outlook say why."
        )


def _name(series: str) -> str:
    return series.removesuffix("_mw").replace("_", " ")

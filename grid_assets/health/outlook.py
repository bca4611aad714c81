"""How old the outlook is, for `grid status`. That it is old is a warning: nothing needs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grid_assets.halfhours import age_text, utc_text
from grid_assets.outlook import recent
from grid_assets.outlook.sources import SOURCES, off_sources, title
from grid_assets.settings import PUBLIC_API_URL, DataKind, Settings
from grid_assets.warehouse.connection import Connection


def report(
    connection: Connection, settings: Settings, kind: DataKind, now: datetime
) -> Iterator[str]:
    """The newest publication of each series, and a warning for those that are too old."""
    # with no API of recorded data running, sources have no address: silent, but not switched off
    silent = kind == "replay" and settings.api_url == PUBLIC_API_URL
    off = off_sources(settings, "live" if silent else kind)
    if len(off) == len(SOURCES):
        yield f"outlook       {' '.join(off.values())}"
        return
    judged = recent.read(connection, off, now)
    found = ", ".join(
        f"{_name(one)} {utc_text(one.published_at)} ({age_text(now - one.published_at)})"
        for one in judged
        if one.published_at
    )
    yield f"outlook       {found or 'none'}"
    if silent:
        yield "    The demo's API is not running. `grid demo` starts it."
        return
    late = [
        f"{_name(one)} (none of {title(one.dataset)} in the last {age_text(one.limit)})"
        for one in judged
        if one.is_late(now)
    ]
    if late:
        yield (
            f"    warning: the outlook is late: {', '.join(late)}. Forecasts do not wait for it. "
            "The attempts at raw.outlook say why."
        )


def _name(one: recent.Newest) -> str:
    return one.series.removesuffix("_mw").replace("_", " ")

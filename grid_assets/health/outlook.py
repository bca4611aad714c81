"""How old the outlook is, for `grid status`. That it is old is a warning: nothing needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from grid_assets.halfhours import age_text, utc_text
from grid_assets.outlook import recent
from grid_assets.outlook.sources import SOURCES, Source, title
from grid_assets.warehouse.connection import Connection


def report(connection: Connection, off: Mapping[Source, str], now: datetime) -> Iterator[str]:
    """The newest publication of each series, and a warning for those that are too old.

    `off` has the sources that are not used, and why.
    """
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

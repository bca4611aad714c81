"""The checks of the outlook and of generation by fuel. What is switched off is not late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from grid_assets.halfhours import Window, age_text, api_time
from grid_assets.outlook import recent
from grid_assets.outlook.sources import Source, title
from grid_assets.telemetry.checks import Check, Verdict, judge
from grid_assets.warehouse.connection import Connection

OUTLOOK_IS_RECENT: Final = Check(
    "is_recent",
    "",
    "Each series was published in the last 6 hours, or in the last 30 where it comes from a "
    "dataset that is published once or twice a day.",
)

GENERATION_IS_RECENT: Final = Check(
    "is_recent", "generation_mw_is_recent", "The newest generation began at most 2 hours ago."
)

WARNING: Final[dict[str, tuple[Check, ...]]] = {
    "core.outlook": (
        Check(
            "no_suspects",
            "outlook_no_suspects",
            "No publication contradicts those before it or has a time that cannot be true.",
        ),
        OUTLOOK_IS_RECENT,
    ),
    "core.generation_mw": (
        Check(
            "values_plausible",
            "generation_mw_values_plausible",
            "Every published value is possible, and no wind vanishes for hours.",
        ),
        Check(
            "recomputed_drift",
            "recomputed_drift",
            "Published and recomputed carbon intensity differ as in the 28 days before, and the "
            "same half-hours belong together.",
        ),
        GENERATION_IS_RECENT,
    ),
}


def judge_warnings(
    relation: str, off: Collection[Source], connection: Connection, window: Window, now: datetime
) -> list[Verdict]:
    """The verdicts of the checks of an asset, in order; `off` are the sources that are not used."""
    verdicts: list[Verdict] = []
    for check in WARNING[relation]:
        if check is OUTLOOK_IS_RECENT:
            verdicts.append(judge_recent(connection, off, now))
        elif check is GENERATION_IS_RECENT and "elexon" in off:
            verdicts.append(Verdict(check, 0))
        else:
            verdicts += judge(connection, [check], window, now)
    return verdicts


def judge_recent(connection: Connection, off: Collection[Source], now: datetime) -> Verdict:
    late = [one for one in recent.read(connection, off, now) if one.is_late(now)]
    examples = [
        f"{api_time(one.published_at)} is the newest {title(one.dataset)} ({one.series}), and more "
        f"than {age_text(one.limit)} ago"
        if one.published_at
        else f"- there is no {title(one.dataset)} ({one.series})"
        for one in late
    ]
    return Verdict(OUTLOOK_IS_RECENT, len(late), examples)

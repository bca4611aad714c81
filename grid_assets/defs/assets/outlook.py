"""The outlook: what others publish about the next days, in `raw` and in `core`.

Telemetry does not depend on it. A cycle takes the newest publications in the background
(`defs.capturing`); past days come from the sources' archives.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    AFTER_TELEMETRY,
    ELEXON_ORIGIN,
    PORTAL_ORIGIN,
    asset_kwargs,
    judged_checks,
    raw_checks,
)
from grid_assets.defs.assets.core import publish_days
from grid_assets.defs.partitions import CYCLES, Days, days_of
from grid_assets.defs.pictures import outlook_as_known_now
from grid_assets.defs.resources import Services
from grid_assets.defs.taking import RAW_CHECKS, Loading, Result, load_taken, switched_off
from grid_assets.halfhours import Window
from grid_assets.outlook import archive, cycle
from grid_assets.outlook.checks import WARNING, judge_warnings
from grid_assets.outlook.load import PublicationUnusable, load_outlook
from grid_assets.outlook.publish import publish_outlook
from grid_assets.outlook.sources import SOURCES, Answer, Taken
from grid_assets.progress import Progress
from grid_assets.sources.neso_portal import datasets
from grid_assets.sources.neso_portal.datasets import Turn
from grid_assets.sources.records import Rejected
from grid_assets.telemetry.due import Range
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import write_transaction

TURNS: Final[tuple[Turn, ...]] = ("day_ahead_wind", "demand_2_14_days")

OF_CYCLE: Final = cycle.OF_OUTLOOK | {
    datasets.EMBEDDED.source,
    *(datasets.SOURCES[turn] for turn in TURNS),
}


@dg.asset(
    **asset_kwargs(
        "raw.outlook",
        checks=raw_checks("raw.outlook", *RAW_CHECKS),
        priority=AFTER_TELEMETRY,
    ),
    description=(
        "One row is one half-hour, or hour, of one publication about the next days (MW): metered "
        "wind and national demand from Elexon's `/datasets/WINDFOR` and `/datasets/NDF`, embedded "
        "wind and solar, day-ahead wind, and demand from the NESO Data Portal. A re-run adds a "
        "publication only where a value changed. A partition is the UTC day of publication. A "
        "cycle takes what was published since the last one; later cycles fill what is missing of "
        "Elexon's, and `grid backfill` the rest." + ELEXON_ORIGIN + PORTAL_ORIGIN
    ),
)
def outlook(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    def load(loaded: Loading, days: Days) -> None:
        for one in _take(context, services, days, services.now()):
            _load(services, loaded, one)

    yield from load_taken(
        context,
        services,
        "raw.outlook",
        SOURCES,
        load,
        checks=RAW_CHECKS,
        turns=TURNS,
        table="raw.outlook_publications",
        time_column="published_at",
    )


def _take(
    context: dg.AssetExecutionContext, services: Services, days: Days, now: datetime
) -> Iterator[Taken]:
    """The archives of past days, and the newest publications unless they are history only."""
    pieces = _pieces(services, days, now)
    progress = Progress("raw.outlook", len(pieces), "pieces", time.monotonic, context.log.info)
    for piece in pieces:
        yield from archive.take(services.elexon, services.portal, piece, now)
        progress.step(f"{piece.dataset} of {piece.days}")
    if days.trigger != "backfill" and days.last >= now.date():
        yield from services.captures(context.instance).taken(OF_CYCLE)


def _pieces(services: Services, days: Days, now: datetime) -> list[archive.Piece]:
    """What is asked of the archives; a cycle asks for past days only, and only Elexon."""
    today = now.date()
    used = [source for source in SOURCES if source not in services.off]
    chosen = Range(days.first, min(days.last, today))
    if days.trigger == "backfill":
        return archive.missing(services.connection, chosen, used, today)
    if days.trigger not in CYCLES:
        return archive.everything(chosen, used)
    return archive.everything(chosen, ["elexon"]) if days.last < today else []


def _load(services: Services, loaded: Loading, taken: Taken) -> None:
    rows = taken.outcome.rows if isinstance(taken.outcome, Answer) else []
    answer = loaded.accept(taken, values=sum(len(row.values) for row in rows))
    if answer is None or not answer.rows:
        return
    try:
        with write_transaction(services.connection, "raw.outlook"):
            loaded.current.rows_written += load_outlook(
                services.connection,
                [Capture(answer.rows, answer.received_at)],
                simulated=answer.simulated,
            )
    except PublicationUnusable as fault:
        loaded.keep(taken, [Rejected(f"body: {fault}", repr(answer.rows))])


@dg.asset(
    **asset_kwargs(
        "core.outlook",
        checks=judged_checks("core.outlook", (), WARNING["core.outlook"]),
        priority=AFTER_TELEMETRY,
    ),
    deps=[outlook],
    description=(
        "One row is one series of one publication from `raw.outlook` in true half-hours (MW) that "
        "had not begun when it became known; `core.outlook_as_known_at` shows them one by one. A "
        "publication that contradicts those before it is marked as suspect, with the reason. A "
        "re-run rewrites only rows that changed. A partition is the UTC day of publication."
        + ELEXON_ORIGIN
        + PORTAL_ORIGIN
    ),
)
def core_outlook(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation, window = "core.outlook", days_of(context).window
    if off := switched_off(context, services, relation, SOURCES, WARNING[relation]):
        yield off
        return
    yield from publish_days(
        context,
        services,
        relation,
        publish_outlook,
        partial(judge_warnings, relation, services.off),
        time_column="published_at",
        picture=outlook_as_known_now,
        window=Window(window.start - cycle.BEFORE, window.end),
    )

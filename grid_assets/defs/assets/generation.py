"""Generation by fuel, a second measurement beside the telemetry: Elexon's, and NESO's estimates of
embedded wind and solar.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    AFTER_OUTLOOK,
    ELEXON_ORIGIN,
    PORTAL_ORIGIN,
    asset_kwargs,
    judged_checks,
    raw_checks,
)
from grid_assets.defs.assets.core import publish_days
from grid_assets.defs.assets.outlook import core_outlook
from grid_assets.defs.partitions import CYCLES, Days, days_of
from grid_assets.defs.pictures import generation_of_day
from grid_assets.defs.resources import Services
from grid_assets.defs.taking import (
    RAW_CHECKS,
    SOURCES_ANSWER,
    Loading,
    Result,
    load_taken,
    switched_off,
)
from grid_assets.halfhours import HALF_HOUR, Window, days_window, floor
from grid_assets.outlook import archive, cycle
from grid_assets.outlook.checks import WARNING, judge_warnings
from grid_assets.outlook.generation import together
from grid_assets.outlook.load import load_elexon_generation, load_embedded_generation
from grid_assets.outlook.publish import publish_generation_mw
from grid_assets.outlook.sources import FUELHH, INDO, SOURCES, Taken, of_elexon
from grid_assets.progress import Progress
from grid_assets.sources.elexon.queries import LONGEST_SETTLED
from grid_assets.sources.neso_portal import datasets
from grid_assets.telemetry.checks import FEW_QUARANTINED
from grid_assets.telemetry.due import Range, to_ranges
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import write_transaction
from grid_assets.warehouse.statements import statement

EMBEDDED_CHECKS: Final = (FEW_QUARANTINED, SOURCES_ANSWER)

LATEST_ESTIMATE: Final = timedelta(days=60)
"""How late after its half-hour an embedded estimate is looked for; one capture reaches 38 days."""


@dg.asset(
    **asset_kwargs(
        "raw.elexon_generation",
        checks=raw_checks("raw.elexon_generation", *RAW_CHECKS),
        priority=AFTER_OUTLOOK,
    ),
    description=(
        "One row is one half-hour of generation by fuel and of national demand (MW) as Elexon's "
        "`/datasets/FUELHH` and `/datasets/INDO` published them at one capture. A re-run adds a "
        "row only where a value changed. A partition is the UTC day in which the half-hours start. "
        "Days that are missing are filled by later cycles." + ELEXON_ORIGIN
    ),
)
def elexon_generation(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    def load(loaded: Loading, days: Days) -> None:
        now = services.now()
        if days.trigger in CYCLES and days.last >= now.date():
            _load(
                services,
                loaded,
                services.captures(context.instance, ["elexon"]).taken(cycle.OF_GENERATION),
            )
        else:
            _load_days(context, services, loaded, days, now)

    yield from load_taken(
        context, services, "raw.elexon_generation", ["elexon"], load, checks=RAW_CHECKS
    )


def _load_days(
    context: dg.AssetExecutionContext,
    services: Services,
    loaded: Loading,
    days: Days,
    now: datetime,
) -> None:
    """Fetch chosen days, or of a backfill those that are missing, a few at a time."""
    chosen = [Range(days.first, days.last)]
    if days.trigger == "backfill":
        lacking = archive.lacking_generation(services.connection, chosen[0]).elexon
        chosen = to_ranges({*lacking, *([now.date()] if days.last >= now.date() else [])})
    end = floor(now) + HALF_HOUR
    windows = [
        piece
        for some in chosen
        for piece in _until(days_window(some.first, some.last), end).split(LONGEST_SETTLED)
    ]
    progress = Progress(
        "raw.elexon_generation", len(windows), "windows", time.monotonic, context.log.info
    )
    api = services.elexon
    for window in windows if api else []:
        assert api is not None
        taken = [of_elexon(FUELHH, found) for _, found in api.generation(window)]
        taken += [of_elexon(INDO, found) for _, found in api.demand_outturn(window)]
        _load(services, loaded, taken)
        progress.step(str(window))


def _until(window: Window, end: datetime) -> Window:
    return Window(min(window.start, end), min(window.end, end))


def _load(services: Services, loaded: Loading, taken: list[Taken]) -> None:
    answers = [(one.dataset, answer) for one in taken if (answer := loaded.accept(one))]
    fuels = [row for name, answer in answers if name == FUELHH for row in answer.rows]
    demands = [row for name, answer in answers if name == INDO for row in answer.rows]
    if fuels or demands:
        captured_at = max(answer.received_at for _, answer in answers)
        with write_transaction(services.connection, "raw.elexon_generation"):
            rows = together(services.connection, fuels, demands)
            loaded.current.rows_written += load_elexon_generation(
                services.connection, [Capture(rows, captured_at)]
            )


@dg.asset(
    **asset_kwargs(
        "raw.embedded_generation",
        checks=raw_checks("raw.embedded_generation", *EMBEDDED_CHECKS),
        priority=AFTER_OUTLOOK,
    ),
    description=(
        "One row is one half-hour of NESO's estimate of embedded wind and solar generation (MW) as "
        "the Demand Data Update of the NESO Data Portal published it at one capture. A re-run adds "
        "a row only where a value changed. A partition is the UTC day in which the half-hours "
        "start. Cycles look every three hours, each time for the last 38 days; `grid backfill` "
        "takes past days from Historic Demand Data." + PORTAL_ORIGIN
    ),
)
def embedded_generation(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "raw.embedded_generation"

    def load(loaded: Loading, days: Days) -> None:
        for one in _take_embedded(context, services, days, services.now()):
            answer = loaded.accept(one)
            if answer is not None and answer.rows:
                with write_transaction(services.connection, relation):
                    loaded.current.rows_written += load_embedded_generation(
                        services.connection, [Capture(answer.rows, answer.received_at)]
                    )

    yield from load_taken(
        context,
        services,
        relation,
        ["neso_portal"],
        load,
        checks=EMBEDDED_CHECKS,
        turns=["embedded_outturn"],
        # Most cycles do not look at all, so a failed look must not stop core.generation_mw either.
        goes_on=True,
    )


def _take_embedded(
    context: dg.AssetExecutionContext, services: Services, days: Days, now: datetime
) -> Iterator[Taken]:
    if days.trigger in CYCLES:
        yield from services.captures(context.instance, ["neso_portal"]).taken(
            {datasets.OUTTURN_SOURCE}
        )
        return
    chosen = [Range(days.first, days.last)]
    if days.trigger == "backfill":
        chosen = to_ranges(archive.lacking_generation(services.connection, chosen[0]).embedded)
    for some in chosen:
        if services.portal is not None:
            yield from archive.take_embedded(services.portal, some, now)


@dg.asset(
    **asset_kwargs(
        "core.generation_mw",
        checks=judged_checks("core.generation_mw", (), WARNING["core.generation_mw"]),
        priority=AFTER_OUTLOOK,
    ),
    deps=[elexon_generation, embedded_generation, core_outlook],
    description=(
        "One row is one half-hour that has begun, with generation by fuel and demand (MW) from "
        "`raw.elexon_generation` and `raw.embedded_generation`, and the carbon intensity "
        "recomputed from them (gCO2/kWh). Until an embedded estimate is published, the last "
        "forecast of it in `core.outlook` counts. A re-run rewrites only rows that changed. A "
        "partition is the UTC day in which the half-hours start." + ELEXON_ORIGIN + PORTAL_ORIGIN
    ),
)
def generation_mw(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "core.generation_mw"
    if off := switched_off(context, services, relation, SOURCES, WARNING[relation]):
        yield off
        return
    yield from publish_days(
        context,
        services,
        relation,
        publish_generation_mw,
        partial(judge_warnings, relation, services.off),
        picture=generation_of_day,
        window=_with_late_estimates(services, days_of(context)),
    )


def _with_late_estimates(services: Services, days: Days) -> Window:
    """The days of the run, and of a cycle those before them with new embedded estimates."""
    window = days.window
    if days.trigger not in CYCLES:
        return window
    row = services.connection.execute(
        statement("core/find_first_late_estimate"),
        {"since": window.start - LATEST_ESTIMATE, "before": window.start},
    ).fetchone()
    return Window(row[0] if row and row[0] else window.start, window.end)

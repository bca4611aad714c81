"""The 18 regions in `raw` and `core`. National telemetry and the forecast never wait for them."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    AFTER_FORECAST,
    asset_kwargs,
    describe_partitions,
    judged_checks,
    last_version,
    origin,
    raw_checks,
)
from grid_assets.defs.assets.core import Publish, publish_days
from grid_assets.defs.assets.raw import FORECAST_REACH, clip_to_begun
from grid_assets.defs.partitions import CYCLES, UNCHANGED, Days, days_of, today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.taking import RAW_CHECKS, Loading, Result, loading, not_made, results
from grid_assets.halfhours import Window, floor
from grid_assets.outlook.sources import Answer, Taken
from grid_assets.progress import Progress
from grid_assets.regional.checks import (
    BLOCKING,
    NO_ACTUALS,
    REACHES_48_HOURS,
    REGIONS_COMPLETE,
    WARNING,
    judge_actuals,
    judge_complete,
)
from grid_assets.regional.load import load_regional, load_regional_forecast, too_large
from grid_assets.regional.publish import publish_regional_intensity, publish_regional_mix
from grid_assets.sources.carbon_intensity.client import LONGEST_REGIONAL_WINDOW, ApiResponse
from grid_assets.sources.carbon_intensity.regional import RegionalRow, parse_regional
from grid_assets.sources.http.errors import ApiError, unexpected
from grid_assets.telemetry.checks import Check, Verdict, judge
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import write_transaction

RAW: Final = (*RAW_CHECKS, REGIONS_COMPLETE, NO_ACTUALS)
FORECAST: Final = (*RAW_CHECKS, REACHES_48_HOURS)


@dg.asset(
    **asset_kwargs(
        "raw.regional", checks=raw_checks("raw.regional", *RAW), priority=AFTER_FORECAST
    ),
    description=(
        "One row is one half-hour of one region as `/regional/intensity/{from}/{to}` published it "
        "at one capture: carbon intensity (gCO2/kWh) and generation mix (% by fuel) of what is "
        "consumed there. A re-run adds a row only where a value changed. A partition is the UTC "
        "day in which the half-hours start. Days that are missing are filled by later cycles."
        + origin("/regional/intensity/{from}/{to}")
    ),
)
def regional(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation, days = "raw.regional", days_of(context)
    if why := services.why_no_regions:
        yield not_made(context, services, relation, why, RAW)
        return
    window = clip_to_begun(days.window, services.now())
    complete, actuals = Verdict(REGIONS_COMPLETE, 0), Verdict(NO_ACTUALS, 0)
    with loading(context, services, relation, days, goes_on=True) as loaded:
        for piece, answer in _take(context, services, loaded, window):
            with write_transaction(services.connection, relation):
                loaded.current.rows_written += load_regional(
                    services.connection,
                    [Capture(answer.rows, answer.received_at)],
                    simulated=answer.simulated,
                )
            # of several responses, the first that lacks something or has too much speaks
            if complete.passed:
                complete = judge_complete(REGIONS_COMPLETE, answer.rows, piece)
            if actuals.passed:
                actuals = judge_actuals(answer.rows)
    described = describe_partitions(context, services, relation, "period_start", days)
    yield from results(
        services,
        relation,
        loaded,
        checks=RAW_CHECKS,
        metadata={},
        data_version=described.data_version,
        more=[complete, actuals],
    )


def _take(
    context: dg.AssetExecutionContext, services: Services, loaded: Loading, window: Window
) -> Iterator[tuple[Window, Answer]]:
    """The usable answers of a window, piece by piece: one response is in memory at a time."""
    pieces = len(list(window.split(LONGEST_REGIONAL_WINDOW)))
    progress = Progress("raw.regional", pieces, "windows", time.monotonic, context.log.info)
    for piece, response in services.api.fetch_windows(
        "regional/intensity", window, LONGEST_REGIONAL_WINDOW, at_once=1
    ):
        if answer := _accept(loaded, response, piece):
            yield piece, answer
        progress.step(str(piece))


def _accept(loaded: Loading, response: ApiResponse | ApiError, window: Window) -> Answer | None:
    """The answer, if anything in it can be used; otherwise it counts as failed."""
    taken = _taken(response, window)
    answer = loaded.accept(taken)
    if answer is None or answer.rows:
        return answer
    loaded.failures.append(
        ApiError(
            f"{taken.dataset} was answered with HTTP 200, but nothing in it can be used: "
            f"{answer.rejected[0].reason[:200]}. The next cycle asks again; `grid quarantine list` "
            "shows what came.",
            path=taken.dataset,
        )
    )
    return None


def _taken(response: ApiResponse | ApiError, window: Window) -> Taken:
    if isinstance(response, ApiError):
        return Taken(response.path, response)
    try:
        parsed = parse_regional(response.document, window)
    except Exception as error:  # a fault of ours must not lose the other windows
        return Taken(response.path, unexpected(response.path, error))
    return Taken(
        response.path,
        Answer(
            parsed.rows,
            parsed.rejected,
            response.received_at,
            response.simulated,
            response.clock_ahead,
        ),
    )


@dg.asset(
    **asset_kwargs(
        "raw.regional_forecast",
        checks=raw_checks("raw.regional_forecast", *FORECAST),
        has_past=False,
        priority=AFTER_FORECAST,
    ),
    description=(
        "One row is one half-hour of one region of NESO's 48-hour forecast as "
        "`/regional/intensity/{from}/fw48h` returned it at one capture: carbon intensity "
        "(gCO2/kWh) and generation mix (% by fuel) of what will be consumed there. Each run "
        "captures the current forecast; a repeated one adds nothing. There are no partitions, "
        "because NESO keeps no history: what was not captured then cannot be fetched any more."
        + origin("/regional/intensity/{from}/fw48h", has_past=False)
    ),
)
def regional_forecast(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation, now = "raw.regional_forecast", services.now()
    today = today_of(context, now)
    if why := services.why_no_regions:
        yield not_made(context, services, relation, why, FORECAST)
        return
    window = Window(floor(now), floor(now) + FORECAST_REACH)
    reach = Verdict(REACHES_48_HOURS, 0)
    with loading(context, services, relation, today, goes_on=True) as loaded:
        response: ApiResponse | ApiError
        try:
            response = services.api.fetch_regional_forecast(window.start)
        except ApiError as error:
            response = error
        if answer := _accept(loaded, response, window):
            rows = _storable(loaded, answer)
            with write_transaction(services.connection, relation):
                loaded.current.rows_written = load_regional_forecast(
                    services.connection, rows, answer.received_at, answer.simulated
                )
            reach = judge_complete(REACHES_48_HOURS, rows, window)
    repeats = today.trigger in CYCLES and not loaded.current.rows_written
    yield from results(
        services,
        relation,
        loaded,
        checks=RAW_CHECKS,
        metadata={UNCHANGED: True} if repeats else {},
        data_version=last_version(context) if repeats else None,
        more=[reach],
    )


def _storable(loaded: Loading, answer: Answer) -> list[RegionalRow]:
    """The rows without values that the archive cannot hold, which are quarantined."""
    large = list(too_large(answer.rows))
    if not large:
        return list(answer.rows)
    loaded.keep(Taken("/regional/intensity/fw48h", answer), [reject for _, reject in large])
    found = {(row.region_id, row.period_start) for row, _ in large}
    return [
        replace(row, forecast_gco2_kwh=None) if (row.region_id, row.period_start) in found else row
        for row in answer.rows
    ]


@dg.asset(
    **asset_kwargs(
        "core.regional_intensity",
        checks=judged_checks("core.regional_intensity", (), WARNING["core.regional_intensity"]),
        priority=AFTER_FORECAST,
    ),
    deps=[regional],
    description=(
        "One row is one region and half-hour that has begun, with the newest published carbon "
        "intensity (gCO2/kWh) from `raw.regional`. It is the API's own estimate: no actual is "
        "published for regions. A value outside 0 to 1000 becomes null, with the reason in a "
        "column beside it. A re-run rewrites only rows that changed. A partition is the UTC day in "
        "which the half-hours start." + origin("/regional/intensity/{from}/{to}")
    ),
)
def regional_intensity(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    yield from _publish(context, services, "core.regional_intensity", publish_regional_intensity)


@dg.asset(
    **asset_kwargs(
        "core.regional_mix",
        checks=judged_checks(
            "core.regional_mix", BLOCKING["core.regional_mix"], WARNING["core.regional_mix"]
        ),
        priority=AFTER_FORECAST,
    ),
    deps=[regional],
    description=(
        "One row is one region and half-hour of the generation mix (% by fuel) of what is consumed "
        "there, from `raw.regional`, adjusted to sum to exactly 100 like `core.generation_mix`. A "
        "re-run rewrites only rows that changed. A partition is the UTC day in which the "
        "half-hours start." + origin("/regional/intensity/{from}/{to}")
    ),
)
def regional_mix(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    yield from _publish(context, services, "core.regional_mix", publish_regional_mix)


def _publish(
    context: dg.AssetExecutionContext, services: Services, relation: str, publish: Publish
) -> Iterator[Result]:
    blocking: tuple[Check, ...] = BLOCKING.get(relation, ())
    if why := services.why_no_regions:
        yield not_made(context, services, relation, why, (*blocking, *WARNING[relation]))
        return
    yield from publish_days(
        context,
        services,
        relation,
        publish,
        lambda connection, window, now: judge(connection, WARNING[relation], window, now),
        blocking_checks=blocking,
        picture=_no_picture,
    )


def _no_picture(services: Services, relation: str, days: Days) -> dict[str, Any]:
    return {}

"""The assets of `raw`: values as the API published them, one asset for each endpoint."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    asset_kwargs,
    check_results_of,
    describe_partitions,
    kind_metadata,
    last_version,
    origin,
    raw_checks,
)
from grid_assets.defs.partitions import CYCLES, UNCHANGED, days_of, today_of
from grid_assets.defs.pictures import picture_of_day
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.halfhours import HALF_HOUR, Window, floor
from grid_assets.progress import Progress
from grid_assets.sources.carbon_intensity.client import LONGEST_WINDOW, ApiResponse, Endpoint
from grid_assets.sources.carbon_intensity.payloads import (
    Parsed,
    Rejected,
    parse_generation,
    parse_intensity,
    reject_other_times,
)
from grid_assets.sources.http.errors import ApiBodyTooLarge, ApiError, ApiMalformedBody, unexpected
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.checks import (
    CLOCKS_AGREE,
    FEW_QUARANTINED,
    REACHES_48_HOURS,
    judge_clocks,
    judge_forecast,
    judge_quarantined,
)
from grid_assets.telemetry.load import (
    BATCH,
    Capture,
    load_generation,
    load_intensity,
    load_neso_forecast,
)
from grid_assets.warehouse import clocks, run_log
from grid_assets.warehouse.connection import Connection, write_transaction

FORECAST_REACH: Final = timedelta(hours=48)

Result = dg.AssetCheckResult | dg.MaterializeResult[Any]


@dg.asset(
    **asset_kwargs(
        "raw.intensity", checks=raw_checks("raw.intensity", FEW_QUARANTINED, CLOCKS_AGREE)
    ),
    description=(
        "One row is one half-hour of national carbon intensity (gCO2/kWh) as `/intensity` "
        "published it at one capture. A re-run adds a row only where a value changed. "
        "A partition is the UTC day in which the half-hours start." + origin("/intensity")
    ),
)
def intensity(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    yield from _capture(
        context, services, "intensity", "raw.intensity", parse_intensity, load_intensity
    )


@dg.asset(
    **asset_kwargs(
        "raw.generation", checks=raw_checks("raw.generation", FEW_QUARANTINED, CLOCKS_AGREE)
    ),
    description=(
        "One row is one half-hour of the national generation mix (% by fuel) as `/generation` "
        "published it at one capture. A re-run adds a row only where a share changed. "
        "A partition is the UTC day in which the half-hours start." + origin("/generation")
    ),
)
def generation(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    yield from _capture(
        context, services, "generation", "raw.generation", parse_generation, load_generation
    )


@dg.asset(
    **asset_kwargs(
        "raw.neso_forecast",
        checks=raw_checks("raw.neso_forecast", REACHES_48_HOURS),
        has_past=False,
    ),
    description=(
        "One row is one half-hour of NESO's 48-hour forecast of carbon intensity (gCO2/kWh) as "
        "`/intensity/{from}/fw48h` returned it at one capture. Each run captures the current "
        "forecast; a repeated one adds nothing. There are no partitions, because NESO keeps no "
        "history: what was not captured then cannot be fetched any more."
        + origin("/intensity/{from}/fw48h", has_past=False)
    ),
)
def neso_forecast(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    now = services.now()
    today = today_of(context, now)
    with attempt(context, services, "raw.neso_forecast", today) as current:
        start = floor(now)
        try:
            response = services.api.fetch_forecast(start)
        except ApiError as error:
            current.rows_quarantined = _quarantine_body(services, current, error, now)
            raise
        clocks.compare(services.connection, response.clock_ahead, services.now()).refuse_if_wrong()
        window = Window(start, start + FORECAST_REACH)
        parsed = reject_other_times(
            parse_intensity(response.document, window), response.document, window
        )
        current.rows_fetched = len(parsed.rows) + len(parsed.rejected)
        current.rows_quarantined = _quarantine(services, current, response, parsed.rejected)
        with write_transaction(services.connection, "raw.neso_forecast"):
            current.rows_written = load_neso_forecast(
                services.connection, parsed.rows, response.received_at, response.simulated
            )
    known = sum(row.forecast_gco2_kwh is not None for row in parsed.rows)
    verdict = judge_forecast(known, FORECAST_REACH // HALF_HOUR)
    is_repeated = today.trigger in CYCLES and not current.rows_written
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_rows_fetched": current.rows_fetched,
            "run_rows_changed": current.rows_written,
            "simulated": response.simulated,
            **({UNCHANGED: True} if is_repeated else {}),
        },
        data_version=last_version(context) if is_repeated else None,
        check_results=[
            *check_results_of("raw.neso_forecast", [verdict], dg.AssetCheckSeverity.WARN),
        ],
    )


def _capture(
    context: dg.AssetExecutionContext,
    services: Services,
    endpoint: Endpoint,
    relation: str,
    parse: Callable[[dict[str, Any], Window], Parsed[Any]],
    load: Callable[[Connection, Sequence[Capture[Any]]], int],
) -> Iterator[Result]:
    """Fetch the days of the run window by window, and add the values that changed.

    Rows are committed in batches, so a run that dies keeps most of its rows. If a window fails, the
    others are still loaded, and then the run fails.
    """
    days, now = days_of(context), services.now()
    reasons: list[str] = []
    failures: list[ApiError] = []
    fetched: list[Capture[Any]] = []
    compared: clocks.Clocks | None = None

    def commit(current: run_log.Attempt) -> None:
        with write_transaction(services.connection, relation):
            current.rows_written += load(services.connection, fetched)
        fetched.clear()

    with attempt(context, services, relation, days) as current:
        window = clip_to_begun(days.window, now)
        pieces = -(-window.half_hours * HALF_HOUR // LONGEST_WINDOW)
        progress = Progress(relation, pieces, "windows", time.monotonic, context.log.info)
        for piece, response in services.api.fetch_windows(endpoint, window):
            if isinstance(response, ApiError):
                failures.append(response)
                current.rows_quarantined += _quarantine_body(services, current, response, now)
                progress.step(f"{piece} failed")
                continue
            if compared is None:
                compared = clocks.compare(services.connection, response.clock_ahead, services.now())
                compared.refuse_if_wrong()
            try:
                parsed = reject_other_times(
                    parse(response.document, piece), response.document, piece
                )
            except Exception as error:  # a fault of ours must not lose the other windows
                failures.append(unexpected(response.path, error))
                progress.step(f"{piece} failed")
                continue
            current.rows_fetched += len(parsed.rows) + len(parsed.rejected)
            current.rows_quarantined += _quarantine(services, current, response, parsed.rejected)
            reasons += [reject.reason for reject in parsed.rejected]
            fetched.append(Capture(parsed.rows, response.received_at))
            if sum(len(capture.rows) for capture in fetched) >= BATCH:
                commit(current)
            progress.step(str(piece))
        if fetched:
            commit(current)
        if failures:
            raise _summarise(failures, pieces)
    verdicts = [judge_quarantined(current.rows_fetched, reasons), judge_clocks(compared)]
    described = describe_partitions(context, services, relation, "period_start", days)
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_rows_fetched": current.rows_fetched,
            "run_rows_changed": current.rows_written,
            "run_rows_quarantined": current.rows_quarantined,
            **picture_of_day(services, relation, days),
        },
        data_version=described.data_version,
        check_results=[*check_results_of(relation, verdicts, dg.AssetCheckSeverity.WARN)],
    )


def clip_to_begun(window: Window, now: datetime) -> Window:
    """The part of a window whose half-hours have begun by `now`."""
    end = min(window.end, floor(now) + HALF_HOUR)
    return Window(min(window.start, end), end)


def _quarantine(
    services: Services,
    current: run_log.Attempt,
    response: ApiResponse,
    rejected: Sequence[Rejected],
) -> int:
    return quarantine.keep(
        services.connection,
        current.asset,
        response.path,
        rejected,
        captured_at=response.received_at,
        run_id=current.run_id,
    )


def _quarantine_body(
    services: Services, current: run_log.Attempt, error: ApiError, now: datetime
) -> int:
    """Quarantine a body that came with status 200 but cannot be used."""
    if not isinstance(error, ApiMalformedBody | ApiBodyTooLarge):
        return 0
    return quarantine.keep(
        services.connection,
        current.asset,
        error.path,
        [Rejected(f"body: {error}", error.body or "")],
        captured_at=now,
        run_id=current.run_id,
    )


def _summarise(failures: Sequence[ApiError], windows: int) -> ApiError:
    """The first error, which says what to do, with the number of windows that failed."""
    first = failures[0]
    if windows > 1:
        rest = "; the others are loaded" if len(failures) < windows else ""
        first.message += f" ({len(failures)} of {windows} windows failed{rest}.)"
    return first

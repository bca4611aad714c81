"""The assets of `forecast`: predictions at the issue times of a run, and their scores."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import dagster as dg

from grid_assets.defs.asset_metadata import (
    LAST,
    asset_key,
    asset_kwargs,
    check_results_of,
    describe_partitions,
    judged_checks,
    kind_metadata,
    origin,
)
from grid_assets.defs.assets import core, raw
from grid_assets.defs.partitions import BACKTEST, CYCLES, Days, days_of
from grid_assets.defs.pictures import errors_by_lead, fan_chart, half_day_ahead
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import BlockingCheckFailed, attempt
from grid_assets.forecasting import due, issuing, scoring
from grid_assets.forecasting.checks import BLOCKING, WARNING
from grid_assets.forecasting.issue_times import current_issue_time, issue_times_at
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.beside import predict_boosted
from grid_assets.forecasting.models.champion import Champion, read_champion
from grid_assets.forecasting.retention import thinned_to
from grid_assets.halfhours import DAY, Window, days_window
from grid_assets.progress import Progress
from grid_assets.telemetry.checks import Verdict, judge
from grid_assets.warehouse.clocks import database_clock
from grid_assets.warehouse.connection import Connection, write_transaction
from grid_assets.warehouse.statements import statement

Result = dg.AssetCheckResult | dg.MaterializeResult[Any]

REACHED: Final = timedelta(days=2)
"""Days after the day of issue that a 48-hour forecast reaches into."""


@dg.asset(
    **asset_kwargs(
        "forecast.predictions",
        checks=judged_checks(
            "forecast.predictions",
            BLOCKING["forecast.predictions"],
            WARNING["forecast.predictions"],
        ),
        priority=LAST,
    ),
    deps=[core.intensity, core.generation_mix, raw.neso_forecast],
    description=(
        "One row is one quantile forecast of carbon intensity (gCO2/kWh) or of one fuel's share "
        "(%) for one half-hour, up to 48 hours ahead, by Chronos, by gradient boosting, by the "
        "blend of those and NESO's forecast, by seasonal naive, or by NESO. "
        "A partition is the UTC day of issue. A half-hourly cycle adds the issue that starts at "
        "the next half-hour, if there is newer telemetry. A past day is back-tested: an issue "
        "every few hours (GRID_BACKTEST_STRIDE_HOURS), from the telemetry known then. A re-run "
        "replaces an issue." + origin("/intensity")
    ),
)
def predictions(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "forecast.predictions"
    days, now = days_of(context), services.now()
    blocking: list[Verdict] = []

    def judge_staged(connection: Connection, span: Window) -> None:
        blocking[:] = judge(connection, BLOCKING[relation], span, now)
        failed = [verdict.sentence for verdict in blocking if not verdict.passed]
        if failed:
            raise BlockingCheckFailed(
                f"{relation}, {days.first} to {days.last}: nothing was published, because "
                f"{' and '.join(failed)}. Earlier forecasts are unchanged."
            )

    settings = services.settings
    configured = registry.configured_name(settings.chronos_model)
    issued = issuing.Issued()
    try:
        with attempt(context, services, relation, days) as current:
            # An issue later than now by the clock of the database would count for nothing there.
            issue_now = min(now, database_clock(services.connection))
            times = _issue_times(services, days, configured, issue_now)
            steps = len({at.date() for at in times})
            progress = Progress(relation, steps, "days", time.monotonic, context.log.info)
            issued = issuing.issue(
                services.connection,
                days.window,
                times,
                issuing.IssueOptions(
                    now,
                    lambda: registry.load(settings.chronos_model, settings.chronos_timeout_s),
                    configured,
                    use_neso=settings.use_neso_forecast,
                    backtest=days.trigger not in CYCLES,
                    judge=judge_staged,
                    day_done=lambda day: progress.step(str(day)) if steps > 1 else None,
                    boost=partial(predict_boosted, champion=_champion(services, times)),
                ),
            )
            current.rows_fetched, current.rows_written = issued.rows_read, issued.rows_written
            span = Window(times[0], times[-1] + DAY) if times else days.window
            connection = services.connection
            if not blocking:  # nothing new was staged, so the newest issue is judged again
                with connection.transaction():
                    connection.execute(statement("forecast/stage_newest_issue"))
                    judge_staged(connection, span)
            warnings = judge(connection, WARNING[relation], span, now)
    except dg.Failure:
        yield from check_results_of(relation, blocking, dg.AssetCheckSeverity.ERROR)
        raise
    forecast_on = {min(at.date(), days.last) for at in times} if issued.model else set()
    described = describe_partitions(
        context, services, relation, "issued_at", days, changed=forecast_on
    )
    metadata: dict[str, Any] = {
        **kind_metadata(services.stamp),
        "run_issues": issued.issues,
        "run_rows_changed": issued.rows_written,
    }
    if issued.model:
        metadata["model"] = issued.model
    if issued.refused:
        at, reason = next(iter(issued.refused.items()))
        count = len(issued.refused)
        context.log.warning(f"{count} issues refused, such as {at:%Y-%m-%d %H:%M} UTC: {reason}")
    # for the last day only, because Dagster would keep a copy for each day
    context.add_asset_metadata(
        _picture(services, issued, times), partition_key=context.partition_keys[-1]
    )
    yield dg.MaterializeResult(
        metadata=metadata,
        data_version=described.data_version,
        check_results=[
            *check_results_of(relation, blocking, dg.AssetCheckSeverity.ERROR),
            *check_results_of(relation, warnings, dg.AssetCheckSeverity.WARN),
        ],
    )


def _issue_times(services: Services, days: Days, configured: str, now: datetime) -> list[datetime]:
    """The issue times of a run.

    In a cycle, the current one, if telemetry is newer than the forecasts. Otherwise those of the
    run's days at the stride, and the current one if today is among the days.
    """
    current = current_issue_time(now)
    if days.trigger in CYCLES:
        return [current] if due.forecast_is_due(services.connection, configured, now) else []
    stride = timedelta(hours=services.settings.backtest_stride_hours)
    times = list(issue_times_at(days.window, stride, now))
    if days.last == now.date():
        if current not in times:
            times.append(current)
        if days.trigger == BACKTEST:  # today's forecasts that were issued on time stay as they are
            made = due.issue_times_on(services.connection, configured, now.date())
            times = [at for at in times if at not in made]
    return times


def _champion(services: Services, times: list[datetime]) -> Champion | None:
    """The promoted trees, if anything is forecast and there are any."""
    return read_champion(services.connection, services.settings.home) if times else None


def _picture(services: Services, issued: issuing.Issued, times: list[datetime]) -> dict[str, Any]:
    """A fan chart of the forecast; for a back-test, one picture of all its days."""
    if not issued.shown:
        return {}
    if len(times) == 1:
        return fan_chart(services, issued.shown, times[0])
    return half_day_ahead(services, issued.shown, Window(times[0], times[-1]))


@dg.asset(
    **asset_kwargs(
        "forecast.accuracy",
        checks=judged_checks("forecast.accuracy", (), WARNING["forecast.accuracy"]),
    ),
    deps=[
        dg.AssetDep(
            asset_key("forecast.predictions"),
            # the half-hours of a day are forecast on that day and the two before
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=-2, allow_nonexistent_upstream_partitions=True
            ),
        ),
        core.intensity,
        core.generation_mix,
    ],
    description=(
        "One row is one model's errors for one series, UTC target day and lead bucket: "
        "MAE, bias, WAPE, pinball loss, coverage of the 80 % band, and the sums behind "
        "them, from forecasts and actuals joined on series and half-hour. A run also scores the "
        "two days after its own, which its forecasts reach, and computes `forecast.value` for "
        "the issues of all these days. Only changed rows are rewritten. A partition is the UTC "
        "day of its targets." + origin("/intensity")
    ),
)
def accuracy(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "forecast.accuracy"
    days, now = days_of(context), services.now()
    window = days_window(days.first, min(days.last + REACHED, now.date()))
    with attempt(context, services, relation, days) as current:
        connection = services.connection
        with write_transaction(connection, relation):
            scored = scoring.score(connection, window, thinned_to(connection))
            warnings = judge(connection, WARNING[relation], window, now)
        written = scored.written + scored.valued
        current.rows_fetched, current.rows_written = scored.compared, written
    described = describe_partitions(context, services, relation, "target_date", days)
    if described.changed:
        context.add_asset_metadata(
            errors_by_lead(services, window), partition_key=described.changed[-1]
        )
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_forecasts_compared": scored.compared,
            "run_rows_changed": written,
        },
        data_version=described.data_version,
        check_results=[*check_results_of(relation, warnings, dg.AssetCheckSeverity.WARN)],
    )

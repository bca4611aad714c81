"""The assets of `core`: one clean row for each half-hour, checked before it is published.

Both are published in four steps: stage, judge, publish, warn. The rules are in `mix`,
`telemetry.checks` and `sql/`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from grid_assets.defs.asset_metadata import (
    asset_kwargs,
    check_results_of,
    describe_partitions,
    judged_checks,
    kind_metadata,
    origin,
)
from grid_assets.defs.assets import raw
from grid_assets.defs.partitions import Days, days_of
from grid_assets.defs.pictures import picture_of_day
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import BlockingCheckFailed, attempt
from grid_assets.halfhours import Window
from grid_assets.telemetry import quarantine
from grid_assets.telemetry.checks import BLOCKING, WARNING, Check, Verdict, judge
from grid_assets.telemetry.publish import Published, publish_generation_mix, publish_intensity
from grid_assets.warehouse.connection import Connection, write_transaction

Result = dg.AssetCheckResult | dg.MaterializeResult[Any]
Warn = Callable[[Connection, Window, datetime], list[Verdict]]
Publish = Callable[[Connection, Window, datetime, Callable[[Connection], None]], Published]


@dg.asset(
    **asset_kwargs(
        "core.intensity",
        checks=judged_checks(
            "core.intensity", BLOCKING["core.intensity"], WARNING["core.intensity"]
        ),
    ),
    deps=[raw.intensity],
    description=(
        "One row is one half-hour that has begun, with the newest published forecast and actual "
        "(gCO2/kWh) from `raw.intensity`. A value outside 0 to 1000 becomes null, with the reason "
        "in a column beside it. A re-run rewrites only rows that changed. A partition is the UTC "
        "day in which the half-hours start." + origin("/intensity")
    ),
)
def intensity(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "core.intensity"
    yield from publish_days(
        context,
        services,
        relation,
        publish_intensity,
        _warn(relation),
        blocking_checks=BLOCKING[relation],
    )


@dg.asset(
    **asset_kwargs(
        "core.generation_mix",
        checks=judged_checks(
            "core.generation_mix", BLOCKING["core.generation_mix"], WARNING["core.generation_mix"]
        ),
    ),
    deps=[raw.generation],
    description=(
        "One row is one half-hour of the generation mix (% by fuel) from `raw.generation`, "
        "adjusted to sum to exactly 100: `other` is the remainder, and named fuels that exceed 100 "
        "by rounding are scaled down. A re-run rewrites only rows that changed. A partition is the "
        "UTC day in which the half-hours start." + origin("/generation")
    ),
)
def generation_mix(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    relation = "core.generation_mix"
    yield from publish_days(
        context,
        services,
        relation,
        publish_generation_mix,
        _warn(relation),
        blocking_checks=BLOCKING[relation],
    )


def _warn(relation: str) -> Warn:
    return lambda connection, window, now: judge(connection, WARNING[relation], window, now)


def publish_days(
    context: dg.AssetExecutionContext,
    services: Services,
    relation: str,
    publish: Publish,
    warn: Warn,
    *,
    blocking_checks: Sequence[Check] = (),
    time_column: str = "period_start",
    picture: Callable[[Services, str, Days], dict[str, Any]] = picture_of_day,
    window: Window | None = None,
) -> Iterator[Result]:
    """Publish the days of the run, or a longer window.

    Stage, judge, publish and warn in one transaction: a failed blocking check undoes it all.
    """
    days, now = days_of(context), services.now()
    window = window or days.window
    blocking: list[Verdict] = []

    def judge_staged(connection: Connection) -> None:
        blocking.extend(judge(connection, blocking_checks, window, now))
        failed = [verdict.sentence for verdict in blocking if not verdict.passed]
        if failed:
            raise BlockingCheckFailed(
                f"{relation}, {days.first} to {days.last}: nothing was published, because "
                f"{' and '.join(failed)}. The rows in raw are unchanged."
            )

    try:
        with attempt(context, services, relation, days) as current:
            connection = services.connection
            with write_transaction(connection, relation):
                published = publish(connection, window, now, judge_staged)
                warnings = warn(connection, window, now)
            current.rows_fetched, current.rows_written = published.read, published.written
            current.rows_quarantined = quarantine.keep(
                services.connection,
                relation,
                "raw",
                published.refused,
                captured_at=now,
                run_id=context.run.run_id,
            )
    except dg.Failure:
        yield from check_results_of(relation, blocking, dg.AssetCheckSeverity.ERROR)
        raise
    described = describe_partitions(context, services, relation, time_column, days)
    yield dg.MaterializeResult(
        metadata={
            **kind_metadata(services.stamp),
            "run_rows_read": published.read,
            "run_rows_changed": published.written,
            "run_rows_quarantined": current.rows_quarantined,
            **picture(services, relation, days),
        },
        data_version=described.data_version,
        check_results=[
            *check_results_of(relation, blocking, dg.AssetCheckSeverity.ERROR),
            *check_results_of(relation, warnings, dg.AssetCheckSeverity.WARN),
        ],
    )

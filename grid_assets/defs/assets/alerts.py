"""The asset of `ops`: the alerts that people set, judged and delivered at the end of a cycle."""

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
import psycopg

from grid_assets.alerts.delivering import NotDelivered, deliver
from grid_assets.alerts.judging import RELATION, has_work, judge_alerts
from grid_assets.defs.asset_metadata import (
    AT_THE_END,
    asset_kwargs,
    check_results_of,
    judged_checks,
    kind_metadata,
    last_version,
)
from grid_assets.defs.partitions import CYCLES, UNCHANGED, today_of
from grid_assets.defs.resources import Services
from grid_assets.defs.run_logging import attempt
from grid_assets.telemetry.checks import Check, Verdict
from grid_assets.warehouse.clocks import database_clock
from grid_assets.warehouse.connection import WarehouseError

Result = dg.AssetCheckResult | dg.MaterializeResult[Any]

ALL_JUDGED: Final = Check("all_judged", "", "Every alert that is on could be judged.")
ALL_DELIVERED: Final = Check(
    "all_delivered", "", "Every message of an alert reached every address in this cycle."
)


@dg.asset(
    **asset_kwargs(
        RELATION,
        checks=judged_checks(RELATION, [], [ALL_JUDGED, ALL_DELIVERED]),
        has_past=False,
        priority=AT_THE_END,
    ),
    # No dependencies, on purpose: Dagster would skip it where telemetry or a forecast failed, and
    # an alert may ask for just that. By its priority it comes last.
    description=(
        "One row is one event of an alert that a person set in `ops.alerts`, such as a region "
        "below a limit (gCO2/kWh), and the delivery of its message to GRID_ALARM_URLS. Each cycle "
        "judges every alert by the newest forecast and telemetry, adds events that are new, and "
        "sends what is to be told; what an address refuses is tried again in the next cycle. A "
        "re-run adds and sends nothing twice. There are no partitions, because alerts are about "
        "now. Source: the warehouse."
    ),
)
def alert_deliveries(context: dg.AssetExecutionContext, services: Services) -> Iterator[Result]:
    now = services.now()
    today = today_of(context, now)
    if not _has_work(services):
        unchanged = {UNCHANGED: True} if today.trigger in CYCLES else {}
        yield _result(services, context, {"alerts": 0, **unchanged}, [], [])
        return
    not_judged: list[str] = []
    faults: list[str] = []
    metadata: dict[str, Any] = {}
    try:
        with attempt(context, services, RELATION, today) as current:
            connection = services.connection
            at = min(now, database_clock(connection))
            judged = judge_alerts(connection, services.stamp, at)
            done = deliver(connection, services.settings.alarm_url_list)
            current.rows_fetched = judged.alerts
            current.rows_written = judged.new_events + done.delivered
            not_judged, faults = judged.not_judged, [fault.message for fault in done.faults]
            metadata = {
                "alerts": judged.alerts,
                "new_events": judged.new_events,
                "delivered": done.delivered,
            }
            done.raise_for_faults()
    except dg.Failure as failure:  # recorded; what could not be sent fails no run
        if not isinstance(failure.__cause__, NotDelivered):
            raise
        context.log.warning(str(failure.__cause__))
    yield _result(services, context, metadata, not_judged, faults)


def _has_work(services: Services) -> bool:
    try:
        return has_work(services.connection)
    except (WarehouseError, psycopg.Error):  # the attempt meets the same fault and reports it
        return True


def _result(
    services: Services,
    context: dg.AssetExecutionContext,
    metadata: dict[str, Any],
    not_judged: list[str],
    faults: list[str],
) -> dg.MaterializeResult[Any]:
    return dg.MaterializeResult(
        metadata={**kind_metadata(services.stamp), **metadata},
        data_version=last_version(context) if UNCHANGED in metadata else None,
        check_results=list(
            check_results_of(
                RELATION,
                [
                    Verdict(ALL_JUDGED, len(not_judged), not_judged[:10]),
                    Verdict(ALL_DELIVERED, len(faults), faults[:10]),
                ],
                dg.AssetCheckSeverity.WARN,
            )
        ),
    )

"""The weekly job that grows trees from the warehouse and tries them, if a setting says so."""

import os
from typing import Final

import dagster as dg

from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import TRIGGER_TAG
from grid_assets.defs.resources import Services

QUIET_HOUR: Final = "57 1 * * 0"
"""The night to Sunday: it takes a core for up to an hour, beside the half-hourly cycles."""


@dg.op(
    out=dg.Out(dg.Nothing),
    description=(
        "Grows trees of gradient boosting from the record that ships and from this warehouse, "
        "measures them beside the trees in use, and promotes them if they are better at every "
        "lead. The decision is a row of forecast.model_trials. Needs LightGBM."
    ),
)
def hold_trial(context: dg.OpExecutionContext, services: Services) -> None:
    from grid_assets.forecasting.learning import trial  # half a second

    order = trial.Order(
        context.run.run_id,
        context.run.tags.get(TRIGGER_TAG, "manual"),
        services.settings.home,
        services.now(),
        threads=max(1, (os.cpu_count() or 1) - 1),  # the cycles need one
    )
    try:
        _ = services.stamp
        decision = trial.hold(services.warehouse, order, context.log.info)
    except Exception as error:  # with its cause and cure; ops.etl_runs has the stack trace
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.log.info(f"{decision.outcome}: {decision.reason}")


@dg.job(description="Once a week, if GRID_TRAIN_WEEKLY is on: new trees, and their trial.")
def learning() -> None:
    hold_trial()


@dg.schedule(
    job=learning,
    cron_schedule=QUIET_HOUR,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Weekly, only with GRID_TRAIN_WEEKLY=true. Without the daemon: `grid train --warehouse`."
    ),
)
def weekly_learning(services: Services) -> dg.RunRequest | dg.SkipReason:
    if not services.settings.train_weekly:
        return dg.SkipReason("GRID_TRAIN_WEEKLY is off.")
    return dg.RunRequest(tags={TRIGGER_TAG: "schedule"}, run_config=QUIET_RUN_CONFIG)

"""Logging of every attempt: a row in `ops.etl_runs`, and a failure with a plain message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
import psycopg

from grid_assets.defs.partitions import Days
from grid_assets.defs.resources import NotMigrated, Services
from grid_assets.progress import doing
from grid_assets.warehouse import run_log
from grid_assets.warehouse.connection import WarehouseError

MAX_RETRIES: Final = 2
RETRY_AFTER_S: Final = 3
"""A server restart or a deadlock is over in seconds. After a longer outage, the next cycle runs."""


class BlockingCheckFailed(Exception):
    """Staged rows failed a blocking check, so nothing was published."""


@contextmanager
def attempt(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    services: Services,
    relation: str,
    days: Days,
) -> Iterator[run_log.Attempt]:
    """Log the block as one attempt. It is retried only if the database was lost."""
    try:
        services.check_connection()
        _ = services.stamp  # without a stamp there is no table for the log either
        with (
            doing(relation),
            run_log.attempt(
                services.warehouse,
                run_id=context.run.run_id,
                asset=relation,
                trigger=days.trigger,
                first_day=days.first,
                last_day=days.last,
            ) as current,
        ):
            yield current
    except NotMigrated as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except (
        psycopg.OperationalError,
        psycopg.errors.IdleInTransactionSessionTimeout,  # the process was suspended
        WarehouseError,
    ) as error:
        # Not a retry policy on the asset: with one, Dagster would also retry a step that a signal
        # has interrupted, and Ctrl-C would not end a run.
        wait_s = RETRY_AFTER_S * 2**context.retry_number
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=wait_s) from error
    except Exception as error:
        # The API client has already retried transient faults. Any other error would only recur.
        raise dg.Failure(description=str(error), allow_retries=False) from error

"""The frame around every materialisation: its row in `ops.etl_runs`, and a failure told plainly.

Belongs here: what all partitioned assets, and housekeeping, do around their work. Does not belong
here: the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
import psycopg

from grid_assets.defs.partitions import Days
from grid_assets.defs.resources import NotMigrated, Services
from grid_assets.warehouse import run_log
from grid_assets.warehouse.connection import WarehouseError

MAX_RETRIES: Final = 2
RETRY_AFTER_S: Final = 3
"""A restarted server or a deadlock is over in seconds; a longer outage is the next cycle's."""


class PastForecast(Exception):
    """A forecast was asked for that was never captured and cannot be fetched any more."""


class BlockingCheckFailed(Exception):
    """Staged rows broke a rule of our own; nothing was published."""


@contextmanager
def attempt(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    services: Services,
    relation: str,
    days: Days,
) -> Iterator[run_log.Attempt]:
    """Log the block as one attempt. Only a lost database is tried again."""
    try:
        _ = services.stamp  # without it there is no table to log in either
        with run_log.attempt(
            services.warehouse,
            run_id=context.run.run_id,
            asset=relation,
            trigger=days.trigger,
            first_day=days.first,
            last_day=days.last,
        ) as current:
            yield current
    except NotMigrated as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except (psycopg.OperationalError, WarehouseError) as error:
        # Asked for here, not by a retry policy on the asset: with a policy Dagster also starts
        # again what a signal has interrupted, and Ctrl-C would not end a run.
        wait_s = RETRY_AFTER_S * 2**context.retry_number
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=wait_s) from error
    except Exception as error:
        # The API client has retried what can pass; anything else would fail the same way again.
        raise dg.Failure(description=str(error), allow_retries=False) from error

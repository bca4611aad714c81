"""The frame around every materialisation: its row in `ops.etl_runs`, and a failure told plainly.

Belongs here: what all partitioned assets do around their work. Does not belong here: the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg

from grid_assets import runlog
from grid_assets.defs.partitions import Days
from grid_assets.defs.resources import Grid, NotSetUp
from grid_assets.warehouse import WarehouseError


class PastForecast(Exception):
    """A forecast was asked for that was never captured and cannot be fetched any more."""


class BlockingCheckFailed(Exception):
    """Staged rows broke a rule of our own; nothing was published."""


@contextmanager
def attempt(
    context: dg.AssetExecutionContext, grid: Grid, relation: str, days: Days
) -> Iterator[runlog.Attempt]:
    """Log the block as one attempt. Only a lost database is left to the asset's retry policy."""
    try:
        _ = grid.stamp  # without it there is no table to log in either
        with runlog.attempt(
            grid.warehouse,
            run_id=context.run.run_id,
            asset=relation,
            trigger=days.trigger,
            first_day=days.first,
            last_day=days.last,
        ) as current:
            yield current
    except NotSetUp as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except (psycopg.OperationalError, WarehouseError):
        raise  # a connection or a deadlock: the next try may get through
    except Exception as error:
        # The API client has retried what can pass; anything else would fail the same way again.
        raise dg.Failure(description=str(error), allow_retries=False) from error

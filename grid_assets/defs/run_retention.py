"""Deletes Dagster's old runs, their events and the results of their checks.

Dagster itself deletes old ticks of schedules and sensors: `runtime.environment` configures that,
and `defs.storage` shortens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import dagster as dg
import sqlalchemy
from dagster import AssetRecordsFilter, DagsterEventType, DagsterRunStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

MOST_RUNS: Final = 1000
"""Runs per call, which takes minutes. They are ten days' worth, so a backlog shrinks."""

PAGE: Final = 500
"""Runs or events per query."""

FINISHED: Final = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


KEPT_EVENTS: Final = (
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.RUN_START,
    DagsterEventType.RUN_SUCCESS,
    DagsterEventType.RUN_FAILURE,
)
"""All that stays of an old run that is kept for the state of a partition: a tenth of its bytes."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many finished runs from before the limit were examined, and how many deleted."""

    seen: int
    deleted: int


def purge(instance: dg.DagsterInstance, before: datetime, most: int = MOST_RUNS) -> Purged:
    """Delete up to `most` finished runs created before an instant, the oldest first.

    A run stays as long as the UI needs it for the state of an asset or a partition, but only with
    the events that show it. Console output is deleted with all the rest. A call that is killed
    leaves complete runs, and the next one continues.
    """
    made, tried = _needed(instance)
    seen, old, kept = 0, [], []
    for run_id in _finished(instance, before):
        seen += 1
        if run_id in made and run_id not in tried:
            kept.append(run_id)
        elif run_id not in tried:
            old.append(run_id)
        if len(old) == most:
            break
    for run_id in old:
        instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        _shorten(kept, storage)
        _delete_check_results(before, storage)
    for run_id in (*old, *kept):
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return Purged(seen, len(old))


def _shorten(runs: Sequence[str], storage: SqlEventLogStorage) -> None:
    """Delete what the state of a partition does not need of the runs that made it."""
    events = SqlEventLogStorageTable.c
    for start in range(0, len(runs), PAGE):
        with storage.index_connection() as connection:
            connection.execute(
                sqlalchemy.delete(SqlEventLogStorageTable).where(
                    events.run_id.in_(runs[start : start + PAGE]),
                    sqlalchemy.func.coalesce(events.dagster_event_type, "").not_in(
                        [kind.value for kind in KEPT_EVENTS]
                    ),
                )
            )


def _delete_check_results(before: datetime, storage: SqlEventLogStorage) -> None:
    """Delete old results of checks, which Dagster does not, except the newest of each check."""
    checks = AssetCheckExecutionsTable.c
    newest = sqlalchemy.select(sqlalchemy.func.max(checks.id)).group_by(
        checks.asset_key, checks.check_name
    )
    with storage.index_connection() as connection:
        connection.execute(
            sqlalchemy.delete(AssetCheckExecutionsTable).where(
                checks.evaluation_event_timestamp < before.astimezone(UTC).replace(tzinfo=None),
                checks.id.not_in(newest),
            )
        )


def _finished(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    """Finished runs created before an instant, the oldest first."""
    filters = dg.RunsFilter(statuses=list(FINISHED), created_before=before)
    cursor = None
    while True:
        page = instance.get_run_records(filters, limit=PAGE, cursor=cursor, ascending=True)
        for record in page:
            yield record.dagster_run.run_id
        if len(page) < PAGE:
            return
        cursor = page[-1].dagster_run.run_id


def _needed(instance: dg.DagsterInstance) -> tuple[set[str], set[str]]:
    """Runs with the newest materialisation of an asset or partition, and later failed attempts."""
    storage = instance.event_log_storage
    made: set[str] = set()
    newest_runs: set[str] = set()
    unmade_in: set[str] = set()
    for record in instance.get_asset_records():
        key = record.asset_entry.asset_key
        last = record.asset_entry.last_materialization_record
        made.update([last.run_id] if last else [])
        newest_runs.update(
            [record.asset_entry.last_run_id] if record.asset_entry.last_run_id else []
        )
        newest = storage.get_latest_storage_id_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION
        )
        made |= _runs_of(instance, key, sorted(newest.values()))
        unmade = (
            storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                key
            )
        )
        unmade_in.update(run_id for run_id, _ in unmade.values())
    return made, newest_runs | _failed(instance, sorted(unmade_in))


def _failed(instance: dg.DagsterInstance, runs: Sequence[str]) -> set[str]:
    """The failed ones of some runs; a cycle that finds a day unchanged makes nothing either."""
    failed: set[str] = set()
    for start in range(0, len(runs), PAGE):
        some = dg.RunsFilter(
            run_ids=list(runs[start : start + PAGE]), statuses=[DagsterRunStatus.FAILURE]
        )
        failed.update(run.run_id for run in instance.get_runs(some))
    return failed


def _runs_of(instance: dg.DagsterInstance, key: dg.AssetKey, ids: Sequence[int]) -> set[str]:
    """The runs of materialisations, given the ids of their events."""
    found: set[str] = set()
    for start in range(0, len(ids), PAGE):
        some = ids[start : start + PAGE]
        records = instance.fetch_materializations(
            AssetRecordsFilter(asset_key=key, storage_ids=some), limit=len(some)
        ).records
        found.update(record.run_id for record in records)
    return found

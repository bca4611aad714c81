"""Deletes Dagster's old runs and their events, through Dagster's own API.

Dagster itself deletes old ticks of schedules and sensors; `runtime.environment` configures that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType, DagsterRunStatus

MOST_RUNS: Final = 1000
"""Runs per call, which takes minutes. They are ten days' worth, so a backlog shrinks."""

PAGE: Final = 500
"""Runs or events per query."""

FINISHED: Final = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many finished runs from before the limit were examined, and how many deleted."""

    seen: int
    deleted: int


def purge(instance: dg.DagsterInstance, before: datetime, most: int = MOST_RUNS) -> Purged:
    """Delete up to `most` finished runs created before an instant, the oldest first.

    A run stays as long as the UI needs it for the state of an asset or a partition. Its console
    output is deleted too. A call that is killed leaves complete runs, and the next one continues.
    """
    needed = _needed(instance)
    seen, old = 0, []
    for run_id in _finished(instance, before):
        seen += 1
        if run_id not in needed:
            old.append(run_id)
        if len(old) == most:
            break
    for run_id in old:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return Purged(seen, len(old))


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


def _needed(instance: dg.DagsterInstance) -> set[str]:
    """Runs with the newest materialisation of an asset or partition, or a later failed attempt."""
    storage = instance.event_log_storage
    needed: set[str] = set()
    for record in instance.get_asset_records():
        key = record.asset_entry.asset_key
        last = record.asset_entry.last_materialization_record
        needed.update([last.run_id] if last else [])
        needed.update([record.asset_entry.last_run_id] if record.asset_entry.last_run_id else [])
        newest = storage.get_latest_storage_id_by_partition(
            key, DagsterEventType.ASSET_MATERIALIZATION
        )
        needed |= _runs_of(instance, key, sorted(newest.values()))
        tried = (
            storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                key
            )
        )
        needed.update(run_id for run_id, _ in tried.values())
    return needed


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

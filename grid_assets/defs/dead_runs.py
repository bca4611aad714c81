"""Dagster runs whose process has died. Dagster leaves them open, and its queue counts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.events import JobFailureData

from grid_assets.defs.partitions import STEPS_TAG, process_has_died
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.run_log import are_run_processes_gone, are_runs_silent

STARTED: Final = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
OPEN: Final = (dg.DagsterRunStatus.QUEUED, *STARTED)

SILENT_RUN: Final = timedelta(minutes=10)
"""A run of another machine without a row in `ops.etl_runs`, which takes seconds, is dead then."""


def fail_dead_runs(instance: dg.DagsterInstance, connection: Connection) -> None:
    """Mark runs of dead processes as failed; the queue would count them as running for ever."""
    open_runs = {
        record.dagster_run.run_id: record
        for record in instance.get_run_records(dg.RunsFilter(statuses=[*STARTED]))
    }
    gone = are_run_processes_gone(connection, open_runs.keys()) if open_runs else {}
    # where each step has a process of its own, one that has ended says nothing of the run
    spread = [key for key, record in open_runs.items() if STEPS_TAG in record.dagster_run.tags]
    gone |= are_runs_silent(connection, spread, SILENT_RUN) if spread else {}
    for run_id, record in open_runs.items():
        silent = datetime.now(UTC) - record.update_timestamp.replace(tzinfo=UTC) > SILENT_RUN
        died = process_has_died(record.dagster_run)
        if gone.get(run_id, silent) if died is None else died:
            instance.report_run_failed(record.dagster_run, "The run's process has died.")


def why_failed(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why a run failed that has no attempt in `ops.etl_runs`."""
    events = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE, limit=1
    ).records
    event = events[0].event_log_entry.dagster_event if events else None
    if event is None:
        return "it was lost"
    failure = event.event_specific_data  # none where another process has closed the run
    error = failure.error if isinstance(failure, JobFailureData) else None
    cause = error.cause if error and error.cause else error
    return cause.message.strip() if cause else event.message or "it was lost"

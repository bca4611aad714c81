"""What Dagster records of a run that repeats something else, and how `defs.storage` stores it."""

from __future__ import annotations

from typing import Any, Final

from dagster import DagsterEventType, EventLogEntry

from grid_assets.defs.partitions import UNCHANGED

WITHOUT_VALUES: Final = frozenset({"telemetry", "housekeeping", "learning"})
"""Jobs whose steps pass no values on, so that nobody reads the outputs that Dagster records."""

RESULT: Final = "result"
"""The name of the output of an asset or an op. The other outputs of an asset are its checks."""

NEWEST_ONLY: Final = frozenset({"fan_chart", "error_by_lead"})
"""Metadata labels of pictures that are outdated by the next materialisation."""

ABOUT_THE_EXECUTOR: Final = ("Executing steps in process", "Finished steps in process")
"""Engine events around the steps, which say when they started and ended themselves."""


def is_repetition(event: EventLogEntry) -> bool:
    """Whether an event says only what another one or the execution plan says."""
    inner = event.dagster_event
    if inner is None:
        return False
    match inner.event_type:
        case (
            DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
            | DagsterEventType.RESOURCE_INIT_STARTED
            | DagsterEventType.RESOURCE_INIT_SUCCESS
        ):
            return True
        case DagsterEventType.ENGINE_EVENT:
            return (inner.message or "").startswith(ABOUT_THE_EXECUTOR)
        case DagsterEventType.STEP_OUTPUT:
            is_check = inner.step_output_data.output_name != RESULT
            return is_check or event.job_name in WITHOUT_VALUES
        case DagsterEventType.ASSET_MATERIALIZATION:
            return UNCHANGED in inner.step_materialization_data.materialization.metadata
    return False


def is_pass(event: EventLogEntry) -> bool:
    """Whether an event is the result of a check that has passed."""
    return (
        event.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION
        and event.get_dagster_event().asset_check_evaluation_data.passed
    )


def shorten(event: EventLogEntry) -> EventLogEntry:
    """An event without what it says twice: the run, the step and the message."""
    inner = event.dagster_event
    if inner is None:
        return event
    changes: dict[str, Any] = {"logging_tags": None}
    if inner.event_type in (
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_CHECK_EVALUATION,
    ):
        changes |= {"step_key": inner.step_key, "step_handle": None, "node_handle": None}
    said = "" if event.user_message == inner.message else event.user_message
    return event._replace(user_message=said, dagster_event=inner._replace(**changes))


def without_newest_pictures(event: EventLogEntry) -> EventLogEntry:
    """A materialisation without pictures that only the newest one shows."""
    inner = event.dagster_event
    if inner is None or inner.event_type is not DagsterEventType.ASSET_MATERIALIZATION:
        return event
    data = inner.step_materialization_data
    metadata = data.materialization.metadata
    if not NEWEST_ONLY & metadata.keys():
        return event
    kept = {label: value for label, value in metadata.items() if label not in NEWEST_ONLY}
    made = data.materialization._replace(metadata=kept)
    changed = inner._replace(event_specific_data=data._replace(materialization=made))
    return event._replace(dagster_event=changed)

"""Spreads the work of one command over the workers: runs in Dagster's queue, followed to their end.

A command that is interrupted leaves what it has queued to the workers; the same command again
starts what is missing.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon
from pydantic import SecretStr

from grid_assets.cli.commands import CommandError
from grid_assets.cli.runs import Outcome
from grid_assets.defs.automation import QUIET_RUN_CONFIG, TELEMETRY
from grid_assets.defs.dead_runs import fail_dead_runs
from grid_assets.defs.partitions import BATCH_TAG
from grid_assets.defs.planning import PlannedRun
from grid_assets.runtime.programs import LOCATION
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import connect, is_database_error
from grid_assets.warehouse.run_log import mark_crashed

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
CANCELED = dg.DagsterRunStatus.CANCELED

LOOK_EVERY_S: Final = 2.0
CLOSE_DEAD_EVERY_S: Final = 20.0
TRIES: Final = 3
DAEMON_SILENT_S: Final = 120.0
"""A daemon sends a heartbeat every 30 seconds."""

LOST_S: Final = 600.0
"""How long the database, or the code server, may be away."""

LAUNCH: Final = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on UnauthorizedError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConflict { message }
  }
}
"""


class NotLaunched(CommandError):
    """Dagster did not take a run; the message says why and what to do."""


class CodeServerGone(NotLaunched):
    """The code server does not answer. It may be starting again."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The code server at {address} does not answer. Start it with `grid start "
            "code-server`, or set GRID_CODE_SERVER to its host and port."
        )


@dataclass(eq=False)
class Piece:
    """One run of a batch, and what comes before it."""

    planned: PlannedRun
    needs: Sequence[Piece] = ()
    """Pieces that must have ended well before."""
    follows: Sequence[Piece] = ()
    """Pieces that must have ended before, well or not."""
    run_ids: list[str] = field(default_factory=list)
    success: bool | None = None
    """Whether it ended well; None until it has ended for good."""

    def is_ready(self, running: Collection[Piece]) -> bool:
        """Whether it can be started, or started again."""
        waits = self.success is None and not any(other is self for other in running)
        return (
            waits
            and all(piece.success for piece in self.needs)
            and all(piece.is_over for piece in self.follows)
        )

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good, or never will, because what it needs has failed."""
        return self.success is not None or any(
            piece.is_over and not piece.success for piece in self.needs
        )


class Launcher:
    """Puts runs into Dagster's queue by the code server at GRID_CODE_SERVER."""

    def __init__(self, context: WorkspaceProcessContext, address: str) -> None:
        self._context, self._address = context, address
        self._batch = str(uuid4())

    def launch(self, planned: PlannedRun) -> str:
        """Queue a run; returns its id. Raises `NotLaunched`, `CodeServerGone` among them."""
        from dagster_graphql.cli import execute_query  # takes a second

        request = self._context.create_request_context()
        try:
            location = request.get_code_location(LOCATION)
        except dg.DagsterError:
            raise CodeServerGone(self._address) from None
        tags = {**planned.tags(datetime.now(UTC)), BATCH_TAG: self._batch}
        params = {
            "selector": {
                "repositoryLocationName": LOCATION,
                "repositoryName": next(iter(location.get_repositories())),
                "jobName": TELEMETRY.name,
                "assetSelection": [{"path": list(key.path)} for key in planned.assets],
            },
            "runConfigData": QUIET_RUN_CONFIG,
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        answer: dict[str, Any] = execute_query(self._context, LAUNCH, {"params": params})
        launched = (answer.get("data") or {}).get("launchRun") or {}
        if DagsterUserCodeUnreachableError.__name__ in launched.get("message", ""):
            raise CodeServerGone(self._address)
        if launched.get("__typename") != "LaunchRunSuccess":
            said = launched.get("message") or launched.get("__typename") or answer.get("errors")
            raise NotLaunched(f"Dagster did not take the run of {planned.days}: {said}")
        return str(launched["run"]["runId"])


@contextmanager
def launching(instance: dg.DagsterInstance, settings: Settings) -> Iterator[Launcher]:
    """A launcher for one batch. Raises `CodeServerGone`."""
    host, port = settings.code_server_address
    target = GrpcServerTarget(host=host, port=port, socket=None, location_name=LOCATION)
    # Dagster's warning about a server that does not answer is a page of traceback.
    warnings.filterwarnings("ignore", "Error loading repository location", UserWarning)
    with WorkspaceProcessContext(instance, target, version=dg.__version__) as context:
        entry = context.create_request_context().get_code_location_entries().get(LOCATION)
        if entry is None or entry.code_location is None:
            raise CodeServerGone(settings.code_server)
        yield Launcher(context, settings.code_server)


def follow(
    instance: dg.DagsterInstance,
    warehouse: SecretStr,
    launcher: Launcher,
    pieces: Sequence[Piece],
    at_once: int,
    announce: Callable[[str], None],
) -> Iterator[tuple[Piece, Outcome]]:
    """Run the pieces, up to `at_once` queued at a time, and yield each once it has ended for good.

    A run that fails is started again, up to `TRIES` times in all: a worker may have died. One that
    a person cancels or deletes is not. What waits for a piece that has failed is not started. While
    the database does not answer, nothing is decided; while the code server does not, nothing is
    started.
    """
    open_runs: dict[str, Piece] = {}
    looked = 0.0
    lost_since: float | None = None
    was_silent = False
    while True:
        try:
            if time.monotonic() - looked > CLOSE_DEAD_EVERY_S:
                looked = time.monotonic()
                with connect(warehouse) as connection:
                    mark_crashed(connection)
                    fail_dead_runs(instance, connection)
                is_silent = _daemon_is_silent(instance)
                if is_silent and not was_silent:
                    announce(
                        "Dagster's daemon is not running, so no run leaves the queue. Start it "
                        "with `grid start daemon`; this command waits."
                    )
                was_silent = is_silent
            for piece in pieces:
                if len(open_runs) < at_once and piece.is_ready(open_runs.values()):
                    run_id = launcher.launch(piece.planned)
                    piece.run_ids.append(run_id)
                    open_runs[run_id] = piece
            if not open_runs:
                return
            time.sleep(LOOK_EVERY_S)
            records = instance.get_run_records(dg.RunsFilter(run_ids=list(open_runs)))
        except Exception as error:
            if not (is_database_error(error) or isinstance(error, CodeServerGone)):
                raise
            if lost_since is None and isinstance(error, CodeServerGone):
                announce(f"{error} It may be starting again, so this command waits.")
            lost_since = lost_since or time.monotonic()
            if time.monotonic() - lost_since > LOST_S:
                raise
            time.sleep(LOOK_EVERY_S)
            continue
        lost_since = None
        statuses = {record.dagster_run.run_id: record.dagster_run.status for record in records}
        for run_id, piece in list(open_runs.items()):
            status = statuses.get(run_id, CANCELED)  # one that was deleted is not started again
            if status not in FINISHED_STATUSES:
                continue
            del open_runs[run_id]
            if status is FAILURE and len(piece.run_ids) < TRIES:
                announce(f"{piece.planned.days} failed, so it is started again")
                continue
            piece.success = status is SUCCESS
            yield piece, Outcome(run_id, piece.planned.days, piece.success)


def _daemon_is_silent(instance: dg.DagsterInstance) -> bool:
    """Whether what takes runs from the queue has not been heard of for a while."""
    beat = instance.get_daemon_heartbeats().get(QueuedRunCoordinatorDaemon.daemon_type())
    return beat is None or time.time() - beat.timestamp > DAEMON_SILENT_S

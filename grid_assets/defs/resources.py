"""The resource of every run: settings, the clock, the API client and a database connection.

They are made once for each run or evaluation. The resource has no configuration of its own, because
a URL or password would then be part of runs and events: settings come from the environment.
"""

from __future__ import annotations

import atexit
import queue
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import dagster as dg
import psycopg
from psycopg.pq import TransactionStatus
from pydantic import PrivateAttr, SecretStr

from grid_assets.defs.capturing import Captures, is_due
from grid_assets.defs.partitions import STEPS_TAG, process_tag
from grid_assets.outlook.sources import SOURCES, Source, off_sources, why_off
from grid_assets.settings import Settings
from grid_assets.sources.carbon_intensity.client import CarbonIntensityApi
from grid_assets.sources.elexon.client import ElexonApi
from grid_assets.sources.neso_portal.client import NesoPortal
from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.migrate import refuse_other_version
from grid_assets.warehouse.stamp import Stamp, read_stamp
from grid_assets.warehouse.urls import location

_kept: Final[queue.LifoQueue[tuple[SecretStr, Connection]]] = queue.LifoQueue(maxsize=1)
"""The connection that this process keeps between two evaluations of a sensor or a schedule."""


@atexit.register
def close_kept() -> None:
    """Close the kept connection."""
    with suppress(queue.Empty):
        _kept.get_nowait()[1].close()


WORKER: Final = "grid_assets.celery_worker"
"""The module that a Celery worker, and nothing else, has imported."""


class NotMigrated(WarehouseError):
    """The warehouse is not migrated."""


class Services(dg.ConfigurableResource[object]):
    """The services of one run, whose assets share one connection and one outage budget."""

    _settings: Settings = PrivateAttr()
    _keeps_connection: bool = PrivateAttr(default=False)
    _api: CarbonIntensityApi | None = PrivateAttr(default=None)
    _elexon: ElexonApi | None = PrivateAttr(default=None)
    _portal: NesoPortal | None = PrivateAttr(default=None)
    _captures: Captures | None = PrivateAttr(default=None)
    _connection: Connection | None = PrivateAttr(default=None)
    _stamp: Stamp | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Services]:
        run, instance = context.run, context.instance
        with self.open(keeps_connection=run is None):
            if run is not None and instance is not None:
                self._begin(run, instance)
            yield self

    def _begin(self, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
        """What a run begins with, or each of its steps if these have processes of their own."""
        is_whole = self._settings.executor == "in_process"
        tag = process_tag(run.run_id) if is_whole else {STEPS_TAG: self._settings.executor}
        if not tag.items() <= run.tags.items():
            instance.add_run_tags(run.run_id, tag)
        if not is_whole or WORKER in sys.modules or self._settings.run_launcher == "k8s":
            refuse_other_version(self.connection, self.warehouse)
        if is_whole and is_due(run, self.now()):
            # If the warehouse does not answer, the assets meet the same fault and report it.
            with suppress(WarehouseError, psycopg.Error):
                self.captures(instance)

    @contextmanager
    def open(self, *, keeps_connection: bool = False) -> Iterator[Services]:
        """Read the settings; at the end, close the client and the connection if open.

        With `keeps_connection`, the next user in this process gets the connection.
        """
        self._settings = Settings.from_environment()
        self._keeps_connection = keeps_connection
        with ExitStack() as opened:
            opened.callback(self._close)
            opened.callback(self._close_clients)
            yield self

    def _close_clients(self) -> None:
        for client in (self._api, self._elexon, self._portal, self._captures):
            if client is not None:
                client.close()

    def _close(self) -> None:
        if self._connection is None:
            return
        is_idle = self._connection.info.transaction_status is TransactionStatus.IDLE
        if self._keeps_connection and is_idle:
            try:
                _kept.put_nowait((self.warehouse, self._connection))
                return
            except queue.Full:
                pass
        self._connection.close()

    def _open_connection(self) -> Connection:
        """The kept connection if it is to the warehouse and answers, or else a new one."""
        while self._keeps_connection:
            try:
                url, connection = _kept.get_nowait()
            except queue.Empty:
                break
            try:
                if url == self.warehouse and connection.execute("SELECT 1"):
                    return connection
            except psycopg.Error:
                pass  # the server has closed it
            connection.close()
        return connect(self.warehouse)

    def now(self) -> datetime:
        """The current time, UTC. A step or an evaluation calls it once and passes the time on.

        A run has no single time, because a later step must see the rows that an earlier one loaded.
        """
        return datetime.now(UTC)

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def warehouse(self) -> SecretStr:
        """The warehouse's URL. `grid` sets it for every process that it starts."""
        if self._settings.database_url is None:
            raise WarehouseError(
                "GRID_DATABASE_URL is not set in this process. Start Dagster with `grid up` or "
                "`grid demo`, which also start the embedded PostgreSQL and set its address."
            )
        return self._settings.database_url

    @property
    def connection(self) -> Connection:
        """The run's connection to the warehouse, in autocommit mode. A lost one is replaced."""
        if self._connection is None or self._connection.closed:
            self._connection = self._open_connection()
        return self._connection

    def check_connection(self) -> None:
        """Drop a connection that was lost while it was idle, so that the next use opens another."""
        try:
            self.connection.execute("SELECT 1")
        except psycopg.Error:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @property
    def stamp(self) -> Stamp:
        """The kind of data that the warehouse holds. Raises `NotMigrated` if it has no schema."""
        if self._stamp is None:
            self._stamp = read_stamp(self.connection)
        if self._stamp is None:
            raise NotMigrated(
                f"The database at {location(self.warehouse)} is not set up. Run `grid migrate`."
            )
        return self._stamp

    @property
    def api(self) -> CarbonIntensityApi:
        """A client that accepts only data of the warehouse's kind, live or recorded."""
        if self._api is None:
            stamp = self.stamp
            self._api = CarbonIntensityApi.from_settings(
                self._settings,
                kind=stamp.kind,
                shift_weeks=stamp.shift_weeks,
                utcnow=self.now,
            )
        return self._api

    def why_off(self, source: Source) -> str | None:
        """Why a source of the outlook is not used; None if it is."""
        return why_off(self._settings, self.stamp.kind, source)

    @property
    def off(self) -> dict[Source, str]:
        """The sources of the outlook that are not used, each with the reason."""
        return off_sources(self._settings, self.stamp.kind)

    @property
    def why_no_regions(self) -> str | None:
        """Why regions are not captured; None if they are."""
        return None if self._settings.regions else "Switched off: GRID_REGIONS is false."

    @property
    def elexon(self) -> ElexonApi | None:
        """A client of Elexon, as `api`; None if it is switched off."""
        if self._elexon is None and self.why_off("elexon") is None:
            self._elexon = ElexonApi.from_settings(
                self._settings,
                kind=self.stamp.kind,
                shift_weeks=self.stamp.shift_weeks,
                utcnow=self.now,
            )
        return self._elexon

    @property
    def portal(self) -> NesoPortal | None:
        """A client of the NESO Data Portal, as `api`; None if it is switched off."""
        if self._portal is None and self.why_off("neso_portal") is None:
            self._portal = NesoPortal.from_settings(
                self._settings,
                kind=self.stamp.kind,
                shift_weeks=self.stamp.shift_weeks,
                utcnow=self.now,
            )
        return self._portal

    def captures(
        self, instance: dg.DagsterInstance, sources: Sequence[Source] = SOURCES
    ) -> Captures:
        """What this run takes of the newest; begun by the first call, in the background.

        A step in a process of its own begins only the `sources` that it needs.
        """
        if self._captures is None:
            self._captures = Captures(
                self._settings, self.stamp, self.connection, instance, self.now, sources
            )
        return self._captures

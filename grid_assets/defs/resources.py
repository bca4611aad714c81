"""What a run gets from outside: settings, the clock, the API client and a connection.

They are made once for each run or evaluation and passed on. The resource has no configuration of
its own: settings come from the environment of the process that runs the step, so no URL or password
is ever part of a run's configuration or an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
from pydantic import PrivateAttr, SecretStr

from grid_assets.api.client import CarbonIntensityApi
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import Connection, WarehouseError, connect
from grid_assets.warehouse.stamp import Stamp, read_stamp
from grid_assets.warehouse.urls import location


class NotMigrated(WarehouseError):
    """The warehouse was never migrated."""


class Services(dg.ConfigurableResource[object]):
    """The outside world of one run; its assets share one connection and one outage budget."""

    _settings: Settings = PrivateAttr()
    _api: CarbonIntensityApi | None = PrivateAttr(default=None)
    _connection: Connection | None = PrivateAttr(default=None)
    _stamp: Stamp | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Services]:
        with self.open():
            yield self

    @contextmanager
    def open(self) -> Iterator[Services]:
        """Read the settings; at the end close what was opened meanwhile."""
        self._settings = Settings.from_environment()
        try:
            yield self
        finally:
            if self._api is not None:
                self._api.close()
            if self._connection is not None:
                self._connection.close()

    def now(self) -> datetime:
        """The current instant, UTC. A step or an evaluation asks once and passes it on.

        A run has no single instant: a later step must see what an earlier one captured.
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
                "`grid demo`, which start the embedded PostgreSQL and pass its address on."
            )
        return self._settings.database_url

    @property
    def connection(self) -> Connection:
        """The run's connection to the warehouse, in autocommit mode; a new one if it was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.warehouse)
        return self._connection

    @property
    def stamp(self) -> Stamp:
        """What the warehouse holds. Raises `NotMigrated` where it was never migrated."""
        if self._stamp is None:
            self._stamp = read_stamp(self.connection)
        if self._stamp is None:
            raise NotMigrated(
                f"The database at {location(self.warehouse)} is not set up. Run `grid migrate`."
            )
        return self._stamp

    @property
    def api(self) -> CarbonIntensityApi:
        """A client that accepts only answers of the warehouse's own kind, live or recorded."""
        if self._api is None:
            stamp = self.stamp
            self._api = CarbonIntensityApi.from_settings(
                self._settings, kind=stamp.kind, shift_weeks=stamp.shift_weeks
            )
        return self._api

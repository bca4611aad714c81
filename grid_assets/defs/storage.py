"""Dagster's storage in PostgreSQL: without repetitions, over connections that are kept.

`dagster.yaml` names the class `Storage`. The tables are Dagster's own: its `DagsterPostgresStorage`
reads what this class has written, and the other way round.

Dagster opens a connection for each statement; here a process keeps a few open. And of what Dagster
records of a run, four fifths of the bytes repeat others. They are not stored:

- a planned check, which is an event and a row for each partition; its result is a row;
- the event of a check that passed, which its row holds already; a check that passes again replaces
  the row of its last pass;
- the output of a step, where no step reads it;
- of a planned range of partitions, all but the last;
- a materialisation marked `unchanged`, because it repeats the newest one of its partition;
- a picture of the newest state, except in the newest materialisation of its asset.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final

import sqlalchemy
from dagster import DagsterEventType, EventLogEntry
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import ConfigurableClassData, serialize_value
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import DagsterPostgresException, pg_url_from_config
from sqlalchemy import event as engine_event
from sqlalchemy import exc

from grid_assets.defs.repetitions import is_pass, is_repetition, shorten, without_newest_pictures

KEPT_CONNECTIONS: Final = 3
"""Connections that a process keeps. The daemon's threads seldom need more at once."""

MOST_CONNECTIONS: Final = 20
"""Connections beyond the kept ones are closed after use; beyond this number, a thread waits."""

TRUSTED_S: Final = 1.0
"""A connection idle for longer is tried before use, because the server may have closed it."""

PATIENCE_S: Final = 15.0
"""How long a run tries again to record something: a server restarts in less."""

PAUSE_S: Final = 0.5

SKIPPED_TICKS_S: Final = 2 * 3600.0
"""How long a skipped tick is kept. The sensor has 17,000 a day, with a kilobyte each."""


@cache
def engine(url: str) -> sqlalchemy.Engine:
    """The connections of this process to a database, for all instances of Dagster in it."""
    pool = sqlalchemy.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
        pool_use_lifo=True,
    )

    @engine_event.listens_for(pool, "checkin")
    def note_use(_: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @engine_event.listens_for(pool, "checkout")
    def try_if_idle(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) > TRUSTED_S:
            try:
                pool.dialect.do_ping(connection)
            except Exception as error:
                raise exc.DisconnectionError from error  # the pool opens another one

    return pool


def write_patiently(write: Callable[..., None], *arguments: Any) -> None:
    """Write what a run records, again if the connection is lost: without it, the run would fail.

    A connection that is lost after the server has stored an event leaves the event twice.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return write(*arguments)
        except (exc.DBAPIError, DagsterPostgresException) as error:
            # Dagster's exception is a connection that failed for some 11 s.
            is_lost = isinstance(error, DagsterPostgresException) or error.connection_invalidated
            if not is_lost or time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_S)


@cache
def limit_statements(url: str, milliseconds: int) -> None:
    """Let the server end statements of this process that take longer."""
    pool = engine(url)
    pool.dispose()

    @engine_event.listens_for(pool, "connect")
    def limit(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = %s", [milliseconds])
        connection.commit()


class _Pooled:
    """Gives a storage of Dagster the connections of the process instead of an engine of its own."""

    postgres_url: str

    @property
    def _engine(self) -> sqlalchemy.Engine:
        return engine(self.postgres_url)

    @_engine.setter
    def _engine(self, made: sqlalchemy.Engine) -> None:
        made.dispose()

    def _has(self, column: str, ask: Callable[[], bool]) -> bool:
        """Whether a table has a column, which no migration of Dagster takes away.

        Dagster asks dozens of times in a run, and reads all columns from the database each time.
        """
        known: set[str] = self.__dict__.setdefault("_columns", set())
        if column not in known and ask():
            known.add(column)
        return column in known

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        if statement_timeout:
            limit_statements(self.postgres_url, statement_timeout)


class RunStorage(_Pooled, PostgresRunStorage):
    """Runs."""

    def has_run_stats_index_cols(self) -> bool:
        return self._has("start_time", super().has_run_stats_index_cols)

    def has_backfill_id_column(self) -> bool:
        return self._has("backfill_id", super().has_backfill_id_column)

    def handle_run_event(self, *arguments: Any, **options: Any) -> None:
        write = partial(super().handle_run_event, **options)
        write_patiently(write, *arguments)


class ScheduleStorage(_Pooled, PostgresScheduleStorage):
    """Schedules, sensors and their ticks."""

    def purge_ticks(
        self,
        origin_id: str,
        selector_id: str,
        before: float,
        tick_statuses: Sequence[TickStatus] | None = None,
    ) -> None:
        """Delete old ticks, skipped ones within hours: `dagster.yaml` knows only whole days."""
        if tick_statuses and set(tick_statuses) == {TickStatus.SKIPPED}:
            before = max(before, time.time() - SKIPPED_TICKS_S)
        super().purge_ticks(origin_id, selector_id, before, tick_statuses)


class EventStorage(_Pooled, PostgresEventLogStorage):
    """Events of runs, the newest state of each asset, and results of checks."""

    def _has_asset_key_col_on_connection(
        self, conn: sqlalchemy.Connection, column_name: str
    ) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._has(column_name, partial(ask, conn, column_name))

    def store_event(self, event: EventLogEntry) -> None:
        if is_repetition(event):
            return
        store = self._store_pass if is_pass(event) else super().store_event
        write_patiently(store, shorten(event))

    def _store_pass(self, event: EventLogEntry) -> None:
        """Store that a check has passed, in the row of its last result if it passed then, too."""
        result = event.get_dagster_event().asset_check_evaluation_data
        target = result.target_materialization_data
        rows = AssetCheckExecutionsTable.c
        newest = sqlalchemy.select(sqlalchemy.func.max(rows.id)).where(
            rows.asset_key == result.asset_key.to_string(),
            rows.check_name == result.check_name,
            rows.partition.is_not_distinct_from(result.partition),
        )
        at = datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None)
        with self.index_connection() as connection:
            replaced = connection.execute(
                sqlalchemy.update(AssetCheckExecutionsTable)
                .where(
                    rows.id == newest.scalar_subquery(),
                    rows.execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED.value,
                )
                .values(
                    run_id=event.run_id,
                    evaluation_event=serialize_value(event),
                    evaluation_event_timestamp=at,
                    create_timestamp=at,
                    materialization_event_storage_id=target.storage_id if target else None,
                )
            ).rowcount
        if not replaced:
            self.store_asset_check_event(event, None)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        last_planned = {
            (event.run_id, event.get_dagster_event().asset_key): number
            for number, event in enumerate(events)
            if event.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        }
        new = [
            shorten(event)
            for number, event in enumerate(events)
            if not is_repetition(event)
            and last_planned.get((event.run_id, event.get_dagster_event().asset_key), number)
            == number
        ]
        if all(e.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION for e in new):
            write_patiently(super().store_event_batch, new)
        else:  # as Dagster does; each is stored patiently already
            for event in new:
                self.store_event(event)

    def _event_to_row(self, event: EventLogEntry) -> dict[str, Any]:
        # The state of the asset, which is the newest materialisation, is written from `event`.
        return super()._event_to_row(without_newest_pictures(event))


class Storage(DagsterPostgresStorage):
    """The storage of an instance."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False, inst_data=inst_data)
        self._run_storage = RunStorage(postgres_url)
        self._event_log_storage = EventStorage(postgres_url)
        self._schedule_storage = ScheduleStorage(postgres_url)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Storage:
        return cls(pg_url_from_config(config_value), inst_data)

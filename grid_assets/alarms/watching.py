"""What the supervisor of `grid up` watches: whether the database is there, and can be written.

Otherwise the daemon can neither look nor tell, as it cannot use its own tables either.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr

from grid_assets.alarms import outside
from grid_assets.alarms.looking import is_set
from grid_assets.settings import Settings
from grid_assets.warehouse.connection import WarehouseError, connect, read_only_reason
from grid_assets.warehouse.urls import redact

_log = logging.getLogger(__name__)

EVERY_S: Final = 30.0

GONE_S: Final = 180.0
"""A restart of a server takes seconds, a failover a minute or two."""


class DatabaseWatch:
    """Asks every `every_s` whether the database can be used; tells when not for `gone_s`."""

    def __init__(
        self,
        settings: Settings,
        home: Path,
        warehouse: SecretStr,
        *,
        every_s: float = EVERY_S,
        gone_s: float = GONE_S,
    ) -> None:
        self._settings, self._home, self._warehouse = settings, home, warehouse
        self._every_s, self._gone_s = every_s, gone_s
        self._next = 0.0
        self._gone_since: float | None = None

    def look(self) -> None:
        """Ask if it is time to; what is wrong is told, not raised."""
        if not is_set(self._settings) or time.monotonic() < self._next:
            return
        try:
            self._ask()
        except Exception as error:  # the product must not end because nobody can be told
            _log.warning("Alarms could not be sent: %s", type(error).__name__)
        self._next = time.monotonic() + self._every_s

    def _ask(self) -> None:
        now = time.monotonic()
        try:
            with connect(self._warehouse) as connection:
                if (reason := read_only_reason(connection)) is not None:
                    raise WarehouseError(reason)
        except (WarehouseError, psycopg.Error) as error:
            self._gone_since = now if self._gone_since is None else self._gone_since
            if now - self._gone_since >= self._gone_s:
                said = redact(" ".join(str(error).split()), self._warehouse)
                outside.tell(self._settings, self._home, "database", said, datetime.now(UTC))
        else:
            self._gone_since = None
            outside.clear(self._settings, self._home, "database", datetime.now(UTC))

"""The clock of this machine, compared with those of the API and of the database.

Windows, stamps and issue times follow the clock of this machine. If it disagrees with both others,
it is wrong, and nothing that depends on it is written. If it disagrees with one, a check warns.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import age_text
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

TOLERANCE: Final = timedelta(minutes=5)
"""Clocks that are synchronised differ by less than a second, and the API is asked 12 minutes after
a half-hour ends: five minutes neither hide a wrong clock nor move a value to another half-hour."""


class WrongClock(Exception):
    """The clock of this machine disagrees with all others."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How far the clock of this machine is ahead of others; negative if behind.

    `ahead_of_api` is None if the API's answer had no date.
    """

    ahead_of_api: timedelta | None
    ahead_of_database: timedelta

    @property
    def differences(self) -> list[str]:
        """One phrase for each clock that differs by more than the tolerance."""
        compared = {"the API": self.ahead_of_api, "the database": self.ahead_of_database}
        return [
            f"{offset_text(ahead)} the clock of {name}"
            for name, ahead in compared.items()
            if ahead is not None and abs(ahead) > TOLERANCE
        ]

    def refuse_if_wrong(self) -> None:
        """Raise `WrongClock` if this machine is ahead of both other clocks, or behind both."""
        if self.ahead_of_api is None or len(self.differences) < 2:
            return
        if (self.ahead_of_api > timedelta(0)) == (self.ahead_of_database > timedelta(0)):
            raise WrongClock(
                f"The clock of this machine is {' and '.join(self.differences)}. Nothing was "
                "loaded, because its times would be wrong. Set the clock (on Linux: `timedatectl "
                "set-ntp true`); the next run loads what is missing."
            )


def offset_text(ahead: timedelta) -> str:
    """An offset for people, such as `24 h ahead of`."""
    return f"{age_text(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'}"


def database_clock(connection: Connection) -> datetime:
    """The current time by the clock of the database server."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def compare(connection: Connection, ahead_of_api: timedelta | None, now: datetime) -> Clocks:
    """Compare the clocks and record the result for `grid status`; `now` is this machine's time."""
    clocks = Clocks(ahead_of_api, now - database_clock(connection))
    connection.execute(
        statement("ops/record_clocks"),
        {
            "host": socket.gethostname(),
            "ahead_of_api": clocks.ahead_of_api,
            "ahead_of_database": clocks.ahead_of_database,
        },
    )
    return clocks


def last_compared(connection: Connection) -> tuple[datetime, str, Clocks] | None:
    """When and on which machine the clocks were last compared, and the result."""
    row = connection.execute(
        "SELECT compared_at, host, ahead_of_api, ahead_of_database FROM ops.clocks"
    ).fetchone()
    return None if row is None else (row[0], row[1], Clocks(row[2], row[3]))

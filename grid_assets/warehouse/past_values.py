"""Computes what past forecasts were worth, in a database of a version that did not.

Migration 0018 lists the days in `forecast.value_due`. A day leaves the list in the transaction that
computes it, so a migration that is killed at any moment continues where it was. From then on, a run
that scores forecasts computes the days that it changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.moving import SAY_EVERY_S
from grid_assets.warehouse.statements import statement

AT_ONCE: Final = 7
"""Days in one transaction."""


def compute_past_values(connection: Connection, say: Callable[[str], None]) -> None:
    """Fill `forecast.value` for the days that are due, and drop their list."""
    if connection.execute("SELECT to_regclass('forecast.value_due')").fetchone() == (None,):
        return
    days = [
        day
        for (day,) in connection.execute(
            "SELECT target_date FROM forecast.value_due ORDER BY target_date"
        ).fetchall()
    ]
    if days:
        say(
            f"Computing what forecasts were worth: {days[0]} to {days[-1]}. If this is "
            "interrupted, migrate again to continue"
        )
    started = said = time.monotonic()
    for done in range(0, len(days), AT_ONCE):
        if done and time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            left = (said - started) * (len(days) - done) / done
            say(f"Computing what forecasts were worth: at {days[done]}, about {left:.0f} s left")
        part = days[done : done + AT_ONCE]
        with connection.transaction():
            connection.execute("SET LOCAL work_mem = '64MB'")  # days are sorted in memory
            span = {"first": part[0], "last": part[-1]}
            connection.execute(statement("forecast/publish_value"), span)
            connection.execute("DELETE FROM forecast.value_due WHERE target_date <= %s", [part[-1]])
    connection.execute("DROP TABLE forecast.value_due")

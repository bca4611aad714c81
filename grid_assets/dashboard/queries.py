"""The data of the dashboard, read from `reporting` in one transaction. The page reads no other
schema, so that it shows what a BI tool sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from psycopg.rows import class_row

from grid_assets.dashboard import outlook
from grid_assets.dashboard.outlook import Outlook
from grid_assets.dashboard.value import Value
from grid_assets.feeds.read import Found, read_in
from grid_assets.halfhours import DAY, floor
from grid_assets.outlook.sources import Source
from grid_assets.series import FUELS, LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

LOOKED_BACK: Final = timedelta(days=30)
"""Age up to which the newest half-hour is shown; anything older is history."""


@dataclass(frozen=True, slots=True)
class Intensity:
    period_start: datetime
    actual_gco2_kwh: Decimal | None
    intensity_index: str | None


@dataclass(frozen=True, slots=True)
class Predicted:
    """Quantiles of one half-hour in gCO2/kWh; `p10` and `p90` are None for NESO."""

    model: str
    issued_at: datetime
    period_start: datetime
    p10: Decimal | None
    p50: Decimal
    p90: Decimal | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Mean absolute error (gCO2/kWh) and share inside the 80 % band of one model and lead."""

    model: str
    lead_bucket: str
    n: int
    mae: Decimal
    inside_pct: Decimal | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The last attempt at an asset, and its counts over 24 hours."""

    asset: str
    status: str
    started_at: datetime
    execution_time_ms: int | None
    error_message: str | None
    attempts_24h: int
    failures_24h: int
    written_24h: int
    rejected_24h: int


@dataclass(frozen=True, slots=True)
class HourOfAttempts:
    hour: datetime
    status: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All data on the page; lists are ordered by time or name.

    `feeds` are the rows behind the feeds, which hold what there is now and what is forecast.
    """

    now: datetime
    feeds: Found
    intensity: Sequence[Intensity] = ()
    newest_intensity: Intensity | None = None
    mix: Sequence[tuple[datetime, dict[str, Decimal | None]]] = ()
    newest_mix: tuple[datetime, dict[str, Decimal | None]] | None = None
    predicted: Sequence[Predicted] = ()
    accuracy: Sequence[Accuracy] = ()
    values: Sequence[Value] = ()
    last_attempts: Sequence[LastAttempt] = ()
    attempts_by_hour: Sequence[HourOfAttempts] = ()
    outlook: Outlook | None = None

    @property
    def count(self) -> int:
        """The number of rows behind the page."""
        lists = (self.intensity, self.mix, self.predicted, self.accuracy, self.values)
        rows = sum(map(len, (*lists, self.last_attempts, self.attempts_by_hour)))
        rows += self.feeds.count
        return rows + (self.outlook.count if self.outlook else 0)

    @property
    def model(self) -> str | None:
        """The page's model: that of the first half-hour that has not begun."""
        ahead = (row for row in self.feeds.forecast if row["at"] >= self.now)
        return next((row["model"] for row in ahead if row["p50"] is not None), None)

    @property
    def issued_at(self) -> datetime | None:
        """When the newest forecast that is shown was issued."""
        issues = (row["issued_at"] for row in self.feeds.forecast if row["issued_at"])
        return max(issues, default=None)

    @property
    def past_issue(self) -> datetime | None:
        """When the forecast of the page's model for the last 24 hours was issued."""
        return max((row.issued_at for row in self.of(self.model)), default=None)

    def of(self, model: str | None) -> list[Predicted]:
        """A model's forecast of a day ago for the last 24 hours, in time order."""
        by_start = {row.period_start: row for row in self.predicted if row.model == model}
        return [by_start[start] for start in sorted(by_start)]

    def accuracy_of(self, model: str) -> list[Accuracy]:
        """A model's scores, ordered by lead."""
        order = list(LEAD_BUCKETS)
        scores = [score for score in self.accuracy if score.model == model]
        return sorted(scores, key=lambda score: order.index(score.lead_bucket))


def read(
    connection: Connection,
    now: datetime,
    off: Mapping[Source, str] | None = None,
    *,
    regions: bool = True,
) -> Snapshot:
    """Read the page's data as of one instant; `now` is the time on the page.

    `off` has the sources of the outlook that are not used, and why. Without `regions` the page has
    none, as the feeds.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        newest = connection.execute(
            statement("dashboard/newest"), {"since": now - LOOKED_BACK}
        ).fetchone()
        assert newest is not None
        newest_actual, newest_mix = newest
        intensity = _rows(connection, Intensity, "intensity", newest=newest_actual)
        mix = _mix(connection, newest_mix)
        return Snapshot(
            now=now,
            feeds=read_in(connection, now, regions=regions),
            intensity=[row for row in intensity if row.period_start > now - DAY],
            newest_intensity=next(
                (row for row in intensity if row.period_start == newest_actual), None
            ),
            mix=[(start, shares) for start, shares in mix.items() if start > now - DAY],
            newest_mix=(newest_mix, mix[newest_mix]) if newest_mix else None,
            predicted=_rows(connection, Predicted, "day_ahead", current=floor(now)),
            accuracy=_rows(connection, Accuracy, "accuracy", today=now.date()),
            values=_rows(connection, Value, "value", today=now.date()),
            last_attempts=_rows(connection, LastAttempt, "attempts", now=now),
            attempts_by_hour=_rows(connection, HourOfAttempts, "attempts_by_hour", now=now),
            outlook=outlook.read(connection, now, off or {}),
        )


def _rows(connection: Connection, kind: type[Any], name: str, **values: Any) -> list[Any]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement(f"dashboard/{name}"), values).fetchall()


def _mix(
    connection: Connection, newest: datetime | None
) -> dict[datetime, dict[str, Decimal | None]]:
    mix: dict[datetime, dict[str, Decimal | None]] = {}
    rows = connection.execute(statement("dashboard/mix"), {"newest": newest}).fetchall()
    for start, fuel, share in rows:
        mix.setdefault(start, dict.fromkeys(FUELS))[fuel] = share
    return mix

"""What the dashboard shows, read from `reporting` in one look.

Belongs here: the queries' results as plain values. Does not belong here: wording (`page`), charts
(`charts`), and any table outside `reporting`: the page shows what a BI tool sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from psycopg.rows import class_row

from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import FUELS, LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

NEXT_HOURS: Final = timedelta(hours=6)
"""How much of the forecast the first panel spells out."""

GREEN: Final = timedelta(hours=3)
"""Length of the greenest stretch: a wash, a dishwasher, a good part of a car's charge."""

LOOKED_BACK: Final = timedelta(days=30)
"""How old the newest half-hour may be and still be looked for: what is older is history."""

NOT_OURS: Final = ("neso", "seasonal_naive")
"""Models that are shown beside ours, or in its place where there is nothing better."""


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
    """How an asset last fared, and its counts of 24 hours."""

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
    """Everything on the page but its wording; lists are in order of time or name."""

    now: datetime
    intensity: Sequence[Intensity] = ()
    newest_intensity: Intensity | None = None
    mix: Sequence[tuple[datetime, dict[str, Decimal | None]]] = ()
    newest_mix: tuple[datetime, dict[str, Decimal | None]] | None = None
    predicted: Sequence[Predicted] = ()
    accuracy: Sequence[Accuracy] = ()
    last_attempts: Sequence[LastAttempt] = ()
    attempts_by_hour: Sequence[HourOfAttempts] = ()

    @property
    def count(self) -> int:
        """Rows behind the page."""
        lists = (self.intensity, self.mix, self.predicted, self.accuracy)
        return sum(map(len, (*lists, self.last_attempts, self.attempts_by_hour)))

    @property
    def ahead(self) -> datetime:
        """The half-hour that runs now: the first that a forecast is shown of."""
        return floor(self.now)

    @property
    def model(self) -> str | None:
        """The model of the page: our newest, or what stands in for it."""
        newest = {
            one.model: one.issued_at for one in self.predicted if one.period_start >= self.ahead
        }
        return max(
            newest,
            key=lambda name: (name not in NOT_OURS, name != "neso", newest[name]),
            default=None,
        )

    def of(self, model: str | None) -> list[Predicted]:
        """One forecast of each half-hour, the newest, in order of time."""
        found = {one.period_start: one for one in self.predicted if one.model == model}
        return [found[start] for start in sorted(found)]

    def coming(self) -> list[Predicted]:
        """The forecast of the page's model from now on."""
        return [one for one in self.of(self.model) if one.period_start >= self.ahead]

    def next_hours(self) -> list[Predicted]:
        return [one for one in self.coming() if one.period_start < self.ahead + NEXT_HOURS]

    def greenest(self) -> tuple[datetime, datetime, Decimal] | None:
        """Start, end and mean of the stretch of `GREEN` with the lowest median within a day."""
        by_start = {
            one.period_start: one.p50
            for one in self.coming()
            if one.period_start < self.ahead + DAY
        }
        steps = GREEN // HALF_HOUR
        stretches = [
            (sum(found, Decimal(0)) / steps, start)
            for start in by_start
            if len(
                found := [
                    by_start[at] for n in range(steps) if (at := start + n * HALF_HOUR) in by_start
                ]
            )
            == steps
        ]
        if not stretches:
            return None
        mean, start = min(stretches)
        return start, start + GREEN, mean

    def accuracy_of(self, model: str) -> list[Accuracy]:
        """The scores of a model in order of lead."""
        order = list(LEAD_BUCKETS)
        found = [one for one in self.accuracy if one.model == model]
        return sorted(found, key=lambda one: order.index(one.lead_bucket))


def read(connection: Connection, now: datetime) -> Snapshot:
    """Read the page's facts as of one instant; `now` is when the page is made."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        newest = connection.execute(
            statement("dashboard/newest"), {"since": now - LOOKED_BACK}
        ).fetchone()
        assert newest is not None
        newest_actual, newest_mix = newest
        intensity = _rows(connection, Intensity, "intensity", newest=newest_actual)
        # what has begun and has no actual yet is still only forecast
        ahead = max(newest_actual + HALF_HOUR, now - DAY) if newest_actual else floor(now)
        mix = _mix(connection, newest_mix)
        return Snapshot(
            now=now,
            intensity=[one for one in intensity if one.period_start > now - DAY],
            newest_intensity=next(
                (one for one in intensity if one.period_start == newest_actual), None
            ),
            mix=[(start, shares) for start, shares in mix.items() if start > now - DAY],
            newest_mix=(newest_mix, mix[newest_mix]) if newest_mix else None,
            predicted=_rows(connection, Predicted, "forecast", ahead=min(ahead, floor(now))),
            accuracy=_rows(connection, Accuracy, "accuracy", today=now.date()),
            last_attempts=_rows(connection, LastAttempt, "attempts", now=now),
            attempts_by_hour=_rows(connection, HourOfAttempts, "attempts_by_hour", now=now),
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

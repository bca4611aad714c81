"""Values as they were known at an instant: models get data from the warehouse only through here.

The rule for when a value became known is `forecast.known_from` in `sql/migrations`, for the outlook
`core.outlook_as_known_at`; what becomes of wrong stamps is in
`sql/forecast/read_known_intensity.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.continuing import continued
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.model_values import intensity_input, mix_input
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Problem, Values
from grid_assets.halfhours import HALF_HOUR, Window, api_time
from grid_assets.outlook.known import MOST_BEFORE, read_known_outlook
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

Times = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]

LOADED_LATER: Final = timedelta(days=2)
"""A half-hour first captured this long after its end was backfilled: each cycle reads yesterday and
today, so late values are captured within two days."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Published versions of some rows of `SERIES`, by half-hour and in the order of arrival.

    `period` counts half-hours from the window's start. `known_from` and `captured_at` are POSIX
    seconds, `captured_at` infinite for values without a capture. `values` is (versions, rows).
    """

    period: Steps
    known_from: Times
    captured_at: Times
    values: Values

    def known_at(self, instant: float, first: int, end: int) -> npt.NDArray[np.bool_]:
        """Which versions of the half-hours `first` to `end` were known at `instant`."""
        return (self.known_from <= instant) & (self.period >= first) & (self.period < end)


@dataclass(frozen=True, slots=True)
class IssueContext:
    """The data of one issue, or the reason why it is refused."""

    issued_at: datetime
    problem: Problem | None
    late_steps: int
    """Half-hours between the end of the context and the issue; they are forecast but not stored."""
    intensity_to: datetime | None
    mix_to: datetime | None
    missing: int
    assumed: int
    neso_issued_at: datetime | None
    refused: str | None
    recomputed: int = 0
    """Half-hours that come from generation by fuel (`continuing`)."""
    recomputed_to: datetime | None = None


class KnownValues:
    """All versions of a window's values, readable as they were known at any instant in it."""

    def __init__(self, connection: Connection, window: Window) -> None:
        limits = {"start": window.start, "end": window.end, "late": LOADED_LATER}
        self._connection, self._window = connection, window
        self._intensity = _versions(
            window.start,
            [
                (*row[:3], (intensity_input(row[3]),))
                for row in connection.execute(statement("forecast/read_known_intensity"), limits)
            ],
            rows=1,
        )
        self._mix = _versions(
            window.start,
            [
                (*row[:3], shares)
                for row in connection.execute(statement("forecast/read_known_mix"), limits)
                if (shares := mix_input(row[3:-1], row[-1])) is not None
            ],
            rows=len(SERIES) - 1,
        )

    @property
    def rows_read(self) -> int:
        """The number of versions of half-hours that were read."""
        return len(self._intensity.period) + len(self._mix.period)

    def at(self, instant: datetime, window: Window) -> Values:
        """Values of `window` as known at `instant`, shape (10, half-hours); NaN where unknown."""
        first, end = self._steps(window.start), self._steps(window.end)
        values = np.full((len(SERIES), end - first), np.nan, np.float32)
        for rows, versions in ((slice(0, 1), self._intensity), (slice(1, None), self._mix)):
            known = versions.known_at(instant.timestamp(), first, end)
            # Versions received later come later, so they overwrite earlier ones.
            values[rows, versions.period[known] - first] = versions.values[known].T
        return values

    def context_of(self, issued_at: datetime) -> IssueContext:
        """The context of an issue: the `CONTEXT` half-hours before it, as known then."""
        window = Window(issued_at - CONTEXT * HALF_HOUR, issued_at)
        longest = Window(window.start - MAX_MISSING * HALF_HOUR, issued_at)
        more = continued(self._connection, self.at(issued_at, longest), issued_at)
        values = more.values[:, MAX_MISSING:]
        missing_intensity = int(np.isnan(values[0]).sum())
        missing_mix = int(np.isnan(values[1]).sum())
        intensity_to, mix_to = (
            self._newest(versions, issued_at, window) for versions in (self._intensity, self._mix)
        )
        refused = _refuse(
            issued_at, {"carbon intensity": missing_intensity, "the generation mix": missing_mix}
        )
        late = 0
        problem = None
        if refused is None:
            known = np.flatnonzero(~np.isnan(values).all(axis=0))
            late = CONTEXT - 1 - int(known[-1])
            end = issued_at - late * HALF_HOUR
            shown = more.values[:, MAX_MISSING - late :][:, :CONTEXT]
            start = end - CONTEXT * HALF_HOUR
            problem = Problem(np.ascontiguousarray(shown), start, late_steps=late)
        return IssueContext(
            issued_at,
            problem,
            late,
            intensity_to,
            mix_to,
            int(np.isnan(values[:2]).any(axis=0).sum()),
            self._assumed(issued_at, window),
            None,
            refused,
            int(more.recomputed[MAX_MISSING:].sum()),
            more.recomputed_to,
        )

    def _steps(self, at: datetime) -> int:
        return round((at - self._window.start) / HALF_HOUR)

    def _newest(self, versions: Versions, at: datetime, window: Window) -> datetime | None:
        known = versions.known_at(
            at.timestamp(), self._steps(window.start), self._steps(window.end)
        )
        if not known.any():
            return None
        return self._window.start + (int(versions.period[known].max()) + 1) * HALF_HOUR

    def _assumed(self, at: datetime, window: Window) -> int:
        first, end = self._steps(window.start), self._steps(window.end)
        assumed: set[int] = set()
        for versions in (self._intensity, self._mix):
            known = versions.known_at(at.timestamp(), first, end)
            later = known & (versions.captured_at > at.timestamp())
            assumed.update(versions.period[later].tolist())
        return len(assumed)


def _refuse(issued_at: datetime, missing: dict[str, int]) -> str | None:
    """The reason to refuse an issue with these numbers of missing half-hours, None to accept it."""
    for name, count in missing.items():
        if count > MAX_MISSING:
            start = issued_at - CONTEXT * HALF_HOUR
            return (
                f"{count} of the {CONTEXT} half-hours of {name} from {api_time(start)} to "
                f"{api_time(issued_at)} are missing; at most {MAX_MISSING} may be missing. Load "
                "them with `grid backfill`, or wait until they are published."
            )
    return None


def _versions(start: datetime, rows_read: list[tuple[Any, ...]], rows: int) -> Versions:
    origin = start.timestamp()
    half_hour = HALF_HOUR.total_seconds()
    return Versions(
        np.array([(row[0].timestamp() - origin) // half_hour for row in rows_read], np.int64),
        np.array([row[1].timestamp() for row in rows_read], np.float64),
        np.array([row[2].timestamp() if row[2] else np.inf for row in rows_read], np.float64),
        np.array([row[3] for row in rows_read], np.float32).reshape(-1, rows),
    )


def add_outlook(
    connection: Connection, contexts: Sequence[IssueContext], steps: int
) -> list[IssueContext]:
    """The contexts with the outlook known at each issue, for `steps` half-hours ahead of the
    context; without it where nothing was known."""
    asked = [context for context in contexts if context.problem is not None]
    if not asked:
        return list(contexts)
    known = read_known_outlook(
        connection, [context.issued_at for context in asked], MOST_BEFORE, steps
    )
    outlook_of: dict[datetime, Values] = {}
    for context, values in zip(asked, known, strict=True):
        if np.isnan(values).all():
            continue
        length = CONTEXT + steps
        first = MOST_BEFORE - CONTEXT - context.late_steps
        shown = np.full((len(values), length), np.nan, np.float32)
        shown[:, max(0, -first) :] = values[:, max(0, first) : first + length]
        outlook_of[context.issued_at] = shown
    return [
        replace(context, problem=replace(context.problem, outlook=outlook_of[context.issued_at]))
        if context.problem is not None and context.issued_at in outlook_of
        else context
        for context in contexts
    ]


def add_neso_forecast(connection: Connection, context: IssueContext) -> IssueContext:
    """The context with NESO's newest 48-hour forecast captured before the issue, if there is one.

    A half-hour beyond that forecast is NaN.
    """
    problem = context.problem
    if problem is None:
        return context
    steps = context.late_steps + HORIZON
    start = problem.start + problem.context.shape[1] * HALF_HOUR
    rows = connection.execute(
        statement("raw/read_neso_forecast"),
        {"at": context.issued_at, "start": start, "end": start + steps * HALF_HOUR},
    ).fetchall()
    if not rows:
        return context
    neso = np.full(steps, np.nan, np.float32)
    for _, period_start, forecast in rows:
        neso[round((period_start - start) / HALF_HOUR)] = forecast
    return replace(context, problem=replace(problem, neso=neso), neso_issued_at=rows[0][0])

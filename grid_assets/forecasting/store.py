"""Stores issues in `forecast`, with margins computed from past errors. `scoring` writes scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from grid_assets.forecasting.bands import Tenths
from grid_assets.forecasting.calibration import CALIBRATION_SPAN, STRIDE, Margins, compute_margins
from grid_assets.forecasting.context import IssueContext, KnownValues
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.models.registry import ModelInfo
from grid_assets.halfhours import HALF_HOUR, Window, day_start
from grid_assets.series import SERIES
from grid_assets.warehouse.connection import Connection, copy_rows
from grid_assets.warehouse.statements import statement

ISSUES: Final = (
    "model",
    "issued_at",
    "created_at",
    "revision",
    "intensity_to",
    "mix_to",
    "context_missing",
    "context_assumed",
    "context_recomputed",
    "recomputed_to",
    "known_by",
    "neso_issued_at",
    "calibrated_on",
    "fallback_reason",
    "refused_reason",
    "blend",
)

ARRAYS: Final = (
    "model",
    "issued_at",
    "created_at",
    "below",
    "p50",
    "above",
    "raw_p10",
    "raw_p90",
)

NESO_PREDICTIONS: Final = (
    "model",
    "series",
    "period_start",
    "issued_at",
    "created_at",
    "p50",
    "simulated",
)

STRIDE_ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A UTC midnight: the strides of calibration are counted from there."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One model's forecast at one issue time, without quantiles if it was refused.

    `stored` holds tenths and `raw` the model's own values, both (10, 96, 3).
    """

    info: ModelInfo
    context: IssueContext
    stored: Tenths | None = None
    raw: Values | None = None
    calibrated_on: int = 0
    fallback_reason: str | None = None
    refused_reason: str | None = None
    blend: dict[str, Any] | None = None


class PastActuals:
    """What had come true by the start of a UTC day, read when first needed."""

    def __init__(self, connection: Connection, day: date) -> None:
        self._connection = connection
        self._window = Window(day_start(day) - CALIBRATION_SPAN, day_start(day))
        self._values: Values | None = None

    def of(self, issue_times: Sequence[datetime]) -> Values:
        """The half-hours after issues of the 28 days before, (issues, 10, 96), NaN if unknown."""
        start, end = self._window.start, self._window.end
        if self._values is None:
            shape = (len(SERIES), round((end - start) / HALF_HOUR) + HORIZON)
            self._values = np.full(shape, np.nan, np.float32)
            known = KnownValues(self._connection, self._window)
            self._values[:, :-HORIZON] = known.at(end, self._window)
        found = np.empty((len(issue_times), len(SERIES), HORIZON), np.float32)
        for number, issued_at in enumerate(issue_times):
            step = round((issued_at - start) / HALF_HOUR)
            found[number] = self._values[:, step : step + HORIZON]
        return found


def margins_of_day(
    connection: Connection,
    info: ModelInfo,
    day: date,
    *,
    again: bool,
    actuals: PastActuals | None = None,
) -> Margins:
    """Margins for the issues of a UTC day, from the errors known at its start.

    Only errors of the same weights count. Margins are computed once and stored; with `again`, as in
    a back-test, they are recomputed. `actuals` of that day may be shared by several models.
    """
    if not again and (stored := _load_margins(connection, info, day)) is not None:
        return stored
    start = day_start(day)
    rows = connection.execute(
        statement("forecast/read_past_quantiles"),
        {
            "model": info.model,
            "revision": info.revision,
            "start": start - CALIBRATION_SPAN,
            "end": start,
            "stride": STRIDE,
            "steps": HORIZON,
        },
    ).fetchall()
    shape = (len(rows), len(SERIES), HORIZON)
    low = np.array([row[1] for row in rows], np.float32).reshape(shape)
    high = np.array([row[2] for row in rows], np.float32).reshape(shape)
    actual = np.empty(shape, np.float32)
    if rows:
        actual = (actuals or PastActuals(connection, day)).of([row[0] for row in rows])
    computed = compute_margins(low, high, actual)
    if computed.issues:  # without any, a later issue of the day may find more errors
        _store_margins(connection, info, day, computed)
    return computed


def _load_margins(connection: Connection, info: ModelInfo, day: date) -> Margins | None:
    row = connection.execute(
        statement("forecast/read_margins"),
        {"model": info.model, "revision": info.revision, "day": day},
    ).fetchone()
    return None if row is None else Margins(np.array(row[0], np.float32), row[1])


def _store_margins(connection: Connection, info: ModelInfo, day: date, computed: Margins) -> None:
    connection.execute(
        statement("forecast/store_margins"),
        {
            "model": info.model,
            "revision": info.revision,
            "day": day,
            "issues": computed.issues,
            "margins": computed.values.tolist(),
        },
    )


def publish(
    connection: Connection,
    issues: Sequence[Issue],
    now: datetime,
    judge: Callable[[Connection], None],
) -> int:
    """Store these issues, replacing stored ones; returns the forecasts of a half-hour written.

    An unchanged issue is not rewritten. One that another run has since made from newer telemetry is
    kept, and a forecast is not replaced by a refusal. `judge` may read the table `staged` and raise
    to stop the publication.
    """
    connection.execute(statement("forecast/create_staging"))
    copy_rows(connection, "asked", ISSUES, (_issue_row(issue, now) for issue in issues))
    copy_rows(connection, "staged_arrays", ARRAYS, _array_rows(issues, now))
    judge(connection)
    connection.execute(statement("forecast/discard_outdated_issues"))
    connection.execute(
        statement("forecast/choose_raw_quantiles"), {"stride": STRIDE, "origin": STRIDE_ORIGIN}
    )
    connection.execute(statement("forecast/find_changed_issues"))
    connection.execute(statement("forecast/publish_issues"))
    # An unchanged refusal gets the time of this attempt, which determines when the next is due.
    connection.execute(
        "UPDATE forecast.issues AS i SET created_at = a.created_at FROM asked AS a "
        "WHERE i.model = a.model AND i.issued_at = a.issued_at AND i.refused_reason IS NOT NULL"
    )
    written = connection.execute(statement("forecast/publish_predictions")).rowcount
    return written * len(SERIES) * HORIZON


def issued_on_time(
    connection: Connection, times: Sequence[datetime], configured: str
) -> set[tuple[str, datetime]]:
    """Model and issue time of what was issued on time, where the configured model has not forecast
    yet."""
    asked = {"times": list(times), "configured": configured}
    return set(connection.execute(statement("forecast/find_issued_on_time"), asked).fetchall())


def record_models(connection: Connection, infos: Iterable[ModelInfo], now: datetime) -> None:
    """Record the models that forecast in this warehouse, with the time of their last use."""
    for info in infos:
        connection.execute(
            statement("forecast/record_model"),
            {
                "model": info.model,
                "revision": info.revision,
                "source": info.source,
                "trained_to": info.trained_to,
                "parameters": info.parameters,
                "scores": Jsonb(info.scores),
                "now": now,
            },
        )


def copy_neso_forecasts(connection: Connection, window: Window, now: datetime) -> int:
    """Copy NESO's captured forecasts to forecasts of model `neso`; returns the half-hours added."""
    span = {"start": window.start, "end": window.end, "now": now}
    copied = connection.execute(statement("forecast/copy_neso_forecasts"), span).fetchone()
    assert copied is not None
    missing = connection.execute(statement("forecast/find_missing_neso_forecasts"), span).fetchall()
    if missing:  # rare, and an insert into the view waits for every other one
        copy_rows(connection, "forecast.predictions", NESO_PREDICTIONS, missing)
    return int(copied[0]) + len(missing)


def _issue_row(issue: Issue, now: datetime) -> tuple[Any, ...]:
    context = issue.context
    return (
        issue.info.model,
        context.issued_at,
        now,
        issue.info.revision,
        context.intensity_to,
        context.mix_to,
        context.missing,
        context.assumed,
        context.recomputed,
        context.recomputed_to,
        "end_of_half_hour" if context.assumed else "capture",
        context.neso_issued_at,
        issue.calibrated_on,
        issue.fallback_reason,
        issue.refused_reason or context.refused,
        None if issue.blend is None else Jsonb(issue.blend),
    )


def _array_rows(issues: Iterable[Issue], now: datetime) -> Iterator[tuple[Any, ...]]:
    for issue in issues:
        if issue.stored is None or issue.raw is None:
            continue
        low, median, high = (issue.stored[..., quantile] for quantile in range(3))
        raw = np.round(issue.raw.astype(np.float64), 2)
        yield (
            issue.info.model,
            issue.context.issued_at,
            now,
            _as_array(median - low),
            _as_array(median),
            _as_array(high - median),
            _as_array(raw[..., 0]),
            _as_array(raw[..., 2]),
        )


def _as_array(values: np.ndarray[Any, Any]) -> str:
    """The text of a PostgreSQL array."""
    return str(values.tolist()).replace("[", "{").replace("]", "}").replace("nan", "NaN")

"""Forecasts in the warehouse: past errors out of it, issues into it.

Belongs here: reading and writing `forecast.*` but for scores (`scoring`). Does not belong here:
making a forecast (`issuing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from grid_assets.forecasting.bands import Tenths
from grid_assets.forecasting.calibration import CALIBRATED_ON, STRIDE, Margins, margins
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
    "known_by",
    "neso_issued_at",
    "calibrated_on",
    "fallback_reason",
    "refused_reason",
)

PREDICTIONS: Final = (
    "model",
    "series",
    "period_start",
    "issued_at",
    "created_at",
    "p10",
    "p50",
    "p90",
    "raw_p10",
    "raw_p50",
    "raw_p90",
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One model's answer at one issue time; without quantiles where it was refused.

    `stored` holds tenths and `raw` the model's own values, both (10, 96, 3).
    """

    info: ModelInfo
    shown: IssueContext
    stored: Tenths | None = None
    raw: Values | None = None
    calibrated_on: int = 0
    fallback_reason: str | None = None
    refused_reason: str | None = None


def margins_of_day(connection: Connection, info: ModelInfo, day: date, *, again: bool) -> Margins:
    """Margins for the issues of a UTC day, from errors known when it began.

    Only errors of the same weights count. They are computed once and kept; `again` computes them
    anew, as a back-test does.
    """
    if not again and (kept := _kept_margins(connection, info, day)) is not None:
        return kept
    start = day_start(day)
    rows = connection.execute(
        statement("forecast/read_past_quantiles"),
        {
            "model": info.model,
            "revision": info.revision,
            "start": start - CALIBRATED_ON,
            "end": start,
            "stride": STRIDE,
            "steps": HORIZON,
        },
    ).fetchall()
    position = {at: index for index, at in enumerate(sorted({row[0] for row in rows}))}
    low = np.full((len(position), len(SERIES), HORIZON), np.nan, np.float32)
    high, actual = low.copy(), low.copy()
    for issued_at, series, p10, p90 in rows:
        low[position[issued_at], SERIES.index(series)] = p10
        high[position[issued_at], SERIES.index(series)] = p90
    if position:
        first = min(position)
        known = KnownValues(connection, Window(first, start))
        happened = np.full(
            (len(SERIES), round((start - first) / HALF_HOUR) + HORIZON), np.nan, np.float32
        )
        happened[:, :-HORIZON] = known.at(start, Window(first, start))
        for issued_at, index in position.items():
            step = round((issued_at - first) / HALF_HOUR)
            actual[index] = happened[:, step : step + HORIZON]
    found = margins(low, high, actual)
    if found.issues:  # until then a later issue of the day may know more
        _keep_margins(connection, info, day, found)
    return found


def _kept_margins(connection: Connection, info: ModelInfo, day: date) -> Margins | None:
    rows = connection.execute(
        "SELECT series, array_agg(margin ORDER BY step), max(issues) FROM forecast.calibration "
        "WHERE model = %s AND revision = %s AND issue_date = %s GROUP BY series",
        [info.model, info.revision, day],
    ).fetchall()
    if {row[0] for row in rows} != set(SERIES):
        return None
    by_series = {series: values for series, values, _ in rows}
    return Margins(np.array([by_series[name] for name in SERIES], np.float32), rows[0][2])


def _keep_margins(connection: Connection, info: ModelInfo, day: date, found: Margins) -> None:
    cells = [(row, step) for row in range(len(SERIES)) for step in range(HORIZON)]
    connection.execute(
        statement("forecast/store_margins"),
        {
            "model": info.model,
            "revision": info.revision,
            "day": day,
            "issues": found.issues,
            "series": [SERIES[row] for row, _ in cells],
            "steps": [step for _, step in cells],
            "margins": [float(found.values[cell]) for cell in cells],
        },
    )


def publish(
    connection: Connection,
    issues: Sequence[Issue],
    now: datetime,
    judge: Callable[[Connection], None],
) -> int:
    """Store the forecasts of these issues over what is stored; returns the rows written.

    An issue that would not change is left as it is, and one that another run has made from newer
    telemetry meanwhile is kept; so is a forecast where there is now a refusal. `judge` may look at
    the table `staged` and raise to stop it all.
    """
    connection.execute(
        "CREATE TEMPORARY TABLE asked (LIKE forecast.issues) ON COMMIT DROP;"
        "CREATE TEMPORARY TABLE staged (LIKE forecast.predictions INCLUDING DEFAULTS) "
        "ON COMMIT DROP"
    )
    copy_rows(connection, "asked", ISSUES, (_issue_row(issue, now) for issue in issues))
    copy_rows(connection, "staged", PREDICTIONS, _prediction_rows(issues, now))
    judge(connection)
    connection.execute(statement("forecast/discard_outdated_issues"))
    connection.execute(statement("forecast/find_changed_issues"))
    connection.execute(statement("forecast/publish_issues"))
    # a refusal that stays what it was was looked at anew, which tells when to look again
    connection.execute(
        "UPDATE forecast.issues AS i SET created_at = a.created_at FROM asked AS a "
        "WHERE i.model = a.model AND i.issued_at = a.issued_at AND i.refused_reason IS NOT NULL"
    )
    return connection.execute(statement("forecast/publish_predictions")).rowcount


def record_models(connection: Connection, infos: Iterable[ModelInfo], now: datetime) -> None:
    """Record which checkpoints forecast here, and when."""
    for info in infos:
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source, trained_to, parameters, scores,"
            " first_used_at, last_used_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (model, revision) DO UPDATE SET last_used_at = excluded.last_used_at, "
            "source = excluded.source, scores = excluded.scores",
            [
                info.model,
                info.revision,
                info.source,
                info.trained_to,
                info.parameters,
                Jsonb(info.scores),
                now,
                now,
            ],
        )


def copy_neso_forecasts(connection: Connection, window: Window, now: datetime) -> int:
    """NESO's captured forecasts as predictions of model `neso`; returns the rows added."""
    return connection.execute(
        statement("forecast/copy_neso_forecasts"),
        {"start": window.start, "end": window.end, "now": now},
    ).rowcount


def _issue_row(issue: Issue, now: datetime) -> tuple[Any, ...]:
    shown = issue.shown
    return (
        issue.info.model,
        shown.issued_at,
        now,
        issue.info.revision,
        shown.intensity_to,
        shown.mix_to,
        shown.missing,
        shown.assumed,
        "end_of_half_hour" if shown.assumed else "capture",
        shown.neso_issued_at,
        issue.calibrated_on,
        issue.fallback_reason,
        issue.refused_reason or shown.refused,
    )


def _prediction_rows(issues: Iterable[Issue], now: datetime) -> Iterator[tuple[Any, ...]]:
    for issue in issues:
        if issue.stored is None or issue.raw is None:
            continue
        issued_at = issue.shown.issued_at
        starts = [issued_at + step * HALF_HOUR for step in range(HORIZON)]
        raw = np.round(issue.raw.astype(np.float64), 2).tolist()
        stored = issue.stored.tolist()
        for row, series in enumerate(SERIES):
            for step, start in enumerate(starts):
                yield (
                    issue.info.model,
                    series,
                    start,
                    issued_at,
                    now,
                    *(f"{value // 10}.{value % 10}" for value in stored[row][step]),
                    *raw[row][step],
                )

"""The predictions that `grid evaluate` writes: one line for each half-hour with a median."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

import numpy as np

from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.questions import Question
from grid_assets.halfhours import HALF_HOUR, api_time
from grid_assets.series import SERIES

HEADER: Final = ("model", "issued_at_utc", "period_start_utc", "series", "p10", "p50", "p90")


class PredictionsFile:
    """Writes predictions to an open text file, issue by issue."""

    def __init__(self, text: TextIO) -> None:
        self._writer = csv.writer(text, lineterminator="\n")
        self._writer.writerow(HEADER)

    def add(
        self, models: Sequence[str], questions: Sequence[Question], predicted: Sequence[Values]
    ) -> None:
        """Write issues: for each model an array (issues, 10, 96, 3)."""
        for number, question in enumerate(questions):
            issued, half_hours = api_time(question.issued_at), list(_half_hours(question))
            for model, quantiles in zip(models, predicted, strict=True):
                for series, values in zip(SERIES, quantiles[number], strict=True):
                    written = ~np.isnan(values[:, 1])
                    if written.any():
                        self._writer.writerows(
                            (model, issued, half_hours[step], series, *map(_digits, row))
                            for step, row in enumerate(values.tolist())
                            if written[step]
                        )


def _half_hours(question: Question) -> Iterator[str]:
    return (api_time(question.issued_at + step * HALF_HOUR) for step in range(HORIZON))


def _digits(value: float) -> str:
    """Enough digits that errors computed from the file are those of the table."""
    return "" if value != value else f"{value:.4f}"

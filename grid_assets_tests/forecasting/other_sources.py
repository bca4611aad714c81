"""The record that models learn from, had the sources said something else of some half-hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pytest

from grid_assets.forecasting import training_record
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.forecasting.training_record import Record
from grid_assets.halfhours import HALF_HOUR, Window

TIMES: Final = {"generation_mw.csv.gz": (0, 1), "day_ahead.csv.gz": (1, 2)}
"""Of each file, the column of the half-hour and the first one with a value."""


def record_with_others(monkeypatch: pytest.MonkeyPatch, span: Window) -> Record:
    """The record, loaded anew from published values, generation and an outlook that all differ
    within a span."""
    lines = training_record._lines

    def other_values(start: datetime, end: datetime) -> Values:
        values = read_recorded(start, end)
        values[:, (span.start - start) // HALF_HOUR : (span.end - start) // HALF_HOUR] += 100
        return values

    def other_lines(name: str) -> Iterator[list[str]]:
        time, first = TIMES[name]
        for line in lines(name):
            if datetime.fromisoformat(line[time]) in span:
                line[first:] = [f"{float(value) + 1000}" if value else "" for value in line[first:]]
            yield line

    with monkeypatch.context() as patch:
        patch.setattr(training_record, "read_recorded", other_values)
        patch.setattr(training_record, "_lines", other_lines)
        return training_record.load_record.__wrapped__()

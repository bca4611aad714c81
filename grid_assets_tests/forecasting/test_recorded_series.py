"""The recording as arrays: missing or bogus values are NaN, and mixes are complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.recording import Intensity, Recording, load_recording
from grid_assets.series import FUELS, INTENSITY, SERIES

START = datetime(2025, 12, 10, 12, tzinfo=UTC)


def made_up(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    monkeypatch.setattr("grid_assets.forecasting.recorded_series.load_recording", lambda: recording)


def test_rows_are_the_series_and_columns_the_half_hours() -> None:
    values = read_recorded(START, START + timedelta(days=1))
    recording = load_recording()

    assert values.shape == (len(SERIES), 48)
    assert values.dtype == np.float32
    assert SERIES[0] == INTENSITY
    for step in (0, 47):
        period = START + step * HALF_HOUR
        assert values[0, step] == recording.intensity[period].actual
        published = dict(zip(FUELS, recording.mix[period], strict=True))
        assert values[SERIES.index("wind"), step] == pytest.approx(published["wind"], abs=0.1)


@pytest.mark.parametrize("actual", [None, 0])
def test_a_null_and_a_bogus_zero_are_missing(
    monkeypatch: pytest.MonkeyPatch, actual: int | None
) -> None:
    row = Intensity(123, actual, None)
    made_up(monkeypatch, Recording({START: row, START + HALF_HOUR: row._replace(actual=1)}, {}))
    values = read_recorded(START, START + 2 * HALF_HOUR)
    # The forecast beside a missing actual must never stand in for it.
    assert np.isnan(values[0, 0])
    assert values[0, 1] == 1


def test_a_hole_in_the_recording_is_missing() -> None:
    values = read_recorded(datetime(2025, 8, 10, tzinfo=UTC), datetime(2025, 8, 12, tzinfo=UTC))
    assert np.isnan(values[1:]).sum() == 8 * len(FUELS)
    assert np.isnan(
        read_recorded(datetime(2021, 1, 1, tzinfo=UTC), datetime(2021, 1, 2, tzinfo=UTC))
    ).all()


def test_a_mix_is_completed_to_100_as_in_the_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = (10.0, 0.0, 10.0, 30.0, 10.0, 0.0, 0.0, 20.0, 19.9)
    refused = (10.0, 0.0, 10.0, 30.0, 10.0, 0.0, 0.0, 20.0, 25.0)
    made_up(monkeypatch, Recording({}, {START: shares, START + HALF_HOUR: refused}))
    values = read_recorded(START, START + 2 * HALF_HOUR)

    assert values[SERIES.index("other"), 0] == pytest.approx(0.1)
    assert values[1:, 0].sum() == pytest.approx(100)
    assert np.isnan(values[:, 1]).all()


def test_every_recorded_mix_sums_to_100() -> None:
    values = read_recorded(datetime(2025, 4, 16, tzinfo=UTC), datetime(2026, 1, 16, tzinfo=UTC))
    totals = values[1:].sum(axis=0)
    known = totals[~np.isnan(totals)]
    assert known.size > 13_000
    assert np.allclose(known, 100, atol=1e-3)


def test_an_empty_span_has_no_half_hours() -> None:
    assert read_recorded(START, START).shape == (len(SERIES), 0)

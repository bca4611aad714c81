"""The packaged recording as arrays, for training and for measuring models. It holds what `core`
would hold after loading the recording."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import numpy as np

from grid_assets.forecasting.model_values import intensity_input, mix_input
from grid_assets.forecasting.models.forecaster import Values
from grid_assets.halfhours import HALF_HOUR
from grid_assets.replay.recording import load_recording
from grid_assets.series import SERIES


def read_recorded(start: datetime, end: datetime) -> Values:
    """Recorded values from `start` to `end`, shape (10, half-hours); a missing value is NaN.

    Rows are `SERIES`: gCO2/kWh, then percent, completed to 100 as in `core.generation_mix`.
    """
    recording = load_recording()
    values = np.full((len(SERIES), round((end - start) / HALF_HOUR)), np.nan, np.float32)
    for step in range(values.shape[1]):
        period = start + step * HALF_HOUR
        row = recording.intensity.get(period)
        if row is not None:
            values[0, step] = intensity_input(row.actual)
        published = recording.mix.get(period)
        if published is not None and (shares := _mix_input(published)) is not None:
            values[1:, step] = shares
    return values


@lru_cache(maxsize=100_000)
def _mix_input(published: tuple[float, ...]) -> tuple[float, ...] | None:
    return mix_input([Decimal(str(share)) for share in published], {})

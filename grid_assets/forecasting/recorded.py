"""The recorded history as arrays, for training and for measuring models. Pure.

Belongs here: turning the recording into what `core` would hold of it.
Does not belong here: reading the warehouse (`context`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.halfhours import HALF_HOUR
from grid_assets.mix import MixRefused, complete
from grid_assets.replay.recording import load_recording
from grid_assets.series import FUELS, SERIES

Values = npt.NDArray[np.float32]

_LEAST_ACTUAL: Final = 1
"""gCO2/kWh. An `actual` of 0 has only ever been bogus."""


def recorded(start: datetime, end: datetime) -> Values:
    """Recorded values from `start` to `end`, shape (10, half-hours); what is missing is NaN.

    Rows are `SERIES`: gCO2/kWh, then percent, completed to 100 as in `core.generation_mix`.
    """
    recording = load_recording()
    values = np.full((len(SERIES), round((end - start) / HALF_HOUR)), np.nan, np.float32)
    for step in range(values.shape[1]):
        period = start + step * HALF_HOUR
        row = recording.intensity.get(period)
        if row is not None and row.actual is not None and row.actual >= _LEAST_ACTUAL:
            values[0, step] = row.actual
        shares = recording.mix.get(period)
        if shares is not None and (completed := _completed(shares)) is not None:
            values[1:, step] = completed
    return values


@lru_cache(maxsize=100_000)
def _completed(shares: tuple[float, ...]) -> tuple[float, ...] | None:
    published: Mapping[str, Decimal] = {
        fuel: Decimal(str(share)) for fuel, share in zip(FUELS, shares, strict=True)
    }
    try:
        mix = complete(published)
    except MixRefused:
        return None
    return tuple(float(mix.other if fuel == "other" else mix.named[fuel] or 0) for fuel in FUELS)

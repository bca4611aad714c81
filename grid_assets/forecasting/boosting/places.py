"""Which issue times of a record gradient boosting learns from. Needs no LightGBM. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from grid_assets.forecasting.examples import Source
from grid_assets.forecasting.horizon import HORIZON
from grid_assets.forecasting.models.forecaster import CONTEXT
from grid_assets.forecasting.training_record import Places
from grid_assets.halfhours import Window

STEPS: Final = HORIZON + 2
"""Half-hours ahead of the newest actual that are learned."""

LATE: Final = (0, 1, 1, 1, 2)
"""Half-hours by which the newest actual of an example is late; one of these, at random."""

BEFORE: Final = CONTEXT + max(LATE) + 1
"""Half-hours of a span before its first issue time."""

SHORTEST: Final = BEFORE + 1 + STEPS
"""Half-hours of the shortest span with an issue time: nine days."""


def issue_places(
    record: Source, spans: Sequence[Window], every: int, *, with_outlook: bool
) -> Places:
    """Issue times within spans whose whole context and horizon lie in the same span."""
    found: list[Places] = [np.empty(0, np.int64)]
    for span in spans:
        first, end = record.place(span.start), record.place(span.end)
        places = np.arange(first + BEFORE, end - STEPS, every)
        if with_outlook:
            places = places[record.has_outlook(places)]
        found.append(places)
    return np.concatenate(found)

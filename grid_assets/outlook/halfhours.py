"""From steps as published to true half-hours: the only place that knows what labels mean. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from grid_assets.halfhours import HALF_HOUR, floor

NAMED_BY_END: Final = frozenset({"elexon_windfor"})
"""Sources whose label is the end of its step. WINDFOR calls it `startTime`; but its hours fit the
metered wind of the hour before it best (January 2024 and the winter of 2025/26)."""

MOST_MW: Final = 100_000
"""Twice the largest demand that Great Britain ever had. What is above it or below 0 is no power."""

LONGEST_HALF_HOURS: Final = 336
"""Half-hours of one publication that are kept, from the first that had not begun: seven days. A
forecast needs two; the rest is for when a source is silent. Longer ones stay whole in `raw`."""

Values = list[float | None]


def half_hours(
    source: str, minutes: int, first_label: datetime, values: Sequence[float | None]
) -> tuple[datetime, Values]:
    """The start of the first half-hour, and MW by half-hour from there on; None if unknown.

    `values` are those of the steps from `first_label` on. Of hours, each half gets a quarter of its
    way to the neighbouring hour (linear between the middles of hours); beside a hole or at an edge,
    it gets the hour's own value. A value that is no power is a hole.
    """
    clean = [_power(value) for value in values]
    start = first_label - timedelta(minutes=minutes) if source in NAMED_BY_END else first_label
    if minutes == 30:
        return start, clean
    halves: Values = []
    for before, hour, after in zip([None, *clean], clean, [*clean[1:], None], strict=False):
        halves += [_towards(hour, before), _towards(hour, after)]
    return start, halves


def not_begun(start: datetime, values: Values, known_from: datetime) -> tuple[datetime, Values]:
    """The half-hours that begin at `known_from` or later, without empty ones at the edges, for at
    most `LONGEST_HALF_HOURS`. Where none is left, the start is the next one after `known_from`.
    """
    first = floor(known_from)
    if first < known_from:
        first += HALF_HOUR
    begun = max((first - start) // HALF_HOUR, 0)
    start, left = start + begun * HALF_HOUR, values[begun : begun + LONGEST_HALF_HOURS]
    while left and left[-1] is None:
        left.pop()
    empty = next((place for place, value in enumerate(left) if value is not None), 0)
    return (start + empty * HALF_HOUR, left[empty:]) if left else (first, [])


def _power(value: float | None) -> float | None:
    possible = value is not None and math.isfinite(value) and 0 <= value <= MOST_MW
    return value if possible else None


def _towards(hour: float | None, neighbour: float | None) -> float | None:
    if hour is None or neighbour is None:
        return hour
    return 0.75 * hour + 0.25 * neighbour

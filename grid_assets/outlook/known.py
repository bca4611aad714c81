"""Reads the outlook, and generation by fuel, as they were known at issue times, for models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.halfhours import HALF_HOUR, Window, floor
from grid_assets.outlook.recomputed import RETURNS_WITHIN, implausible_wind, measure
from grid_assets.series import FUELS, OUTLOOK, SERIES
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import statement

MOST_BEFORE: Final = 384
"""Half-hours before an issue time that core.outlook_as_known_at reaches back: eight days."""


def read_known_outlook(
    connection: Connection, issue_times: Sequence[datetime], before: int, after: int
) -> npt.NDArray[np.float32]:
    """MW known at each issue time: shape (issues, 4, `before` + `after`), rows in the order of
    `OUTLOOK`, NaN where nothing was known.

    Column `before` is the half-hour that begins at the issue time. For each half-hour, it is the
    newest value published by the issue time and by the half-hour's own start. Raises `ValueError`
    for an issue time that is no half-hour, or if `before` is more than `MOST_BEFORE`.
    """
    if before > MOST_BEFORE:
        raise ValueError(f"{before} half-hours back are more than {MOST_BEFORE}")
    odd = [at for at in issue_times if floor(at) != at]
    if odd:
        raise ValueError(f"{odd[0]} is not the start of a half-hour")
    known = np.full((len(issue_times), len(OUTLOOK), before + after), np.nan, np.float32)
    rows = connection.execute(
        statement("core/read_known_outlook"),
        {
            "issue_times": list(issue_times),
            "back": before * HALF_HOUR,
            "ahead": after * HALF_HOUR,
        },
    )
    for issue, series, steps, values in rows:
        known[issue - 1, OUTLOOK.index(series), np.asarray(steps) + before] = values
    return known


def read_known_generation(
    connection: Connection, window: Window, at: datetime
) -> npt.NDArray[np.float32]:
    """What the API would say of the half-hours of `window` by the generation captured by `at`:
    recomputed carbon intensity and shares, in the order of `SERIES`; NaN where not known.

    What the API says of a half-hour fits metered generation of the next one and solar generation of
    the same (docs/decisions/0043).
    """
    rows = connection.execute(
        statement("core/read_newest_generation_mw"),
        {
            "start": window.start - RETURNS_WITHIN - HALF_HOUR,
            "end": window.end + HALF_HOUR,
            "known_at": at,
            "now": at,
            "captured_by": at,
        },
    ).fetchall()
    bogus = implausible_wind({row[0]: row[2].get("WIND") for row in rows})
    solar_of = {row[0]: row[6] for row in rows}
    known = np.full((len(SERIES), window.half_hours), np.nan, np.float32)
    for period_start, _, generation, _, _, wind, _ in rows:
        start = period_start - HALF_HOUR
        found = measure(generation, wind, solar_of.get(start), bogus.get(period_start))
        *parts, intensity = found.values[: len(FUELS)] + found.values[-1:]
        total = sum(mw for mw in parts if mw is not None)
        if start in window and intensity is not None and total > 0:
            known[:, (start - window.start) // HALF_HOUR] = [
                float(intensity),
                *(100 * float(mw) / float(total) for mw in parts if mw is not None),
            ]
    return known

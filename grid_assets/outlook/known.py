"""Reads the outlook as it was known at issue times, for models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.series import OUTLOOK
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

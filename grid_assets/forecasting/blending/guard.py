"""Leaves a forecast of NESO out of a blend if it is beyond anything usual. Pure.

On 2023-04-14 about 11:00 NESO published 119 to 127 g for all half-hours, where its forecasts before
and after said 240 g.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from grid_assets.forecasting.blending.weights import NESO, OWN, Floats
from grid_assets.forecasting.models.forecaster import Values

FLOOR_G: Final = 60.0
"""A departure up to here is always usual: forecasts of different origin are 20 to 40 g apart."""

TIMES_USUAL: Final = 3.0
"""How many times the usual departure is unusual, once it is known."""

MIN_ISSUES: Final = 20
"""Past issues with which the usual departure is known."""


def usual_departure(errors: Floats) -> float | None:
    """The usual distance of NESO's past forecasts from our models', in tenths of a gram as it is
    recorded; None while few are known.

    `errors` has shape (3, issues, 10, 96).
    """
    own, neso = np.moveaxis(errors[:OWN, :, 0], 0, 1), errors[NESO, :, 0]
    # of the same half-hours, so the actual goes out of the difference of two errors
    issues = zip(neso, own, strict=True)
    apart = [_distance(line, _middle(lines)) for line, lines in issues if np.isfinite(line).any()]
    known = [distance for distance in apart if not np.isnan(distance)]
    return round(float(np.median(known)), 1) if len(known) >= MIN_ISSUES else None


def reason_to_leave_out(
    neso: Values, own: Values, earlier: Values, usual: float | None
) -> str | None:
    """Why a forecast of NESO (96) is left out; None if it is usual.

    `own` (members, 96) are the medians of our own models, `earlier` (forecasts, 96) what NESO said
    of the same half-hours in the day before; NaN where there is none.
    """
    limit = FLOOR_G if usual is None else max(FLOOR_G, TIMES_USUAL * usual)
    from_own, from_earlier = _distance(neso, _middle(own)), _distance(neso, _middle(earlier))
    # a distance that is not known says nothing
    if not from_own > limit or from_earlier <= limit:
        return None
    said = "" if np.isnan(from_earlier) else f" and {from_earlier:.0f} g from its earlier forecasts"
    return (
        f"NESO's forecast is {from_own:.0f} g away from our models'{said}. More than {limit:.0f} g "
        "is beyond anything usual, so it is left out of this issue."
    )


def _middle(lines: Values | Floats) -> Floats:
    """The median of lines (n, 96) at each half-hour, NaN where all are missing."""
    if not len(lines):
        return np.full(lines.shape[1], np.nan)
    ordered = np.sort(lines.astype(np.float64), axis=0)  # NaN last
    known = (~np.isnan(ordered)).sum(axis=0)
    places = np.stack([np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(lines) - 1)])
    middle: Floats = np.take_along_axis(ordered, places, axis=0).mean(axis=0)
    return middle


def _distance(one: Values | Floats, other: Floats) -> float:
    """The mean distance where both are known, else NaN."""
    apart = np.abs(one.astype(np.float64) - other)
    apart = apart[~np.isnan(apart)]
    return float(apart.mean()) if apart.size else float("nan")

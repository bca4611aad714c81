"""Published values as models see them: floats in the order of `SERIES`, identical whether they
are read from the warehouse or from the recording. Pure: no I/O and no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from grid_assets.mix import MAX_EXCESS, MAX_UNPUBLISHED_OTHER, WHOLE, MixRefused, complete_row
from grid_assets.series import FUELS


def intensity_input(actual: float | None) -> float:
    """An actual in gCO2/kWh, NaN if it is missing or 0: a published 0 has never been correct."""
    return actual or math.nan


def mix_input(shares: Sequence[Decimal | None], unknown_pct: Any) -> tuple[float, ...] | None:
    """Nine shares in percent as `core.generation_mix` completes them, None if it refuses them.

    A fuel that was not published is 0: its power is part of `other`.
    """
    try:
        exact = complete_row(shares, unknown_pct)
    except MixRefused:
        return None
    return tuple(float(share or 0) for share in exact.shares)


def accepted_mixes(shares: npt.NDArray[np.float32], all_columns: bool) -> npt.NDArray[np.bool_]:
    """Which rows `mix.complete` accepts, of shares within 0 to 100 in the order of `FUELS`, NaN if
    missing. If the file lacks a fuel, `all_columns` is false and nothing can be said to be missing
    from 100."""
    tenths = np.rint(np.nan_to_num(shares.astype(np.float64)) * 10)
    other = tenths[:, FUELS.index("other")]
    named = tenths.sum(axis=1) - other
    off = np.maximum(WHOLE - named, 0) - other
    fits = (named <= WHOLE + MAX_EXCESS) & (off >= -MAX_UNPUBLISHED_OTHER)
    accepted: npt.NDArray[np.bool_] = fits & ((off <= MAX_UNPUBLISHED_OTHER) | (not all_columns))
    return accepted

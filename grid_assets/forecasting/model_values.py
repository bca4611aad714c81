"""Published values as models see them: floats in the order of `SERIES`, identical whether they
are read from the warehouse or from the recording. Pure: no I/O and no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from grid_assets.mix import MixRefused, complete_row


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

"""The weights that a blend starts from: the bundled ones, from `prior.json`.

The file says where they are from. `python -m bench.blend_prior` measures new ones.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.blending.weights import (
    CONFIGURED,
    MEMBERS,
    NESO_CORRECTED,
    REGIMES,
    TREES,
    Floats,
)
from grid_assets.forecasting.models.forecaster import ModelUnusable, first_line
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

FILE: Final = Path(__file__).parent / "prior.json"


@lru_cache(maxsize=1)
def shipped_prior() -> Floats:
    """Weights by member, regime, series and lead bucket: (4, 2, 10, 5), summing to 1.

    Raises `ModelUnusable`.
    """
    return read_prior(FILE)


@lru_cache(maxsize=1)
def prior_revision() -> str:
    """The start of the SHA-256 of the bundled weights."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]


def read_prior(file: Path) -> Floats:
    """The weights of a file. NESO forecasts carbon intensity only.

    Raises `ModelUnusable` if the file cannot be read, or a value is missing or no share.
    """
    try:
        return _weights(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ModelUnusable(f"{file}: {first_line(error)}") from error


def _weights(found: Any) -> Floats:
    prior = np.zeros((len(MEMBERS), len(REGIMES), len(SERIES), len(LEAD_BUCKETS)))
    for regime, name in enumerate(REGIMES):
        for row, series in enumerate(SERIES):
            kind = series if series == INTENSITY else "shares"
            trees = _shares(found["gradient_boosting"][kind][name])
            neso = _shares(found["neso_corrected"][name]) if series == INTENSITY else 0 * trees
            prior[TREES, regime, row] = trees * (1 - neso)
            prior[CONFIGURED, regime, row] = (1 - trees) * (1 - neso)
            prior[NESO_CORRECTED, regime, row] = neso
    return prior


def _shares(values: Any) -> Floats:
    """A share for each lead bucket. Raises `ValueError`."""
    shares = np.array(values, np.float64)
    if shares.shape != (len(LEAD_BUCKETS),) or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"{values} is not {len(LEAD_BUCKETS)} numbers from 0 to 1")
    return shares

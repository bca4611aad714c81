"""The weights that a blend starts from: the bundled ones, from `prior.json`.

The file says where they are from. `python -m bench.blend_prior` measures new ones.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from grid_assets.forecasting.blending.weights import (
    CONFIGURED,
    MEMBERS,
    NESO_CORRECTED,
    REGIMES,
    TREES,
    Floats,
)
from grid_assets.series import INTENSITY, LEAD_BUCKETS, SERIES

FILE: Final = Path(__file__).parent / "prior.json"


@lru_cache(maxsize=1)
def shipped_prior() -> Floats:
    """Weights by member, regime, series and lead bucket: (4, 2, 10, 5), summing to 1."""
    return read_prior(FILE)


@lru_cache(maxsize=1)
def prior_revision() -> str:
    """The start of the SHA-256 of the bundled weights."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]


def read_prior(file: Path) -> Floats:
    """The weights of a file. NESO forecasts carbon intensity only."""
    found = json.loads(file.read_text(encoding="utf-8"))
    prior = np.zeros((len(MEMBERS), len(REGIMES), len(SERIES), len(LEAD_BUCKETS)))
    for regime, name in enumerate(REGIMES):
        for row, series in enumerate(SERIES):
            kind = series if series == INTENSITY else "shares"
            trees = np.array(found["gradient_boosting"][kind][name])
            neso = np.array(found["neso_corrected"][name]) if series == INTENSITY else 0 * trees
            prior[TREES, regime, row] = trees * (1 - neso)
            prior[CONFIGURED, regime, row] = (1 - trees) * (1 - neso)
            prior[NESO_CORRECTED, regime, row] = neso
    return prior

"""The models that forecast beside the configured one, whatever it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem
from grid_assets.forecasting.models.registry import (
    SHIPPED_SOURCE,
    ModelForecast,
    ModelInfo,
    check_finite,
)

if TYPE_CHECKING:
    from grid_assets.forecasting.models.boosted import GradientBoosting

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoForecast:
    """A model that cannot forecast, and why."""

    info: ModelInfo
    reason: str


@lru_cache(maxsize=1)
def _boosting() -> GradientBoosting:
    """The bundled trees; they are read at the first forecast, and once in a process."""
    from grid_assets.forecasting.models.boosted import GradientBoosting  # its features take time

    return GradientBoosting()


def predict_boosted(problems: Sequence[Problem], steps: int) -> ModelForecast | NoForecast:
    """The forecast of gradient boosting, or why its trees cannot be used."""
    boosting = _boosting()
    try:
        card = boosting.trees.card
        info = ModelInfo(
            boosting.name,
            SHIPPED_SOURCE,
            boosting.trees.revision,
            datetime.fromisoformat(card["trained_to"]),
            card.get("scores", {}),
        )
        quantiles = boosting.predict(problems, steps)
        check_finite(quantiles, problems)
    except (ModelUnusable, KeyError, TypeError, ValueError) as error:
        logger.warning("gradient_boosting cannot forecast: %s", error)
        unread = ModelInfo(boosting.name, SHIPPED_SOURCE, "not loaded")
        return NoForecast(unread, f"The bundled trees cannot be used: {error}.")
    return ModelForecast(quantiles, info, None)

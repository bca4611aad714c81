"""The models that forecast beside the configured one, whatever it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from grid_assets.forecasting.models.champion import MODEL, WAREHOUSE_SOURCE, Champion
from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem, first_line
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


@lru_cache(maxsize=2)
def _boosting(folder: Path | None, digests: tuple[str, str] | None) -> GradientBoosting:
    """The trees of a folder, or the bundled ones; read at the first forecast, once in a process."""
    from grid_assets.forecasting.models.boosted import SHIPPED, GradientBoosting  # takes time

    return GradientBoosting(folder or SHIPPED)


def predict_boosted(
    problems: Sequence[Problem], steps: int, champion: Champion | None = None
) -> ModelForecast | NoForecast:
    """The forecast of gradient boosting, or why its trees cannot be used.

    The bundled trees forecast if there are no promoted ones, or, with the reason, if those cannot
    be used.
    """
    why = None
    if champion is not None:
        why = champion.fault
        if champion.folder is not None:
            try:
                boosting = _boosting(champion.folder, champion.promoted.digests)
                return predict_trees(boosting, problems, steps)
            except ModelUnusable as error:
                why = str(error)
        why = champion.promoted.cannot_be_used(f"{why}")
        logger.warning("%s: %s", MODEL, why)
    try:
        shipped = predict_trees(_boosting(None, None), problems, steps, SHIPPED_SOURCE)
        return replace(shipped, reason=why)
    except ModelUnusable as error:
        logger.warning("%s cannot forecast: %s", MODEL, error)
        unread = ModelInfo(MODEL, SHIPPED_SOURCE, "not loaded")
        reason = f"The bundled trees cannot be used: {error}."
        return NoForecast(unread, f"{why} {reason}" if why else reason)


def predict_trees(
    boosting: GradientBoosting,
    problems: Sequence[Problem],
    steps: int,
    source: str = WAREHOUSE_SOURCE,
) -> ModelForecast:
    """The forecast of trees that can be used: their card says up to when they learned, and all they
    say is finite. Operation and trials forecast by nothing else, so that they agree.

    Raises `ModelUnusable`, whatever is wrong with the trees.
    """
    try:
        card = boosting.trees.card
        trained_to = datetime.fromisoformat(card["trained_to"])
        if trained_to.tzinfo is None:
            raise ValueError("trained_to has no time zone")
        info = ModelInfo(
            boosting.name, source, boosting.trees.revision, trained_to, card.get("scores", {})
        )
        quantiles = boosting.predict(problems, steps)
        check_finite(quantiles, problems)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelUnusable(f"{boosting.trees.folder}: {first_line(error)}") from error
    return ModelForecast(quantiles, info, None)

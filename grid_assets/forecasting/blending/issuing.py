"""Blends the forecasts of one day's issues in a warehouse, and says what each was made of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grid_assets.forecasting.blending.combining import Forecasts, combine, reached_by_outlook
from grid_assets.forecasting.blending.neso import choose
from grid_assets.forecasting.blending.past import learn_for_day, read_vintages
from grid_assets.forecasting.blending.prior import prior_revision, shipped_prior
from grid_assets.forecasting.blending.record import Document, document
from grid_assets.forecasting.blending.walk import NAME
from grid_assets.forecasting.blending.weights import CONFIGURED, MEMBERS, NESO, OWN, TREES, Mask
from grid_assets.forecasting.context import IssueContext
from grid_assets.forecasting.models.beside import NoForecast
from grid_assets.forecasting.models.forecaster import NESO_SPAN, ModelUnusable, Values
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.models.registry import BUILTIN_SOURCE, ModelForecast, ModelInfo
from grid_assets.forecasting.store import PastActuals
from grid_assets.warehouse.connection import Connection

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Blended:
    """The forecast of the blend, and for each issue its context and its record."""

    forecast: ModelForecast
    contexts: list[IssueContext]
    records: list[Document]


def blend(
    connection: Connection,
    contexts: Sequence[IssueContext],
    configured: ModelForecast,
    boosted: ModelForecast | NoForecast,
    actuals: PastActuals,
    *,
    again: bool,
) -> Blended | NoForecast:
    """The blend of forecasts (issues, 10, 96, 3) of the issues of one UTC day, or why there is
    none.

    `again`: weights are learned anew, even if the day has some.
    """
    try:
        shipped_prior()
    except ModelUnusable as error:
        logger.warning("%s cannot forecast: %s", NAME, error)
        return NoForecast(
            ModelInfo(NAME, BUILTIN_SOURCE, "not loaded"),
            f"The bundled weights of the blend cannot be used: {error}.",
        )
    own, members, left_out = _own_members(configured, boosted, len(contexts))
    times = [context.issued_at for context in contexts]
    learned = learn_for_day(connection, times[0].date(), members, actuals, again=again)
    vintages = read_vintages(connection, times[0] - NESO_SPAN, times[-1])
    shown, records, neso, reached = [], [], [], []
    for number, context in enumerate(contexts):
        at = context.issued_at
        chosen = choose(vintages.before(at), at, own[:, number], learned.neso_usual_g)
        reach = _reach(context)
        taken = {MEMBERS[NESO]: {"model": MEMBERS[NESO]}} if chosen.captured_at else {}
        lacking = {MEMBERS[NESO]: chosen.reason} if chosen.reason else {}
        shown.append(replace(context, neso_issued_at=chosen.captured_at))
        neso.append(chosen.values)
        reached.append(reach)
        records.append(
            document(
                members | taken, left_out | lacking, reach, learned.weights, learned.neso_usual_g
            )
        )
    forecasts = Forecasts(own, np.stack(neso), np.stack(reached))
    quantiles = combine(forecasts, learned.weights)
    info = ModelInfo(NAME, BUILTIN_SOURCE, prior_revision())
    return Blended(ModelForecast(quantiles, info, None), shown, records)


def _own_members(
    configured: ModelForecast, boosted: ModelForecast | NoForecast, issues: int
) -> tuple[Values, dict[str, Document], dict[str, str]]:
    """Quantiles (2, issues, 10, 96, 3), who they are from, and who was left out."""
    own = np.full((OWN, *configured.quantiles.shape), np.nan, np.float32)
    members: dict[str, Document] = {}
    left_out: dict[str, str] = {}
    has_trees = isinstance(boosted, ModelForecast)
    if has_trees and configured.info.model == SeasonalNaive.name:
        # it stands in for the configured model, and its errors are twice those of the trees
        left_out[MEMBERS[CONFIGURED]] = configured.reason or f"It is {SeasonalNaive.name}."
    else:
        own[CONFIGURED] = configured.quantiles
        members[MEMBERS[CONFIGURED]] = _named(configured.info)
    if isinstance(boosted, ModelForecast):
        own[TREES] = boosted.quantiles
        members[MEMBERS[TREES]] = _named(boosted.info)
    else:
        left_out[MEMBERS[TREES]] = boosted.reason
    return own, members, left_out


def _named(info: ModelInfo) -> Document:
    return {"model": info.model, "revision": info.revision}


def _reach(context: IssueContext) -> Mask:
    assert context.problem is not None
    return reached_by_outlook(context.problem)

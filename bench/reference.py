"""How good are the bundled models on recorded half-hours, and what are their forecasts worth?

The checkpoint, gradient boosting, their blend, persistence and seasonal naive forecast the same
issues of `evaluation.REPORT`, which neither model was trained on. That span has no outlook, so
gradient boosting forecasts from history alone. `grid evaluate --span report` measures the same way.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from bench.results import BenchError, Figure, Measured
from bench.sizes import Sizes
from grid_assets.forecasting import evaluation
from grid_assets.forecasting.blending.walk import Blend
from grid_assets.forecasting.decisions import WAITS_H, Decisions, Value
from grid_assets.forecasting.models import registry
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.candidates import share_members
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.forecasting.models.naive import SeasonalNaive
from grid_assets.forecasting.questions import Questions
from grid_assets.forecasting.recorded_series import read_recorded
from grid_assets.halfhours import Window
from grid_assets.series import INTENSITY, LEAD_BUCKETS

MAE: Final = Figure("gCO2/kWh", "< persistence and seasonal naive")
FIGURES: Final = {
    **{f"model_mae_{bucket}": MAE for bucket in LEAD_BUCKETS},
    "model_vs_boosting": Figure("x", "< 1"),
    **{f"decision_{hours}h_saved_pct": Figure("%") for hours in WAITS_H},
    **{f"decision_{hours}h_worse_pct": Figure("%") for hours in WAITS_H},
}

LOG = logging.getLogger(__name__)


def measure(sizes: Sizes, span: Window = evaluation.REPORT) -> dict[str, Measured]:
    """Errors by lead of the checkpoint, and the decisions of gradient boosting, beside others."""
    shipped = registry.load(None, 0)
    if shipped.reason is not None:
        raise BenchError(shipped.reason)
    naive = evaluation.Persistence(), SeasonalNaive()
    boosting = GradientBoosting()
    blend = Blend(shipped.forecaster, boosting)
    forecasters = share_members([shipped.forecaster, boosting, blend, *naive])
    stride = sizes.forecast_every
    every = f"every {stride / timedelta(hours=1):g} h"
    LOG.info(f"Forecasting {span} {every} with {len(forecasters)} models")
    questions = Questions(evaluation.issue_times(span, stride), read_recorded)
    decisions = Decisions([forecaster.name for forecaster in forecasters])
    try:
        scored = evaluation.measure(forecasters, questions, span, stride, decisions.add)
    except ModelUnusable as error:
        raise BenchError(str(error)) from None
    found, ratios = {}, {}
    for bucket in LEAD_BUCKETS:
        model, boosted, blended, last, seasonal = (_mae(one, bucket) for one in scored)
        ratios[bucket] = model / boosted
        others = f"persistence {last:.2f}, seasonal naive {seasonal:.2f}"
        words = f"blend {blended:.2f}, gradient boosting {boosted:.2f}, {others}"
        found[f"model_mae_{bucket}"] = Measured(model, words, limit=min(last, seasonal))
    by_lead = ", ".join(f"{bucket} {ratio:.3f}" for bucket, ratio in ratios.items())
    found["model_vs_boosting"] = Measured(max(ratios.values()), f"the worst of {by_lead}")
    return found | _decisions(list(decisions.whole()))


def _decisions(values: list[Value]) -> dict[str, Measured]:
    """Gradient boosting's share of the best saving and of cases made worse, beside the others'."""
    found = {}
    for hours in WAITS_H:
        saved, worse = {}, {}
        for value in values:
            if value.wait_hours == hours:
                if value.share_of_best is None or value.made_worse_share is None:
                    raise BenchError(f"{value.model} decided nothing within {hours} h")
                saved[value.model] = 100 * value.share_of_best
                worse[value.model] = 100 * value.made_worse_share
        for name, shares in (("saved", saved), ("worse", worse)):
            own = shares.pop(GradientBoosting.name)
            others = ", ".join(f"{model} {share:.1f}" for model, share in shares.items())
            found[f"decision_{hours}h_{name}_pct"] = Measured(own, others)
    return found


def _mae(scored: evaluation.Evaluation, bucket: str) -> float:
    score = scored.score(INTENSITY, bucket)
    if score is None or score.mae is None:
        raise BenchError(f"{scored.model} has no error for {bucket}")
    return score.mae

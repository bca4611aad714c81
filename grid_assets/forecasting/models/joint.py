"""A problem as the rows that a Chronos-2 model forecasts together: the ten series, then the
covariates known in advance. Pure: the same rows for every program that runs the model."""

from __future__ import annotations

import numpy as np

from grid_assets.forecasting.boosting.features import inputs_of
from grid_assets.forecasting.covariates import calendar
from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.forecasting.outlook_covariates import outlook_covariates
from grid_assets.series import SERIES


def joint_rows(problem: Problem, steps: int, context_length: int) -> tuple[Values, Values]:
    """The rows over the context, at most `context_length` half-hours, and over the forecast.

    The ten series, which are NaN over the forecast; the calendar; the outlook if anything is known
    of it; NESO's forecast if it is used.
    """
    context = problem.context[:, -context_length:]
    length = context.shape[1]
    skipped = problem.context.shape[1] - length
    known = calendar(problem.start, problem.context.shape[1] + steps)[:, skipped:]
    past, future = [context, known[:, :length]], [known[:, length:]]
    if problem.outlook is not None and not np.isnan(problem.outlook).all():
        [outlook] = outlook_covariates(inputs_of([problem], steps))
        past.append(outlook[:, CONTEXT - length : CONTEXT])
        future.append(outlook[:, CONTEXT:])
    if problem.neso is not None:
        past.append(np.full((1, length), np.nan, np.float32))
        neso = np.full((1, steps), np.nan, np.float32)
        neso[0, : len(problem.neso)] = problem.neso[:steps]
        future.append(_scale_like(context[0], neso))
    unknown = np.full((len(SERIES), steps), np.nan, np.float32)
    return np.vstack(past), np.vstack([unknown, *future])


def _scale_like(intensity: Values, neso: Values) -> Values:
    """NESO's forecast in standard deviations of the measured intensity from its mean.

    Chronos-2 scales a covariate by its own past. NESO's forecast has none, so the model would read
    it unscaled: 200 g as 200 standard deviations. Without any measurement it is left out: NaN.
    """
    measured = intensity[~np.isnan(intensity)]
    if not measured.size:
        return np.full_like(neso, np.nan)
    deviation = measured.std()
    return (neso - measured.mean()) / (deviation if deviation > 0 else np.float32(1))

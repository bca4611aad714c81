"""Problems for gradient boosting whose answer is known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from grid_assets.forecasting.models.forecaster import CONTEXT, Problem, Values
from grid_assets.series import OUTLOOK, SERIES

START = datetime(2025, 3, 3, tzinfo=UTC)
STEPS = 112
WIND, DEMAND = OUTLOOK.index("wind_mw"), OUTLOOK.index("demand_mw")


def outlook(seed: int = 1) -> Values:
    """A smooth outlook over a context and two days, MW."""
    random = np.random.default_rng(seed)
    hours = np.arange(CONTEXT + STEPS) / 2
    wind = 9000 + 4000 * np.sin(hours / 17 + random.random()) + 1500 * np.sin(hours / 5)
    demand = 28_000 + 5000 * np.sin((hours - 9) * np.pi / 12)
    solar = np.clip(6000 * np.sin((hours % 24 - 6) * np.pi / 12), 0, None)
    return np.stack([demand, wind, 0.25 * wind, solar]).astype(np.float32)


def renewables(shown: Values) -> Values:
    """Percent of the demand that all plants serve."""
    demand, wind, embedded_wind, solar = shown
    served = demand + embedded_wind + solar
    return np.asarray(100 * (wind + embedded_wind + solar) / served, np.float32)


def problem(shown: Values | None = None, noise: float = 0.0, seed: int = 1) -> Problem:
    """A week in which intensity is 300 g less 3 g for each percent of renewables."""
    expected = outlook(seed)
    random = np.random.default_rng(seed)
    share = renewables(expected)[:CONTEXT]
    context = np.full((len(SERIES), CONTEXT), 5.0, np.float32)
    context[0] = 300 - 3 * share + noise * random.normal(size=CONTEXT)
    demand, wind, embedded_wind, solar = expected[:, :CONTEXT]
    served = demand + embedded_wind + solar
    context[SERIES.index("wind")] = 100 * (wind + embedded_wind) / served
    context[SERIES.index("solar")] = 100 * solar / served
    context[SERIES.index("gas")] = 100 - share - 35
    return Problem(context, START, outlook=expected if shown is None else shown)

"""Compares two models on the same past issues of a warehouse, and says which is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

import numpy as np

from grid_assets.forecasting.bands import within_range
from grid_assets.forecasting.context import IssueContext, KnownValues, add_outlook
from grid_assets.forecasting.horizon import HORIZON, HORIZON_TIME, steps_to_forecast
from grid_assets.forecasting.issue_times import issue_times_at
from grid_assets.forecasting.learning.planning import BLOCK, FEWEST_BLOCKS, STRIDE
from grid_assets.forecasting.models.beside import predict_trees
from grid_assets.forecasting.models.boosted import GradientBoosting
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING, Values
from grid_assets.forecasting.tally import Tally
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.series import INTENSITY, LEAD_BUCKETS
from grid_assets.warehouse.connection import Connection

BOUND: Final = 1.9
"""Standard errors by which the challenger must be better at each lead: 5 % of Student's t with the
seven to nine degrees of freedom of eight to ten blocks lie beyond (1.83 to 1.89).

That is the chance at one lead if blocks are independent. Where the difference of the two sides'
losses lasts for a day, it is 8 %; for two days, 12 %. All five leads must pass at once: the chance
of promoting trees that are no better anywhere is then up to 5 % and 10 % (docs/decisions/0042)."""


@dataclass(frozen=True, slots=True)
class LeadErrors:
    """Both sides' errors at one lead, gCO2/kWh, over the same `n` half-hours."""

    lead_bucket: str
    n: int
    blocks: int
    champion_mae: float
    challenger_mae: float
    difference: float
    standard_error: float | None

    @property
    def is_better(self) -> bool:
        """Whether the challenger is, by more than chance."""
        return self.standard_error is not None and (self.difference < -BOUND * self.standard_error)

    def __str__(self) -> str:
        error = "?" if self.standard_error is None else f"{self.standard_error:.2f}"
        return f"{self.lead_bucket} {self.difference:+.2f} ± {error} g"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of a back-test of both sides."""

    first_issue_at: datetime
    last_issue_at: datetime
    issues: int
    errors: tuple[LeadErrors, ...]

    @property
    def is_better(self) -> bool:
        """Whether the challenger is better at every lead."""
        return not self.missing and all(each.is_better for each in self.errors)

    @property
    def missing(self) -> list[str]:
        """Leads with too few blocks to decide by."""
        enough = {each.lead_bucket for each in self.errors if each.blocks >= FEWEST_BLOCKS}
        return [bucket for bucket in LEAD_BUCKETS if bucket not in enough]

    @property
    def reason(self) -> str:
        """Why the challenger is promoted, or not."""
        if self.missing:
            return f"Too few half-hours have an actual to decide at {', '.join(self.missing)}."
        if self.is_better:
            return f"Better at every lead: {', '.join(map(str, self.errors))}."
        lacking = [str(each) for each in self.errors if not each.is_better]
        return f"Not better by {BOUND} standard errors at {', '.join(lacking)}."


def compare(
    connection: Connection,
    champion: GradientBoosting,
    challenger: GradientBoosting,
    held_back: Window,
    now: datetime,
) -> Comparison | None:
    """Forecast at the issue times of a window with both, from what was known then, and compare;
    None if no forecast could be made. Raises `ModelUnusable`."""
    reach = Window(
        held_back.start - (CONTEXT + MAX_MISSING) * HALF_HOUR, held_back.end + HORIZON_TIME
    )
    known = KnownValues(connection, reach)
    times = issue_times_at(held_back, STRIDE, held_back.end)
    contexts = [context for at in times if (context := known.context_of(at)).problem is not None]
    if not contexts:
        return None
    tally = Tally(2)
    for steps, group in groupby(
        contexts, key=lambda context: steps_to_forecast(context.late_steps)
    ):
        asked = add_outlook(connection, list(group), steps)
        predicted = [_predict(trees, asked, steps) for trees in (champion, challenger)]
        actual = np.stack(
            [known.at(now, Window(each.issued_at, each.issued_at + HORIZON_TIME)) for each in asked]
        )
        starts = [
            held_back.start + (each.issued_at - held_back.start) // BLOCK * BLOCK for each in asked
        ]
        tally.add(predicted, actual, [start.date() for start in starts])
    return Comparison(
        contexts[0].issued_at, contexts[-1].issued_at, len(contexts), tuple(_errors(tally))
    )


def _errors(tally: Tally) -> list[LeadErrors]:
    before, after = (
        {
            score.lead_bucket: score.mae
            for score in tally.scores(side)
            if score.series == INTENSITY and score.mae is not None
        }
        for side in (0, 1)
    )
    return [
        LeadErrors(
            each.lead_bucket,
            each.n,
            each.days,
            before[each.lead_bucket],
            after[each.lead_bucket],
            each.mae,
            each.standard_error,
        )
        for each in tally.differences(1)
        if each.lead_bucket in LEAD_BUCKETS
    ]


def _predict(trees: GradientBoosting, contexts: Sequence[IssueContext], steps: int) -> Values:
    """Quantiles of the 96 half-hours after each issue."""
    problems = [each.problem for each in contexts if each.problem]
    raw = predict_trees(trees, problems, steps).quantiles
    late = [each.late_steps for each in contexts]
    return within_range(
        np.stack([values[:, end : end + HORIZON] for values, end in zip(raw, late, strict=True)])
    )

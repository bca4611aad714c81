"""The table that `grid evaluate` prints. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from grid_assets.forecasting.evaluation import Block, Evaluation
from grid_assets.forecasting.tally import BUCKETS
from grid_assets.series import FUELS, INTENSITY


def format_table(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Lines of text: carbon intensity by lead and model, then each fuel.

    All evaluations are of the same problems.
    """
    first = evaluations[0]
    hours = first.stride / timedelta(hours=1)
    yield f"{first.span}: {first.issues:,} forecasts of 48 h, one every {hours:g} h"
    if len(evaluations) > 1:
        yield f"Differences are from {first.model}, ± their standard error by UTC day of issue"
    yield ""
    yield "Carbon intensity, gCO2/kWh"
    yield from _intensity(evaluations, [evaluation.whole for evaluation in evaluations])
    if first.common is not None:
        yield ""
        yield f"Carbon intensity {first.common_name}, gCO2/kWh"
        common = [evaluation.common for evaluation in evaluations]
        yield from _intensity(evaluations, [block for block in common if block is not None])
    if any(evaluation.score(fuel) for evaluation in evaluations for fuel in FUELS):
        yield ""
        yield from _fuels(evaluations)


def _intensity(evaluations: Sequence[Evaluation], blocks: Sequence[Block]) -> Iterator[str]:
    width = max(len(evaluation.model) for evaluation in evaluations)
    yield (
        f"{'lead':<8}{'model':<{width}}{'n':>9}{'MAE':>8}{'bias':>8}{'WAPE':>9}{'pinball':>9}"
        f"{'in 80 % band':>14}" + ("  MAE less the first's" if len(evaluations) > 1 else "")
    )
    for bucket in BUCKETS:
        for evaluation, block in zip(evaluations, blocks, strict=True):
            if (score := block.score(INTENSITY, bucket)) is None:
                continue
            line = (
                f"{bucket:<8}{evaluation.model:<{width}}{score.n:>9,}"
                f"{_figure(score.mae):>8}{_figure(score.bias):>8}{_percent(score.wape):>9}"
                f"{_figure(score.pinball):>9}{_percent(score.coverage_80):>14}"
            )
            difference = block.difference(bucket)
            if difference is not None and evaluation is not evaluations[0]:
                error = _figure(difference.standard_error)
                line += f"  {difference.mae:+.2f} ± {error}"
            yield line


def _fuels(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """The fuels of the models that forecast any."""
    shown = [each for each in evaluations if any(each.score(fuel) for fuel in FUELS)]
    width = max(len(evaluation.model) for evaluation in shown)
    yield "Shares of generation, mean absolute error in percentage points, all leads"
    yield f"{'fuel':<10}" + "".join(f"{evaluation.model:>{width + 2}}" for evaluation in shown)
    for fuel in FUELS:
        scores = [evaluation.score(fuel) for evaluation in shown]
        yield f"{fuel:<10}" + "".join(
            f"{_figure(score.mae if score else None):>{width + 2}}" for score in scores
        )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"

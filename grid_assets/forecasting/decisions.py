"""What a forecast of carbon intensity is worth to a use of electricity that can wait. Pure.

The use takes three hours and must end within the wait. It begins at once, or in the window that the
forecast calls greenest; both are judged by the actuals. `sql/forecast/publish_value.sql` computes
the same for the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grid_assets.forecasting.questions import Question
from grid_assets.forecasting.tally import MEDIAN, Mask, Sums

USE_STEPS: Final = 6
"""Half-hours of the use: a wash, a dishwasher, a good part of a car's charge."""

WAITS_H: Final = (12, 24)

N, SAVED, BEST, WORSE = range(4)
"""Places of the sums over cases."""


@dataclass(frozen=True, slots=True)
class Value:
    """One model's decisions with one wait, over `n` cases.

    `saved_gco2_kwh` is the mean actual of beginning at once less that of the chosen window,
    `best_gco2_kwh` the same with perfect foresight. `made_worse_share` is the share of cases in
    which the chosen window was worse than beginning at once. All are None if `n` is 0.
    """

    model: str
    wait_hours: int
    n: int
    saved_gco2_kwh: float | None
    best_gco2_kwh: float | None
    made_worse_share: float | None

    @property
    def share_of_best(self) -> float | None:
        """The saving as a share of that of perfect foresight."""
        if self.saved_gco2_kwh is None or not self.best_gco2_kwh:
            return None
        return self.saved_gco2_kwh / self.best_gco2_kwh

    def document(self) -> dict[str, Any]:
        """The value for JSON."""
        figures = asdict(self) | {"share_of_best": self.share_of_best}
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in figures.items()
        }


def decide(median: npt.NDArray, actual: npt.NDArray, wait_hours: int) -> Sums:
    """The decision of each issue: (issues, 4), whether it is a case, saved, best, made worse.

    Both arguments are gCO2/kWh by half-hour from the issue time on, (issues, half-hours). An issue
    whose forecast or actuals have a hole within the wait is no case, and its row is 0.
    """
    predicted, happened = _windows(median, wait_hours), _windows(actual, wait_hours)
    case: Mask = np.asarray(~np.isnan(predicted + happened).any(axis=1))
    predicted, happened = predicted[case], happened[case]
    # the earliest of equal windows, as in reporting.greenest_window
    chosen = np.take_along_axis(happened, predicted.argmin(axis=1)[:, None], axis=1)[:, 0]
    at_once = happened[:, 0]
    found = np.zeros((len(case), 4))
    found[case] = np.stack(
        [
            np.ones_like(at_once),
            at_once - chosen,
            at_once - happened.min(axis=1),
            chosen > at_once,
        ],
        axis=-1,
    )
    return found


def _windows(values: npt.NDArray, wait_hours: int) -> npt.NDArray[np.float64]:
    """The mean of each window that ends within the wait; NaN where one of its values is."""
    waited = values[:, : 2 * wait_hours].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(waited, USE_STEPS, axis=1).mean(axis=-1)
    return np.round(windows, 6)  # so that equal windows are equal


class Decisions:
    """The decisions of several models over the same issues.

    The whole counts each model's own cases. The common ones are those of every model and, if there
    is an outlook, those that it reaches to the end of the wait.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self._models = models
        self._whole = np.zeros((len(models), len(WAITS_H), 4))
        self._common = self._whole.copy()

    def add(self, batch: Sequence[Question], predicted: Sequence[npt.NDArray]) -> None:
        """Count a batch of issues, and for each model its quantiles (issues, 10, 96, 3)."""
        actual = np.stack([question.actual[0] for question in batch])
        for number, hours in enumerate(WAITS_H):
            found = np.stack(
                [decide(quantiles[:, 0, :, MEDIAN], actual, hours) for quantiles in predicted]
            )
            self._whole[:, number] += found.sum(axis=1)
            common = found[..., N].all(axis=0) & _reached(batch, hours)
            self._common[:, number] += found[:, common].sum(axis=1)

    def whole(self) -> Iterator[Value]:
        """By wait and model."""
        return self._values(self._whole)

    def common(self) -> Iterator[Value]:
        """By wait and model; empty if the cases are those of the whole."""
        same = np.array_equal(self._common[..., N], self._whole[..., N])
        return iter(()) if same else self._values(self._common)

    def _values(self, sums: Sums) -> Iterator[Value]:
        for number, hours in enumerate(WAITS_H):
            for model, (n, saved, best, worse) in zip(self._models, sums[:, number], strict=True):
                means = (saved / n, best / n, worse / n) if n else (None, None, None)
                yield Value(model, hours, int(n), *means)


def _reached(batch: Sequence[Question], wait_hours: int) -> Mask:
    return np.array(
        [
            question.reached is None or bool(question.reached[: 2 * wait_hours].all())
            for question in batch
        ]
    )


def format_decisions(decisions: Decisions) -> Iterator[str]:
    """The lines that `grid evaluate` prints."""
    yield "A use of three hours that may wait, moved to the window that the forecast calls greenest"
    yield from _lines(list(decisions.whole()))
    if common := list(decisions.common()):
        yield ""
        yield "The same where every model has a forecast to the wait's end, and so has any outlook"
        yield from _lines(common)


def _lines(values: Sequence[Value]) -> Iterator[str]:
    width = max(len(value.model) for value in values)
    yield (
        f"{'wait':<6}{'model':<{width}}{'cases':>9}{'saved, g':>10}{'at best, g':>12}"
        f"{'of the best':>13}{'made worse':>12}"
    )
    for value in values:
        yield (
            f"{f'{value.wait_hours} h':<6}{value.model:<{width}}{value.n:>9,}"
            f"{_grams(value.saved_gco2_kwh):>10}{_grams(value.best_gco2_kwh):>12}"
            f"{_percent(value.share_of_best):>13}{_percent(value.made_worse_share):>12}"
        )


def _grams(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"

"""Chronos checkpoints as forecasters: all code that needs torch, transformers or `chronos`.

`registry` chooses the checkpoint. The definitions must not import this module: it takes seconds.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import chronos.chronos
import numpy as np
import torch
import transformers
from chronos import BaseChronosPipeline, Chronos2Pipeline
from chronos.base import ForecastType
from chronos.chronos2.preprocess import PreparedInput
from safetensors import SafetensorError, safe_open

from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.forecaster import (
    ModelUnusable,
    Problem,
    Values,
    first_line,
)
from grid_assets.forecasting.models.joint import joint_rows
from grid_assets.series import SERIES

PROBLEMS_AT_ONCE: Final = 8
"""Problems in one pass of the model. Attention between series covers all rows of a pass before it
is masked, so its cost grows with the square of this number; below 4, overhead dominates."""

SMALL_MODEL: Final = 10_000_000
"""Number of weights below which a second thread gains little, and costs much if other work uses the
cores: beside a process that used both, 240 forecasts took 70 s instead of 5 s."""

SAMPLING_SEED: Final = 0
"""Original Chronos draws samples; one seed for each problem makes its forecasts repeatable."""

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()
chronos.chronos.logger.setLevel(logging.ERROR)


class ChronosForecaster:
    """Any Chronos model. Chronos-2 forecasts the ten series jointly and with covariates; the older
    models forecast each series alone, without covariates.

    Models mask the gaps in a context. A series without any value in the context is forecast as NaN.
    Quantiles are the model's own: not limited to a range, and they may cross.
    """

    def __init__(self, pipeline: BaseChronosPipeline, name: str) -> None:
        self.name = name
        self._pipeline = pipeline

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> ChronosForecaster:
        """Load a checkpoint in float32, on a CUDA GPU if there is one, without using the network.

        For a small model, it sets torch's threads to one for the whole process. Raises
        `ModelUnusable`.
        """
        forecaster = cls(_load_pipeline(folder), name)
        if forecaster.parameters < SMALL_MODEL:
            torch.set_num_threads(1)
        return forecaster

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(weight.numel() for weight in self._pipeline.inner_model.parameters())

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        predicted = np.full((len(problems), len(SERIES), steps, len(QUANTILES)), np.nan, np.float32)
        known = [~np.isnan(problem.context).all(axis=1) for problem in problems]
        solvable = [index for index, rows in enumerate(known) if rows.any()]
        if not solvable:
            return predicted
        joint = isinstance(self._pipeline, Chronos2Pipeline)
        try:
            with _ignore_long_horizon(), torch.random.fork_rng():
                quantiles = (self._predict_jointly if joint else self._predict_each_series)(
                    [problems[index] for index in solvable], steps
                )
        except Exception as error:  # torch and chronos raise anything from AssertionError up
            raise ModelUnusable(
                f"{self.name} failed while forecasting: {first_line(error)}"
            ) from error
        for index, values in zip(solvable, quantiles, strict=True):
            predicted[index, known[index]] = values[known[index]]
        return predicted

    def _predict_jointly(self, problems: Sequence[Problem], steps: int) -> list[Values]:
        inputs = [
            prepare_input(problem, steps, self._pipeline.model_context_length)
            for problem in problems
        ]
        quantiles, _ = self._pipeline.predict_quantiles(
            inputs,
            prediction_length=steps,
            quantile_levels=list(QUANTILES),
            batch_size=PROBLEMS_AT_ONCE * max(len(each["context"]) for each in inputs),
        )
        return [values.numpy() for values in quantiles]

    def _predict_each_series(self, problems: Sequence[Problem], steps: int) -> list[Values]:
        samples = self._pipeline.forecast_type == ForecastType.SAMPLES
        at_once = 1 if samples else PROBLEMS_AT_ONCE
        predicted: list[Values] = []
        for first in range(0, len(problems), at_once):
            torch.manual_seed(SAMPLING_SEED)
            batch = problems[first : first + at_once]
            quantiles, _ = self._pipeline.predict_quantiles(
                [torch.from_numpy(row) for problem in batch for row in problem.context],
                prediction_length=steps,
                quantile_levels=list(QUANTILES),
            )
            predicted.extend(quantiles.numpy().reshape(len(batch), len(SERIES), steps, -1))
        return predicted


def prepare_input(problem: Problem, steps: int, context_length: int) -> PreparedInput:
    """One joint task of Chronos-2."""
    context, future = joint_rows(problem, steps, context_length)
    covariates = len(context) - len(SERIES)
    return PreparedInput(
        context=torch.from_numpy(context),
        future_covariates=torch.from_numpy(future),
        n_targets=len(SERIES),
        n_covariates=covariates,
        n_future_covariates=covariates,
    )


def _load_pipeline(folder: Path) -> BaseChronosPipeline:
    stored = _stored_weights(folder)
    try:
        with _ignore_long_horizon():
            pipeline = BaseChronosPipeline.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True
            )
    except Exception as error:  # transformers and chronos raise anything from AssertionError up
        raise ModelUnusable(
            f"the weights and the config.json in {folder} do not make a model: {first_line(error)}"
        ) from error
    _check_weights(pipeline.inner_model, stored, folder)
    pipeline.inner_model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return pipeline


def _stored_weights(folder: Path) -> set[str]:
    """Names of the stored weights. Only safetensors are read: unpickling a file runs its code."""
    names: set[str] = set()
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as weights:
                names.update(weights.keys())
        except (OSError, SafetensorError) as error:
            raise ModelUnusable(f"{path} is damaged or cut short: {first_line(error)}") from error
    if not names:
        raise ModelUnusable(f"the folder {folder} has no weights (*.safetensors)")
    return names


def _check_weights(model: torch.nn.Module, stored: set[str], folder: Path) -> None:
    """Refuse a checkpoint that lacks weights of the model or has additional ones.

    transformers would fill missing weights with random numbers and drop unknown ones.
    """
    same_weight: dict[int, set[str]] = {}
    for name, weight in model.state_dict(keep_vars=True).items():
        same_weight.setdefault(id(weight), set()).add(name)
    missing = [min(names) for names in same_weight.values() if not names & stored]
    ignored = getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()
    unknown = [
        name
        for name in stored.difference(*same_weight.values())
        if not any(re.search(pattern, name) for pattern in ignored)
    ]
    if missing or unknown:
        raise ModelUnusable(
            f"the weights in {folder} do not fit its config.json: {len(missing)} are missing and "
            f"{len(unknown)} unknown, such as {min(missing + unknown)}"
        )


@contextmanager
def _ignore_long_horizon() -> Iterator[None]:
    """Hide a known warning: beyond the horizon of its training, a model forecasts in pieces."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "We recommend keeping prediction length")
        yield

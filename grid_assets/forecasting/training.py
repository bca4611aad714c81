"""Trains the bundled checkpoint on the record that ships with the project: configuration and steps,
seeded and repeatable. `training_examples` makes what it learns from; `evaluation` measures it.

No half-hour from the end of training on is read, so every later one measures the checkpoint
honestly, and none of the span that is set aside for the comparison with NESO.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from chronos import Chronos2Pipeline
from chronos.chronos2.config import Chronos2CoreConfig
from chronos.chronos2.model import Chronos2Model
from chronos.chronos2.preprocess import PreparedInput
from transformers.trainer_callback import TrainerCallback

from grid_assets.forecasting.horizon import FORECAST_STEPS
from grid_assets.forecasting.models.forecaster import CONTEXT, Values
from grid_assets.forecasting.training_examples import single_series, windows
from grid_assets.forecasting.training_record import TRAINED_TO, Record, load_record, spans_until
from grid_assets.series import SERIES

PATCH: Final = 16


@dataclass(frozen=True)
class Phase:
    """One phase of a training run, which continues from the weights of the phase before."""

    examples: Literal["single", "joint"]
    steps: int
    learning_rate: float
    batch_rows: int


@dataclass(frozen=True)
class Recipe:
    """One training run. Sizes count half-hours, rows of a batch, or units of the model.

    The first phase trains on single series, many per batch. The second trains on windows of all ten
    series with the calendar, 13 rows each, or 20 with the outlook.
    """

    phases: tuple[Phase, ...] = (
        Phase("single", 2_500, 1e-3, 336),
        Phase("joint", 3_500, 1e-3, 480),
    )
    windows: int = 18_000
    with_outlook: float = 0.6
    """The share of windows with the outlook."""
    seed: int = 20251101
    context: int = CONTEXT
    weight_decay: float = 0.01
    width: int = 96
    layers: int = 4
    dropout: float = 0.1
    quantiles: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class JointExamples(Sequence[PreparedInput]):
    """Windows as Chronos-2 takes them; made when they are drawn, as views of one array."""

    def __init__(self, parts: Sequence[Values]) -> None:
        self._windows = [window for part in parts for window in part]

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: Any) -> Any:
        return _prepared(self._windows[index], len(SERIES))


def train(
    recipe: Recipe,
    folder: Path,
    threads: int | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    until: datetime = TRAINED_TO,
    record: Record | None = None,
) -> Path:
    """Train from scratch and write the checkpoint into `folder`; returns the checkpoint's folder.

    The same recipe on the same machine gives the same weights. Uses a GPU if there is one.
    `callbacks` receive the progress; without any, it is printed. Reads `record`, by default the
    one that ships, before `until`.
    """
    if threads:
        torch.set_num_threads(threads)
    _seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = Chronos2Pipeline(model=Chronos2Model(_configuration(recipe)).to(device))
    examples = examples_of(recipe, record or load_record(), until)
    for number, phase in enumerate(recipe.phases, start=1):
        pipeline = pipeline.fit(
            examples[phase.examples],
            prediction_length=FORECAST_STEPS,
            context_length=recipe.context,
            min_past=CONTEXT if phase.examples == "joint" else FORECAST_STEPS,
            learning_rate=phase.learning_rate,
            num_steps=phase.steps,
            batch_size=phase.batch_rows,
            output_dir=folder,
            finetuned_ckpt_name=f"phase-{number}",
            lr_scheduler_type="cosine",
            warmup_steps=max(1, phase.steps // 30),
            weight_decay=recipe.weight_decay,
            max_grad_norm=1.0,
            bf16=True,
            seed=recipe.seed,
            disable_tqdm=True,
            callbacks=list(callbacks),
            remove_printer_callback=bool(callbacks),
        )
    pipeline.save_pretrained(folder / "checkpoint")
    return folder / "checkpoint"


def examples_of(
    recipe: Recipe, record: Record, until: datetime
) -> Mapping[str, Sequence[PreparedInput]]:
    """Examples of both kinds of phase, made from half-hours before `until` only."""
    spans = spans_until(until)
    single = [
        _prepared(values[None], 1)
        for values, draws in single_series(record, spans)
        for _ in range(draws)
    ]
    random = np.random.default_rng(recipe.seed)
    with_outlook = int(recipe.windows * recipe.with_outlook)
    joint = [
        windows(record, spans, with_outlook, random, with_outlook=True),
        windows(record, spans, recipe.windows - with_outlook, random, with_outlook=False),
    ]
    return {"single": single, "joint": JointExamples(joint)}


def _prepared(rows: Values, targets: int) -> PreparedInput:
    """Rows with the half-hours to learn; those after the targets are known in advance."""
    covariates = len(rows) - targets
    return PreparedInput(
        context=torch.from_numpy(rows),
        future_covariates=torch.full((len(rows), FORECAST_STEPS), torch.nan),
        n_targets=targets,
        n_covariates=covariates,
        n_future_covariates=covariates,
    )


def _configuration(recipe: Recipe) -> Chronos2CoreConfig:
    return Chronos2CoreConfig(
        d_model=recipe.width,
        d_kv=32,
        d_ff=4 * recipe.width,
        num_layers=recipe.layers,
        num_heads=recipe.width // 32,
        dropout_rate=recipe.dropout,
        chronos_pipeline_class="Chronos2Pipeline",  # so that Chronos knows how to load it
        chronos_config={
            "context_length": recipe.context,
            "input_patch_size": PATCH,
            "input_patch_stride": PATCH,
            "output_patch_size": PATCH,
            "quantiles": list(recipe.quantiles),
            "use_reg_token": True,
            "use_arcsinh": True,
            "max_output_patches": FORECAST_STEPS // PATCH,
        },
    )


def _seed(seed: int) -> None:
    np.random.seed(seed)
    torch.manual_seed(seed)

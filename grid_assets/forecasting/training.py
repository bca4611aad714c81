"""How the shipped checkpoint was trained: data, configuration and steps, seeded and repeatable.

Belongs here: from the recorded history to a checkpoint folder.
Does not belong here: choosing between checkpoints and scoring them (`evaluation`).

Nothing after `TRAINED_TO` is read, so every later half-hour scores the checkpoint honestly.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from chronos import Chronos2Pipeline
from chronos.chronos2 import preprocess
from chronos.chronos2.config import Chronos2CoreConfig
from chronos.chronos2.model import Chronos2Model
from transformers.trainer_callback import TrainerCallback

from grid_assets.forecasting.covariates import CALENDAR, calendar
from grid_assets.forecasting.horizon import FORECAST_STEPS
from grid_assets.forecasting.recorded import read_recorded
from grid_assets.halfhours import Window
from grid_assets.series import FUELS, INTENSITY, SERIES

LOGGER = logging.getLogger(__name__)

TRAINED_TO: Final = datetime(2025, 11, 1, tzinfo=UTC)
"""End of the training span: the last half-hour that is read starts before it."""

INTENSITY_SPANS: Final = (
    Window(datetime(2017, 9, 12, tzinfo=UTC), datetime(2020, 6, 20, tzinfo=UTC)),
    Window(datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 10, 27, tzinfo=UTC)),
    Window(datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)),
    Window(datetime(2025, 4, 16, tzinfo=UTC), TRAINED_TO),
)
"""Where the recording has carbon intensity; the last span has the mix too."""

PATCH: Final = 16
MOVING_FUELS: Final = tuple(fuel for fuel in FUELS if fuel not in ("coal", "other"))
"""Fuels that a model can learn something from: coal and other were 0 nearly throughout."""

_ONE_DRAW_FOR: Final = timedelta(days=50)
"""Time of a series that counts once when examples are drawn."""


@dataclass(frozen=True)
class Phase:
    """Part of a training run, which goes on from the weights of the one before."""

    examples: Literal["single", "joint"]
    steps: int
    learning_rate: float


@dataclass(frozen=True)
class Recipe:
    """One training run. Sizes count half-hours, rows of a batch, or units of the model.

    The first phase is on single series, of which a batch holds many; then come all ten together
    with the calendar: 13 rows for one example, so that far fewer fit into the same time. What
    ships is the mean of the weights after each phase: on the span for choosing it was better at
    every lead up to 12 hours than the last phase alone, which has seen a mix in summer only.
    """

    phases: tuple[Phase, ...] = (
        Phase("single", 3_000, 1e-3),
        Phase("joint", 900, 3e-4),
    )
    seed: int = 20251101
    context: int = 336
    batch_rows: int = 112
    weight_decay: float = 0.01
    width: int = 96
    layers: int = 4
    dropout: float = 0.1
    quantiles: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def train(
    recipe: Recipe,
    folder: Path,
    threads: int | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Train from nothing and write the checkpoint into `folder`; returns the checkpoint's folder.

    The same recipe on the same machine gives the same weights. Uses a GPU where there is one.
    `callbacks` hear of the progress, in place of the lines that are printed otherwise.
    """
    if threads:
        torch.set_num_threads(threads)
    _seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipeline = Chronos2Pipeline(model=Chronos2Model(_configuration(recipe)).to(device))
    weights: list[Mapping[str, torch.Tensor]] = []
    examples = {"single": single_series(), "joint": joint_series()}
    for number, phase in enumerate(recipe.phases, start=1):
        pipeline = pipeline.fit(
            examples[phase.examples],
            prediction_length=FORECAST_STEPS,
            context_length=recipe.context,
            learning_rate=phase.learning_rate,
            num_steps=phase.steps,
            batch_size=recipe.batch_rows,
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
        weights.append(pipeline.model.state_dict())
    pipeline.model.load_state_dict(_mean(weights))
    pipeline.save_pretrained(folder / "checkpoint")
    return folder / "checkpoint"


def _mean(weights: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([one[name] for one in weights]).mean(dim=0) for name in weights[0]}


def single_series() -> list[Any]:
    """Carbon intensity and the moving fuels, each by itself and without covariates."""
    tasks = []
    for span in INTENSITY_SPANS:
        tasks += [_task(span, [INTENSITY], known=False)] * _draws(span)
    mixes = INTENSITY_SPANS[-1]
    for fuel in MOVING_FUELS:
        tasks += [_task(mixes, [fuel], known=False)] * _draws(mixes)
    return tasks


def joint_series() -> list[Any]:
    """All ten together, as often as carbon intensity alone; both with the calendar."""
    alone = []
    for span in INTENSITY_SPANS:
        alone += [_task(span, [INTENSITY], known=True)] * _draws(span)
    return [_task(INTENSITY_SPANS[-1], SERIES, known=True)] * len(alone) + alone


def _draws(span: Window) -> int:
    return round((span.end - span.start) / _ONE_DRAW_FOR)


def _task(span: Window, series: Sequence[str], *, known: bool) -> Any:
    values = read_recorded(span.start, span.end)[[SERIES.index(name) for name in series]]
    task: dict[str, Any] = {"target": values}
    if known:
        calendar_rows = calendar(span.start, values.shape[1])
        task["past_covariates"] = dict(zip(CALENDAR, calendar_rows, strict=True))
    [prepared] = preprocess.from_list_of_dicts(
        [task], FORECAST_STEPS, known_covariates_names=list(CALENDAR) if known else None
    )
    return prepared


def _configuration(recipe: Recipe) -> Chronos2CoreConfig:
    return Chronos2CoreConfig(
        d_model=recipe.width,
        d_kv=32,
        d_ff=4 * recipe.width,
        num_layers=recipe.layers,
        num_heads=recipe.width // 32,
        dropout_rate=recipe.dropout,
        chronos_pipeline_class="Chronos2Pipeline",  # by which Chronos knows how to load it
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

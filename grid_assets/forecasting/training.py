"""Trains the bundled checkpoint on the recorded history: data, configuration and steps, seeded and
repeatable. `evaluation` measures the result.

No half-hour from `TRAINED_TO` on is read, so every later one measures the checkpoint honestly.
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
from grid_assets.forecasting.recorded_series import read_recorded
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
"""Spans with recorded carbon intensity; the last one has the mix as well."""

PATCH: Final = 16
MOVING_FUELS: Final = tuple(fuel for fuel in FUELS if fuel not in ("coal", "other"))
"""Fuels that a model can learn something from: coal and other were 0 nearly throughout."""

_SPAN_OF_ONE_DRAW: Final = timedelta(days=50)
"""When examples are drawn, a series is drawn once for each such span of its length."""


@dataclass(frozen=True)
class Phase:
    """One phase of a training run, which continues from the weights of the phase before."""

    examples: Literal["single", "joint"]
    steps: int
    learning_rate: float


@dataclass(frozen=True)
class Recipe:
    """One training run. Sizes count half-hours, rows of a batch, or units of the model.

    The first phase trains on single series, many per batch. The second trains on all ten together
    with the calendar, 13 rows per example, so far fewer examples fit into the same time. The
    checkpoint is the mean of the weights after each phase. On the span for choosing, it beat the
    last phase alone, which saw a mix only in summer, at every lead up to 12 hours.
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
    """Train from scratch and write the checkpoint into `folder`; returns the checkpoint's folder.

    The same recipe on the same machine gives the same weights. Uses a GPU if there is one.
    `callbacks` receive the progress; without any, it is printed.
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
    return {
        name: torch.stack([phase[name] for phase in weights]).mean(dim=0) for name in weights[0]
    }


def single_series() -> list[Any]:
    """Examples of carbon intensity and of the moving fuels, each alone and without covariates."""
    tasks = []
    for span in INTENSITY_SPANS:
        tasks += [_task(span, [INTENSITY], with_calendar=False)] * _draws(span)
    mix_span = INTENSITY_SPANS[-1]
    for fuel in MOVING_FUELS:
        tasks += [_task(mix_span, [fuel], with_calendar=False)] * _draws(mix_span)
    return tasks


def joint_series() -> list[Any]:
    """Examples of all ten series together, as many as of carbon intensity alone; all with the
    calendar."""
    alone = []
    for span in INTENSITY_SPANS:
        alone += [_task(span, [INTENSITY], with_calendar=True)] * _draws(span)
    return [_task(INTENSITY_SPANS[-1], SERIES, with_calendar=True)] * len(alone) + alone


def _draws(span: Window) -> int:
    return round((span.end - span.start) / _SPAN_OF_ONE_DRAW)


def _task(span: Window, series: Sequence[str], *, with_calendar: bool) -> Any:
    values = read_recorded(span.start, span.end)[[SERIES.index(name) for name in series]]
    task: dict[str, Any] = {"target": values}
    if with_calendar:
        calendar_rows = calendar(span.start, values.shape[1])
        task["past_covariates"] = dict(zip(CALENDAR, calendar_rows, strict=True))
    [prepared] = preprocess.from_list_of_dicts(
        [task], FORECAST_STEPS, known_covariates_names=list(CALENDAR) if with_calendar else None
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

"""Writes the network of a trained checkpoint as `model.onnx`, which `models.exported` runs without
torch. Only training needs this module."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from chronos import Chronos2Pipeline
from torch import Tensor, nn

from grid_assets.forecasting.covariates import CALENDAR
from grid_assets.forecasting.models.exported import MADE_FROM, PARAMETERS
from grid_assets.forecasting.models.folder import EXPORT, WEIGHTS
from grid_assets.series import SERIES

OPSET: Final = 18
"""The version of ONNX's operators, which every ONNX Runtime since 2023 can run."""

_SMALLEST: Final = torch.finfo(torch.float32).min
"""What Chronos-2 adds to the scores that its attention leaves out."""


def export(folder: Path) -> Path:
    """Write `model.onnx` beside the weights of a small Chronos-2; returns its path.

    It refers to the weights in their own file and names the SHA-256 of what it was made from. The
    number of rows (13, or more with the outlook or NESO's forecast) and of patches to forecast
    stay open.
    """
    pipeline = Chronos2Pipeline.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    network = _Network(pipeline.model.cpu()).eval()
    rows = len(SERIES) + len(CALENDAR)
    patch, patches = pipeline.model_output_patch_size, pipeline.max_output_patches
    context = torch.randn(rows, pipeline.model_context_length)
    future = torch.randn(rows, patches, patch)
    open_rows = torch.export.Dim("rows", min=2)
    open_patches = torch.export.Dim("patches", min=1, max=max(2, patches))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        program = torch.onnx.export(
            network,
            (context, future),
            dynamo=True,
            opset_version=OPSET,
            optimize=False,  # ONNX Runtime does that, and weights stay as they are stored
            verbose=False,
            input_names=["context", "future"],
            output_names=["quantiles"],
            dynamic_shapes=({0: open_rows}, {0: open_rows, 1: open_patches}),
        )
    assert program is not None
    model = program.model_proto
    _refer_to_weights(model, (folder / WEIGHTS).read_bytes())
    _forget_sources(model)
    for file in MADE_FROM:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        model.metadata_props.add(key=f"sha256:{file}", value=digest)
    weights = sum(weight.numel() for weight in pipeline.model.parameters())
    model.metadata_props.add(key=PARAMETERS, value=str(weights))
    path = folder / EXPORT
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


class _Network(nn.Module):
    """Chronos-2 for one problem, with three parts replaced that the exporter cannot follow.

    `context` is (rows, half-hours), `future` (rows, patches, half-hours of a patch).
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        model.instance_norm = _InstanceNorm(model.instance_norm)
        model.encoder._construct_and_invert_group_time_mask = _group_time_mask
        model._prepare_patched_future = self._patched_future
        self.model = model

    def forward(self, context: Tensor, future: Tensor) -> Tensor:
        rows, patches, patch = future.shape
        output: Tensor = self.model(
            context=context,
            group_ids=torch.zeros(rows, dtype=torch.long),
            future_covariates=future.reshape(rows, patches * patch),
            num_output_patches=patches,
        ).quantile_preds
        return output

    def _patched_future(
        self,
        future_covariates: Tensor,
        loc_scale: tuple[Tensor, Tensor],
        num_output_patches: int,
        batch_size: int,
        **unused: Any,
    ) -> tuple[Tensor, Tensor]:
        """As in Chronos-2, without its check of the values, on which its control flow depends."""
        config = self.model.chronos_config
        shape = (batch_size, num_output_patches, config.output_patch_size)
        scaled, _ = self.model.instance_norm(future_covariates, loc_scale)
        known = ~torch.isnan(scaled)
        values = torch.where(known, scaled, 0.0).reshape(shape)
        mask = known.to(scaled.dtype).reshape(shape)
        steps = torch.arange(num_output_patches * config.output_patch_size, dtype=torch.float32)
        time = (steps / config.time_encoding_scale).reshape(1, *shape[1:]).expand(shape)
        return torch.cat([time, values, mask], dim=-1), mask


class _InstanceNorm(nn.Module):
    """As in Chronos-2, with means of the known values that need no `nanmean`."""

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.original = original

    def forward(
        self, x: Tensor, loc_scale: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if loc_scale is None:
            location = torch.nan_to_num(_mean_of_known(x), nan=0.0)
            scale = torch.nan_to_num(_mean_of_known((x - location).square()).sqrt(), nan=1.0)
            loc_scale = location, torch.where(scale == 0, self.original.eps, scale)
        normed: tuple[Tensor, tuple[Tensor, Tensor]] = self.original(x, loc_scale)
        return normed

    def inverse(self, x: Tensor, loc_scale: tuple[Tensor, Tensor]) -> Tensor:
        values: Tensor = self.original.inverse(x, loc_scale)
        return values


def _mean_of_known(x: Tensor) -> Tensor:
    known = ~torch.isnan(x)
    return torch.where(known, x, 0.0).sum(-1, keepdim=True) / known.sum(-1, keepdim=True)


def _group_time_mask(
    group_ids: Tensor, attention_mask: Tensor, floating_type: torch.dtype
) -> Tensor:
    """As in Chronos-2, for rows of one group: (time, 1, rows, rows)."""
    rows, steps = attention_mask.shape
    seen = attention_mask.to(floating_type).T.reshape(steps, 1, 1, rows)
    return ((1.0 - seen) * _SMALLEST).expand(steps, 1, rows, rows)


def _refer_to_weights(model: onnx.ModelProto, stored: bytes) -> None:
    """Replace each weight by its place in the file of the weights (safetensors)."""
    length = int.from_bytes(stored[:8], "little")
    places = json.loads(stored[8 : 8 + length])
    for tensor in model.graph.initializer:
        place = places.get(tensor.name.removeprefix("model."))
        if place is None:
            continue
        start, end = (8 + length + offset for offset in place["data_offsets"])
        assert stored[start:end] == tensor.raw_data, tensor.name
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", start), ("length", end - start)):
            tensor.external_data.add(key=key, value=str(value))


def _forget_sources(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about the code of each step, and its folders."""
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")

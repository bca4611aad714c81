"""An exported checkpoint as a forecaster, run by ONNX Runtime without torch.

`forecasting/exporting.py` writes the file. It holds the network without its weights, which are read
from the checkpoint's own file, so that there is one copy of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime

from grid_assets.forecasting.horizon import QUANTILES
from grid_assets.forecasting.models.folder import CONFIG, EXPORT, WEIGHTS
from grid_assets.forecasting.models.forecaster import ModelUnusable, Problem, Values, first_line
from grid_assets.forecasting.models.joint import joint_rows
from grid_assets.series import SERIES

MADE_FROM: Final = (WEIGHTS, CONFIG)
"""Files whose SHA-256 the export names, under `sha256:` and the file's name."""

PARAMETERS: Final = "parameters"
"""The name in the export under which it holds the number of weights."""

THREADS: Final = 1
"""A second thread gains little with so small a network, and costs much if other work uses the
cores."""

PATHS: Final = tuple(level / 10 for level in range(1, 10))
"""Quantile levels along which a forecast is continued beyond the network's reach, as in
`chronos-forecasting`."""

onnxruntime.set_default_logger_severity(3)  # errors only: it warns of a GPU that it does not find


class ExportedForecaster:
    """A Chronos-2 model that forecasts each problem by itself: the ten series jointly, with the
    covariates. Gives the same quantiles as `ChronosForecaster`, up to rounding."""

    def __init__(self, session: Any, config: dict[str, Any], name: str) -> None:
        self.name = name
        self.parameters = int(session.get_modelmeta().custom_metadata_map[PARAMETERS])
        self._session = session
        self._context: int = config["context_length"]
        self._patch: int = config["output_patch_size"]
        self._reach: int = config["max_output_patches"] * self._patch
        self._levels: list[float] = config["quantiles"]
        self._stored = [self._levels.index(level) for level in QUANTILES]
        self._continued = [self._levels.index(level) for level in PATHS]

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> ExportedForecaster:
        """Load the export of a checkpoint. Raises `ModelUnusable` if it is not of these weights."""
        try:
            contents = {file: (folder / file).read_bytes() for file in (EXPORT, *MADE_FROM)}
            session = _session(contents)
            made_from = session.get_modelmeta().custom_metadata_map
            for file in MADE_FROM:
                if made_from.get(f"sha256:{file}") != hashlib.sha256(contents[file]).hexdigest():
                    raise ModelUnusable(f"{folder / EXPORT} was made from another {file}")
            return cls(session, json.loads(contents[CONFIG])["chronos_config"], name)
        except ModelUnusable:
            raise
        except Exception as error:  # ONNX Runtime has ten kinds of errors without a common one
            raise ModelUnusable(
                f"{folder / EXPORT} does not fit the files beside it or is damaged: "
                f"{first_line(error)}"
            ) from error

    def predict(self, problems: Sequence[Problem], steps: int) -> Values:
        """See `Forecaster.predict`."""
        predicted = np.full((len(problems), len(SERIES), steps, len(QUANTILES)), np.nan, np.float32)
        try:
            for index, problem in enumerate(problems):
                known = ~np.isnan(problem.context).all(axis=1)
                if known.any():
                    quantiles = self._forecast(*joint_rows(problem, steps, self._context))
                    predicted[index, known] = quantiles[: len(SERIES)][known][..., self._stored]
        except Exception as error:  # as above
            raise ModelUnusable(
                f"{self.name} failed while forecasting: {first_line(error)}"
            ) from error
        return predicted

    def _forecast(self, context: Values, future: Values) -> Values:
        """Quantiles of each row, (rows, steps, levels)."""
        pieces = list(self._pieces(context, future))
        return np.concatenate(pieces, axis=1)[:, : future.shape[1]]

    def _pieces(self, context: Values, future: Values) -> Iterator[Values]:
        """The forecast as far as the network reaches at once, then its continuation.

        `chronos-forecasting` continues along nine paths: each takes one quantile of the last piece
        as its context. What all paths forecast is then read as one distribution.
        """
        piece = self.run_network(context, future[:, : self._reach])
        yield piece
        paths = [context] * len(PATHS)
        weights = np.outer(_masses(PATHS), _masses(self._levels)).ravel()
        while future.shape[1] > piece.shape[1]:
            passed, future = np.split(future, [piece.shape[1]], axis=1)
            paths = [
                np.hstack([path, np.where(np.isnan(passed), piece[..., level], passed)])
                for path, level in zip(paths, self._continued, strict=True)
            ]
            samples = [
                self.run_network(path[:, -self._context :], future[:, : self._reach])
                for path in paths
            ]
            piece = _quantiles(np.concatenate(samples, axis=2), weights, self._levels)
            yield piece

    def run_network(self, context: Values, future: Values) -> Values:
        """Quantiles of whole patches, (rows, half-hours, levels), at least as many as `future`."""
        patches = -(-future.shape[1] // self._patch)
        padded = np.full((len(context), self._context), np.nan, np.float32)
        padded[:, self._context - context.shape[1] :] = context
        ahead = np.full((len(context), patches * self._patch), np.nan, np.float32)
        ahead[:, : future.shape[1]] = future
        ahead = ahead.reshape(len(context), patches, self._patch)
        [quantiles] = self._session.run(None, {"context": padded, "future": ahead})
        return np.swapaxes(quantiles, 1, 2)


def _session(contents: dict[str, bytes]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    weights = contents[WEIGHTS]
    options.add_external_initializers_from_files_in_memory([WEIGHTS], [weights], [len(weights)])
    return onnxruntime.InferenceSession(
        contents[EXPORT], options, providers=["CPUExecutionProvider"]
    )


def _masses(levels: Sequence[float]) -> Values:
    """The share of a distribution that each of its quantiles stands for."""
    bounds = np.array([0, *levels, 1])
    masses = (bounds[2:] - bounds[:-2]) / 2
    return np.asarray(masses / masses.sum(), np.float32)


def _quantiles(samples: Values, weights: Values, levels: Sequence[float]) -> Values:
    """Quantiles over the last axis, whose samples have these weights; interpolated."""
    order = np.argsort(samples, axis=-1)
    ordered = np.take_along_axis(samples, order, axis=-1)
    reached = np.cumsum((weights / weights.sum())[order], axis=-1)
    quantiles = np.empty((*samples.shape[:-1], len(levels)), np.float32)
    for place in np.ndindex(*samples.shape[:-1]):
        quantiles[place] = np.interp(levels, reached[place], ordered[place])
    return quantiles

"""Runs the trees of gradient boosting by ONNX Runtime, from the folder that training wrote."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from grid_assets.forecasting.models.forecaster import ModelUnusable, Values, first_line

TREES: Final = "trees.onnx.gz"
"""The network, compressed: it is a sixth of its size then."""
CARD: Final = "grid.json"


@dataclass(frozen=True, eq=False)
class TreeFolder:
    """The trees of a folder, and what its card says of them."""

    folder: Path

    @cached_property
    def card(self) -> dict[str, Any]:
        """The content of `grid.json`. Raises `ModelUnusable`."""
        path = self.folder / CARD
        try:
            card = json.loads(path.read_bytes())
            if not isinstance(card, dict) or not isinstance(card["ensembles"], dict):
                raise ValueError("it has no ensembles")
        except (OSError, ValueError, KeyError) as error:
            raise ModelUnusable(f"{path} cannot be read: {first_line(error)}") from error
        return card

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # takes 0.1 s

        path = self.folder / TREES
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise ModelUnusable(f"{path} cannot be read: {first_line(error)}") from error
        if hashlib.sha256(content).hexdigest() != self.card.get("sha256"):
            raise ModelUnusable(f"{path} is not the file that {CARD} was written for")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            return onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class of error for each kind of fault
            raise ModelUnusable(f"{path} cannot be loaded: {first_line(error)}") from error

    @property
    def revision(self) -> str:
        """The start of the SHA-256 of the trees."""
        return str(self.card.get("sha256", ""))[:12]

    def series(self) -> tuple[str, ...]:
        """The series that the trees forecast."""
        return tuple(self.card["ensembles"])

    def features(self) -> tuple[str, ...]:
        """The features that the trees expect, in their order."""
        return tuple(self.card["features"])

    def run(self, rows: dict[str, Values]) -> dict[str, dict[str, Values]]:
        """What each ensemble says of rows (n, features) by series: in units of the usual departure.

        Raises `ModelUnusable`.
        """
        wanted = [(series, name) for series in rows for name in self.card["ensembles"][series]]
        try:
            found = self._session.run([f"{series}.{name}" for series, name in wanted], rows)
        except Exception as error:
            raise ModelUnusable(f"{self.folder / TREES} failed: {first_line(error)}") from error
        said: dict[str, dict[str, Values]] = {series: {} for series in rows}
        for (series, name), values in zip(wanted, found, strict=True):
            said[series][name] = np.asarray(values, np.float32)[:, 0]
        return said

    def usual(self, series: str, name: str, steps: int) -> Values:
        """The usual departure at each step, for an ensemble; the last one counts for all after."""
        known = np.array(self.card["ensembles"][series][name]["usual"], np.float32)
        return known[np.minimum(np.arange(steps), len(known) - 1)]

    def width(self, series: str, kind: str, steps: int) -> Values:
        """By how much a band must be widened at each step to hold 80 % of unseen actuals."""
        known = np.array(self.card["widths"][series][kind], np.float32)
        return known[np.minimum(np.arange(steps), len(known) - 1)]

"""The folder of a checkpoint: what its files say, without the libraries that run the model."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from grid_assets.forecasting.models.forecaster import ModelUnusable, first_line

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
EXPORT: Final = "model.onnx"
"""The network as ONNX Runtime runs it, if training has exported it."""


def file_versions(folder: Path | None) -> tuple[Any, ...]:
    """Changes when a checkpoint is replaced or repaired, so that it is loaded again."""
    if folder is None or not folder.is_dir():
        return ()
    files = sorted(
        file for kind in ("json", "onnx", "safetensors") for file in folder.glob(f"*.{kind}")
    )
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def folder_name(folder: Path) -> str:
    return Path(os.path.abspath(folder)).name


def check_configuration(folder: Path) -> None:
    """Raise `ModelUnusable` if the folder does not hold a Chronos model."""
    if not folder.is_dir():
        raise ModelUnusable(f"{folder} is {'not a folder' if folder.exists() else 'missing'}")
    path = folder / CONFIG
    if not path.is_file():
        raise ModelUnusable(f"the folder {folder} has no config.json")
    try:
        config: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"{path} cannot be read: {first_line(error)}") from error
    if not isinstance(config, dict) or "chronos_config" not in config:
        kind = config.get("model_type") if isinstance(config, dict) else None
        raise ModelUnusable(f"{path} describes a model of another kind ({kind}), not Chronos")


def read_card(folder: Path) -> dict[str, Any]:
    """The content of a checkpoint's `grid.json`; empty if there is no such file."""
    path = folder / "grid.json"
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_bytes())
        name, scores = card.get("name", ""), card.get("scores", {})
        if not isinstance(name, str) or not isinstance(scores, dict):
            raise ValueError("name must be text and scores an object")
        if card.get("trained_to") is not None:
            trained_to = datetime.fromisoformat(card["trained_to"])
            if trained_to.tzinfo is None:
                raise ValueError("trained_to has no time zone")
            card["trained_to"] = trained_to.astimezone(UTC)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnusable(f"{path} cannot be read: {error}") from error
    return dict(card)


def digest_weights(folder: Path) -> str:
    """The start of the SHA-256 of the weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as weights:
            hashlib.file_digest(weights, lambda: digest)
    return digest.hexdigest()[:12]

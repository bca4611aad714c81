"""Chooses the model: the configured one, else the bundled checkpoint, else seasonal naive.

Every fallback comes with its reason. What runs a model is imported late: `chronos` needs torch,
which takes seconds to import and may not be installed, and `exported` needs ONNX Runtime.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from grid_assets.files.places import BucketPlace
from grid_assets.forecasting.models import hub, remote
from grid_assets.forecasting.models.folder import (
    EXPORT,
    check_configuration,
    digest_weights,
    file_versions,
    folder_name,
    read_card,
)
from grid_assets.forecasting.models.forecaster import (
    Forecaster,
    ModelUnusable,
    Problem,
    Values,
    first_line,
)
from grid_assets.forecasting.models.naive import SeasonalNaive

if TYPE_CHECKING:
    from grid_assets.forecasting.models.chronos import ChronosForecaster
    from grid_assets.forecasting.models.exported import ExportedForecaster

SETTING: Final = "GRID_CHRONOS_MODEL"
SHIPPED: Final = Path(__file__).parent.parent / "checkpoint"
SHIPPED_SOURCE: Final = "shipped"
BUILTIN_SOURCE: Final = "builtin"

LOGGER = logging.getLogger(__name__)

CURE: Final = "Install it with `make chronos`, or with `pip install 'grid-assets[chronos]'`"

RETRY_AFTER_S: Final = 600
"""Time before a failed load is retried: a hub that hangs must not delay every forecast, and a hub
that recovers is used again within minutes."""


@dataclass(frozen=True)
class ModelInfo:
    """A row of `forecast.models`: the weights behind a forecast, and what is known about them."""

    model: str
    """The name in `forecast.predictions`, such as `chronos:chronos-2`."""
    source: str
    """The folder or hub id as configured, `shipped`, or `builtin` for seasonal naive."""
    revision: str
    """Commit of a hub model; for a folder the start of its weights' SHA-256."""
    trained_to: datetime | None = None
    """End of the training span, if the checkpoint states it."""
    scores: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to forecast."""

    forecaster: Forecaster
    info: ModelInfo
    reason: str | None = None
    """Why this is not the configured model; None if it is."""


@dataclass(frozen=True)
class ModelForecast:
    """Quantiles as `Forecaster.predict` returns them, and the model that made them."""

    quantiles: Values
    info: ModelInfo
    reason: str | None


@dataclass(frozen=True)
class _Failure:
    message: str
    retry_at: float


loaded_models: dict[tuple[Any, ...], Loaded | _Failure] = {}
"""The models that this process has tried to load, by source and state of the files."""

_load_lock = threading.RLock()


def load(source: str | None, timeout_s: float) -> Loaded:
    """The model that `GRID_CHRONOS_MODEL` names, or the next best with the reason. Never raises.

    `source` is a folder, the URL of one, or `org/name` or `org/name@revision` on a hub; None, an
    empty string and `shipped` mean the bundled checkpoint. `timeout_s` limits a download. A process
    loads each model once.
    """
    source = _normalise(source)
    with _load_lock:
        try:
            return _load_once(source, timeout_s)
        except ModelUnusable as error:
            return _fall_back(source, str(error))


def load_exactly(source: str, timeout_s: float) -> Loaded:
    """The model that `source` names, as for `load`, but no stand-in. Raises `ModelUnusable`."""
    source = _normalise(source)
    folder = _find_folder(source)
    if folder is not None and not folder.is_dir():  # before torch is imported
        raise ModelUnusable(f"{folder} is missing")
    with _load_lock:
        return _load_once(source, timeout_s)


def seasonal_naive() -> Loaded:
    """The model without weights: it forecasts beside every other model, and as the last resort."""
    forecaster = SeasonalNaive()
    return Loaded(forecaster, ModelInfo(forecaster.name, BUILTIN_SOURCE, version("grid-assets")))


def configured_name(source: str | None) -> str:
    """The name under which the configured model forecasts, without loading it."""
    source = _normalise(source)
    try:
        folder = _find_folder(source)
        if folder is not None:
            return f"chronos:{read_card(folder).get('name') or folder_name(folder)}"
    except ModelUnusable:
        pass
    return f"chronos:{remote.name_of(source)}"


def predict_with_fallback(loaded: Loaded, problems: Sequence[Problem], steps: int) -> ModelForecast:
    """Forecast with `loaded`, or with the next model of the chain if it fails while running.

    One model forecasts all problems; the result names it.
    """
    while True:
        try:
            quantiles = loaded.forecaster.predict(problems, steps)
            if loaded.info.source != BUILTIN_SOURCE:
                check_finite(quantiles, problems)
            return ModelForecast(quantiles, loaded.info, loaded.reason)
        except ModelUnusable as error:
            if loaded.info.source == BUILTIN_SOURCE:
                raise
            with _load_lock:
                fallback = _fall_back(loaded.info.source, str(error))
            reasons = [reason for reason in (loaded.reason, fallback.reason) if reason]
            loaded = replace(fallback, reason=" ".join(reasons))


def _normalise(source: str | None) -> str:
    return (source or "").strip() or SHIPPED_SOURCE


def _fall_back(source: str, why: str) -> Loaded:
    """The next model of the chain: the bundled checkpoint, then seasonal naive."""
    if source == SHIPPED_SOURCE:
        why = f"The bundled checkpoint cannot be used: {why}"
    else:
        why = f"{SETTING}={source} cannot be used: {why}"
        try:
            shipped = _load_once(SHIPPED_SOURCE, 0)
            return replace(shipped, reason=f"{why}. The bundled checkpoint forecasts instead.")
        except ModelUnusable as error:
            why = f"{why}. Nor can the bundled checkpoint: {error}"
    naive = seasonal_naive()
    return replace(naive, reason=f"{why}. {naive.info.model} forecasts instead.")


def check_finite(quantiles: Values, problems: Sequence[Problem]) -> None:
    """Raise `ModelUnusable` if a series with known values has a forecast that is not finite."""
    for values, problem in zip(quantiles, problems, strict=True):
        known = ~np.isnan(problem.context).all(axis=1)
        if not np.isfinite(values[known]).all():
            raise ModelUnusable("it returned values that are not finite")


def _load_once(source: str, timeout_s: float) -> Loaded:
    try:
        key = (source, *file_versions(_find_folder(source)))
        remembered = loaded_models.get(key)
        if remembered is None or _may_retry(remembered):
            loaded_models[key] = remembered = _load_or_fail(source, timeout_s)
    except OSError as error:
        raise ModelUnusable(f"it cannot be read: {error}") from error
    if isinstance(remembered, _Failure):
        raise ModelUnusable(remembered.message)
    return remembered


def _may_retry(remembered: Loaded | _Failure) -> bool:
    return isinstance(remembered, _Failure) and time.monotonic() >= remembered.retry_at


def _load_or_fail(source: str, timeout_s: float) -> Loaded | _Failure:
    try:
        return _load(source, timeout_s)
    except ModelUnusable as error:
        return _Failure(str(error), time.monotonic() + RETRY_AFTER_S)


def _find_folder(source: str) -> Path | None:
    """The folder that `source` names, None if it names no folder."""
    if source == SHIPPED_SOURCE:
        return SHIPPED
    place = remote.place_of(source)
    return place if isinstance(place, Path) else None


def _load(source: str, timeout_s: float) -> Loaded:
    folder = _find_folder(source)
    if folder is not None:
        return _load_folder(folder, source)
    place = remote.place_of(source)
    if isinstance(place, BucketPlace):
        return _load_folder(remote.fetch(place, timeout_s), source, name=place.name)
    model = hub.parse_id(source)
    if model is None:
        raise ModelUnusable(
            "there is no such folder, and the id of a hub model has the form org/name or "
            "org/name@revision"
        )
    require_torch()
    snapshot = hub.fetch(model, timeout_s)
    return _load_folder(snapshot, source, name=model.name, revision=snapshot.name)


def _load_folder(
    folder: Path,
    source: str,
    name: str | None = None,
    revision: str | None = None,
) -> Loaded:
    card = read_card(folder)
    check_configuration(folder)
    model = f"chronos:{name or card.get('name') or folder_name(folder)}"
    forecaster = _load_export(folder, model) or _load_with_torch(folder, model)
    info = ModelInfo(
        model=model,
        source=source,
        revision=revision or digest_weights(folder),
        trained_to=card.get("trained_to"),
        scores=card.get("scores", {}),
        parameters=forecaster.parameters,
    )
    return Loaded(forecaster, info)


def _load_export(folder: Path, model: str) -> ExportedForecaster | None:
    """The checkpoint without torch; None if it has no export that fits it, which is logged."""
    if not (folder / EXPORT).is_file():
        LOGGER.info(f"{folder} has no {EXPORT}, so {model} runs by torch.")
        return None
    from grid_assets.forecasting.models.exported import ExportedForecaster

    try:
        return ExportedForecaster.from_folder(folder, model)
    except ModelUnusable as error:
        LOGGER.warning(f"{error}, so {model} runs by torch.")
        return None


def _load_with_torch(folder: Path, model: str) -> ChronosForecaster:
    require_torch()
    try:
        from grid_assets.forecasting.models.chronos import ChronosForecaster
    except (ImportError, OSError) as error:  # installed in part, or for another machine
        raise ModelUnusable(f"torch cannot be imported: {first_line(error)}. {CURE}") from error
    return ChronosForecaster.from_folder(folder, model)


def require_torch() -> None:
    """Raise `ModelUnusable` if what trains, and runs any other checkpoint, is not installed."""
    if any(find_spec(name) is None for name in ("chronos", "huggingface_hub", "torch")):
        raise ModelUnusable(f"torch is not installed. {CURE}")

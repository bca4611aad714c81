"""Which trees can be used: operation and trials judge them alike, whatever is wrong with a card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grid_assets.forecasting.boosting.trees import CARD, TREES
from grid_assets.forecasting.learning import trial
from grid_assets.forecasting.models.beside import predict_boosted
from grid_assets.forecasting.models.boosted import SHIPPED, GradientBoosting
from grid_assets.forecasting.models.champion import Champion, Promoted
from grid_assets.forecasting.models.forecaster import ModelUnusable
from grid_assets.forecasting.models.registry import ModelForecast
from grid_assets_tests.forecasting.boosting.made_up import STEPS, problem

BLIND = replace(problem(), outlook=None)

Damage = Callable[[dict[str, Any]], Any]


def ensemble(card: dict[str, Any], name: str = "any.p50") -> dict[str, Any]:
    return card["ensembles"]["carbon_intensity"][name]


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no features": (lambda card: card.pop("features"), "KeyError: 'features'"),
    "features are a number": (lambda card: card.update(features=5), "TypeError"),
    "no widths": (lambda card: card.pop("widths"), "KeyError: 'widths'"),
    "widths are a text": (lambda card: card.update(widths="x"), "TypeError"),
    "a width is empty": (
        lambda card: card["widths"]["carbon_intensity"].update(outlook=[]),
        "IndexError",
    ),
    "no ensemble": (
        lambda card: card["ensembles"]["carbon_intensity"].pop("any.p50"),
        "KeyError: 'any.p50'",
    ),
    "ensembles are a list": (
        lambda card: card["ensembles"].update(carbon_intensity=[]),
        "cannot be used",
    ),
    "usual is empty": (lambda card: ensemble(card).update(usual=[]), "IndexError"),
    "usual is null": (lambda card: ensemble(card).update(usual=None), "cannot be used"),
    "usual is not finite": (
        lambda card: ensemble(card).update(usual=[float("nan")]),
        "values that are not finite",
    ),
    "usual is not finite where there is an outlook": (
        lambda card: ensemble(card, "outlook.p50").update(usual=[1, float("nan")]),
        "values that are not finite",
    ),
    "usual is beyond any number": (
        lambda card: ensemble(card).update(usual=[10**400]),
        "OverflowError",
    ),
    "no end": (lambda card: card.pop("trained_to"), "KeyError: 'trained_to'"),
    "no zone": (
        lambda card: card.update(trained_to="2025-01-01T00:00:00"),
        "trained_to has no time zone",
    ),
}


def promote(folder: Path, damage: Damage) -> Champion:
    """The bundled trees as if they had been promoted, with a damaged card."""
    shutil.copy(SHIPPED / TREES, folder)
    card = json.loads((SHIPPED / CARD).read_text())
    damage(card)
    (folder / CARD).write_text(json.dumps(card))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Champion(Promoted("r1", now, "", (str(folder), "")), folder)


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_what_operation_does_not_use_is_no_incumbent_of_a_trial(
    tmp_path: Path, damage: Damage, reason: str
) -> None:
    champion = promote(tmp_path, damage)
    forecast = predict_boosted([problem(), BLIND], STEPS, champion)
    assert isinstance(forecast, ModelForecast)
    assert forecast.info.source == "shipped"
    assert (forecast.reason or "").startswith("The promoted trees r1 cannot be used: ")
    assert reason in (forecast.reason or "")
    with pytest.raises(ModelUnusable):
        trial.trained_to(GradientBoosting(tmp_path))


def test_what_operation_uses_is_an_incumbent(tmp_path: Path) -> None:
    champion = promote(tmp_path, lambda card: card.pop("scores", None))
    forecast = predict_boosted([problem(), BLIND], STEPS, champion)
    assert isinstance(forecast, ModelForecast)
    assert (forecast.info.source, forecast.reason) == ("warehouse", None)
    assert trial.trained_to(GradientBoosting(tmp_path)) == forecast.info.trained_to

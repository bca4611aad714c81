"""The bundled weights: what the file must hold, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grid_assets.forecasting.blending.prior import FILE, read_prior
from grid_assets.forecasting.models.forecaster import ModelUnusable

Damage = Callable[[dict[str, Any]], Any]


def intensity(prior: dict[str, Any]) -> dict[str, Any]:
    """The trees' part, by regime."""
    found: dict[str, Any] = prior["gradient_boosting"]["carbon_intensity"]
    return found


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no trees": (lambda prior: prior.pop("gradient_boosting"), "KeyError: 'gradient_boosting'"),
    "no shares": (lambda prior: prior["gradient_boosting"].pop("shares"), "KeyError: 'shares'"),
    "no regime": (lambda prior: intensity(prior).pop("outlook"), "KeyError: 'outlook'"),
    "no NESO": (lambda prior: prior.update(neso_corrected=None), "TypeError"),
    "above 1": (lambda prior: intensity(prior).update(history=[1.5] * 5), "not 5 numbers from 0"),
    "below 0": (
        lambda prior: prior["neso_corrected"].update(outlook=[-0.1] * 5),
        "not 5 numbers from 0 to 1",
    ),
    "too few": (lambda prior: intensity(prior).update(history=[0.5]), "not 5 numbers from 0 to 1"),
    "one number": (lambda prior: intensity(prior).update(history=0.5), "not 5 numbers"),
    "not finite": (
        lambda prior: intensity(prior).update(history=[float("nan")] * 5),
        "not 5 numbers from 0 to 1",
    ),
    "null": (lambda prior: intensity(prior).update(history=[None] * 5), "not 5 numbers"),
    "words": (lambda prior: intensity(prior).update(history=["half"] * 5), "ValueError"),
    "ragged": (lambda prior: intensity(prior).update(history=[[1], [1, 2]]), "ValueError"),
    "an object": (lambda prior: intensity(prior).update(history={}), "TypeError"),
    "a huge number": (lambda prior: intensity(prior).update(history=[10**400] * 5), "OverflowErr"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_weights_that_are_no_shares_are_refused(
    tmp_path: Path, damage: Damage, reason: str
) -> None:
    found = json.loads(FILE.read_text())
    damage(found)
    file = tmp_path / "prior.json"
    file.write_text(json.dumps(found))
    with pytest.raises(ModelUnusable, match=reason) as refused:
        read_prior(file)
    assert str(refused.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "JSONDecodeError"),
        (b"[]", "TypeError"),
        (b"\xff", "UnicodeDecodeError"),
        (None, "FileNotFoundError"),
    ],
    ids=["cut", "list", "binary", "gone"],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "prior.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelUnusable, match=reason):
        read_prior(file)


def test_the_bundled_weights_are_shares_of_1() -> None:
    found = read_prior(FILE)
    assert found.shape == (4, 2, 10, 5)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=0), 1)

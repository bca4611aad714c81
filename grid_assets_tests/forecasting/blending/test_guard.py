"""A forecast of NESO that is beyond anything usual is left out, an odd but steady one is not."""

from __future__ import annotations

import numpy as np
import pytest

from grid_assets.forecasting.blending.guard import reason_to_leave_out, usual_departure
from grid_assets.forecasting.horizon import HORIZON

BOGUS = np.linspace(119, 127, HORIZON).astype(np.float32)
"""As published on 2023-04-14 about 11:00."""


def lines(*levels: float) -> np.ndarray:
    return np.array([np.full(HORIZON, level) for level in levels], np.float32).reshape(-1, HORIZON)


@pytest.mark.parametrize(
    ("own", "earlier", "usual", "left_out"),
    [
        ((240, 235), (238, 240, 243), None, True),
        ((240, 235), (238, 240, 243), 25.0, True),
        ((240, 235), (238, 240, 122), 25.0, True),  # its neighbour is as bogus
        ((240,), (), 25.0, True),  # nothing but our models to compare with
        ((240, 235), (121, 125, 123), 25.0, False),  # NESO has said so for hours: weights decide
        ((240, 235), (238,), 45.0, False),  # usual here
        ((130, 120), (240, 240), 25.0, False),  # our models agree with it
        ((), (240, 240), 25.0, False),  # nothing to compare with
        ((np.nan,), (), None, False),
    ],
)
def test_only_what_departs_from_our_models_and_from_its_neighbours_is_left_out(
    own: tuple[float, ...], earlier: tuple[float, ...], usual: float | None, left_out: bool
) -> None:
    reason = reason_to_leave_out(BOGUS, lines(*own), lines(*earlier), usual)
    assert (reason is not None) == left_out


def test_the_reason_has_the_distances() -> None:
    assert reason_to_leave_out(BOGUS, lines(240), lines(245), None) == (
        "NESO's forecast is 117 g away from our models' and 122 g from its earlier forecasts. "
        "More than 60 g is beyond anything usual, so it is left out of this issue."
    )


def test_a_vintage_that_is_missing_is_no_departure() -> None:
    nothing = np.full(HORIZON, np.nan, np.float32)
    assert reason_to_leave_out(nothing, lines(240), lines(240), None) is None


def test_the_usual_departure_is_learned_from_twenty_issues() -> None:
    errors = np.full((3, 19, 10, HORIZON), np.nan)
    errors[0, :, 0], errors[1, :, 0], errors[2, :, 0] = 10, 20, -15
    assert usual_departure(errors) is None
    more = np.concatenate([errors, errors[:, :1]], axis=1)
    assert usual_departure(more) == 30
    assert usual_departure(np.full((3, 0, 10, HORIZON), np.nan)) is None

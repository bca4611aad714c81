"""Examples from a warehouse are shown what operation was shown, and nothing that came later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting.boosting.places import STEPS, issue_places
from grid_assets.forecasting.boosting.training import Lesson
from grid_assets.forecasting.context import KnownValues, add_outlook
from grid_assets.forecasting.examples import inputs_at
from grid_assets.forecasting.learning.challenger import Method, read_lessons
from grid_assets.forecasting.learning.planning import Plan
from grid_assets.forecasting.learning.warehouse_record import read_history
from grid_assets.forecasting.training_record import SPANS
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.warehouse.connection import connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import DAY, HOUR, LATER, T
from grid_assets_tests.forecasting.learning import worlds

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

LEARNED = Window(T - 20 * DAY, T)
ASKED = (T - 4 * DAY, T - 3 * DAY)
GAP = T - 5 * DAY
EVERY = replace(worlds.SMALL, every=1)


@pytest.fixture
def filled(warehouse: SecretStr) -> SecretStr:
    issues.fill(warehouse, LEARNED.start, T, but=[GAP])
    issues.publish_wind(warehouse, ASKED[0] - 6 * HOUR, 5000)
    return warehouse


def lessons(url: SecretStr, shift: timedelta = timedelta(0)) -> list[Lesson]:
    plan = Plan(LEARNED, Window(T, T), 0, [LEARNED])
    method = Method(EVERY, record=worlds.record)
    with connect(url) as connection:
        history = read_history(connection, LEARNED, LATER)
        return read_lessons(connection, plan, history, shift, method)


def test_an_example_is_shown_what_a_forecast_was_shown_and_nothing_later(
    filled: SecretStr,
) -> None:
    source = lessons(filled)[1].source
    places = issue_places(source, [LEARNED], EVERY.every, with_outlook=True)
    assert set(ASKED) <= {source.start + int(place) * HALF_HOUR for place in places}
    at = np.array([source.place(at) for at in ASKED])
    with connect(filled) as connection:
        known = KnownValues(connection, LEARNED)
        contexts = add_outlook(connection, [known.context_of(at) for at in ASKED], STEPS)
    late = np.array([context.late_steps for context in contexts])
    inputs, _ = inputs_at(source, at, late, STEPS)
    for number, context in enumerate(contexts):
        assert context.problem is not None
        assert context.problem.outlook is not None
        np.testing.assert_array_equal(inputs.context[number], context.problem.context)
        np.testing.assert_array_equal(inputs.outlook[number], context.problem.outlook)

    issues.publish_wind(filled, ASKED[1] + timedelta(seconds=1), 9000)
    again, _ = inputs_at(lessons(filled)[1].source, at, late, STEPS)
    np.testing.assert_array_equal(again.outlook, inputs.outlook)
    later = np.array([source.place(ASKED[1] + 12 * HOUR)])
    shown, _ = inputs_at(lessons(filled)[1].source, later, late[:1], STEPS)
    assert np.nanmax(shown.outlook) > 8000


def test_what_the_warehouse_holds_is_not_learned_from_the_record_as_well(
    filled: SecretStr,
) -> None:
    shipped, own = lessons(filled)
    assert list(own.spans) == [LEARNED]
    assert list(shipped.spans) == list(SPANS)  # which ends before
    weeks = timedelta(weeks=12)  # as if it were the recording, moved by as much
    shipped, own = lessons(filled, weeks)
    assert list(own.spans) == [LEARNED]
    assert shipped.spans[-1] == Window(SPANS[-1].start, LEARNED.start - weeks)

"""The record that models learn from: spans, alignment, and what was known when."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest

from grid_assets.forecasting import training_record
from grid_assets.forecasting.training_record import (
    END,
    SET_ASIDE,
    SPANS,
    TRAINED_TO,
    load_record,
    spans_until,
)
from grid_assets.halfhours import HALF_HOUR, Window, days_window
from grid_assets.series import OUTLOOK, SERIES
from grid_assets_tests.forecasting.other_sources import record_with_others


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_no_span_touches_what_is_set_aside() -> None:
    assert days_window(date(2023, 3, 14), date(2023, 7, 14)) == SET_ASIDE
    for span in SPANS:
        assert span.end <= SET_ASIDE.start or span.start >= SET_ASIDE.end
    for earlier, later in pairwise(SPANS):
        assert earlier.end <= later.start


def test_spans_are_cut_off_where_training_ends() -> None:
    spans = spans_until(at("2023-08-01"))
    assert spans[-1].end == at("2023-08-01")
    assert len(spans) == 3


@pytest.mark.parametrize("span", [SET_ASIDE, Window(TRAINED_TO, END)], ids=str)
def test_what_measures_a_model_leaves_no_trace_elsewhere(
    span: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half-hour that is set aside was found a half-hour earlier: moved, not removed."""
    real, other = load_record(), record_with_others(monkeypatch, span)
    inside = slice(real.place(span.start), real.place(span.end))
    assert np.nanmean(np.abs(other.history - real.history)[:, inside]) > 10
    for pair in ((real.history, other.history), (real.outlook, other.outlook)):
        before, after = (np.delete(values, inside, axis=1) for values in pair)
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("span", SPANS, ids=str)
def test_every_span_has_intensity_and_shares(span: Window) -> None:
    record = load_record()
    part = record.history[:, record.place(span.start) : record.place(span.end)]
    known = np.isfinite(part)
    assert known[0].mean() > 0.95
    if span is not SPANS[0]:  # Elexon lists no biomass before November 2017
        assert known[1:].mean() > 0.97
    mixed = known[1:].all(axis=0)
    np.testing.assert_allclose(part[1:, mixed].sum(axis=0), 100, atol=0.2)


def test_published_and_recomputed_intensity_belong_to_the_same_half_hours() -> None:
    """Everywhere, changes of intensity fit those of the gas share of the next half-hour."""
    record = load_record()
    gas, intensity = record.history[SERIES.index("gas")], record.history[0]
    for day in ("2022-03-01", "2022-08-01", "2023-02-01", "2023-10-01", "2024-03-01"):
        first = record.place(at(day))
        changes = np.diff(intensity[first : first + 1400])
        fits = {
            shift: np.nanmean(
                np.abs(changes - 3.0 * np.diff(gas[first + shift : first + shift + 1400]))
            )
            for shift in (0, 1, 2)
        }
        assert min(fits, key=fits.__getitem__) == 1, (day, fits)


def test_an_outlook_is_known_from_its_publication_on_the_day_before() -> None:
    record = load_record()
    known = np.isfinite(record.outlook[OUTLOOK.index("wind_mw")])
    ahead = (np.flatnonzero(known) - record.issued[known]) / 2
    assert ahead.min() >= 8
    assert ahead.max() <= 40
    assert np.isinf(record.issued[~np.isfinite(record.outlook).any(axis=0)]).all()


def test_moved_spans_end_with_a_hole_rather_than_with_a_value_of_another_rule() -> None:
    record = load_record()
    moved_until = training_record._REACHED_LATER[2][1]
    assert moved_until == at("2023-04-01")
    last = record.history[0, record.place(moved_until - HALF_HOUR)]
    before = record.history[0, record.place(moved_until - 2 * HALF_HOUR)]
    assert abs(last - before) < 30

"""The charts as data: values beside their times, null in gaps, and only what there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from grid_assets.dashboard import charts
from grid_assets.dashboard.outlook import Generation, Known, Outlook
from grid_assets.dashboard.queries import (
    Accuracy,
    HourOfAttempts,
    Intensity,
    Predicted,
    Snapshot,
)
from grid_assets.dashboard.theme import FUEL_COLOURS, Spec, ms
from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets.series import FUELS, LEAD_BUCKETS, MODELS
from grid_assets_tests.dashboard.made_up import feeds, forecast

NOW = datetime(2026, 7, 1, 20, 10, tzinfo=UTC)
HERE = floor(NOW)
OURS = "chronos:x"


def snapshot(**more: Any) -> Snapshot:
    """What a page shows whose forecasts are ours."""
    return Snapshot(NOW, feeds(NOW, [forecast(NOW, 1, 100, OURS)]), **more)


def predicted(place: int, p50: float, model: str = OURS, **more: Any) -> Predicted:
    """What a forecast of a day ago said of the half-hour so many after the current one."""
    values: dict[str, Any] = {
        "model": model,
        "issued_at": HERE - DAY,
        "period_start": HERE + place * HALF_HOUR,
        "p10": Decimal(p50 - 10),
        "p50": Decimal(p50),
        "p90": Decimal(p50 + 10),
        "simulated": False,
    }
    return Predicted(**(values | more))


def neso(place: int, p50: float, **more: Any) -> Predicted:
    return predicted(place, p50, "neso", p10=None, p90=None, **more)


def actual(place: int, value: float | None) -> Intensity:
    known = None if value is None else Decimal(str(value))
    return Intensity(HERE + place * HALF_HOUR, known, None)


def score(model: str, bucket: str, mae: float, inside: float | None) -> Accuracy:
    within = None if inside is None else Decimal(inside)
    return Accuracy(model, bucket, 5, Decimal(mae), within, False)


def points(spec: Spec | None, name: str, column: str = "values") -> dict[int, float]:
    """What one part of a chart has, by the place of its half-hour or hour; gaps are left out."""
    assert spec is not None
    [part] = [one for one in spec.get("lines") or spec["parts"] if one["name"] == name]
    assert len(part[column]) == len(spec["times"])
    return {
        (time - ms(HERE)) // spec["step"]: value
        for time, value in zip(spec["times"], part[column], strict=True)
        if value is not None
    }


def names(spec: Spec | None) -> list[str]:
    assert spec is not None
    return [one["name"] for one in spec.get("lines") or spec["parts"]]


def is_even(spec: Spec) -> bool:
    """Whether the times are a step apart, so that each gap is one of the values."""
    times, step = spec["times"], spec["step"]
    return list(times) == list(range(times[0], times[0] + len(times) * step, step))


# The mix.


def test_the_mix_has_each_fuel_at_its_half_hours_and_nothing_in_a_gap() -> None:
    share: dict[str, Decimal | None] = dict.fromkeys(FUELS, Decimal(0))
    mix = [
        (HERE - 4 * HALF_HOUR, share | {"wind": Decimal("60.1"), "gas": Decimal("39.9")}),
        (HERE - HALF_HOUR, share | {"wind": Decimal(20), "gas": Decimal(80), "other": None}),
    ]
    spec = charts.mix(snapshot(mix=mix))
    assert spec is not None
    assert is_even(spec)
    assert names(spec) == list(FUEL_COLOURS)
    assert points(spec, "wind") == {-4: 60.1, -1: 20}
    assert points(spec, "gas") == {-4: 39.9, -1: 80}
    assert points(spec, "other") == {-4: 0}
    assert [part["values"][1:3] for part in spec["parts"]] == [[None, None]] * len(FUELS)
    assert charts.mix(snapshot()) is None


# The last day.


def test_the_record_covers_24_hours_and_has_what_happened_beside_what_was_forecast() -> None:
    spec = charts.record(
        snapshot(
            intensity=[actual(-4, 50), actual(-3, 55.5), actual(-2, None), actual(-1, 60)],
            predicted=[*(predicted(n, 100 + n) for n in (-3, -1, 0)), neso(-2, 90)],
        )
    )
    assert spec is not None
    assert is_even(spec)
    assert (spec["times"][0], spec["times"][-1]) == (ms(HERE - DAY + HALF_HOUR), ms(HERE))
    assert names(spec) == ["actual", OURS, "neso"]
    assert points(spec, "actual") == {-4: 50, -3: 55.5, -1: 60}  # nothing through a gap
    assert points(spec, OURS) == {-3: 97, -1: 99, 0: 100}
    assert points(spec, OURS, "low") == {-3: 87, -1: 89, 0: 90}
    assert points(spec, OURS, "high") == {-3: 107, -1: 109, 0: 110}
    assert points(spec, "neso") == {-2: 90}


def test_only_a_model_with_a_band_has_one() -> None:
    rows = [predicted(-1, 100), neso(-1, 90)]
    spec = charts.record(snapshot(predicted=rows))
    assert spec is not None
    assert [{"low", "high"} <= line.keys() for line in spec["lines"]] == [False, True, False]
    assert [{"low", "high"} & line.keys() for line in spec["lines"][::2]] == [set(), set()]


def test_neso_is_drawn_once_where_the_page_has_no_other_forecast() -> None:
    alone = Snapshot(NOW, feeds(NOW, [forecast(NOW, 1, 90, "neso")]), predicted=[neso(-1, 90)])
    assert names(charts.record(alone)) == ["actual", "neso"]
    other = Snapshot(NOW, feeds(NOW), predicted=[predicted(-1, 100), neso(-1, 90)])
    assert names(charts.record(other)) == ["actual", "neso"]  # no model speaks
    assert charts.record(snapshot(intensity=[actual(-1, None)])) is None


def test_simulated_forecasts_are_named_so_in_the_record() -> None:
    spec = charts.record(snapshot(predicted=[neso(-1, 90, simulated=True), predicted(-1, 100)]))
    assert names(spec) == ["actual", OURS, "neso (simulated)"]


# Scores.


def test_scores_stand_at_their_leads_and_a_model_without_a_band_has_no_coverage() -> None:
    found = snapshot(
        accuracy=[
            score(OURS, "24-48h", 20, 70),
            score(OURS, "0-3h", 10, 80),
            score("neso", "3-6h", 12.25, None),
        ]
    )
    errors, coverage = charts.errors(found), charts.coverage(found)
    assert errors is not None
    assert coverage is not None
    assert errors["groups"] == coverage["groups"] == list(LEAD_BUCKETS)
    assert [(part["name"], part["values"]) for part in errors["parts"]] == [
        (OURS, [10, None, None, None, 20]),
        ("neso", [None, 12.25, None, None, None]),
    ]
    assert [(part["name"], part["values"]) for part in coverage["parts"]] == [
        (OURS, [80, None, None, None, 70])
    ]
    assert charts.coverage(snapshot(accuracy=[score("neso", "0-3h", 1, None)])) is None
    assert charts.errors(snapshot()) is None


def test_scores_are_shown_in_the_order_of_models_each_with_its_colour() -> None:
    order = ["blend", "chronos:a", "chronos:b", *MODELS[2:], "unknown"]
    found = snapshot(accuracy=[score(name, "0-3h", 1, None) for name in order[::-1]])
    assert list(charts.model_labels(found)) == order
    spec = charts.errors(found)
    assert names(spec) == order
    assert spec is not None
    known = [part["colour"] for part in spec["parts"][:-1]]
    assert len(set(known)) == len(known)


def test_a_model_has_one_colour_in_all_charts_and_nesos_is_always_known() -> None:
    found = snapshot(
        accuracy=[score("chronos:a", "0-3h", 1, None), score("chronos:b", "0-3h", 1, None)],
        predicted=[predicted(-1, 100, "chronos:b")],
    )
    found = replace(found, feeds=feeds(NOW, [forecast(NOW, 1, 1, "chronos:b")]))
    of_model = charts.colours(found)
    assert of_model.keys() == {"chronos:a", "chronos:b", "neso"}
    assert len(set(of_model.values())) == 3
    for spec, parts in ((charts.record(found), "lines"), (charts.errors(found), "parts")):
        assert spec is not None
        shown = {part["name"]: part["colour"] for part in spec[parts]}
        assert shown["chronos:b"] == of_model["chronos:b"]
    assert charts.colours(snapshot()).keys() == {OURS, "neso"}


# Attempts, and the outlook.


def test_attempts_stand_at_their_hours_by_status() -> None:
    hour = NOW.replace(minute=0)
    rows = [
        HourOfAttempts(hour - timedelta(hours=2), "success", 3),
        HourOfAttempts(hour, "success", 4),
        HourOfAttempts(hour, "failed", 1),
    ]
    spec = charts.attempts(snapshot(attempts_by_hour=rows))
    assert spec is not None
    assert is_even(spec)
    assert (spec["times"][0], spec["times"][-1]) == (ms(hour - DAY), ms(hour))
    assert names(spec) == ["success", "failed"]
    assert points(spec, "success") == {-2: 3, 0: 4}
    assert points(spec, "failed") == {0: 1}
    assert charts.attempts(snapshot()) is None


def test_the_outlook_has_what_was_measured_and_then_what_is_expected() -> None:
    found = Outlook(
        NOW,
        [Generation(HERE - n * HALF_HOUR, 9_000, None, 30_000 + 100 * n) for n in (3, 1)],
        [
            Known("demand_mw", HERE + n * HALF_HOUR, NOW, 32_000, "elexon_ndf", False, False)
            for n in (-1, 0, 2)
        ],
    )
    spec = charts.outlook(found)
    assert spec is not None
    assert is_even(spec)
    assert spec["now"] == ms(NOW)
    assert names(spec) == ["wind, embedded included", "demand"]  # nothing is known of the sun
    assert points(spec, "demand") == {-3: 30.3, -1: 30.1}
    assert points(spec, "demand", "ahead") == {0: 32, 2: 32}
    assert points(spec, "wind, embedded included", "ahead") == {}
    assert charts.outlook(Outlook(NOW)) is None

"""While nothing is published, a context continues from generation by fuel as it was known then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from grid_assets.forecasting import due
from grid_assets.forecasting.context import IssueContext
from grid_assets.forecasting.continuing import LEAST_COMMON
from grid_assets.forecasting.models.forecaster import CONTEXT, MAX_MISSING
from grid_assets.halfhours import HALF_HOUR, Window
from grid_assets.health.run_summary import newest_forecast
from grid_assets.outlook.load import load_elexon_generation, load_embedded_generation
from grid_assets.outlook.publish import publish_generation_mw
from grid_assets.series import SERIES
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import connect, write_transaction
from grid_assets_tests import shared_warehouse
from grid_assets_tests.forecasting import issues
from grid_assets_tests.forecasting.issues import (
    DAY,
    HOUR,
    MODEL,
    Captured,
    T,
    captured_live,
    shown,
)
from grid_assets_tests.outlook.conftest import Half

one_warehouse, warehouse = shared_warehouse.one_warehouse, shared_warehouse.warehouse

Rows = Callable[..., list[tuple[Any, ...]]]

ENDED = T - 20 * HALF_HOUR
"""When the API fell silent."""

NOW = T - timedelta(minutes=17)

OFFSET = 12
"""Published less recomputed intensity, gCO2/kWh."""

GAS, WIND, SOLAR = (SERIES.index(name) for name in ("gas", "wind", "solar"))


def gas_mw(at: datetime) -> int:
    return 10_000 + 50 * (int(at.timestamp()) // 1800 % 48)


def half(at: datetime, *, gas: int | None = None, solar: int = 1000) -> Half:
    """A half-hour of 30 GW: gas and wind vary, the rest is steady."""
    burnt = gas_mw(at) if gas is None else gas
    fuels = {"BIOMASS": 2000, "NUCLEAR": 4000, "NPSHYD": 0, "OTHER": 0, "INTFR": 2000}
    wind = 20_000 - burnt
    return Half(at, {**fuels, "CCGT": burnt, "WIND": wind}, 28_000, at, 1000, solar)


def recomputed(at: datetime) -> float:
    return (2000 * 120 + 2000 * 53 + gas_mw(at) * 394) / 30_000


def put_generation(url: SecretStr, rows: list[Half], captured: Captured) -> None:
    with connect(url) as connection:
        captures = [Capture([row], captured(row.period_start)) for row in rows]
        for load in (load_elexon_generation, load_embedded_generation):
            with write_transaction(connection, "raw.elexon_generation"):
                load(connection, captures)
        window = Window(T - 10 * DAY, T + 2 * DAY)
        with write_transaction(connection, "core.generation_mw"):
            publish_generation_mw(connection, window, T + 2 * DAY, lambda _: None)


def put_published(
    url: SecretStr, start: datetime, end: datetime, captured: Captured = captured_live
) -> None:
    """Values of the API that fit generation of the next half-hour, some grams and points off."""
    times = issues.half_hours(start, end)
    issues.put_intensity(
        url,
        ((at, captured(at), round(recomputed(at + HALF_HOUR)) + OFFSET) for at in times),
    )
    issues.put_mix(
        url,
        (
            (at, captured(at), [7, 0, 9, gas_share(at), 12, 0, 0, 3, 69 - gas_share(at)])
            for at in times
        ),
    )
    issues.publish(url, Window(start, end), max(end, issues.LATER))


def gas_share(at: datetime) -> float:
    """Two points more than Elexon's."""
    return round(2 + 100 * gas_mw(at + HALF_HOUR) / 30_000, 1)


@pytest.fixture
def silent(warehouse: SecretStr) -> SecretStr:
    """The API fell silent ten hours ago; Elexon did not."""
    put_published(warehouse, T - 10 * DAY, ENDED)
    put_generation(
        warehouse, [half(at) for at in issues.half_hours(T - 10 * DAY, T)], captured_live
    )
    return warehouse


def context(found: IssueContext) -> np.ndarray:
    assert found.problem is not None, found.refused
    return found.problem.context


def test_a_silent_api_is_made_up_for_in_the_context_alone(silent: SecretStr, rows: Rows) -> None:
    published = rows("SELECT count(*) FROM core.intensity"), rows("SELECT * FROM raw.intensity")
    found = shown(silent)
    assert found.problem is not None
    # The generation of 11:30 was captured after 12:00; that of 11:00 fits what is published of
    # 10:30.
    assert (found.late_steps, found.recomputed, found.missing) == (2, 18, 2)
    assert (found.intensity_to, found.mix_to) == (ENDED, ENDED)
    assert found.recomputed_to == T - HOUR
    assert found.problem.start + CONTEXT * HALF_HOUR == T - HOUR
    values = found.problem.context
    times = issues.half_hours(found.problem.start, T - HOUR)
    truth = np.array([recomputed(at + HALF_HOUR) + OFFSET for at in times])
    np.testing.assert_allclose(values[0], truth, atol=0.6)
    assert np.abs(values[0, -18:] - np.roll(truth, 1)[-18:]).max() > 0.6  # not the same half-hour
    np.testing.assert_allclose(values[GAS], [gas_share(at) for at in times], atol=0.2)
    np.testing.assert_allclose(values[1:].sum(axis=0), 100, atol=1e-3)
    assert (rows("SELECT count(*) FROM core.intensity"), rows("SELECT * FROM raw.intensity")) == (
        published
    )


def test_solar_is_that_of_the_same_half_hour(warehouse: SecretStr) -> None:
    """The others are those of the next one."""
    sun = {at: 500 + 40 * n for n, at in enumerate(issues.half_hours(T - 10 * DAY, T))}
    put_published(warehouse, T - 10 * DAY, ENDED)
    put_generation(warehouse, [half(at, solar=mw) for at, mw in sun.items()], captured_live)
    found = context(shown(warehouse))
    start = T - HOUR - CONTEXT * HALF_HOUR
    mw = np.array([sun[start + n * HALF_HOUR] for n in range(CONTEXT)])
    share = 100 * mw / (29_000 + mw)
    moved = found[SOLAR, -18:] - share[-18:]
    assert np.ptp(moved) < 0.02 * np.ptp(share[-18:])


def test_what_is_published_is_never_replaced_and_without_elexon_nothing_changes(
    silent: SecretStr, rows: Rows
) -> None:
    put_published(silent, ENDED, T)  # captured to 11:30, that of 11:30 after the issue
    found = shown(silent)
    assert (found.recomputed, found.recomputed_to, found.late_steps) == (0, None, 1)
    before = context(found).copy()
    rows("DELETE FROM core.generation_mw")
    rows("DELETE FROM raw.elexon_generation")
    without = shown(silent)
    np.testing.assert_array_equal(context(without), before)
    assert without.recomputed == 0


def test_nothing_that_became_known_later_is_in_a_context(silent: SecretStr) -> None:
    before = shown(silent)
    late = issues.half_hours(T - 9 * DAY, T + DAY)
    put_generation(
        silent, [half(at, gas=1000, solar=9000) for at in late], lambda at: max(at, T) + HOUR
    )
    put_published(silent, ENDED, T + DAY, lambda at: max(at, T) + HOUR)
    after = shown(silent)
    np.testing.assert_array_equal(context(after)[:, -18:], context(before)[:, -18:])
    assert (after.recomputed, after.late_steps) == (before.recomputed, before.late_steps)


@pytest.mark.parametrize(
    ("silent_for", "refused"),
    [
        (MAX_MISSING, False),
        (MAX_MISSING + 1, False),
        (CONTEXT + MAX_MISSING - LEAST_COMMON, False),
        (CONTEXT + MAX_MISSING - LEAST_COMMON + 1, True),
    ],
)
def test_a_long_silence_is_refused_only_once_too_little_is_left_to_compare(
    silent_for: int, refused: bool, warehouse: SecretStr
) -> None:
    put_published(warehouse, T - 15 * DAY, T - silent_for * HALF_HOUR)
    put_generation(
        warehouse, [half(at) for at in issues.half_hours(T - 15 * DAY, T)], captured_live
    )
    found = shown(warehouse)
    assert (found.refused is not None) is refused
    assert found.recomputed == (0 if refused else min(silent_for, CONTEXT) - 2)


def test_elexon_silent_too_is_refused_as_before(warehouse: SecretStr) -> None:
    ended = T - (MAX_MISSING + 1) * HALF_HOUR
    put_published(warehouse, T - 10 * DAY, ended)
    put_generation(
        warehouse, [half(at) for at in issues.half_hours(T - 10 * DAY, ended)], captured_live
    )
    found = shown(warehouse)
    assert found.recomputed == 0
    assert f"{MAX_MISSING + 1} of the {CONTEXT} half-hours of carbon intensity" in str(
        found.refused
    )


# Due, issued and labelled


def is_due(url: SecretStr, now: datetime = NOW) -> bool:
    with connect(url) as connection:
        return due.forecast_is_due(connection, MODEL, now)


def test_generation_alone_makes_a_forecast_due_which_says_where_its_context_comes_from(
    silent: SecretStr, rows: Rows
) -> None:
    assert is_due(silent)
    assert issues.issue(silent, T, now=NOW).issues == 1
    assert not is_due(silent)
    assert rows(
        "SELECT DISTINCT intensity_to, mix_to, context_recomputed, recomputed_to, refused_reason "
        "FROM forecast.issues"
    ) == [(ENDED, ENDED, 18, T - HOUR, None)]
    with connect(silent) as connection:
        assert "so 18 half-hours before it were recomputed from generation by fuel" in (
            newest_forecast(connection)
        )

    put_generation(silent, [half(T - HALF_HOUR)], captured_live)
    assert is_due(silent, NOW + HALF_HOUR)
    issues.issue(silent, T + HALF_HOUR, now=NOW + HALF_HOUR)
    assert not is_due(silent, NOW + HALF_HOUR)

    # The API is back: a forecast from what it published, with nothing recomputed.
    put_published(silent, ENDED, T + HALF_HOUR)
    later = NOW + HOUR
    assert is_due(silent, later)
    issues.issue(silent, T + HOUR, now=later)
    assert not is_due(silent, later)
    assert rows(
        "SELECT context_recomputed, recomputed_to FROM forecast.issues WHERE issued_at = %s "
        "AND model = %s",
        T + HOUR,
        MODEL,
    ) == [(0, None)]


def test_a_forecast_is_not_due_for_ever_where_nothing_can_be_recomputed(
    warehouse: SecretStr, rows: Rows
) -> None:
    put_published(warehouse, T - 10 * DAY, ENDED)
    few = issues.half_hours(ENDED - 10 * HALF_HOUR, T)  # too few have both
    put_generation(warehouse, [half(at) for at in few], captured_live)
    assert is_due(warehouse)
    issues.issue(warehouse, T, now=NOW)
    assert not is_due(warehouse)
    assert rows("SELECT DISTINCT context_recomputed, recomputed_to FROM forecast.issues") == [
        (0, T - HOUR)
    ]


def test_an_issue_that_knew_less_generation_does_not_replace_one_that_knew_more(
    silent: SecretStr, rows: Rows
) -> None:
    issues.issue(silent, T, now=NOW)
    made = rows("SELECT * FROM forecast.issues ORDER BY 1")
    rows("DELETE FROM core.generation_mw WHERE period_start > %s", T - 3 * HOUR)
    rows("DELETE FROM raw.elexon_generation WHERE period_start > %s", T - 3 * HOUR)
    issues.issue(silent, T, now=NOW)
    assert rows("SELECT * FROM forecast.issues ORDER BY 1") == made

"""The table that compares all models on the same forecasts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.health import comparison
from grid_assets.warehouse.connection import Connection, copy_rows

T0: Final = datetime(2026, 1, 10, tzinfo=UTC)
NOW: Final = T0 + 96 * HALF_HOUR
ACTUAL: Final = 100
COLUMNS: Final = (
    "model",
    "series",
    "period_start",
    "issued_at",
    "created_at",
    "p10",
    "p50",
    "p90",
    "simulated",
)


@pytest.fixture
def actuals(connection: Connection) -> None:
    """A day of actuals of 100 g."""
    copy_rows(
        connection,
        "core.intensity",
        ("period_start", "actual_gco2_kwh"),
        [(T0 + n * HALF_HOUR, ACTUAL) for n in range(48)],
    )


def issue(
    connection: Connection,
    model: str,
    place: int,
    error: float,
    *,
    steps: int = 96,
    band: float | None = 10,
    simulated: bool = False,
    late_minutes: int = 0,
) -> None:
    """A forecast that starts so many half-hours after T0, off by `error` everywhere."""
    start = T0 + place * HALF_HOUR
    issued_at = start - late_minutes * HALF_HOUR / 30
    median = ACTUAL + error
    copy_rows(
        connection,
        "forecast.predictions",
        COLUMNS,
        [
            (
                model,
                "carbon_intensity",
                start + n * HALF_HOUR,
                issued_at,
                issued_at,
                band and median - band,
                median,
                band and median + band,
                simulated,
            )
            for n in range(steps)
        ],
    )


def lines(connection: Connection) -> list[str]:
    found = list(comparison.table(connection, NOW))
    assert all(len(line) <= 90 for line in found)
    return found


def cells(table: list[str]) -> dict[str, list[str]]:
    """The cells of each model's line."""
    header = next(place for place, line in enumerate(table) if line.startswith("  model "))
    models = [line for line in table[header + 1 :] if re.search(r"  +\S+$", line)]
    return {
        found[1]: found[2].split()
        for line in models
        if (found := re.fullmatch(r"  (\S+(?: \(simulated\))?)  +(.*)", line))
    }


def test_every_model_is_measured_on_the_forecasts_that_all_have(
    connection: Connection, actuals: None
) -> None:
    for place in (0, 6, 12):
        issue(connection, "chronos:a", place, 5)
        issue(connection, "gradient_boosting", place, -20)
    for place in (0, 6):
        issue(connection, "blend", place, 3)
        # captured before the half-hour at which ours starts, and the newer of two counts
        issue(connection, "neso", place, 50, band=None, simulated=True, late_minutes=25)
        issue(connection, "neso", place, 7, band=None, simulated=True, late_minutes=18)
    issue(connection, "seasonal_naive", 6, 40, steps=12)  # too few to narrow what is compared
    issue(connection, "seasonal_naive", 12, 800, steps=6)  # does not count: others lack it
    table = lines(connection)
    found = cells(table)
    assert list(found) == [
        "blend",
        "chronos:a",
        "gradient_boosting",
        "seasonal_naive",
        "neso (simulated)",
    ]
    # the day ends 24 and 21 hours after the two issues
    assert found["blend"] == ["3.0", "3.0", "3.0", "3.0", "-", "100", "%", "90"]
    assert found["gradient_boosting"] == ["20.0", "20.0", "20.0", "20.0", "-", "0", "%", "90"]
    assert found["chronos:a"] == ["5.0", "5.0", "5.0", "5.0", "-", "100", "%", "90"]
    assert found["seasonal_naive"] == ["40.0", "40.0", "-", "-", "-", "0", "%", "12"]
    assert found["neso (simulated)"] == ["7.0", "7.0", "7.0", "7.0", "-", "-", "90"]
    said = "\n".join(table)
    assert "2 issues from 2026-01-10 00:00Z to 2026-01-10 03:00Z, 48 half-hours." in said
    assert "A model with fewer forecasts is compared on fewer half-hours." in said
    assert "1 day is few" in said
    assert "Simulated forecasts say nothing about" in said


def test_a_model_whose_forecasts_have_not_come_true_has_dashes(
    connection: Connection, actuals: None
) -> None:
    issue(connection, "chronos:a", 0, 5)
    issue(connection, "neso", 60, 5, band=None)
    table = lines(connection)
    assert cells(table)["neso"] == ["-"] * 6 + ["0"]
    assert cells(table)["chronos:a"][-1] == "48"
    assert "  A dash: no forecast of that model has come true yet." in table
    assert "  Each model is compared on the same forecasts." in table
    assert "simulated" not in "\n".join(table).lower()


def test_without_a_score_there_is_no_table(connection: Connection) -> None:
    said = ["No forecast has come true yet, so there are no errors to compare."]
    assert lines(connection) == said
    issue(connection, "chronos:a", 0, 5)
    assert lines(connection) == said


def test_simulated_datasets_of_the_outlook_are_named_and_so_are_the_others(
    connection: Connection, actuals: None
) -> None:
    issue(connection, "blend", 0, 5)
    for source, simulated in (
        ("elexon_windfor", False),
        ("elexon_ndf", True),
        ("neso_day_ahead_demand", True),
        ("neso_day_ahead_wind", True),
        ("neso_embedded", False),
        ("neso_embedded", True),
    ):
        values: dict[str, Any] = {
            "source": source,
            "at": T0 + simulated * HALF_HOUR,
            "simulated": simulated,
        }
        connection.execute(
            "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, "
            "starts_at, simulated, value_mw) VALUES ('wind_mw', %(source)s, %(at)s, %(at)s, "
            "%(at)s, %(at)s, %(simulated)s, '{1}')",
            values,
        )
    said = " ".join("\n".join(lines(connection)).split())
    assert (
        "Of the outlook that models saw, simulated: Elexon NDF, NESO day-ahead demand, "
        "NESO day-ahead wind, NESO embedded forecast. As published: Elexon WINDFOR." in said
    )

"""From publications to `raw`, in a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from grid_assets.halfhours import HALF_HOUR
from grid_assets.outlook.load import (
    PublicationUnusable,
    load_elexon_generation,
    load_embedded_generation,
    load_outlook,
)
from grid_assets.sources.publication import Publication
from grid_assets.telemetry.load import Capture
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR, T0, Half, Load, publication

SEEN = T0 + HOUR


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT captured_at, values_mw FROM raw.outlook_publications ORDER BY 1"
    ).fetchall()


def test_a_publication_is_one_row_and_the_view_shows_it_as_published(
    connection: Connection, load: Load
) -> None:
    first = T0 - 2 * HOUR
    hourly = publication(
        T0, [7000, None, 8000.5], source="elexon_windfor", series="wind_mw", first=first, minutes=60
    )
    assert load(hourly, at=SEEN, simulated=True) == 1
    assert connection.execute("SELECT * FROM raw.outlook ORDER BY period_start").fetchall() == [
        ("elexon_windfor", "wind_mw", T0, SEEN, first, 7000, 60, True),
        ("elexon_windfor", "wind_mw", T0, SEEN, first + 2 * HOUR, 8000.5, 60, True),
    ]


def test_only_a_change_adds_a_row(connection: Connection, load: Load) -> None:
    same, other = publication(T0, [1, None, 3]), publication(T0, [1, 2, 3])
    assert [load(one, at=SEEN + n * HOUR) for n, one in enumerate((same, same, other, same))] == [
        1,
        0,
        1,
        1,
    ]
    assert [values for _, values in stored(connection)] == [[1, None, 3], [1, 2, 3], [1, None, 3]]
    moved = publication(T0, [1, None, 3], first=T0 + HOUR)
    assert load(moved, at=SEEN + 4 * HOUR) == 1


def test_a_publication_that_was_captured_earlier_takes_its_place(
    connection: Connection, load: Load
) -> None:
    assert load(publication(T0, [2]), at=SEEN + HOUR) == 1
    assert load(publication(T0, [2]), at=SEEN) == 0  # as the one after it
    assert load(publication(T0, [1]), at=SEEN) == 1
    assert load(publication(T0, [2]), at=SEEN + 2 * HOUR) == 0
    assert [values for _, values in stored(connection)] == [[1], [2]]


def test_publications_of_several_series_and_sources_are_loaded_at_once(
    connection: Connection,
) -> None:
    captures = [
        Capture(
            [
                publication(T0, [1, 2]),
                publication(T0, [1, 2]),  # windows of requests share their edges
                publication(T0, [3], source="neso_embedded", series="embedded_solar_mw"),
            ],
            SEEN,
        ),
        Capture([publication(T0, [4], source="neso_day_ahead_demand")], SEEN + HALF_HOUR),
    ]
    assert load_outlook(connection, captures) == 3


def test_a_publication_without_values_adds_nothing(connection: Connection, load: Load) -> None:
    assert load(publication(T0, [None, None]), publication(T0, [])) == 0


@pytest.mark.parametrize(
    ("minutes", "labels", "fault"),
    [
        (60, [T0, T0 + HALF_HOUR], "2026-01-10T00:30Z, which is not a whole number of 60 minutes"),
        (30, [T0, T0 + timedelta(days=32)], "more than 31 days"),
        (30, [T0, T0.replace(year=9000)], "more than 31 days"),
    ],
)
def test_labels_that_are_no_steps_are_refused(
    connection: Connection, minutes: Any, labels: list[Any], fault: str
) -> None:
    odd = Publication("elexon_ndf", "demand_mw", T0, minutes, dict.fromkeys(labels, 1.0))
    with pytest.raises(PublicationUnusable, match=fault):
        load_outlook(connection, [Capture([odd], SEEN)])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("series", "price"),
        ("minutes", 15),
        ("first_label", T0 + timedelta(minutes=10)),
        ("values_mw", [[1, 2], [3, 4]]),
        ("values_mw", []),
        ("values_mw", [1] * 1489),
    ],
)
def test_another_program_can_load_nothing_else(
    connection: Connection, column: str, value: Any
) -> None:
    row = {
        "source": "elexon_ndf",
        "series": "demand_mw",
        "published_at": T0,
        "captured_at": SEEN,
        "first_label": T0,
        "minutes": 30,
        "values_mw": [1],
    }
    insert = psycopg.sql.SQL("INSERT INTO raw.outlook_publications ({}) VALUES ({})").format(
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row)),
        psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, row)),
    )
    connection.execute(insert, row)
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(insert, row | {"captured_at": T0, column: value})


# Generation


def test_generation_is_a_change_log(connection: Connection) -> None:
    def load(captured_at: Any, generation: dict[str, int], **rest: Any) -> int:
        row = Half(T0, generation, **rest)
        added = load_elexon_generation(connection, [Capture([row], captured_at)])
        connection.execute("DROP TABLE staged")
        return added

    assert load(SEEN, {"WIND": 5, "CCGT": 7}, published_at=T0 + HALF_HOUR) == 1
    # neither the order of the fuels nor the time of publication is a change
    assert load(SEEN + HOUR, {"CCGT": 7, "WIND": 5}, published_at=T0 + HOUR) == 0
    assert load(SEEN + HOUR, {"CCGT": 7, "WIND": 5}, demand_mw=20_000) == 1
    assert load(SEEN + 2 * HOUR, {"CCGT": 8, "WIND": 5}, demand_mw=20_000) == 1
    assert connection.execute(
        "SELECT published_at, generation_mw, demand_mw FROM raw.elexon_generation ORDER BY arrival"
    ).fetchall() == [
        (T0 + HALF_HOUR, {"WIND": 5, "CCGT": 7}, None),
        (None, {"WIND": 5, "CCGT": 7}, 20_000),
        (None, {"WIND": 5, "CCGT": 8}, 20_000),
    ]


def test_embedded_generation_is_a_change_log_and_replays_take_their_place(
    connection: Connection,
) -> None:
    def load(captured_at: Any, wind: int | None, solar: int | None, **options: Any) -> int:
        row = Half(T0, embedded_wind_mw=wind, embedded_solar_mw=solar)
        added = load_embedded_generation(connection, [Capture([row], captured_at)], **options)
        connection.execute("DROP TABLE staged")
        return added

    assert load(SEEN, 1, 2) == 1
    assert load(SEEN + HOUR, 1, 2) == 0
    assert load(SEEN + HOUR, 1, None) == 1
    assert load(SEEN - HALF_HOUR, 9, 9, replayed=True) == 1
    newest = "SELECT embedded_wind_mw FROM raw.embedded_generation ORDER BY arrival, captured_at"
    assert connection.execute(newest).fetchall() == [(9,), (1,), (1,)]

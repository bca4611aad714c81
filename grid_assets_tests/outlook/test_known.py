"""The outlook of many issues at once, as models get it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from grid_assets.halfhours import DAY, HALF_HOUR
from grid_assets.outlook.known import MOST_BEFORE, read_known_outlook
from grid_assets.series import OUTLOOK
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR, T0, Load, Publish, publication


def test_each_issue_gets_what_was_known_at_its_time(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(*(publication(T0 + n * HOUR, 30_000 + n) for n in range(9)))
    solar_values = [0, 5, None, 7]
    load(
        publication(T0 + 2 * HOUR, solar_values, source="neso_embedded", series="embedded_solar_mw")
    )
    publish()
    issues = [T0 + 5 * HOUR, T0 - HOUR, T0 + 2 * HOUR]
    found = read_known_outlook(connection, issues, before=8, after=6)
    assert found.shape == (3, 4, 14)
    assert found.dtype == np.float32
    demand, solar = OUTLOOK.index("demand_mw"), OUTLOOK.index("embedded_solar_mw")
    nan = np.nan
    expected = np.full((3, 4, 14), nan)
    expected[0, demand] = [1, 1, 2, 2, 3, 3, 4, 4, *[5] * 6]
    expected[0, solar] = [nan, nan, 0, 5, nan, 7, *[nan] * 8]
    expected[2, demand] = [nan, nan, nan, nan, 0, 0, 1, 1, *[2] * 6]
    expected[2, solar] = [*[nan] * 8, 0, 5, nan, 7, nan, nan]
    expected[:, demand] += 30_000
    np.testing.assert_array_equal(found, expected)


def test_nothing_later_than_the_issue_counts(
    connection: Connection, load: Load, publish: Publish
) -> None:
    at = T0 + 10 * HOUR
    load(*(publication(T0 + n * HOUR, 30_000 + n) for n in range(11)))
    publish()
    before = read_known_outlook(connection, [at], 336, 96)
    load(publication(at + timedelta(seconds=1), 50_000))
    load(publication(T0 + 9 * HOUR, 40_000), at=at + timedelta(seconds=1))
    load(publication(at, 29_000, source="neso_day_ahead_demand"), at=at + DAY)  # loses to NDF
    publish()
    np.testing.assert_array_equal(read_known_outlook(connection, [at], 336, 96), before)


def test_a_suspect_publication_counts_only_while_there_is_no_other(
    connection: Connection, load: Load, publish: Publish
) -> None:
    """It also reaches further than the others, and is as wrong there."""
    demand = OUTLOOK.index("demand_mw")
    load(
        *(publication(T0 + n * HOUR, 30_000) for n in range(2)), publication(T0 + 2 * HOUR, 15_000)
    )
    publish()
    at = T0 + 2 * HOUR
    ahead = read_known_outlook(connection, [at], 4, 96)[0, demand, 4:]
    reached = 96 - 2  # the one before began an hour earlier
    np.testing.assert_array_equal(ahead, [*[30_000] * reached, *[np.nan] * (96 - reached)])

    # a second one confirms the fall
    load(publication(T0 + 3 * HOUR, 15_000))
    publish()
    ahead = read_known_outlook(connection, [T0 + 3 * HOUR], 4, 96)[0, demand, 4:]
    np.testing.assert_array_equal(ahead, [15_000] * 96)

    # all of a source whose clock is wrong are suspect
    load(publication(T0 + 200 * HOUR, 28_000), at=T0 + 190 * HOUR)
    publish()
    ahead = read_known_outlook(connection, [T0 + 200 * HOUR], 4, 96)[0, demand, 4:]
    np.testing.assert_array_equal(ahead, [28_000] * 96)


def test_an_issue_that_cannot_be_answered_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="more than 384"):
        read_known_outlook(connection, [T0], MOST_BEFORE + 1, 96)
    with pytest.raises(ValueError, match="not the start of a half-hour"):
        read_known_outlook(connection, [T0, T0 + HALF_HOUR / 2], 336, 96)


def test_no_issue_has_no_rows(connection: Connection) -> None:
    assert read_known_outlook(connection, [], 336, 96).shape == (0, 4, 432)

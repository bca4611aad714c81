"""Regions for the tests of the page: a newest half-hour, its mix and a forecast of each."""

from __future__ import annotations

from datetime import datetime

import psycopg
from pydantic import SecretStr

from grid_assets.halfhours import DAY, HALF_HOUR, floor
from grid_assets_tests.forecasting.regions.captured import capture, estimate


def value(region: int, at: datetime) -> float:
    """Carbon intensity of a region at a half-hour; each region is greenest at another hour."""
    hour = at.hour + at.minute / 60
    return round(60.3 + 9 * region + 4.7 * abs((hour - region + 12) % 24 - 12), 1)


def fill(url: SecretStr, now: datetime) -> None:
    """As a pipeline would have left them by `now`, with errors of two models of one region."""
    first = floor(now)
    with psycopg.connect(url.get_secret_value()) as connection:
        estimate(connection, first - DAY, first + HALF_HOUR, value)
        connection.execute(
            "UPDATE core.regional_intensity SET intensity_index = "
            "(ARRAY['very low', 'low', 'moderate', 'high', 'very high'])[1 + region_id / 4]"
        )
        connection.execute(
            "INSERT INTO core.regional_mix (region_id, period_start, gas_pct, wind_pct) "
            "SELECT region_id, period_start, 40.5 - region_id, 30 + region_id "
            "FROM core.regional_intensity"
        )
        capture(connection, first, value)
        connection.execute(
            "INSERT INTO forecast.regional_accuracy VALUES "
            "('neso', 13, %s, '0-3h', 10, 55, -3, 1000, NULL, false)",
            [now.date() - DAY],
        )

"""Takes single forecasts out of `forecast.archive`, which nothing in the product does."""

from __future__ import annotations

from typing import Any

import psycopg
from pydantic import SecretStr

FORGET = """
UPDATE forecast.archive AS a
SET below[s.ordinal][%(step)s] = NULL, p50[s.ordinal][%(step)s] = NULL,
    above[s.ordinal][%(step)s] = NULL
FROM forecast.series AS s
WHERE s.series = %(series)s AND a.model = %(model)s AND a.issued_at = %(issued_at)s
"""


def forget(url: SecretStr, where: str, *values: Any) -> int:
    """Remove the rows of `forecast.predictions` that meet a condition; returns their number."""
    with psycopg.connect(url.get_secret_value()) as connection:
        found = connection.execute(
            b"SELECT model, series, issued_at, period_start, "
            b"1 + floor(extract(epoch FROM period_start - issued_at) / 1800)::integer "
            b"FROM forecast.predictions WHERE " + where.encode(),
            values or None,
        ).fetchall()
        for model, series, issued_at, start, step in found:
            names = {"model": model, "series": series, "issued_at": issued_at, "step": step}
            connection.execute(FORGET, names)
            connection.execute(
                "DELETE FROM forecast.latest WHERE (model, series, issued_at, period_start) "
                "= (%s, %s, %s, %s)",
                [model, series, issued_at, start],
            )
        return len(found)

"""The serving benchmark measures what it claims to; only waiting times are asserted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf

import pytest
from pydantic import SecretStr

from bench import naive
from bench.readers import ask, asking, quantile, questions
from bench.results import BenchError
from bench.sizes import Sizes
from bench.writer import catch_up
from bench.years import MODEL, build
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.connection import connect

NewDatabase = Callable[[str | None], SecretStr]
TINY = Sizes(short_history_days=3, forecast_days=1)


def test_ours_and_the_naive_design_give_the_same_answers_and_a_difference_is_an_error(
    new_database: NewDatabase,
) -> None:
    now = floor(datetime.now(UTC))
    url = new_database(None)
    build(url, now - 2 * HALF_HOUR, TINY)
    assert catch_up(url, now) == 3
    naive.copy_to_naive(url)

    times = naive.naive_times(url, 30)

    assert set(times) == set(questions("reporting"))
    assert max(times.values()) < inf
    assert inf in naive.naive_times(url, 0.001).values()  # too slow: no time
    with connect(url) as connection:
        connection.execute(
            "UPDATE naive.predictions SET p50 = p50 + 0.1 WHERE series = 'carbon_intensity'"
        )
    with pytest.raises(BenchError, match="actual_vs_predicted_24h: the naive design has"):
        naive.naive_times(url, 30)
    with connect(url) as connection:
        connection.execute("TRUNCATE core.intensity, core.generation_mix")
    with pytest.raises(BenchError, match="telemetry_24h has no rows"):
        naive.naive_times(url, 30)


def test_the_same_forecasts_are_made_each_time_and_are_further_off_the_further_ahead(
    new_database: NewDatabase,
) -> None:
    end = datetime(2026, 3, 2, 23, tzinfo=UTC)
    url, again = new_database(None), new_database(None)
    build(url, end, TINY)
    build(again, end, TINY)

    assert content(url) == content(again)
    with connect(url) as connection:
        incomplete = connection.execute(
            "SELECT issued_at FROM forecast.predictions WHERE model = %s "
            "GROUP BY issued_at HAVING count(*) <> 960 OR "
            "max(period_start) <> issued_at + interval '47 hours 30 minutes' OR "
            "sum(p50) FILTER (WHERE series <> 'carbon_intensity') <> 9600",
            [MODEL.model],
        ).fetchall()
        errors = connection.execute(
            "SELECT sum(mae * n) / sum(n) FROM reporting.forecast_accuracy "
            "WHERE model = %s AND series = 'carbon_intensity' "
            "GROUP BY lead_bucket ORDER BY array_position("
            "ARRAY['0-3h', '3-6h', '6-12h', '12-24h', '24-48h'], lead_bucket)",
            [MODEL.model],
        ).fetchall()
    assert incomplete == []
    assert len(errors) == 5
    assert errors == sorted(errors)


def content(url: SecretStr) -> list[object]:
    """How many rows each table has, and a sum over all of their text."""
    found: list[object] = []
    with connect(url) as connection:
        for table in ("raw.neso_forecast", "forecast.predictions", "forecast.accuracy"):
            found += connection.execute(
                f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} AS t"  # noqa: S608
            ).fetchall()
    return found


def test_a_query_that_waits_for_a_connection_counts_its_waiting(server: SecretStr) -> None:
    """Some 20 queries of 100 ms arrive in a second for one connection: the last waits a second.

    The schedule does not wait for answers, and no query that is late is dropped at the end.
    """
    slow = {"slow": "SELECT pg_sleep(0.1)"}
    with asking(server, slow, 1, connections=1, per_second=20) as latencies:
        answered = latencies()["slow"]

    assert len(answered) == 20
    assert min(answered) >= 100
    assert max(answered) > 100 * len(answered) - 1000


def test_every_query_is_asked_and_its_latencies_are_its_own(server: SecretStr) -> None:
    texts = {"slow": "SELECT pg_sleep(0.2)", "quick": "SELECT ':quick', '2026-01-01'::date"}

    answered = ask(server, texts, 1)

    assert min(answered["slow"]) >= 200 > quantile(answered["quick"], 0.5)


def test_a_reader_whose_query_fails_is_no_time(server: SecretStr) -> None:
    with pytest.raises(BenchError, match="nowhere"):
        ask(server, {"fine": "SELECT 1", "broken": "SELECT * FROM nowhere"}, 1)


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert quantile([7.0], 0.95) == 7.0

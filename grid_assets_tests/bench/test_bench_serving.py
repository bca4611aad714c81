"""The serving benchmark measures what it says; no time is asserted here but that of waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from pydantic import SecretStr

from bench import naive, open_loop
from bench.open_loop import Load, arrivals, ask, quantile
from bench.questions import QUESTIONS
from bench.results import BenchError
from bench.serving_data import MODEL, Span, build, catch_up
from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.warehouse.connection import connect

NewDatabase = Callable[[str | None], SecretStr]


def say(line: str) -> None:
    """Progress is for people."""


def built(url: SecretStr, end: datetime) -> SecretStr:
    build(url, Span(end, history_days=3, forecast_days=1, vintage_days=1), say)
    return url


def test_ours_and_the_naive_design_give_the_same_answers_and_a_difference_is_an_error(
    new_database: NewDatabase,
) -> None:
    now = floor(datetime.now(UTC))
    url = built(new_database(None), now - 2 * HALF_HOUR)
    assert catch_up(url, (MODEL,), now) == 3
    naive.copy_to_naive(url)

    times = naive.naive_times(url, MODEL, 30, say)

    assert set(times) == {question.name for question in QUESTIONS}
    assert all(took is not None for took in times.values())
    assert None in naive.naive_times(url, MODEL, 0.001, say).values()  # too slow: no time
    with connect(url) as connection:
        connection.execute(
            "UPDATE naive.predictions SET p50 = p50 + 0.1 WHERE series = 'carbon_intensity'"
        )
    with pytest.raises(BenchError, match="actual_vs_predicted_24h: the naive design has"):
        naive.naive_times(url, MODEL, 30, say)


def test_the_same_forecasts_are_made_each_time_and_are_further_off_the_further_ahead(
    new_database: NewDatabase,
) -> None:
    end = datetime(2026, 3, 2, 23, tzinfo=UTC)
    url, again = (built(new_database(None), end) for _ in range(2))

    assert content(url) == content(again)
    with connect(url) as connection:
        incomplete = connection.execute(
            "SELECT issued_at FROM forecast.predictions WHERE model = %s "
            "GROUP BY issued_at HAVING count(*) <> 960 OR "
            "max(period_start) <> issued_at + interval '47 hours 30 minutes' OR "
            "sum(p50) FILTER (WHERE series <> 'carbon_intensity') <> 9600",
            [MODEL],
        ).fetchall()
        errors = connection.execute(
            "SELECT sum(mae * n) / sum(n) FROM reporting.forecast_accuracy "
            "WHERE model = %s AND series = 'carbon_intensity' "
            "GROUP BY lead_bucket ORDER BY array_position("
            "ARRAY['0-3h', '3-6h', '6-12h', '12-24h', '24-48h'], lead_bucket)",
            [MODEL],
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
    """Some 20 queries of 100 ms arrive in a second for one connection: the last waits a second."""
    load = Load(connections=1, per_second=20)

    answered = ask(server.get_secret_value(), {"slow": "SELECT pg_sleep(0.1)"}, load, 1)["slow"]

    assert len(answered) == len(list(arrivals(load, ["slow"], 1)))
    assert min(answered) >= 100
    assert max(answered) > 100 * len(answered) - 1000


def test_a_query_that_is_not_answered_counts_with_what_it_has_waited(
    server: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_loop, "OVERTIME_S", 0.5)
    planned = [(0.1, "stuck"), (0.2, "stuck")]

    async def served() -> open_loop.Latencies:
        url = server.get_secret_value()
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await open_loop.served([connection], {"stuck": "SELECT pg_sleep(60)"}, planned)

    assert asyncio.run(served())["stuck"] == pytest.approx([600, 500], abs=250)


def test_arrivals_are_fixed_in_advance_and_every_query_is_asked_equally_often() -> None:
    planned = list(arrivals(Load(per_second=40), ["a", "b", "c"], 60))

    assert planned == list(arrivals(Load(per_second=40), ["a", "b", "c"], 60))
    assert planned != list(arrivals(Load(per_second=40, seed=5), ["a", "b", "c"], 60))
    assert len(planned) == pytest.approx(40 * 60, rel=0.1)
    counts = Counter(name for _, name in planned).values()
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("text", ["SELECT * FROM nowhere", "SELECT 1 WHERE false"])
def test_a_reader_whose_query_fails_or_finds_nothing_is_no_time(
    server: SecretStr, text: str
) -> None:
    with pytest.raises(BenchError, match=r"nowhere|has no rows"):
        ask(server.get_secret_value(), {"broken": text}, Load(connections=2), 1)


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert quantile([7.0], 0.95) == 7.0

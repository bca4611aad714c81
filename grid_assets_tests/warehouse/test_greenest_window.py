"""The greenest window: equal to an exhaustive search, strict about its arguments, and quick."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from jinja2 import Environment, FileSystemLoader
from psycopg import errors, sql
from pydantic import SecretStr

from grid_assets.halfhours import HALF_HOUR, floor
from grid_assets.series import MODELS, model_place
from grid_assets.warehouse.connection import Connection
from grid_assets.warehouse.statements import sql_dir
from grid_assets_tests import shared_warehouse

one_warehouse = shared_warehouse.one_warehouse


Window = list[tuple[datetime, Any]]

T = datetime(2026, 3, 29, 0, tzinfo=UTC)  # clocks change in London, which is nothing to a forecast
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FAR = floor(datetime.now(UTC)) + timedelta(minutes=30)  # the latest time that counts as issued
CHRONOS = "chronos:some"
QUANTILES = ("p10", "p50", "p90")


@pytest.fixture
def connection(one_warehouse: SecretStr) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with psycopg.connect(one_warehouse.get_secret_value()) as connection:
        yield connection
        connection.rollback()


def put(
    connection: Connection,
    values: Sequence[Any],
    issued_at: datetime = T,
    *,
    model: str = CHRONOS,
    refused: bool = False,
    band: bool = True,
) -> None:
    """One issue: `values` are medians, or (p10, p50, p90); None is a hole."""
    if model != "neso":
        connection.execute(
            "INSERT INTO forecast.models (model, revision, source) VALUES (%s, 'r1', 'here') "
            "ON CONFLICT DO NOTHING",
            [model],
        )
    connection.execute(
        "INSERT INTO forecast.issues (model, issued_at, created_at, revision, context_missing, "
        "context_assumed, known_by, refused_reason) VALUES (%s, %s, %s, 'r1', 0, 0, 'capture', %s)",
        [model, issued_at, issued_at, "no telemetry" if refused else None],
    )
    first = issued_at if issued_at.minute in (0, 30) else T
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, "
            "p10, p50, p90) VALUES (%s, 'carbon_intensity', %s, %s, %s, %s, %s, %s)",
            [
                (model, first + step * HALF_HOUR, issued_at, issued_at, *_quantiles(value, band))
                for step, value in enumerate(values)
                if value is not None
            ],
        )


def _quantiles(value: Any, band: bool) -> tuple[Any, Any, Any]:
    if isinstance(value, tuple):
        return value
    return (value, value, value) if band else (None, value, None)


def ask(connection: Connection, duration: timedelta, deadline: datetime, **more: Any) -> Window:
    arguments = {"duration": duration, "deadline": deadline, **more}
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name))
        for name in arguments
    )
    query = sql.SQL("SELECT period_start, gco2_kwh FROM reporting.greenest_window({})").format(
        named
    )
    return connection.execute(query, arguments).fetchall()


def starts(window: Window) -> list[float]:
    """Hours after T at which the half-hours of a window start."""
    return [(at - T) / HOUR for at, _ in window]


# Equal to brute force.


def brute_force(
    newest: dict[datetime, Decimal],
    duration: timedelta,
    earliest: datetime,
    deadline: datetime,
    contiguous: bool,
) -> Window:
    """Every choice looked at: `newest` holds the candidates' values by start."""
    count = math.ceil(duration / HALF_HOUR)
    fit = sorted(at for at in newest if at >= earliest and at + HALF_HOUR <= deadline)
    if not contiguous:
        best = sorted(sorted(fit, key=lambda at: (newest[at], at))[:count])
        return [(at, newest[at]) for at in best] if len(best) == count else []
    runs = [[at + n * HALF_HOUR for n in range(count)] for at in fit]
    whole = [run for run in runs if set(run) <= set(fit)]
    if not whole:
        return []
    chosen = min(whole, key=lambda run: (sum(newest[at] for at in run), run[0]))
    return [(at, newest[at]) for at in chosen]


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_looking_at_every_choice_finds(connection: Connection, seed: int) -> None:
    """Several issues with holes, missing bands and many ties; questions of all kinds."""
    chance = random.Random(seed)
    newest: dict[datetime, tuple[Any, Any, Any]] = {}
    issued_at = T
    for _ in range(chance.randint(1, 4)):
        values: list[Any] = []
        for step in range(96):
            low = Decimal(chance.randint(5, 9))
            row = (low, low + chance.randint(0, 3), low + 3 + chance.randint(0, 2))
            banded = row if chance.random() < 0.9 else (None, row[1], None)
            # a hole of one issue is open where no older issue has the half-hour
            values.append(banded if chance.random() < 0.94 else None)
            if values[-1] is not None:
                newest[issued_at + step * HALF_HOUR] = banded
        put(connection, values, issued_at)
        issued_at += chance.choice([1, 3, 7]) * HALF_HOUR
    found = 0
    for _ in range(60):
        location = chance.randrange(3)
        candidates = {at: row[location] for at, row in newest.items() if row[location] is not None}
        duration = timedelta(minutes=chance.choice([1, 30, 45, 60, 100, 180, 7 * 60, 24 * 60]))
        earliest = T + timedelta(minutes=chance.randint(-200, 40 * 60))
        deadline = earliest + timedelta(minutes=chance.randint(0, 50 * 60))
        contiguous = chance.random() < 0.5
        answer = ask(
            connection,
            duration,
            deadline,
            earliest=earliest,
            contiguous=contiguous,
            quantile=QUANTILES[location],
            model=CHRONOS,
        )
        assert answer == brute_force(candidates, duration, earliest, deadline, contiguous)
        found += bool(answer)
    assert 15 < found < 60  # neither does nothing fit nor everything


# What each rule does, on forecasts small enough to see.


def test_of_equal_stretches_the_earliest_is_taken_and_a_hole_breaks_one(
    connection: Connection,
) -> None:
    put(connection, [9, 1, None, 1, 5, 2, 4, 4, 2, 4, 4])
    answer = ask(connection, HOUR, T + DAY, earliest=T)
    assert answer == [(T + 3 * HALF_HOUR, 1), (T + 4 * HALF_HOUR, 5)]


def test_split_half_hours_are_the_lowest_in_order_of_time_and_of_equal_ones_the_earliest(
    connection: Connection,
) -> None:
    put(connection, [9, 1, None, 2, 5, 2, 0, 2])
    answer = ask(connection, 2 * HOUR, T + DAY, earliest=T, contiguous=False)
    assert starts(answer) == [0.5, 1.5, 2.5, 3]


@pytest.mark.parametrize(("minutes", "half_hours"), [(1, 1), (30, 1), (31, 2), (45, 2), (90, 3)])
def test_a_duration_is_rounded_up_to_half_hours(
    connection: Connection, minutes: int, half_hours: int
) -> None:
    put(connection, [5] * 10)
    for contiguous in (True, False):
        answer = ask(
            connection, timedelta(minutes=minutes), T + DAY, earliest=T, contiguous=contiguous
        )
        assert len(answer) == half_hours


def test_a_half_hour_counts_if_it_starts_at_earliest_and_ends_by_the_deadline(
    connection: Connection,
) -> None:
    put(connection, [1, 2, 3, 4, 1])
    minute = timedelta(minutes=1)
    assert starts(ask(connection, HALF_HOUR, T + 2 * HOUR, earliest=T)) == [0]
    assert starts(ask(connection, HALF_HOUR, T + 2 * HOUR, earliest=T + minute)) == [0.5]
    late = T + 2.5 * HOUR
    assert starts(ask(connection, HALF_HOUR, late, earliest=T + minute)) == [2]
    assert starts(ask(connection, HALF_HOUR, late - minute, earliest=T + minute)) == [0.5]


def test_the_newest_forecast_of_a_half_hour_counts_even_where_it_lacks_the_quantile(
    connection: Connection,
) -> None:
    put(connection, [5, 1, 1, 4])
    put(connection, [7, (None, 6, None)], T + HALF_HOUR)
    assert ask(connection, HALF_HOUR, T + 1.5 * HOUR, earliest=T) == [(T, 5)]
    cautious = ask(
        connection,
        HALF_HOUR,
        T + DAY,
        earliest=T + HOUR,
        quantile="p90",
    )
    assert cautious == [(T + 1.5 * HOUR, 4)]


def test_a_cautious_quantile_may_choose_another_half_hour(connection: Connection) -> None:
    put(connection, [(5, 10, 90), (9, 20, 30), (1, 30, 60)])
    chosen = {
        name: starts(ask(connection, HALF_HOUR, T + DAY, earliest=T, quantile=name))
        for name in QUANTILES
    }
    assert chosen == {"p10": [1], "p50": [0], "p90": [0.5]}


# Which model.


def test_without_a_model_it_is_the_first_in_the_order_of_models_that_reaches_it(
    connection: Connection,
) -> None:
    def value() -> list[Decimal]:
        return [value for _, value in ask(connection, HALF_HOUR, T + DAY, earliest=T + HOUR)]

    put(connection, [1] * 9, T - timedelta(minutes=18), model="neso", band=False)
    assert value() == [1]
    put(connection, [2] * 9, model="seasonal_naive")
    assert value() == [2]
    put(connection, [6] * 9, T + HALF_HOUR, model="gradient_boosting")
    assert value() == [6]
    put(connection, [3] * 9, model="chronos:old")
    assert value() == [3]
    put(connection, [4] * 9, T + HALF_HOUR, model="chronos:new")
    assert value() == [4]
    put(connection, [], T + HOUR, model="chronos:old", refused=True)
    assert value() == [4]
    put(connection, [5] * 9, model="blend")
    assert value() == [5]
    by_name = ask(connection, HALF_HOUR, T + DAY, earliest=T + HOUR, model="seasonal_naive")
    assert [value for _, value in by_name] == [2]


def test_the_order_of_models_is_the_same_in_sql(connection: Connection) -> None:
    templates = Environment(loader=FileSystemLoader(sql_dir()), autoescape=False)
    place = templates.from_string(
        '{% from "macros.sql" import model_place with context %}SELECT {{ model_place("%s") }}'
    ).render(models=MODELS)
    for model in (*MODELS, "chronos:small", "neso:x", "chronos", "unknown", ""):
        assert connection.execute(place, [model]).fetchone() == (1 + model_place(model),)


def test_a_model_that_no_longer_reaches_the_time_asked_does_not_stand_in_the_way(
    connection: Connection,
) -> None:
    put(connection, [3] * 96, T - 3 * DAY)
    put(connection, [2] * 96, T, model="seasonal_naive")
    assert ask(connection, HALF_HOUR, T + DAY, earliest=T) == [(T, 2)]


# Nothing, and what cannot be asked.


def test_where_nothing_fits_there_is_no_row(connection: Connection) -> None:
    assert ask(connection, HALF_HOUR, T + DAY, earliest=T) == []  # no forecast at all
    put(connection, [1, 2, None, 3])
    for contiguous in (True, False):
        for duration, deadline in (
            (HALF_HOUR, T),
            (HALF_HOUR, T - DAY),
            (2 * HOUR, T + DAY),
            (1000 * DAY, T + DAY),
            (1_000_000 * DAY, T + DAY),
        ):
            assert ask(connection, duration, deadline, earliest=T, contiguous=contiguous) == [], (
                duration,
                deadline,
            )
    assert ask(connection, 1.5 * HOUR, T + DAY, earliest=T) == []  # three, but not in one stretch
    assert ask(connection, HALF_HOUR, T + DAY, earliest=T, model="chronos:unknown") == []


# What comes with an answer, and why there is none.


def details(connection: Connection, duration: timedelta, deadline: datetime, **more: Any) -> Any:
    """The columns after the first two, of the first row."""
    arguments = {"duration": duration, "deadline": deadline, "earliest": T, **more}
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name))
        for name in arguments
    )
    query = sql.SQL("SELECT * FROM reporting.greenest_window({})").format(named)
    return connection.execute(query, arguments).fetchall()[0][2:]


def test_an_answer_has_its_mean_band_origin_and_reach_and_the_saving_against_using_it_at_once(
    connection: Connection,
) -> None:
    put(connection, [(50, 90, 120), (60, 100, 130), (10, 30, 40), (20, 50, 70), (9, 99, 200)])
    minute = timedelta(minutes=1)
    end = T + 2.5 * HOUR
    best = (10, 40, 40, 55, T, CHRONOS, end)  # 40 is the mean of 30 and 50, and 95 of the first two
    assert details(connection, HOUR, T + DAY) == best
    assert details(connection, HOUR, T + DAY, earliest=T - 29 * minute) == best
    cautious = details(connection, HOUR, T + DAY, quantile="p90")
    assert cautious == (10, 40, 55, 70, T, CHRONOS, end)
    apart = details(connection, HOUR, end, earliest=T + minute, contiguous=False)
    assert apart == (10, 40, 40, 25, T, CHRONOS, end)  # from 00:30 on: 100 and 30
    # no forecast of what is used at once, so no saving that could be said
    assert details(connection, HOUR, T + DAY, earliest=T - HOUR)[3] is None
    put(connection, [(1, 29, 41)], T + HOUR)  # a newer forecast of one of the half-hours
    assert details(connection, HOUR, T + DAY) == (1, 41, 39.5, 55.5, T + HOUR, CHRONOS, end)


@pytest.mark.parametrize(
    ("duration", "deadline", "more", "said"),
    [
        (HOUR, T - DAY, {"earliest": T - 2 * DAY}, "is past"),
        (HOUR, FAR + timedelta(minutes=50), {"earliest": FAR}, "later than the deadline"),
        (HOUR, FAR + HOUR, {"earliest": FAR + timedelta(minutes=1)}, "later than the deadline"),
        (HOUR, FAR + 9 * DAY, {"earliest": FAR + 2 * DAY}, "no forecast of any model"),
        (HOUR, FAR + DAY, {"earliest": FAR, "model": "who"}, "no forecast of who"),
        (HOUR, FAR + 9 * DAY, {"earliest": FAR + 2 * DAY, "model": CHRONOS}, "it ends at"),
        (3 * HOUR, FAR + DAY, {"earliest": FAR}, "6 half-hours with a p50 that fit and follow"),
        (HOUR, FAR + DAY, {"earliest": FAR, "quantile": "p90"}, "2 half-hours with a p90"),
        (HALF_HOUR, FAR + 12 * DAY, {"earliest": FAR}, "looked only as far as"),
        (HALF_HOUR, FAR + 2 * HOUR, {"earliest": FAR}, None),
    ],
)
def test_a_notice_says_why_there_is_no_answer_or_only_part_of_one(
    connection: Connection,
    duration: timedelta,
    deadline: datetime,
    more: dict[str, Any],
    said: str | None,
) -> None:
    put(connection, [3, 1, 2, 4], FAR, band=False)
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    answer = ask(connection, duration, deadline, **more)
    assert bool(answer) == (said is None or "looked only" in said)
    assert len(notices) == (said is not None)
    assert all(said in notice for notice in notices if said)


def test_limits_may_be_infinite(connection: Connection) -> None:
    put(connection, [2, 1, 3])
    answer = connection.execute(
        "SELECT period_start FROM reporting.greenest_window('30 minutes', 'infinity', '-infinity')"
    ).fetchall()
    assert answer == [(T + HALF_HOUR,)]


def test_it_looks_from_now_on_by_default(connection: Connection) -> None:
    row = connection.execute("SELECT date_bin('30 minutes', now(), 'epoch')").fetchone()
    assert row is not None
    put(connection, [1, 3, 2], row[0] - HALF_HOUR)
    answer = ask(connection, HALF_HOUR, row[0] + DAY)
    assert answer in ([(row[0] + HALF_HOUR, 2)], [(row[0], 3), (row[0] + HALF_HOUR, 2)])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("'0', now()", "duration of 00:00:00"),
        ("'-1 hour', now()", "duration of -01:00:00"),
        ("'-1 year 361 days', now()", "duration of -1 years +361 days"),
        ("NULL, now()", "duration of null"),
        ("'1 hour', NULL", "deadline"),
        ("'1 hour', now(), NULL", "earliest"),
        ("'1 hour', now(), contiguous => NULL", "contiguous"),
        ("'1 hour', now(), quantile => 'p95'", "quantile 'p95'"),
        ("'1 hour', now(), quantile => 'P50'", "quantile 'P50'"),
        ("'1 hour', now(), quantile => NULL", "quantile null"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_argument_at_fault(
    connection: Connection, arguments: str, named: str
) -> None:
    with pytest.raises(errors.InvalidParameterValue) as refused:
        connection.execute(b"SELECT * FROM reporting.greenest_window(%b)" % arguments.encode())
    assert named in (refused.value.diag.message_primary or "")
    assert refused.value.sqlstate == "22023"


# Rights and speed.


def test_a_reader_may_ask_and_nobody_else(connection: Connection) -> None:
    put(connection, [2, 1])
    answer = connection.execute(
        "SELECT bool_or(grantee = 0), bool_or(grantee = 'grid_reader'::regrole), prosecdef "
        "FROM pg_proc, aclexplode(proacl) WHERE proname = 'greenest_window' GROUP BY prosecdef"
    ).fetchone()
    assert answer == (False, True, True)
    connection.execute("SET ROLE grid_reader")
    assert starts(ask(connection, HALF_HOUR, T + DAY, earliest=T)) == [0.5]


def test_it_reads_a_row_of_each_half_hour_however_many_issues_reach_it(
    connection: Connection,
) -> None:
    """6 days of half-hourly issues; counted are blocks, as times depend on what else runs."""
    put(connection, [1] * 96)
    connection.execute(
        "INSERT INTO forecast.predictions (model, series, period_start, issued_at, created_at, p50)"
        "SELECT %s, 'carbon_intensity', at + step * interval '30 minutes', at, at, 1 "
        "FROM generate_series(%s::timestamptz - interval '6 days', %s - interval '30 minutes', "
        "'30 minutes') AS at, generate_series(0, 95) AS step",
        [CHRONOS, T, T],
    )
    connection.execute("ANALYZE forecast.latest, forecast.issues, forecast.models")
    ask(connection, HOUR, T + DAY, earliest=T)  # reads the catalogue
    for more in ({"contiguous": True}, {"contiguous": False}):
        plan = connection.execute(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
            "SELECT * FROM reporting.greenest_window('2 hours', %s, %s, contiguous => %s)",
            [T + 2 * DAY, T, more["contiguous"]],
        ).fetchone()
        assert plan is not None
        blocks = plan[0][0]["Plan"]["Shared Hit Blocks"] + plan[0][0]["Plan"]["Shared Read Blocks"]
        # 96 half-hours, each with at most three levels of index, a leaf to its right and a row
        assert blocks < 96 * 6, blocks

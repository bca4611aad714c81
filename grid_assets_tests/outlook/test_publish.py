"""From `raw` to `core.outlook`, and what was known when, in a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from grid_assets.halfhours import DAY, HALF_HOUR, Window
from grid_assets.outlook.publish import publish_outlook
from grid_assets.warehouse.connection import Connection
from grid_assets_tests.outlook.conftest import HOUR, MONTH, NOW, T0, Load, Publish, publication

Known = Callable[..., dict[datetime, float]]


def core(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT known_from, starts_at, suspect, value_mw FROM core.outlook "
        "ORDER BY series, source, published_at, captured_at"
    ).fetchall()


# Publishing


def test_a_publication_is_published_in_half_hours_that_had_not_begun(
    connection: Connection, load: Load, publish: Publish
) -> None:
    at = T0 + timedelta(minutes=40)
    load(
        publication(
            at, [1000, 2000, 3000], source="elexon_windfor", series="wind_mw", first=T0 + HOUR,
            minutes=60,
        )
    )  # fmt: skip
    assert publish().written == 1
    # the first hour began at T0, its second half at T0 + 30 min
    assert core(connection) == [(at, T0 + HOUR, False, [1750, 2250, 2750, 3000])]


def test_publishing_again_rewrites_only_what_changed(load: Load, publish: Publish) -> None:
    load(*(publication(T0 + n * HOUR, 30_000 + n) for n in range(5)))
    assert (publish().read, publish().written) == (5, 0)
    load(publication(T0 + 2 * HOUR, 31_000), at=T0 + 9 * HOUR)
    assert publish().written == 1
    load(publication(T0 + 5 * HOUR, 31_000))
    half = Window(T0 + 3 * HOUR, T0 + 6 * HOUR)
    assert (publish(half).written, publish().written) == (1, 0)


def test_only_the_window_is_published(connection: Connection, load: Load, publish: Publish) -> None:
    load(*(publication(T0 + n * HOUR, 30_000) for n in range(5)))
    assert publish(Window(T0 + HOUR, T0 + 3 * HOUR)).written == 2
    assert [known_from for known_from, *_ in core(connection)] == [T0 + HOUR, T0 + 2 * HOUR]


def test_a_judge_that_objects_leaves_core_as_it_was(connection: Connection, load: Load) -> None:
    load(publication(T0, 30_000))

    def object_to(judged: Connection) -> None:
        found = judged.execute("SELECT count(*) FROM staged").fetchone()
        raise RuntimeError(f"{found}")

    with pytest.raises(RuntimeError, match="1"):
        publish_outlook(connection, MONTH, NOW, object_to)
    assert core(connection) == []


# From when a publication is known


def test_a_publication_is_known_from_its_publication_even_if_fetched_a_year_later(
    load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0 + timedelta(minutes=18), 30_000), at=T0 + 20 * DAY)
    publish()
    assert known(T0) == {}
    assert len(known(T0 + HALF_HOUR)) == 96


def test_values_that_replaced_others_are_known_from_their_capture(
    load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0, 30_000), at=T0 + HOUR)
    load(publication(T0, 31_000), at=T0 + timedelta(hours=3, minutes=10))
    publish()
    assert set(known(T0 + 3 * HOUR).values()) == {30_000}
    later = known(T0 + 4 * HOUR)
    # half-hours that had begun by then keep what was known before they began
    assert [later[T0 + n * HALF_HOUR] for n in (6, 7, 95)] == [30_000, 31_000, 31_000]


def test_a_publication_stamped_later_than_its_capture_is_known_from_that_and_passed_over(
    connection: Connection, load: Load, publish: Publish, known: Known
) -> None:
    """Its stamp must neither show it early nor make it the newest."""
    load(publication(T0, 30_000))
    load(publication(T0 + 9 * DAY, 40_000, first=T0 + 10 * HOUR), at=T0 + 10 * HOUR)
    publish()
    [reason] = connection.execute("SELECT reason FROM core.outlook WHERE suspect").fetchall()
    assert reason == ("is stamped 8 days later than its capture",)
    assert set(known(T0 + 9 * HOUR).values()) == {30_000}
    later = known(T0 + 11 * HOUR)
    assert later[T0 + 47 * HOUR] == 30_000
    assert later[T0 + 48 * HOUR] == 40_000  # that nothing else covers
    # nothing is compared with it
    load(publication(T0 + 6 * HOUR, 30_500))
    publish()
    assert known(T0 + 11 * HOUR)[T0 + 47 * HOUR] == 30_500


def test_a_capture_stamped_in_the_future_is_known_from_now(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(publication(T0, 30_000), at=T0 + HOUR)
    load(publication(T0, 31_000), at=NOW + DAY)
    publish(now=T0 + 2 * HOUR)
    assert [known_from for known_from, *_ in core(connection)] == [T0, T0 + 2 * HOUR]


def test_a_version_without_half_hours_that_had_not_begun_says_nothing(
    connection: Connection, load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0, 30_000), at=T0 + HOUR)
    load(publication(T0, 31_000), at=T0 + 20 * DAY)
    assert publish().written == 2
    assert core(connection)[1] == (T0 + 20 * DAY, T0 + 20 * DAY, False, [])
    assert set(known(T0 + 20 * DAY).values()) == set()
    assert set(known(T0 + 5 * DAY).values()) == {30_000}


# Suspects


def test_one_bogus_publication_is_passed_over(load: Load, publish: Publish, known: Known) -> None:
    load(*(publication(T0 + n * HOUR, mw) for n, mw in enumerate((30_000, 30_100, 15_000))))
    publish()
    found = known(T0 + 2 * HOUR)
    assert set(found.values()) == {30_000, 30_100, 15_000}
    assert [found[T0 + hours * HOUR] for hours in (2, 48)] == [30_100, 30_100]
    # the last two half-hours: nobody else covers them
    assert [start for start, mw in found.items() if mw == 15_000] == [
        T0 + 49 * HOUR,
        T0 + 49 * HOUR + HALF_HOUR,
    ]


def test_a_true_change_is_accepted_when_a_second_publication_confirms_it(
    load: Load, publish: Publish, known: Known
) -> None:
    for n, mw in enumerate((30_000, 20_000, 20_000)):
        load(publication(T0 + n * HOUR, mw))
        publish(Window(T0 + n * HOUR, T0 + (n + 1) * HOUR))  # as it comes
    assert known(T0 + HOUR)[T0 + 20 * HOUR] == 30_000
    assert known(T0 + 2 * HOUR)[T0 + 20 * HOUR] == 20_000


def test_verdicts_after_a_publication_that_comes_late_are_renewed(
    connection: Connection, load: Load, publish: Publish
) -> None:
    """A backfill brings the issue that confirms the one after it."""
    load(
        publication(T0, 30_000),
        publication(T0 + 2 * HOUR, 20_000),
        publication(T0 + 3 * HOUR, 30_000),
    )
    publish()
    assert [suspect for _, _, suspect, _ in core(connection)] == [False, True, False]
    load(publication(T0 + HOUR, 20_000))
    assert publish(Window(T0 + HOUR, T0 + 2 * HOUR)).written == 3
    assert [suspect for _, _, suspect, _ in core(connection)] == [False, True, False, True]
    publish()
    assert [suspect for _, _, suspect, _ in core(connection)] == [False, True, False, True]


# What was known


def test_past_half_hours_have_the_last_value_before_they_began(
    load: Load, publish: Publish, known: Known
) -> None:
    load(*(publication(T0 + n * HOUR, 30_000 + n) for n in range(6)))
    publish()
    found = known(T0 + 3 * HOUR + HALF_HOUR)
    assert [found[T0 + n * HALF_HOUR] - 30_000 for n in range(9)] == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert max(found) == T0 + 51 * HOUR - HALF_HOUR
    # what is known of a past half-hour never changes
    later = known(T0 + 2 * DAY)
    assert all(later[start] == mw for start, mw in found.items() if start <= T0 + 3 * HOUR)


def test_a_shorter_or_broken_publication_leaves_the_rest_to_the_one_before(
    load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0, [30_000] * 20))
    load(publication(T0 + HOUR, [30_001, None, None, 30_001]))
    load(publication(T0 + 2 * HOUR, [30_002] * 3))
    publish()
    found = known(T0 + 2 * HOUR)
    values = [found[T0 + n * HALF_HOUR] - 30_000 for n in range(20)]
    assert values == [0, 0, 1, 0, 2, 2, 2, *[0] * 13]


def test_after_a_gap_of_a_day_older_publications_fill_what_they_reach(
    load: Load, publish: Publish, known: Known
) -> None:
    """The newest one before the gap is shorter than the one before it."""
    load(publication(T0, [30_000] * 60), publication(T0 + HOUR, [30_001] * 10))
    load(publication(T0 + DAY + HOUR, [30_002] * 4))
    publish()
    found = known(T0 + 2 * DAY)
    values = [found.get(T0 + n * HALF_HOUR, 0) - 30_000 for n in (1, 2, 11, 12, 49, 50, 53, 54, 59)]
    assert values == [0, 1, 1, 0, 0, 2, 2, 0, 0]


def test_the_past_reaches_back_eight_days_and_ten_days_of_publications_count(
    load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0, [30_000] * 480))
    publish()
    found = known(T0 + 9 * DAY)
    assert (min(found), max(found)) == (T0 + DAY, T0 + 7 * DAY - HALF_HOUR)
    assert known(T0 + 10 * DAY) == {}


@pytest.mark.parametrize(
    ("ndf", "day_ahead", "expected"),
    [
        (0, 0, "elexon_ndf"),
        (0, 20, "elexon_ndf"),
        (0, 24, "elexon_ndf"),
        (0, 25, "neso_day_ahead_demand"),  # the preferred one is more than a day older
        (25, 0, "elexon_ndf"),
        (None, 0, "neso_day_ahead_demand"),
    ],
)
def test_the_preferred_source_counts_unless_it_is_a_day_older(
    connection: Connection,
    load: Load,
    publish: Publish,
    ndf: int | None,
    day_ahead: int,
    expected: str,
) -> None:
    at = T0 + 30 * HOUR
    values = {"first": at, "values": [30_000.0] * 10}
    if ndf is not None:
        load(publication(T0 + ndf * HOUR, **values))  # type: ignore[arg-type]
    load(publication(T0 + day_ahead * HOUR, source="neso_day_ahead_demand", **values))  # type: ignore[arg-type]
    publish()
    found = connection.execute(
        "SELECT DISTINCT source FROM core.outlook_as_known_at(%s) WHERE period_start >= %s",
        [at, at],
    ).fetchall()
    assert found == [(expected,)]


def test_a_suspect_of_the_preferred_source_loses_to_another_source(
    connection: Connection, load: Load, publish: Publish
) -> None:
    load(publication(T0, [30_000]), publication(T0 + HOUR, [30_000] * 9))
    load(publication(T0 + 2 * HOUR, 10_000))
    load(publication(T0, 29_000, source="neso_day_ahead_demand"))
    publish()
    found = connection.execute(
        "SELECT DISTINCT source, value_mw, suspect FROM core.outlook_as_known_at(%s) "
        "WHERE period_start >= %s ORDER BY value_mw",
        [T0 + 2 * HOUR, T0 + 4 * HOUR],
    ).fetchall()
    assert found == [
        ("elexon_ndf", 10_000, True),  # beyond the others' end
        ("neso_day_ahead_demand", 29_000, False),
        ("elexon_ndf", 30_000, False),
    ]


def test_a_source_that_is_not_listed_is_kept_and_not_read(
    load: Load, publish: Publish, known: Known
) -> None:
    load(publication(T0, 30_000, source="somebody"))
    assert publish().written == 1
    assert known(T0) == {}


def test_the_function_says_what_a_plain_search_says(
    connection: Connection, load: Load, publish: Publish
) -> None:
    """It reads only some elements; a search through all of them finds the same."""
    for n in range(60):
        at = T0 + n * timedelta(minutes=50)
        holes = [None if (n * step) % 17 == 3 else 30_000 + 100.0 * n + step for step in range(70)]
        load(publication(at, [*holes[: 20 + (n * 7) % 50]]))
        if n % 5 == 0:
            load(publication(at, 14_000 + 31.0 * n, source="neso_day_ahead_demand"))
    publish()
    broken = "SELECT count(*) > 20 FROM core.outlook WHERE NOT is_whole"
    assert connection.execute(broken).fetchone() == (True,)
    for hours in (3, 20, 49, 70):
        at = T0 + hours * HOUR
        both = connection.execute(SEARCH, {"at": at}).fetchone()
        assert both is not None
        assert both[0] == both[1] == both[2] > 40


SEARCH = """
WITH plain AS (
    SELECT DISTINCT ON (period_start) o.series, o.published_at, mw,
           o.starts_at + (n - 1) * interval '30 minutes' AS period_start
    FROM core.outlook AS o JOIN core.outlook_sources AS s USING (series, source)
    CROSS JOIN unnest(o.value_mw) WITH ORDINALITY AS cell (mw, n)
    WHERE o.known_from <= %(at)s AND mw IS NOT NULL
    ORDER BY period_start, o.suspect, o.published_at + s.head_start DESC,
             s.head_start DESC, o.known_from DESC
), ours AS (
    SELECT series, published_at, value_mw, period_start FROM core.outlook_as_known_at(%(at)s)
)
SELECT (SELECT count(*) FROM plain), (SELECT count(*) FROM ours),
       (SELECT count(*) FROM (SELECT * FROM plain INTERSECT SELECT * FROM ours) AS same)
"""


@pytest.mark.parametrize("odd", [[-1.0], [200_000.0], [float("nan")]])
def test_another_program_can_publish_no_impossible_value(
    connection: Connection, odd: list[float]
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO core.outlook (series, source, published_at, captured_at, known_from, "
            "starts_at, value_mw) VALUES ('demand_mw', 'x', %(t)s, %(t)s, %(t)s, %(t)s, %(mw)s)",
            {"t": T0, "mw": odd},
        )

"""Gaps in Elexon's publications: found from the tables by a cycle, and filled from its archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import range_tags
from grid_assets.defs.planning import ELEXON_OUTLOOK, MOST_OUTLOOK, OUTLOOK, PlannedRun, cycle
from grid_assets.defs.resources import Services
from grid_assets.halfhours import DAY, day_start
from grid_assets.outlook import archive
from grid_assets.replay.addresses import ELEXON_PATH, source_urls
from grid_assets.replay.server import ReplayServer
from grid_assets.sources.elexon.payloads import NDF, WINDFOR
from grid_assets.telemetry.due import Range
from grid_assets.warehouse.connection import Connection, connect
from grid_assets_tests import shared_warehouse
from grid_assets_tests.defs.conftest import Tables
from grid_assets_tests.defs.test_automation import tick

Rows = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., dg.ExecuteInProcessResult]
Contents = list[list[tuple[Any, ...]]]

KEYS: Final = [asset.key for asset in ELEXON_OUTLOOK]
HISTORY_DAYS: Final = 8


@contextmanager
def running(url: SecretStr, replay: ReplayServer, home: Path, today: date) -> Iterator[Run]:
    """Runs assets of Elexon as one cycle does, in this process."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("GRID_DATABASE_URL", url.get_secret_value())
        patch.setenv("GRID_API_RETRY_BUDGET_S", "0")
        patch.setenv("GRID_HOME", str(home))
        patch.setenv("GRID_HISTORY_START", str(today - HISTORY_DAYS * DAY))
        patch.setenv("GRID_API_URL", replay.url)
        patch.setenv("GRID_ELEXON_URL", source_urls(replay.url)["elexon_url"])

        def made(
            first: date, last: date, assets: Any = KEYS, trigger: str = "tick"
        ) -> dg.ExecuteInProcessResult:
            return defs.resolve_job_def("telemetry").execute_in_process(
                instance=instance,
                tags=range_tags(first, last, trigger),
                asset_selection=assets,
                raise_on_error=False,
                run_config=QUIET_RUN_CONFIG,
            )

        yield made


@pytest.fixture(scope="module")
def histories(
    server: SecretStr, template: str, replay_server: ReplayServer, kept_home: Path
) -> Iterator[Callable[[date], str]]:
    """The name of a database whose history up to a day was loaded without an outage; one a day."""
    with ExitStack() as made:

        @cache
        def history(today: date) -> str:
            url = made.enter_context(shared_warehouse.copied(server, template))
            with running(url, replay_server, kept_home, today) as run:
                assert run(today - HISTORY_DAYS * DAY, today - DAY, trigger="backfill").success
            with connect(url) as connection:  # forget that days were asked for
                connection.execute("DELETE FROM ops.etl_runs")
            return urlsplit(url.get_secret_value()).path[1:]

        yield history


@pytest.fixture
def warehouse(
    request: pytest.FixtureRequest,
    new_database: Callable[[str | None], SecretStr],
    template: str,
    histories: Callable[[date], str],
    today: date,
) -> SecretStr:
    """The test's own warehouse; with a history if it uses `whole`, else empty."""
    return new_database(histories(today) if "whole" in request.fixturenames else template)


@pytest.fixture
def run(warehouse: SecretStr, replay: ReplayServer, kept_home: Path, today: date) -> Iterator[Run]:
    with running(warehouse, replay, kept_home, today) as made:
        yield made


@pytest.fixture
def whole(rows: Rows, today: date) -> Contents:
    """The contents of the history without an outage."""
    found = contents(rows, today)
    assert len(found[0]) == len(found[1]) > HISTORY_DAYS * 50
    return found


def planned(now: datetime | None = None) -> list[PlannedRun]:
    with Services().open() as services:
        found = cycle(services, now or datetime.now(UTC), "tick")
        return [one for one in found if one.why == "the outlook has a gap"]


def go_through_a_cycle(run: Run, today: date) -> list[Range]:
    """The newest days, then what is planned for the past; returns that."""
    assert run(today - DAY, today, [asset.key for asset in OUTLOOK]).success
    gaps = planned()
    for gap in gaps:
        assert gap.assets == KEYS
        assert run(gap.days.first, gap.days.last, gap.assets).success
    return [gap.days for gap in gaps]


def elexon_requests(replay: ReplayServer) -> Counter[str]:
    counted = replay.control.status()["requests"]
    return Counter({kind: n for kind, n in counted.items() if kind.startswith("elexon")})


CONTENTS: Final = (
    "SELECT source, series, published_at, first_label, minutes, values_mw, simulated "
    "FROM raw.outlook_publications WHERE published_at < %s ORDER BY 1, 2, 3",
    "SELECT source, series, published_at, known_from, starts_at, value_mw, suspect, reason "
    "FROM core.outlook WHERE published_at < %s ORDER BY 1, 2, 3",
)


def contents(rows: Rows, today: date) -> Contents:
    """What the tables hold of publications before today, but for the times of capture."""
    return [rows(query, day_start(today)) for query in CONTENTS]


def forget(rows: Rows, condition: str, *values: Any) -> None:
    for delete in ("DELETE FROM raw.outlook_publications", "DELETE FROM core.outlook"):
        rows(f"{delete} WHERE {condition}", *values)


@pytest.mark.parametrize("hour", [0, 11, 22.25, 23.5])
def test_after_an_outage_of_days_one_cycle_makes_the_tables_those_of_a_run_without_one(
    run: Run, rows: Rows, today: date, replay: ReplayServer, whole: Contents, hour: float
) -> None:
    # Nothing was captured from then on. Late in a day, the day itself lacks little.
    began = day_start(today - 5 * DAY) + timedelta(hours=hour)
    forget(rows, "published_at >= %s", began)
    asked = elexon_requests(replay)
    [filled] = go_through_a_cycle(run, today)
    assert filled == Range(began.date(), today - 2 * DAY)
    count = (filled.last - filled.first).days + 1
    again = elexon_requests(replay) - asked
    assert again["elexon WINDFOR"] == 2
    assert again["elexon NDF"] <= count + 2  # the cycle itself goes back to yesterday, two days
    assert contents(rows, today) == whole

    # nothing is missing, so nothing is asked for
    asked = elexon_requests(replay)
    assert go_through_a_cycle(run, today) == []
    assert set((elexon_requests(replay) - asked).values()) == {1}


@pytest.mark.parametrize("hours", [-3, 0.5, 1.5, 3])
def test_after_a_short_outage_the_cycle_itself_goes_on_where_it_ended(
    run: Run,
    rows: Rows,
    today: date,
    whole: Contents,
    hours: float,  # before yesterday
) -> None:
    yesterday = day_start(today - DAY)
    forget(rows, "published_at >= %s", yesterday - timedelta(hours=hours))
    go_through_a_cycle(run, today)
    assert contents(rows, today) == whole


def test_what_elexon_does_not_have_is_asked_for_again_only_when_its_age_has_doubled(
    run: Run, rows: Rows, today: date, replay: ReplayServer, whole: Contents
) -> None:
    hole = today - 4 * DAY
    forget(rows, "source = %s AND published_at::date = %s", NDF, hole)
    replay.control.fault(
        {"name": "empty_list", "source": "elexon", "path": f"{ELEXON_PATH}/datasets/NDF"}
    )
    assert [gap.days for gap in planned()] == [Range(hole, hole)]
    [gap] = planned()
    assert run(gap.days.first, gap.days.last, gap.assets).success
    replay.control.heal()
    assert go_through_a_cycle(run, today) == []  # late in a day, what is new takes two requests
    asked = elexon_requests(replay)
    assert go_through_a_cycle(run, today) == []
    assert set((elexon_requests(replay) - asked).values()) == {1}

    # two days old when it was asked for
    rows(
        "UPDATE ops.etl_runs SET started_at = %s WHERE partition_end = %s",
        day_start(hole + 2 * DAY),
        hole,
    )
    now = day_start(hole + 4 * DAY)
    assert planned(now - timedelta(minutes=1)) == []
    assert [one.days for one in planned(now + timedelta(minutes=1))] == [Range(hole, hole)]


def test_a_gap_that_fails_lets_others_have_their_turn(
    run: Run, rows: Rows, today: date, tables: Tables, replay: ReplayServer, whole: Contents
) -> None:
    newer, older = today - 3 * DAY, today - 6 * DAY
    for day in (newer, older):
        forget(rows, "published_at::date = %s", day)
    replay.control.fault(
        {"name": "500", "source": "elexon", "path": f"{ELEXON_PATH}/datasets/WINDFOR"}
    )
    [gap] = planned()
    assert gap.days == Range(newer, newer)
    run(newer, newer)
    assert [one.status for one in tables.attempts() if one.asset == "raw.outlook"] == ["failed"]
    assert rows("SELECT count(*) > 0 FROM core.outlook WHERE published_at::date = %s", newer) == [
        (True,)  # NDF was answered
    ]
    assert [one.days for one in planned()] == [Range(older, older)]
    rows("UPDATE ops.etl_runs SET started_at = started_at - interval '10 hours'")
    assert [one.days for one in planned()] == [Range(newer, newer)]


def test_a_cycle_fetches_a_week_of_gaps_at_most_and_nothing_while_elexon_is_off_or_silent(
    run: Run, rows: Rows, today: date, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = today - (MOST_OUTLOOK + 4) * DAY
    monkeypatch.setenv("GRID_HISTORY_START", str(oldest))
    newest = today - 2 * DAY
    # the first back-test of a new warehouse has the outlook of all its days
    assert [one.days for one in planned()] == [Range(oldest, newest)]
    monkeypatch.setenv("GRID_BACKTEST_DAYS", "0")
    week = newest - (MOST_OUTLOOK - 1) * DAY
    taken = [go_through_a_cycle(run, today) for _ in range(3)]
    assert taken == [[Range(week, newest)], [Range(oldest, week - DAY)], []]

    forget(rows, "true")
    rows("DELETE FROM ops.etl_runs")
    assert len(planned()) == 1
    with monkeypatch.context() as off:
        off.setenv("GRID_ELEXON_URL", "")
        off.setenv("GRID_NESO_PORTAL_URL", source_urls(replay.url)["neso_portal_url"])
        assert planned() == []
    replay.control.fault({"name": "500", "source": "elexon"})
    run(today - DAY, today, [asset.key for asset in OUTLOOK])
    assert planned() == []


def test_a_day_is_whole_by_its_publications_and_by_its_silences(
    connection: Connection,
) -> None:
    first = date(2026, 1, 10)
    days = Range(first, first + 4 * DAY)

    def publish(source: str, at: datetime) -> None:
        connection.execute(
            "INSERT INTO raw.outlook_publications VALUES (%s, 'wind_mw', %s, %s, "
            "date_bin('1 hour', %s, '2000-01-01'), 60, false, '{1}')",
            [source, at, at, at],
        )

    start = day_start(first)
    for hours in range(5 * 24):
        at = start + timedelta(hours=hours)
        if hours % 3 == 2 and hours != 2 * 24 + 2:  # 7 of the 8 of the third day
            publish(WINDFOR, at)
        for minute in (16, 46):
            # a silence of three hours over the second midnight, and two half-hours elsewhere
            if not (46 <= hours < 49) and hours != 80:
                publish(NDF, at + timedelta(minutes=minute))

    def lacking() -> dict[str, list[Range]]:
        found: dict[str, list[Range]] = {WINDFOR: [], NDF: []}
        for piece in archive.missing(connection, days, ["elexon"], first + 9 * DAY):
            found[piece.dataset].append(piece.days)
        return found

    assert lacking() == {
        WINDFOR: [Range(first + 2 * DAY, first + 2 * DAY)],  # it has five of the six hours
        NDF: [Range(first + DAY, first + 2 * DAY)],
    }
    connection.execute(
        "DELETE FROM raw.outlook_publications WHERE published_at >= %s", [start + 3 * DAY]
    )
    assert lacking()[NDF][-1] == Range(first + DAY, first + 4 * DAY)


def test_runs_of_a_cycle_over_the_same_days_are_requests_of_their_own(
    run: Run, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_HISTORY_START", str(today - 3 * DAY))
    requests = tick().run_requests
    past = [set(request.asset_selection or ()) for request in requests[1:]]
    assert len(past) == 2  # telemetry with generation, and the outlook
    assert set(KEYS) == past[1]
    assert len({request.run_key for request in requests}) == 3  # Dagster ignores a second one

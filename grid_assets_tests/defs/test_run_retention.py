"""Old Dagster runs go, the state of assets and partitions in the UI stays; on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psycopg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from pydantic import SecretStr

from grid_assets.defs import run_retention
from grid_assets.defs.run_retention import Purged, purge
from grid_assets_tests import shared_warehouse

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-21")
QUIET_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

BEFORE = datetime.now(UTC) - timedelta(days=90)

RESULTS = "SELECT DISTINCT run_id FROM asset_check_executions WHERE partition IS NULL"
BYTES = (
    "SELECT (SELECT sum(length(event)) FROM event_logs)"
    " + (SELECT sum(length(evaluation_event)) FROM asset_check_executions)"
)

FAILING: set[str] = set()
"""Days whose materialisation fails."""


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("good", asset="daily")],
)
def daily(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    if FAILING & set(context.partition_keys):
        raise dg.Failure("it is meant to")
    yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


@dg.asset
def page() -> None:
    """An asset without partitions."""


JOB = dg.define_asset_job("job", [daily])
PAGE_JOB = dg.define_asset_job("page_job", [page])
DEFS = dg.Definitions([daily, page], jobs=[JOB, PAGE_JOB], executor=dg.in_process_executor)


class History:
    """A Dagster instance on PostgreSQL whose runs can be aged."""

    def __init__(self, instance: dg.DagsterInstance, url: SecretStr) -> None:
        self.instance, self.url = instance, url

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def run(self, age_days: int, first: int = 0, last: int = 0, fails: bool = False) -> str:
        """One run over days of January, or of the page without one, made `age_days` ago."""
        tags = {
            "dagster/asset_partition_range_start": f"2024-01-{first:02}",
            "dagster/asset_partition_range_end": f"2024-01-{last or first:02}",
        }
        FAILING.clear()
        FAILING.update({f"2024-01-{first:02}"} if fails else set())
        result = DEFS.resolve_job_def("job" if first else "page_job").execute_in_process(
            instance=self.instance,
            tags=tags if first else {},
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )
        assert result.success is not fails
        self.sql(
            "UPDATE runs SET create_timestamp = %s WHERE run_id = %s",
            (datetime.now(UTC) - timedelta(days=age_days)).replace(tzinfo=None),
            result.run_id,
        )
        return result.run_id

    def runs(self) -> set[str]:
        return {run.run_id for run in self.instance.get_runs()}

    def events(self, run_id: str) -> int:
        [(found,)] = self.sql("SELECT count(*) FROM event_logs WHERE run_id = %s", run_id)
        return int(found)

    def answer(self) -> dict[str, Any]:
        """What the UI shows, computed again from the events."""
        self.instance.wipe_asset_cached_status([daily.key])
        status = get_and_update_asset_status_cache_value(self.instance, daily.key, DAYS)
        assert status is not None
        last = self.instance.get_latest_materialization_event(page.key)
        return {
            "materialised": set(self.instance.get_materialized_partitions(daily.key)),
            "there": set(
                status.deserialize_materialized_partition_subsets(DAYS).get_partition_keys()
            ),
            "failed": set(status.deserialize_failed_partition_subsets(DAYS).get_partition_keys()),
            "page": last and last.run_id,
        }


@contextmanager
def stored_at(url: SecretStr) -> Iterator[dg.DagsterInstance]:
    storage = {"postgres": {"postgres_url": url.get_secret_value()}}
    with dg.instance_for_test(overrides={"storage": storage}) as instance:
        yield instance


@pytest.fixture(scope="module")
def empty(server: SecretStr) -> Iterator[str]:
    """The name of a database with Dagster's tables, to copy from: making them takes a second."""
    with shared_warehouse.copied(server, "template1") as url:
        with stored_at(url):
            pass
        yield urlsplit(url.get_secret_value()).path[1:]


@pytest.fixture
def dagster(new_database: Callable[[str | None], SecretStr], empty: str) -> Iterator[History]:
    url = new_database(empty)
    with stored_at(url) as instance:
        yield History(instance, url)


def test_superseded_runs_go_and_what_the_ui_tells_of_partitions_stays(dagster: History) -> None:
    past = [
        dagster.run(400, 1, 9),  # a history of nine days, of which 5 to 7 are made again
        dagster.run(200, 5, 7),
        dagster.run(150, 7),  # superseded by the one after it
        dagster.run(140, 7),
        dagster.run(130, 10, fails=True),  # superseded by a success
        dagster.run(129, 10),
        dagster.run(120, 11, fails=True),  # never made up for: the UI shows it as failed
        dagster.run(110),
        dagster.run(109),
        dagster.run(100, 12),  # superseded by a run that is young
    ]
    young = [dagster.run(89, 12), dagster.run(80, 13), dagster.run(79, 13), dagster.run(1, 14)]
    before = dagster.answer()
    assert before["failed"] == {"2024-01-11"}
    assert len(before["there"]) == 13
    sizes = {run_id: dagster.events(run_id) for run_id in (*past, *young)}
    assert min(sizes.values()) > 5

    done = purge(dagster.instance, BEFORE)

    gone = {past[n] for n in (2, 4, 7, 9)}
    assert done == Purged(len(past), len(gone))
    assert dagster.runs() == {*past, *young} - gone
    # What is kept of a run for the state of a day: its start, its end and what it made.
    shortened = {past[0]: 9 + 2, past[1]: 3 + 2, past[3]: 1 + 2, past[5]: 1 + 2}
    assert {run_id: dagster.events(run_id) for run_id in sizes} == {
        run_id: 0 if run_id in gone else shortened.get(run_id, size)
        for run_id, size in sizes.items()
    }
    assert dagster.answer() == before
    assert purge(dagster.instance, BEFORE) == Purged(len(past) - len(gone), 0)


def test_a_run_that_is_not_finished_is_never_deleted(dagster: History) -> None:
    stuck = dagster.run(300, 3)
    dagster.run(299, 3)
    dagster.sql("UPDATE runs SET status = 'STARTED' WHERE run_id = %s", stuck)
    assert purge(dagster.instance, BEFORE) == Purged(1, 0)
    assert stuck in dagster.runs()


def test_a_call_deletes_a_bounded_number_the_oldest_first_over_pages(
    dagster: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_retention, "PAGE", 2)
    old = [dagster.run(200 - n, 4) for n in range(6)]
    newest = dagster.run(100, 1, 4)
    assert purge(dagster.instance, BEFORE, most=4) == Purged(4, 4)
    assert dagster.runs() == {*old[4:], newest}
    assert purge(dagster.instance, BEFORE, most=4) == Purged(3, 2)
    assert dagster.runs() == {newest}
    assert dagster.answer()["there"] == {f"2024-01-{day:02}" for day in range(1, 5)}


def test_what_a_deleted_run_printed_goes_with_it(dagster: History) -> None:
    old, newest = dagster.run(200, 4), dagster.run(100, 4)
    folder = Path(dagster.instance.storage_directory())
    for run_id in (old, newest):
        printed = folder / run_id / "compute_logs" / "daily.out"
        printed.parent.mkdir(parents=True, exist_ok=True)
        printed.write_text("hello")
    purge(dagster.instance, BEFORE)
    assert [run_id for run_id in (old, newest) if (folder / run_id).exists()] == [newest]


def test_old_results_of_checks_go_except_the_newest_of_each_check(dagster: History) -> None:
    runs = [dagster.run(age, 4) for age in (200, 150, 100)]

    def results() -> list[str]:
        return [run_id for (run_id,) in dagster.sql(RESULTS)]

    for run_id, age in zip(runs, (200, 150, 100), strict=True):
        dagster.sql(
            "UPDATE asset_check_executions SET evaluation_event_timestamp = %s WHERE run_id = %s",
            (datetime.now(UTC) - timedelta(days=age)).replace(tzinfo=None),
            run_id,
        )
    assert set(results()) == set(runs)
    purge(dagster.instance, BEFORE)
    assert results() == runs[-1:]
    young = dagster.run(1, 4)
    purge(dagster.instance, BEFORE)
    assert set(results()) == {young}


def test_a_purge_leaves_a_bounded_number_of_bytes_for_each_day_that_was_made(
    dagster: History,
) -> None:
    for age in range(120, 100, -1):
        dagster.run(age, 120 - age + 1)
    [(before,)] = dagster.sql(BYTES)
    purge(dagster.instance, BEFORE)
    [(after,)] = dagster.sql(BYTES)
    assert len(dagster.runs()) == 20
    assert after < before / 3
    purge(dagster.instance, BEFORE)
    assert dagster.sql(BYTES) == [(after,)]


def test_a_run_that_made_nothing_new_is_deleted_and_one_that_failed_is_not(
    dagster: History,
) -> None:
    made, repeated, failed = (
        dagster.run(200, 4),
        dagster.run(150, 4),
        dagster.run(140, 5, fails=True),
    )
    dagster.run(1, 6)
    # as `defs.storage` stores a run that finds the day unchanged
    dagster.sql(
        "DELETE FROM event_logs WHERE run_id = %s AND dagster_event_type = 'ASSET_MATERIALIZATION'",
        repeated,
    )
    before = dagster.answer()
    purge(dagster.instance, BEFORE)
    assert repeated not in dagster.runs()
    assert {made, failed} <= dagster.runs()
    assert dagster.answer() == before

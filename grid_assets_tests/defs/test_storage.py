"""Dagster's storage: few connections, no repetitions, and still all that the UI shows."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psycopg
import pytest
import sqlalchemy
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster_postgres import PostgresEventLogStorage
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs import repetitions, storage
from grid_assets.defs.partitions import UNCHANGED
from grid_assets.runtime.dagster_yaml import dagster_yaml
from grid_assets.settings import Settings
from grid_assets_tests.running import wait_until

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-21")
QUIET_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
Sql = Callable[..., list[tuple[Any, ...]]]

PICTURE = "![drawn](data:image/png;base64,iVBOR)"

METADATA: dict[str, Any] = {}
"""Metadata of the next materialisations of `daily`."""

PASSES: list[bool] = [True]
"""Whether the next results of the check pass."""

FAILING: list[str] = []
"""Assets that fail."""

MEANWHILE: list[Callable[[], object]] = []
"""What happens while `page` is made."""


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("good", asset="daily", blocking=True)],
)
def daily() -> Iterator[dg.MaterializeResult[Any]]:
    if "daily" in FAILING:
        raise dg.Failure("it is meant to")
    yield dg.MaterializeResult(
        metadata=METADATA,
        check_results=[
            dg.AssetCheckResult(passed=PASSES[0], severity=dg.AssetCheckSeverity.WARN),
        ],
    )


@dg.asset(deps=[daily])
def page() -> None:
    if "page" in FAILING:
        raise dg.Failure("it is meant to")
    for happen in MEANWHILE:
        happen()


DEFS = dg.Definitions(
    [daily, page],
    jobs=[dg.define_asset_job("telemetry", [daily, page])],
    executor=dg.in_process_executor,
)


def telemetry_job() -> dg.JobDefinition:
    return DEFS.resolve_job_def("telemetry")


@pytest.fixture
def url(new_database: Callable[[str | None], SecretStr]) -> SecretStr:
    return new_database(None)


@pytest.fixture
def instance(url: SecretStr, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster with the product's storage and settings on a database of the test."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    METADATA.clear()
    PASSES[:], FAILING[:] = [True], []
    custom = {
        "module": "grid_assets.defs.storage",
        "class": "Storage",
        "config": {"postgres_url": url.get_secret_value()},
    }
    with dg.instance_for_test(overrides={"storage": {"custom": custom}}) as made:
        yield made
    storage.engine(url.get_secret_value()).dispose()


@pytest.fixture
def sql(url: SecretStr) -> Sql:
    def query(text: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(text.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    return query


def run(
    instance: dg.DagsterInstance, first: int, last: int | None = None
) -> dg.ExecuteInProcessResult:
    return telemetry_job().execute_in_process(
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": f"2024-01-{first:02}",
            "dagster/asset_partition_range_end": f"2024-01-{last or first:02}",
        },
        raise_on_error=False,
        run_config=QUIET_RUN_CONFIG,
    )


def kinds(sql: Sql, run_id: str) -> dict[str, int]:
    """How many events of each kind a run has left."""
    return dict(
        sql(
            "SELECT dagster_event_type, count(*)::integer FROM event_logs WHERE run_id = %s "
            "GROUP BY 1",
            run_id,
        )
    )


def test_the_product_uses_this_storage_and_its_jobs_pass_no_values() -> None:
    assert "module: grid_assets.defs.storage\n    class: Storage\n" in dagster_yaml(Settings())
    own = {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    assert own == repetitions.WITHOUT_VALUES


# What is stored.


def test_each_fact_of_a_run_is_stored_once(instance: dg.DagsterInstance, sql: Sql) -> None:
    result = run(instance, 3, 5)
    assert result.success
    assert kinds(sql, result.run_id) == {
        "PIPELINE_START": 1,
        "ASSET_MATERIALIZATION_PLANNED": 2,  # one for each asset, not for each day
        "LOGS_CAPTURED": 1,
        "STEP_START": 2,
        "ASSET_MATERIALIZATION": 4,
        "STEP_SUCCESS": 2,
        "PIPELINE_SUCCESS": 1,
    }
    assert sql("SELECT check_name, partition, execution_status FROM asset_check_executions") == [
        ("good", None, "SUCCEEDED")
    ]


def test_a_check_that_passes_again_replaces_its_row_and_a_failure_stays(
    instance: dg.DagsterInstance, sql: Sql
) -> None:
    runs = []
    for passes in (True, True, False, True, True):
        PASSES[:] = [passes]
        runs.append(run(instance, 3))
    history = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(daily.key, "good"), limit=9
    )
    assert [(found.run_id, found.status.value) for found in history] == [
        (runs[4].run_id, "SUCCEEDED"),
        (runs[2].run_id, "FAILED"),
        (runs[1].run_id, "SUCCEEDED"),
    ]
    # The UI asks for what a result was about, and when it came.
    newest = history[0]
    made = instance.get_latest_materialization_event(daily.key)
    assert made is not None
    assert newest.evaluation is not None
    assert newest.evaluation.target_materialization_data is not None
    assert newest.evaluation.target_materialization_data.run_id == runs[4].run_id == made.run_id
    assert made.timestamp <= newest.create_timestamp <= datetime.now(UTC).timestamp()
    assert sql("SELECT count(*) FROM asset_check_executions") == [(3,)]


def test_dagsters_own_storage_reads_what_is_stored(
    instance: dg.DagsterInstance, sql: Sql, url: SecretStr
) -> None:
    passed = run(instance, 3, 5)
    PASSES[:] = [False]
    METADATA["note"] = "a"
    failed = run(instance, 4)
    theirs = PostgresEventLogStorage(url.get_secret_value())
    key = dg.AssetCheckKey(daily.key, "good")
    history = theirs.get_asset_check_execution_history(key, limit=9)
    assert [(found.run_id, found.status) for found in history] == [
        (failed.run_id, AssetCheckExecutionRecordStatus.FAILED),
        (passed.run_id, AssetCheckExecutionRecordStatus.SUCCEEDED),
    ]
    assert all(found.evaluation is not None for found in history)
    # Only a result that did not pass is also in the log of its run.
    assert kinds(sql, failed.run_id)["ASSET_CHECK_EVALUATION"] == 1
    assert theirs.get_materialized_partitions(daily.key) == {
        "2024-01-03",
        "2024-01-04",
        "2024-01-05",
    }
    logs = theirs.get_logs_for_run(failed.run_id)
    [made] = [
        entry.asset_materialization for entry in logs if (entry.asset_materialization is not None)
    ][:1]
    assert made is not None
    assert made.metadata["note"].value == "a"
    assert all(entry.message for entry in logs)


def test_a_repeated_materialisation_leaves_the_newest_one_with_its_picture(
    instance: dg.DagsterInstance, sql: Sql
) -> None:
    METADATA.update(fan_chart=dg.MetadataValue.md(PICTURE), note="forecast")
    first = run(instance, 3)
    METADATA.clear()
    METADATA[UNCHANGED] = True
    assert run(instance, 3).success

    newest = instance.get_latest_materialization_event(daily.key)
    assert newest is not None
    assert newest.run_id == first.run_id
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.metadata["fan_chart"].value == PICTURE
    # The picture is in the newest state of the asset, not once more in the log.
    [(logged,)] = sql(
        "SELECT event FROM event_logs WHERE asset_key = %s AND partition = '2024-01-03' "
        "AND dagster_event_type = 'ASSET_MATERIALIZATION'",
        daily.key.to_string(),
    )
    assert "forecast" in logged
    assert "iVBOR" not in logged


def test_a_failed_range_shows_as_failed_and_is_run_again_from_the_failure(
    instance: dg.DagsterInstance, sql: Sql
) -> None:
    FAILING[:] = ["page"]
    failed = run(instance, 3, 5)
    assert not failed.success
    FAILING.clear()
    with dg.execute_job(
        dg.reconstructable(telemetry_job),
        instance=instance,
        reexecution_options=dg.ReexecutionOptions.from_failure(failed.run_id, instance),
    ) as again:
        assert again.success
        assert {event.step_key for event in again.get_step_success_events()} == {"page"}

    FAILING[:] = ["daily"]
    failed = run(instance, 8, 9)
    status = get_and_update_asset_status_cache_value(instance, daily.key, DAYS)
    assert status is not None
    shown = status.deserialize_failed_partition_subsets(DAYS)
    assert set(shown.get_partition_keys()) == {"2024-01-09"}  # the last day of the range


def test_skipped_ticks_are_kept_for_hours_and_others_for_days(
    instance: dg.DagsterInstance,
) -> None:
    now = datetime.now(UTC)
    for status in (TickStatus.SKIPPED, TickStatus.SUCCESS):
        for hours in (1, 3):
            instance.create_tick(
                TickData(
                    instigator_origin_id="origin",
                    instigator_name="new_telemetry",
                    instigator_type=InstigatorType.SENSOR,
                    status=status,
                    timestamp=(now - timedelta(hours=hours)).timestamp(),
                    selector_id="selector",
                    run_ids=[],
                )
            )
    for status in (TickStatus.SKIPPED, TickStatus.SUCCESS):
        before = (now - timedelta(days=1)).timestamp()
        instance.purge_ticks("origin", "selector", before, [status])
    left = [
        (tick.status, round((now.timestamp() - tick.timestamp) / 3600))
        for tick in instance.get_ticks("origin", "selector")
    ]
    assert sorted(left, key=str) == [
        (TickStatus.SKIPPED, 1),
        (TickStatus.SUCCESS, 1),
        (TickStatus.SUCCESS, 3),
    ]


# Connections.

OURS = (
    "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def opened(server: SecretStr, url: SecretStr) -> int:
    """Sessions ever opened in the database of `url`, asked from another one."""
    with psycopg.connect(server.get_secret_value(), autocommit=True) as connection:
        row = connection.execute(
            "SELECT sessions FROM pg_stat_database WHERE datname = %s",
            [urlsplit(url.get_secret_value()).path[1:]],
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_many_questions_of_many_instances_open_few_connections_and_leave_no_transaction(
    instance: dg.DagsterInstance, sql: Sql, server: SecretStr, url: SecretStr
) -> None:
    run(instance, 3)
    before = opened(server, url)
    for _ in range(5):  # as each evaluation of a sensor makes one
        with dg.DagsterInstance.from_ref(instance.get_ref()) as another:
            for _ in range(10):
                another.get_runs(limit=1)
                another.get_latest_materialization_event(daily.key)
                another.all_instigator_state()
    assert opened(server, url) - before <= storage.KEPT_CONNECTIONS
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: instance.get_runs(limit=1), range(100)))
    wait_until(
        lambda: len(sql(OURS)) <= storage.KEPT_CONNECTIONS, 30, "connections beyond the kept ones"
    )
    assert {state for _, state in sql(OURS)} == {"idle"}


def test_connections_that_the_server_has_closed_are_replaced(
    instance: dg.DagsterInstance, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance, 3)
    monkeypatch.setattr(storage, "TRUSTED_S", 0)  # as after a while without use
    pids = [pid for pid, _ in sql(OURS)]
    assert pids
    for pid in pids:
        sql("SELECT pg_terminate_backend(%s, 5000)", pid)
    assert len(instance.get_runs()) == 1
    assert run(instance, 4).success


def test_a_run_goes_on_after_a_restart_of_the_server(
    instance: dg.DagsterInstance,
    sql: Sql,
    server: SecretStr,
    url: SecretStr,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a pause of the run: its connections have just been used, so nobody tries them."""
    name = urlsplit(url.get_secret_value()).path[1:]
    closed: list[tuple[Any, ...]] = []

    def allow(allowed: bool) -> None:
        with psycopg.connect(server.get_secret_value(), autocommit=True) as connection:
            connection.execute(
                SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(Identifier(name), allowed)
            )
            if not allowed:
                closed.extend(
                    connection.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname = %s",
                        [name],
                    )
                )

    def close() -> None:
        allow(False)
        Timer(1, allow, [True]).start()

    monkeypatch.setattr(storage, "TRUSTED_S", 600)
    MEANWHILE.append(close)
    try:
        result = run(instance, 3)
    finally:
        MEANWHILE.clear()
    assert closed
    assert result.success
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
    assert kinds(sql, result.run_id)["STEP_SUCCESS"] == 2


def test_the_web_server_limits_its_statements(
    instance: dg.DagsterInstance, url: SecretStr, sql: Sql
) -> None:
    instance.optimize_for_webserver(statement_timeout=7000, pool_recycle=60, max_overflow=20)
    with storage.engine(url.get_secret_value()).connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "7s"
    assert len(instance.get_runs()) == 0


def test_the_columns_of_a_table_are_read_once(instance: dg.DagsterInstance, url: SecretStr) -> None:
    run(instance, 3)
    asked: list[str] = []
    engine = storage.engine(url.get_secret_value())

    @sqlalchemy.event.listens_for(engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    run(instance, 4)
    assert len(asked) > 20
    assert [statement for statement in asked if "pg_attribute" in statement] == []

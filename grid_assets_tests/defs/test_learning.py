"""The weekly trial: off unless a setting says so, and what its run leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from grid_assets.definitions import defs
from grid_assets.defs.automation import QUIET_RUN_CONFIG
from grid_assets.defs.partitions import TRIGGER_TAG
from grid_assets.defs.resources import Services
from grid_assets.forecasting.boosting import libraries

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize("setting", ["", "false", "true"])
def test_the_schedule_starts_a_run_only_if_the_setting_is_on(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_TRAIN_WEEKLY", setting)
    schedule = defs.resolve_schedule_def("weekly_learning")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("57 1 * * 0", "UTC")
    with dg.build_schedule_context(resources={"services": Services()}) as context:
        tick = schedule.evaluate_tick(context)
    requests = tick.run_requests or []
    if setting == "true":
        assert [request.tags[TRIGGER_TAG] for request in requests] == ["schedule"]
    else:
        assert (requests, tick.skip_message) == ([], "GRID_TRAIN_WEEKLY is off.")


def run_learning() -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("learning").execute_in_process(
            instance=instance,
            tags={TRIGGER_TAG: "schedule"},
            raise_on_error=False,
            run_config=QUIET_RUN_CONFIG,
        )


@pytest.fixture
def settings(warehouse: SecretStr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_DATABASE_URL", warehouse.get_secret_value())
    monkeypatch.setenv("GRID_HOME", str(tmp_path))


def test_a_run_leaves_its_decision_and_its_attempt(settings: None, rows: Rows) -> None:
    result = run_learning()
    assert result.success
    assert rows("SELECT run_id, outcome FROM forecast.model_trials") == [(result.run_id, "refused")]
    assert rows("SELECT run_id, asset, status, trigger FROM ops.etl_runs") == [
        (result.run_id, "training.gradient_boosting", "success", "schedule")
    ]


def test_a_run_without_lightgbm_fails_and_says_what_to_install(
    settings: None, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "NEEDED", ("lightgbm_that_nobody_has",))
    result = run_learning()
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert ".venv/bin/pip install -e '.[trees]'" in str(failure.step_failure_data.user_failure_data)
    assert rows("SELECT status FROM ops.etl_runs") == [("failed",)]
    # a failed trial is no reason to make forecasts pause
    assert rows("SELECT forecast.due('any')") == [("up_to_date",)]

"""Settings and arguments that are refused, and the help of each command."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from grid_assets.cli.__main__ import grid as command
from grid_assets.settings import PROJECT_DIR
from grid_assets_tests.reading import one_sentence
from grid_assets_tests.running import (
    GridCommand,
)

BAD = {
    "GRID_API_URL": "ftp://u:hidden@127.0.0.1",
    "GRID_DATABASE_URL": "mysql://u:hidden@127.0.0.1/x",
    "GRID_DAGSTER_DATABASE_URL": "postgresql://u:hid/den#hidden@127.0.0.1/x",
    "GRID_API_TIMEOUT_S": "-1",
    "GRID_API_RETRY_BUDGET_S": "soon",
    "GRID_API_CONCURRENCY": "99",
    "GRID_API_MAX_BODY_MB": "0",
    "GRID_HISTORY_START": "yesterday",
    "GRID_TELEMETRY_CRON": "99 * * * *",
    "GRID_UI_PORT": "123456",
    "GRID_CHRONOS_TIMEOUT_S": "0",
    "GRID_BACKTEST_DAYS": "-1",
    "GRID_BACKTEST_STRIDE_HOURS": "0.7",
    "GRID_USE_NESO_FORECAST": "perhaps",
    "GRID_TRAIN_WEEKLY": "on Sundays",
}


def test_each_bad_setting_is_named_and_no_secret_is_shown(grid: GridCommand) -> None:
    refused = grid.run("status", code=1, **BAD)
    assert all(f"{name}: " in one_sentence(refused.err) for name in BAD)
    assert "hidden" not in refused.text


@pytest.mark.parametrize("name", ["GRID_TELEMETRY_CRON", "GRID_UI_PORT"])
def test_dagster_loads_the_definitions_whatever_is_set_and_logs_what_is_wrong(
    grid: GridCommand, name: str
) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import grid_assets.definitions"],
        env=grid.variables(**{name: BAD[name]}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert loaded.returncode == 0, loaded.stderr
    [logged] = loaded.stderr.splitlines()
    assert logged.startswith(f"A setting cannot be used. {name}: ")


def test_a_home_that_cannot_be_made_is_named(grid: GridCommand) -> None:
    refused = one_sentence(grid.run("status", code=1, GRID_HOME="/proc/no-such-folder").err)
    assert "/proc/no-such-folder cannot be created" in refused
    assert "GRID_HOME" in refused


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2025-06-02", "2025-06-01", "--from 2025-06-02 is after --to 2025-06-01"),
        ("2017-09-10", "2017-09-12", "is before 2017-09-11, the first day with data"),
        ("2025-06-01", "2999-01-01", "--to 2999-01-01 is in the future"),
        ("2025-06-31", "2025-07-01", "'2025-06-31' is not a day"),
    ],
)
@pytest.mark.parametrize("name", ["backfill", "backtest"])
def test_days_that_cannot_be_are_refused(name: str, first: str, last: str, reason: str) -> None:
    refused = CliRunner().invoke(command, [name, "--from", first, "--to", last])
    assert refused.exit_code == 2
    assert reason in refused.output


@pytest.mark.parametrize("name", ["backfill", "backtest"])
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Missing option '--from'"),
        (("--from", "2025-06-01"), "Missing option '--to'"),
        (("--from", "2025-06-01", "--to", "2025-06-01", "--stride", "3"), "No such option"),
        (("2025-06-01", "2025-06-01"), "Missing option '--from'"),
    ],
)
def test_days_that_are_missing_are_requested(
    name: str, arguments: tuple[str, ...], reason: str
) -> None:
    refused = CliRunner().invoke(command, [name, *arguments])
    assert refused.exit_code == 2
    assert reason in refused.output


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_has_help_and_is_documented(name: str) -> None:
    helped = CliRunner().invoke(command, [name, "--help"])
    assert helped.exit_code == 0
    assert f"Usage: grid {name}" in helped.output
    assert len(helped.output.splitlines()) > 5
    assert f"  {name}" in CliRunner().invoke(command, ["--help"]).output
    documented = "".join(
        path.read_text(encoding="utf-8")
        for path in (PROJECT_DIR / "README.md", *(PROJECT_DIR / "docs").glob("*.md"))
    )
    assert re.search(rf"\bgrid {name}\b", documented)


def test_the_help_of_a_back_test_names_the_setting_of_its_stride() -> None:
    helped = CliRunner().invoke(command, ["backtest", "--help"]).output
    assert "GRID_BACKTEST_STRIDE_HOURS" in helped
    assert "--from" in helped
    assert "--to" in helped


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("nosuch", "there is no such folder, and the id of a hub model has the form org/name"),
        ("./nosuch", "nosuch is missing"),
    ],
)
def test_a_model_that_is_not_there_is_refused_at_once_and_without_a_stand_in(
    model: str, reason: str
) -> None:
    """Before torch is imported, which takes seconds and fails a unit test."""
    refused = CliRunner().invoke(command, ["evaluate", "--model", model])
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: --model {model} cannot be measured: {reason}")
    assert "instead" not in refused.output

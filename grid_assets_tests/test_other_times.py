"""The tests that read the clock pass at any time of day and year, not only now."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from bench.chaos.clocks import sweep
from grid_assets.settings import PROJECT_DIR
from grid_assets_tests import fake_clock

DOCTOR = "grid_assets_tests/health/test_doctor.py::"
TESTS = (
    "grid_assets_tests/health/test_report.py",
    "grid_assets_tests/telemetry/test_due.py",
    # those of its tests that look at clocks and at the newest half-hours
    DOCTOR + "test_a_fresh_database_lacks_nothing_and_a_migrated_one_is_current",
    DOCTOR + "test_a_wrong_clock_is_to_be_mended",
    DOCTOR + "test_an_api_that_is_down_or_broken_is_to_be_mended_after_one_try",
)


@pytest.mark.slow
@fake_clock.needs_faketime
@pytest.mark.parametrize(
    "at",
    [
        datetime(2027, 3, 28, 0, 35, tzinfo=UTC),  # the clocks go forward at 1:00
        datetime(2027, 10, 31, 1, 5, tzinfo=UTC),  # they went back at 1:00
        datetime(2028, 12, 31, 23, 50, tzinfo=UTC),  # the 366th day
    ],
    ids=lambda at: f"{at:%Y-%m-%d %H:%M}",
)
def test_the_tests_pass_at_another_time(at: datetime) -> None:
    pytest_command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    try:
        done = subprocess.run(
            pytest_command,
            cwd=PROJECT_DIR,
            env=fake_clock.environment(at),
            capture_output=True,
            text=True,
            timeout=500,
        )
    finally:
        sweep()
    assert done.returncode == 0, f"as if it were {at}:\n{done.stdout}{done.stderr}"

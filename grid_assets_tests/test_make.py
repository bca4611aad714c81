"""The targets of make only call `grid` and the tools."""

from __future__ import annotations

import os
import subprocess

import pytest

from grid_assets.settings import PROJECT_DIR

pytestmark = pytest.mark.slow  # it starts make


@pytest.mark.parametrize(
    ("target", "calls"),
    [
        (("demo", "ONCE=1"), ".venv/bin/grid demo --once"),
        (("demo",), ".venv/bin/grid demo"),
        (("up",), ".venv/bin/grid up"),
        (("down",), ".venv/bin/grid down"),
        (
            ("test",),
            '.venv/bin/pytest -m "not unit" -n auto --dist loadfile --no-loadscope-reorder',
        ),
        (("bench",), ".venv/bin/python -m bench"),
    ],
)
def test_make_only_calls_the_command(target: tuple[str, ...], calls: str) -> None:
    made = subprocess.run(
        ["make", "-n", "--no-print-directory", *target],
        cwd=PROJECT_DIR,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.splitlines()[-1].strip() == calls

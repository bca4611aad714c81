"""The workflows of GitHub: what a job that forecasts keeps for the next one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from grid_assets.settings import PROJECT_DIR

WORKFLOWS: Final = PROJECT_DIR / ".github" / "workflows"
TREES: Final = ".grid/cache/trees"
"""Where forecasts look for promoted trees (`models.champion`), under the default GRID_HOME."""


def steps_of(workflow: str) -> list[dict[str, Any]]:
    [job] = yaml.safe_load((WORKFLOWS / workflow).read_text("utf-8"))["jobs"].values()
    assert "GRID_HOME" not in job["env"]
    return list(job["steps"])


@pytest.mark.parametrize(
    ("workflow", "command"), [("telemetry.yml", "grid tick"), ("forecast.yml", "grid forecast")]
)
def test_a_job_finds_the_promoted_trees_that_an_earlier_one_copied(
    workflow: str, command: str
) -> None:
    """Each job begins with an empty GRID_HOME, and a cache that exists is never written again, so
    each job has a key of its own and reads the newest of the others."""
    steps = steps_of(workflow)
    [kept] = [
        number
        for number, step in enumerate(steps)
        if step.get("uses", "").startswith("actions/cache@") and step["with"]["path"] == TREES
    ]
    [forecast] = [
        number for number, step in enumerate(steps) if step.get("run", "").startswith(command)
    ]
    assert kept < forecast
    assert steps[kept]["with"]["key"] == "trees-${{ github.run_id }}"
    assert steps[kept]["with"]["restore-keys"] == "trees-"


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("*.yml")), ids=lambda file: file.name)
def test_each_action_has_a_version(file: Path) -> None:
    for step in (
        step
        for job in yaml.safe_load(file.read_text("utf-8"))["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ):
        version = step["uses"].partition("@")[2]
        assert re.fullmatch(r"v\d[\d.]*|[0-9a-f]{40}", version), step["uses"]

